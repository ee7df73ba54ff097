"""Pop-up distances on worlds drawn by hand, where the answer is known."""

import numpy as np
import pytest
from pydantic import ValidationError

from sonoworld.backend import Run, find
from sonoworld.errors import StageError
from sonoworld.lift.layers import Kind, layers
from sonoworld.lift.popup import POPUP, PopupOptions
from sonoworld.lift.standing import distances, is_room
from sonoworld.perceive.stuff import Parse, Stuff
from sonoworld.sphere import pixel_directions, row_elevations
from sonoworld.types import Panorama

H = 256
W = 2 * H
E = row_elevations(H).astype(np.float32)
elevations = np.broadcast_to(E[:, None], (H, W))
EYE_M = 1.6


def drawn(*, sky_from: float = 0.0) -> np.ndarray:
    """Labels of a level road under a sky."""
    return np.where(elevations > sky_from, Stuff.SKY, Stuff.ROAD).astype(np.uint8)


def put(labels: np.ndarray, stuff: Stuff, elevation: tuple[float, float], azimuth: tuple[float, float] = (-4, 4)):
    """Paint what stands between two elevations (rad) and two azimuths (rad)."""
    az = np.pi - 2 * np.pi * (np.arange(W) + 0.5) / W
    inside = (elevations > elevation[0]) & (elevations < elevation[1]) & ((az > azimuth[0]) & (az < azimuth[1]))[None]
    labels[inside] = stuff


def lifted(labels: np.ndarray, *, room: bool = False, **options: float) -> tuple[np.ndarray, np.ndarray]:
    return distances(layers(labels, E, room=room), E, PopupOptions(**options), room=room)


def foot(rho_m: float) -> float:
    return -float(np.arctan(EYE_M / rho_m))


def near(e_deg: float) -> int:
    return int(np.argmin(np.abs(E - np.radians(e_deg))))


def test_floor_is_a_plane_and_sky_a_shell():
    distance, trust = lifted(drawn())
    for e_deg in (-80, -45, -20, -5, -2):
        y = near(e_deg)
        np.testing.assert_allclose(distance[y], EYE_M / np.sin(-E[y]), rtol=1e-5)
    assert np.all(distance[near(2) - 1 :: -1] == 200)
    assert distance[elevations < 0].max() <= 80 * 1.001
    assert trust[near(-20)].min() > trust[near(-1.3)].max()


def test_scale_is_the_height_of_the_camera():
    low, _ = lifted(drawn(), camera_height_m=1.0)
    high, _ = lifted(drawn(), camera_height_m=3.0)
    below = elevations < np.radians(-5)
    np.testing.assert_allclose(high[below], 3 * low[below], rtol=1e-5)


@pytest.mark.parametrize("rho_m", [3.0, 6.0, 15.0])
def test_a_round_wall_stands_upright_where_it_meets_the_ground(rho_m: float):
    labels = drawn()
    put(labels, Stuff.BUILDING, (foot(rho_m), np.radians(25)))
    distance, _ = lifted(labels)
    wall = (elevations > foot(rho_m) + 0.05) & (elevations < np.radians(24))
    rho = (distance * np.cos(elevations))[wall]
    one_row = rho_m**2 / EYE_M * np.pi / H  # what one row of pixels means at the foot
    assert np.abs(rho - rho_m).max() < 1.5 * one_row + 0.02 * rho_m


def test_a_tower_comes_near_instead_of_growing():
    labels = drawn()
    put(labels, Stuff.BUILDING, (np.radians(-1.5), np.radians(50)))  # its foot seems 60 m away: it would be 73 m high
    distance, _ = lifted(labels)
    y = near(49)
    assert (distance[y] * np.sin(E[y])).max() < 25 - EYE_M + 0.5


def test_a_far_ridge_does_not_stand_on_the_lawn():
    labels = np.where(elevations > np.radians(6), Stuff.SKY, Stuff.GROUND).astype(np.uint8)
    put(labels, Stuff.VEGETATION, (np.radians(-1.5), np.radians(6)))
    ridge, _ = lifted(labels)
    assert ridge[near(4)].min() > 40
    put(labels, Stuff.VEGETATION, (np.radians(-14), np.radians(6)))  # meadow and ridge in one: it must lean away
    slope, _ = lifted(labels)
    assert slope[near(5)].min() > 2.5 * slope[near(-12)].max()


