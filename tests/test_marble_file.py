"""`lift.marble_file`: a world downloaded from Marble stands in metres, upright, its floor where it belongs."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_world
from pydantic import ValidationError

from sonoworld import frames, testing
from sonoworld.backend import Lifted, Run
from sonoworld.disk.splat_file import write_splats
from sonoworld.disk.splat_file_axes import turned
from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.flow import make_scene
from sonoworld.frames import angles_from_direction, direction_from_angles
from sonoworld.lift.footprint import FOOTPRINT
from sonoworld.lift.imported import height_of_eye, scaled
from sonoworld.lift.marble_file import MARBLE_FILE, MarbleFileOptions
from sonoworld.lift.marble_world import read_metadata
from sonoworld.lift.sight import distances
from sonoworld.recipe import Choice
from sonoworld.sphere import pixel_directions
from sonoworld.types import Geometry, Splats

HEIGHT = 128
METRES_PER_UNIT = 1.25
EYE_M = testing.EYE_HEIGHT_M


def courtyard() -> Geometry:
    """A ground 1.6 m below, a wall 5 m ahead 3 m high, a shell of 100 m behind: all known exactly."""
    d = pixel_directions(HEIGHT)
    with np.errstate(divide="ignore", invalid="ignore"):
        ground = np.where(d[..., 2] < 0, -EYE_M / d[..., 2], np.inf)
        wall = np.where(d[..., 0] > 0, 5 / d[..., 0], np.inf)
        y, z = wall * d[..., 1], wall * d[..., 2]
        wall = np.where((np.abs(y) < 4) & (z < 3 - EYE_M), wall, np.inf)
    distance = np.minimum(np.minimum(ground, wall), 100.0).astype(np.float32)
    return Geometry(distance, (-d).astype(np.float32), distance >= 100, distance < 100, metric=True)


def world() -> Splats:
    """The courtyard as splats, world axes, metres."""
    seed = FOOTPRINT.make(FOOTPRINT.options())
    return seed(testing.tiny_panorama(HEIGHT), courtyard(), Run(np.random.default_rng(0)))


def marble(folder: Path, name: str = "world.spz", splats: Splats | None = None) -> Path:
    """As Marble would store it: OpenCV's axes, units of its own."""
    write_splats(folder / name, scaled(world() if splats is None else splats, 1 / METRES_PER_UNIT), axes="RDF")
    return folder / name


def metadata(folder: Path, **changes: object) -> Path:
    """The API's answer around the two numbers."""
    facts = {"metric_scale_factor": METRES_PER_UNIT, "ground_plane_offset": EYE_M, **changes}
    splats = {"spz_urls": {"500k": "somewhere"}, "semantics_metadata": facts}
    document = {"world_id": "w", "assets": {"splats": splats, "mesh": None}, "tags": [1, 2]}
    (folder / "world.json").write_text(json.dumps(document))
    return folder / "world.json"


def lift(**options: Any) -> Lifted:
    made = MARBLE_FILE.make(MarbleFileOptions.model_validate(options))
    return made(testing.tiny_panorama(HEIGHT), Run(np.random.default_rng(0)))


def assert_is_the_courtyard(geometry: Geometry) -> None:
    """Within 2 % up to 10 m, edges apart; farther a ray skims the ground, and a splat's thickness counts."""
    true = courtyard()
    error = np.abs(np.log(geometry.distance / true.distance))
    assert np.median(error[~true.sky]) < 1e-3
    assert np.mean(error[true.distance < 10] < 0.02) > 0.98
    assert np.mean(error[true.distance < 40] < 0.1) > 0.95
    assert np.mean(geometry.sky == true.sky) > 0.99


@pytest.mark.parametrize("name", ["world.spz", "world.ply", "world.sog"])
def test_metres_and_floor_from_the_metadata(tmp_path: Path, name: str) -> None:
    lifted = lift(path=str(marble(tmp_path, name)), metadata=str(metadata(tmp_path)), sky_radius_m=90.0)
    assert lifted.geometry.metric
    assert_is_the_courtyard(lifted.geometry)
    assert lifted.splats is not None
    assert np.isclose(np.percentile(lifted.splats.means[:, 2], 1), -EYE_M, atol=0.01)  # the floor, and nothing below it
    ahead = lifted.splats.means[np.abs(lifted.splats.means[:, 1]) < 1]
    assert np.sum(np.abs(ahead[:, 0] - 5) < 0.02) > 100  # the wall stands ahead
    ratio = lifted.splats.log_scales[0] - world().log_scales[0]
    if name == "world.ply":
        np.testing.assert_allclose(ratio, 0, atol=1e-4)  # sizes grew with the places