def test_a_bush_keeps_its_distance_and_its_edge():
    labels = drawn()
    put(labels, Stuff.BUILDING, (foot(12.0), np.radians(30)))
    put(labels, Stuff.OTHER, (foot(4.0), np.radians(8)), (-0.3, 0.3))
    distance, _ = lifted(labels)
    row = distance[near(2)] * np.cos(E[near(2)])
    middle, beside = row[W // 2 - 10 : W // 2 + 10], row[W // 2 + 60 : W // 2 + 80]
    assert np.abs(middle - 4).max() < 0.4
    assert np.abs(beside - 12).max() < 2
    between = (row > 4.6) & (row < 9)
    assert not between[W // 2 - 60 : W // 2 + 60].any()


def test_a_house_over_trees_is_behind_them():
    labels = drawn()
    put(labels, Stuff.VEGETATION, (foot(5), np.radians(8)), (-1, 1))
    put(labels, Stuff.BUILDING, (np.radians(8), np.radians(20)), (-0.4, 0.4))
    rho = lifted(labels)[0] * np.cos(elevations)
    ahead = slice(W // 2 - 20, W // 2 + 20)
    crown, house = rho[near(7), ahead], rho[near(10) : near(9) + 1, ahead]
    assert crown.min() > 6
    assert house.min() >= np.quantile(crown, 0.7)
    assert np.ptp(house) < 1e-3  # one wall


def test_ground_ends_at_the_wall():
    labels = drawn()
    put(labels, Stuff.BUILDING, (foot(6.0), np.radians(30)))
    put(labels, Stuff.ROAD, (foot(6.0), np.radians(-2)), (-0.1, 0.1))  # the parser let the road run up the wall
    distance, _ = lifted(labels)
    assert distance[near(-3), W // 2] < 8


def test_turning_the_panorama_turns_the_distances():
    labels = drawn()
    put(labels, Stuff.BUILDING, (foot(9.0), np.radians(30)), (2.2, 4))
    put(labels, Stuff.VEGETATION, (foot(5.0), np.radians(15)), (-3.0, -1.0))
    distance, _ = lifted(labels)
    for turn in (W // 2, 37):
        turned, _ = lifted(np.roll(labels, turn, 1))
        ratio = turned / np.roll(distance, turn, 1)
        assert np.mean(np.abs(ratio - 1) > 0.02) < 0.005


def test_a_room_has_walls_and_a_ceiling():
    labels = np.full((H, W), Stuff.BUILDING, np.uint8)
    labels[elevations < foot(3.0)] = Stuff.GROUND
    labels[elevations > np.radians(60)] = Stuff.SKY  # a bright ceiling
    distance, _ = lifted(labels, room=True, ceiling_height_m=2.6)
    np.testing.assert_allclose(distance[0], 1.0, rtol=1e-3)
    np.testing.assert_allclose(distance[near(45)] * np.sin(E[near(45)]), 1.0, rtol=1e-3)
    assert np.abs(distance[near(5)] - 3).max() < 0.3
    assert layers(labels, E, room=True).sky.sum() == 0


def test_rooms_are_told_or_built_and_without_sky():
    def parse_of(labels: np.ndarray, man_made: float) -> Parse:
        return Parse(np.eye(7, dtype=np.float32)[labels], man_made)

    inside, outside = np.full((H, W), Stuff.BUILDING, np.uint8), drawn()
    assert is_room(parse_of(inside, 0.9), PopupOptions())
    assert not is_room(parse_of(inside, 0.1), PopupOptions())
    assert not is_room(parse_of(outside, 0.9), PopupOptions())
    assert is_room(parse_of(outside, 0.0), PopupOptions(enclosure="room"))
    assert not is_room(parse_of(inside, 0.9), PopupOptions(enclosure="open"))


def test_layers_know_every_kind_and_fill_holes_in_leaves():
    labels = drawn()
    put(labels, Stuff.VEGETATION, (np.radians(-10), np.radians(40)), (-1, 1))
    put(labels, Stuff.SKY, (np.radians(10), np.radians(13)), (0, 0.05))
    put(labels, Stuff.GROUND, (np.radians(-1), np.radians(5)), (2, 3))
    found = layers(labels, E, room=False)
    assert found.kind[near(11), W // 2 - 2] != Kind.SKY
    assert found.kind[near(3), W // 2 - round(2.5 * W / (2 * np.pi))] == Kind.LAND
    assert np.all(found.kind[elevations < np.radians(-56)] == Kind.FLOOR)
    assert np.all(found.floor ^ found.sky ^ found.stands)


def test_too_near_a_cap_is_refused():
    with pytest.raises(StageError, match="camera_height_m"):
        lifted(drawn(), camera_height_m=9.0, far_m=12.0)


def test_the_sky_must_lie_behind_everything():
    with pytest.raises(ValidationError, match="sky_radius_m: expected at least"):
        PopupOptions(far_m=300.0)
    assert PopupOptions(far_m=300.0, sky_radius_m=400.0).far_m == 300


def test_the_backend_on_a_painted_world():
    """Blue over grey with a brown block: a contract test, through the parser."""
    rng = np.random.default_rng(0)
    rgb = np.zeros((H, W, 3), np.uint8)
    rgb[elevations > 0] = (120, 170, 230)
    rgb[elevations <= 0] = (110, 110, 112)
    rgb = np.clip(rgb + rng.normal(0, 3, rgb.shape), 0, 255).astype(np.uint8)
    assert find("lift", "popup") is POPUP
    panorama = Panorama(rgb, np.ones((H, W), bool))
    lift = POPUP.make(PopupOptions())
    first, second = (lift(panorama, Run(np.random.default_rng(1))) for _ in range(2))
    geometry = first.geometry
    assert first.splats is None
    assert geometry.metric
    assert geometry.distance.tobytes() == second.geometry.distance.tobytes()
    np.testing.assert_allclose(np.linalg.norm(geometry.normal, axis=-1), 1, atol=1e-5)
    facing = np.einsum("hwc,hwc->hw", geometry.normal, pixel_directions(H))
    assert facing.max() < 0
    floor = (elevations < np.radians(-20)) & ~geometry.sky
    np.testing.assert_allclose(geometry.normal[floor][:, 2], 1, atol=0.01)
    assert geometry.sky[: H // 4].all()
    assert geometry.valid.mean() > 0.5