def test_numbers_by_hand_are_as_good(tmp_path: Path) -> None:
    path = str(marble(tmp_path))
    by_hand = lift(path=path, metric_scale_factor=METRES_PER_UNIT, ground_plane_offset=EYE_M)
    assert testing.same_value(by_hand, lift(path=path, metadata=str(metadata(tmp_path))))


def test_the_eyes_height_sets_an_unknown_scale(tmp_path: Path) -> None:
    lifted = lift(path=str(marble(tmp_path)), camera_height_m=EYE_M, sky_radius_m=90.0)
    assert lifted.geometry.metric
    assert_is_the_courtyard(lifted.geometry)
    unknown = lift(path=str(marble(tmp_path)))
    assert not unknown.geometry.metric
    assert np.isclose(height_of_eye(unknown.geometry.distance), EYE_M / METRES_PER_UNIT, rtol=1e-3)


def test_what_is_open_below_is_floor_and_above_is_sky(tmp_path: Path) -> None:
    """A world without ground below 30° and without a sky."""
    whole = world()
    elevation = angles_from_direction(whole.means.astype(np.float64))[1]
    kept = (elevation > np.radians(-30)) & (elevation < np.radians(20)) & (np.linalg.norm(whole.means, axis=1) < 90)
    part = Splats(*(getattr(whole, name)[kept] for name in Splats.__dataclass_fields__))
    path = str(marble(tmp_path, splats=part))
    lifted = lift(path=path, metric_scale_factor=METRES_PER_UNIT, ground_plane_offset=EYE_M)
    down = -pixel_directions(HEIGHT)[..., 2]
    steep = down > np.sin(np.radians(35))
    np.testing.assert_allclose(lifted.geometry.distance[steep] * down[steep], EYE_M, rtol=1e-5)
    assert not lifted.geometry.valid[steep].any()
    high = down < -np.sin(np.radians(25))
    assert lifted.geometry.sky[high].all()
    assert (lifted.geometry.distance[high] == 200).all()
    with pytest.raises(InputError, match="expected ground below the eye, got 0%"):
        lift(path=path, camera_height_m=1.6)


def test_a_turn_to_the_left(tmp_path: Path) -> None:
    path = str(marble(tmp_path, "world.ply"))
    turned_left, straight = lift(path=path, yaw_deg=90.0).geometry.distance, lift(path=path).geometry.distance
    quarter = np.roll(straight, -HEIGHT // 2, axis=1)  # left is to smaller columns
    assert np.mean(np.abs(np.log(turned_left / quarter)) < 0.02) > 0.99


def test_other_axes_and_what_contradicts_them(tmp_path: Path) -> None:
    write_splats(tmp_path / "up.spz", world())  # as Niantic describes SPZ: y up
    lifted = lift(path=str(tmp_path / "up.spz"), axes="RUB", metric_scale_factor=1.0, sky_radius_m=90.0)
    assert_is_the_courtyard(lifted.geometry)
    with pytest.raises(InputError, match="expected the ground below the eye"):
        lift(path=str(tmp_path / "up.spz"), axes="RUB", metric_scale_factor=1.0, ground_plane_offset=1.6)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{", UnsafeFileError),
        ('{"metric_scale_factor": "1"}', UnsafeFileError),
        ('{"metric_scale_factor": true}', UnsafeFileError),
        ('{"metric_scale_factor": NaN}', UnsafeFileError),
        ('{"metric_scale_factor": -1}', UnsafeFileError),
        ('[{"metric_scale_factor": 1}, {"metric_scale_factor": 2}]', UnsafeFileError),
        ("[" * 20 + "]" * 20, UnsafeFileError),
        ("[" * 100_000, UnsafeFileError),
        ('{"assets": {}}', InputError),
    ],
)
def test_bad_metadata_is_one_clear_error(tmp_path: Path, text: str, kind: type[Exception]) -> None:
    (tmp_path / "world.json").write_text(text)
    with pytest.raises(kind, match="expected"):
        read_metadata(tmp_path / "world.json")


def test_metadata_may_hold_one_number_or_repeat_it(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": {"metric_scale_factor": 2}, "b": [{"metric_scale_factor": 2.0}]}')
    assert read_metadata(tmp_path / "a.json") == (2.0, None)


@pytest.mark.parametrize(
    "options",
    [
        {"path": "a.spz", "metadata": "a.json", "metric_scale_factor": 1.0},
        {"path": "a.spz", "metadata": "a.json", "camera_height_m": 1.6},
        {"path": "a.spz", "camera_height_m": 1.6, "ground_plane_offset": 1.0},
        {"path": "a.spz", "axes": "RUF"},
        {"path": "a.spz", "metric_scale_factor": 0.0},
        {"path": ""},
        {},
    ],
)
def test_options_that_contradict_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MarbleFileOptions.model_validate(options)


def test_it_keeps_the_contract_of_lift(tmp_path: Path) -> None:
    testing.check_backend(MARBLE_FILE, MarbleFileOptions(path=str(marble(tmp_path)), metric_scale_factor=1.25))


def test_a_changed_file_lifts_again(tmp_path: Path) -> None:
    """The same options, another file: what depends on it is made anew, and only then."""
    path = marble(tmp_path)
    recipe = small_world.recipe()
    options = MarbleFileOptions(path=str(path), metric_scale_factor=METRES_PER_UNIT)
    recipe = replace(recipe, choices={**recipe.choices, "lift": Choice(MARBLE_FILE, options)})
    first = make_scene(testing.tiny_photo(), recipe, tmp_path / "scene")
    assert testing.same_value(make_scene(testing.tiny_photo(), recipe, tmp_path / "scene"), first)
    assert len(first.splats) == len(world())  # its own splats, not those of `seed`
    marble(tmp_path, splats=turned(world(), frames.world_from_head_rotation(1.0, 0.0)))
    second = make_scene(testing.tiny_photo(), recipe, tmp_path / "scene")
    assert not np.array_equal(second.geometry.distance, first.geometry.distance)
    path.unlink()
    with pytest.raises(InputError, match="expected a file named by a recipe"):
        make_scene(testing.tiny_photo(), recipe, tmp_path / "scene")


# ---------------------------------------------------------------- distances to splats


def disc(direction: np.ndarray, distance_m: float, sigma_m: float, logit: float = 6.0) -> Splats:
    """One round splat, as thick as wide."""
    return Splats(
        means=(distance_m * direction[None]).astype(np.float32),
        log_scales=np.full((1, 3), np.log(sigma_m), np.float32),
        quats=np.array([[1, 0, 0, 0]], np.float32),
        opacity_logits=np.array([logit], np.float32),
        sh=np.zeros((1, 1, 3), np.float32),
    )


@pytest.mark.parametrize(
    ("azimuth", "elevation"), [(0.0, 0.0), (np.pi, 0.3), (1.0, -1.2), (2.0, 1.5), (0.5, -np.pi / 2)]
)
def test_one_ball_is_where_it_is_and_as_large(azimuth: float, elevation: float) -> None:
    """Half of the light is stopped within σ √(2 ln 2) of its axis, also at the seam and the poles."""
    direction = direction_from_angles(np.array(azimuth), np.array(elevation))
    seen = distances(disc(direction, 3.0, 0.3), 256)
    hit = np.isfinite(seen)
    np.testing.assert_allclose(seen[hit], 3.0, rtol=0.02)
    angle = np.arccos(np.clip(pixel_directions(256) @ direction, -1, 1))
    radius = np.arctan(0.1 * np.sqrt(2 * np.log(2)))
    assert hit[angle < radius - 0.01].all()
    assert not hit[angle > radius + 0.015].any()


def test_thin_and_faint_splats_do_not_stop_the_light() -> None:
    ahead = np.array([1.0, 0, 0])
    assert np.isinf(distances(disc(ahead, 2.0, 0.3, logit=-1.0), 64)).all()  # 27 % opaque
    both = [disc(ahead, 2.0, 0.3, logit=-1.0), disc(ahead, 5.0, 0.5)]
    together = Splats(*(np.concatenate([getattr(b, n) for b in both]) for n in Splats.__dataclass_fields__))
    assert np.isclose(distances(together, 64)[31, 63], 5.0, rtol=0.02)
    assert np.isinf(distances(disc(ahead, 0.01, 0.001), 64)).all()  # in the eye
