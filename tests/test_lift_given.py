"""`lift.given`: a map of the photo or of the panorama becomes the world it was made from, whatever its numbers mean."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import small_world
from pydantic import ValidationError

from sonoworld import testing
from sonoworld.backend import Run
from sonoworld.errors import InputError
from sonoworld.flow import make_scene
from sonoworld.frames import Pose, world_from_camera_rotation
from sonoworld.lift import given_distances
from sonoworld.lift.footprint import FOOTPRINT
from sonoworld.lift.given import GIVEN, GivenDepthOptions
from sonoworld.recipe import Choice
from sonoworld.render.splat import render_view
from sonoworld.sphere import (
    camera_pixel_directions,
    camera_pixel_from_direction,
    pinhole,
    pixel_directions,
    row_elevations,
)
from sonoworld.types import Camera, Geometry, Panorama

HEIGHT = 128
EYE_M, WALL_M, SHELL_M = 1.6, 5.0, 200.0


def courtyard(d: np.ndarray, eye_m: float = EYE_M) -> np.ndarray:
    """Distances along d: ground below, a wall ahead that is 2.4 m high and 8 m wide, nothing above (infinite)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ground = np.where(d[..., 2] < -eye_m / 90, -eye_m / d[..., 2], np.inf)
        wall = np.where(d[..., 0] > 0, WALL_M / d[..., 0], np.inf)
        y, z = wall * d[..., 1], wall * d[..., 2]
        wall = np.where((np.abs(y) < 4) & (z < 2.4 - eye_m), wall, np.inf)
    return np.minimum(ground, wall)


def truth() -> np.ndarray:
    return courtyard(pixel_directions(HEIGHT))


def picture(eye_m: float = EYE_M) -> Panorama:
    """The courtyard as it looks: blue above, gravel below, a wall of brick."""
    d = pixel_directions(HEIGHT)
    r = courtyard(d, eye_m)
    rgb = np.where(np.isinf(r)[..., None], [150.0, 190.0, 240.0], [128.0, 128.0, 128.0])
    rgb += np.random.default_rng(0).normal(0, 15, (*r.shape, 1)) * np.isfinite(r)[..., None]
    rgb[np.isfinite(r) & (d[..., 0] * r > WALL_M - 1e-6)] = [170, 90, 60]
    return Panorama(np.clip(rgb, 0, 255).astype(np.uint8), looks_in())


def photo_rays() -> np.ndarray:
    camera = testing.tiny_camera()
    return camera_pixel_directions(camera.K, camera.size_px, camera.world_from_camera)


def photo_axis() -> np.ndarray:
    return testing.tiny_camera().world_from_camera.rotation[:, 2]


def looks_in() -> np.ndarray:
    camera = testing.tiny_camera()
    x, y, ahead = camera_pixel_from_direction(pixel_directions(HEIGHT), camera.K, camera.world_from_camera)
    return ahead & (x >= 0) & (x < camera.size_px[0]) & (y >= 0) & (y < camera.size_px[1])


def lifted(path: Path, camera: Camera | None = None, shown: Panorama | None = None, **options: object) -> Geometry:
    lift = GIVEN.make(GIVEN.options.model_validate({"path": str(path), **options}))
    return lift(shown or picture(), Run(np.random.default_rng(0), camera=camera)).geometry


def saved(tmp_path: Path, values: np.ndarray) -> Path:
    np.save(tmp_path / "map.npy", values.astype(np.float32))
    return tmp_path / "map.npy"


@pytest.fixture
def no_popup(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the map says everything: nothing is to be popped up")

    monkeypatch.setattr(given_distances, "popup", refuse)


@pytest.mark.usefixtures("no_popup")
def test_a_whole_map_is_the_world(tmp_path: Path) -> None:
    found = lifted(saved(tmp_path, truth()))
    open_ = np.isinf(truth())
    np.testing.assert_allclose(found.distance, np.where(open_, SHELL_M, truth()), rtol=1e-6)
    assert np.array_equal(found.sky, open_)
    assert found.valid.all()
    assert found.metric


@pytest.mark.usefixtures("no_popup")
def test_what_numbers_mean(tmp_path: Path) -> None:
    r = truth()
    known = lifted(saved(tmp_path, r)).distance
    assert cv2.imwrite(
        str(tmp_path / "mm.png"), np.where(np.isinf(r), 65535, 1000 * np.minimum(r, 65)).astype(np.uint16)
    )
    near = r < 60  # what a millimetre map of 16 bits can count
    np.testing.assert_allclose(lifted(tmp_path / "mm.png").distance[near], r[near], rtol=0, atol=0.0011)
    np.testing.assert_allclose(lifted(saved(tmp_path, r / 0.3048), unit_m=0.3048).distance, known, rtol=1e-5)
    np.testing.assert_allclose(lifted(saved(tmp_path, 7 / r), holds="disparity", unit_m=7).distance, known, rtol=1e-5)
    capped = lifted(saved(tmp_path, np.minimum(r, 70)), sky_from=70)
    assert np.array_equal(capped.sky, np.isinf(r) | (r >= 70))


@pytest.mark.usefixtures("no_popup")
def test_a_finer_map_is_looked_up_without_distances_in_between(tmp_path: Path) -> None:
    fine = courtyard(pixel_directions(4 * HEIGHT))
    found = lifted(saved(tmp_path, fine))
    r = truth()
    inner = np.isfinite(r) & (row_elevations(HEIGHT)[:, None] < -0.1)
    close = np.abs(found.distance / np.where(inner, r, 1) - 1) < 0.01
    assert close[inner].mean() > 0.99
    between = (found.distance > 1.02 * 90) & (found.distance < SHELL_M)
    assert not between.any()


def test_a_map_of_the_photo_by_z_depth_and_by_distance(tmp_path: Path) -> None:
    d, inside, r = photo_rays(), looks_in(), truth()
    expected = inside & np.isfinite(r)
    along = lifted(saved(tmp_path, courtyard(d)), testing.tiny_camera(), holds="distance")
    z = lifted(saved(tmp_path, courtyard(d) * (d @ photo_axis())), testing.tiny_camera())
    for found in (along, z):
        ratio = found.distance[expected] / r[expected]
        assert np.median(np.abs(ratio - 1)) < 2e-3
        assert (np.abs(ratio - 1) < 0.03).mean() > 0.97  # but at the wall's outline
        assert found.metric
    mistaken = lifted(saved(tmp_path, courtyard(d)), testing.tiny_camera())
    assert np.median(np.abs(mistaken.distance[expected] / r[expected] - 1)) > 0.02


@pytest.mark.parametrize("eye_m", [1.0, 1.6, 3.0])
def test_what_the_photo_does_not_show_continues_it(tmp_path: Path, eye_m: float) -> None:
    d = photo_rays()
    z = courtyard(d, eye_m) * (d @ photo_axis())
    found = lifted(saved(tmp_path, z), testing.tiny_camera(), picture(eye_m))
    elevation = row_elevations(HEIGHT)[:, None]
    steep = np.broadcast_to(elevation < -0.3, found.distance.shape) & ~looks_in()
    height = found.distance * np.sin(-elevation)
    assert np.abs(np.median(height[steep]) / eye_m - 1) < 0.03  # all around, the ground the map saw ahead
    assert found.sky[: HEIGHT // 4].all()


def test_an_unknown_unit_is_set_by_the_height_of_the_eye(tmp_path: Path) -> None:
    d, inside, r = photo_rays(), looks_in(), truth()
    z = courtyard(d) * (d @ photo_axis())
    ground = inside & np.isfinite(r) & (row_elevations(HEIGHT)[:, None] < -0.35)
    ways = (
        (37.0 * z, {"camera_height_m": 2.0}, 2.0, True),
        (1 / (0.01 * z), {"holds": "disparity"}, 1.6, False),
        (1 / (0.01 * z), {"holds": "disparity", "camera_height_m": 0.8}, 0.8, True),
    )
    for values, options, eye_m, metric in ways:
        found = lifted(saved(tmp_path, values), testing.tiny_camera(), **options)
        np.testing.assert_allclose(np.median(found.distance[ground] / r[ground]), eye_m / EYE_M, rtol=0.02)
        assert found.metric == metric


@pytest.mark.parametrize("nothing", [np.nan, 0.0, -1.0, np.inf])
def test_small_gaps_are_continued_and_not_trusted(tmp_path: Path, nothing: float) -> None:
    r = truth()
    ground, wall = (slice(100, 102), slice(60, 62)), (slice(62, 64), slice(127, 129))
    holed = r.copy()
    holed[ground] = holed[wall] = nothing
    found = lifted(saved(tmp_path, holed))
    for patch in (ground, wall):
        np.testing.assert_allclose(found.distance[patch], r[patch], rtol=0.02)
        assert not found.valid[patch].any()
        assert not found.sky[patch].any()  # infinity is no sky below the horizon, nor in a speck
    rest = np.ones(r.shape, bool)
    rest[ground] = rest[wall] = False
    assert found.valid[rest].all()


def test_a_large_gap_is_popped_up_at_the_scale_of_the_map(tmp_path: Path) -> None:
    r = courtyard(pixel_directions(HEIGHT), 2.4)
    behind = pixel_directions(HEIGHT)[..., 0] < -0.2
    found = lifted(saved(tmp_path, np.where(behind, np.nan, r)), shown=picture(2.4))
    steep = behind & (row_elevations(HEIGHT)[:, None] < -0.3)
    assert np.abs(found.distance[steep] / r[steep] - 1).max() < 0.1
    assert np.median(np.abs(found.distance[steep] / r[steep] - 1)) < 0.02
    assert found.sky[behind & (row_elevations(HEIGHT)[:, None] > 0.4)].all()


def test_which_pixels_are_sky(tmp_path: Path) -> None:
    r = truth()
    unknown = np.where(np.isinf(r), np.nan, r)
    ceiling = np.where(np.isinf(r) & (pixel_directions(HEIGHT)[..., 2] > 0.1), 9.0, unknown)
    up = slice(0, HEIGHT // 3)
    assert lifted(saved(tmp_path, unknown)).sky[up].all()  # as it looks
    assert not lifted(saved(tmp_path, ceiling)).sky[up].any()  # blue, but nearer than a sky
    assert lifted(saved(tmp_path, ceiling), sky="parse").sky[up].all()
    assert not lifted(saved(tmp_path, np.where(np.isinf(r), 50.0, r)), sky="none").sky.any()
    far = np.where(np.isinf(r), 150.0, r)
    assert lifted(saved(tmp_path, far)).sky[up].all()  # a map that knows no infinity, and looks like sky
    assert lifted(saved(tmp_path, far), sky="file", sky_radius_m=120).sky[up].all()


def test_layers_and_dome_work_on_it(tmp_path: Path) -> None:
    panorama = picture()
    found = lifted(saved(tmp_path, truth()))
    seed = FOOTPRINT.make(FOOTPRINT.options())
    splats = seed(panorama, found, Run(np.random.default_rng(0)))
    assert len(splats) > 1.05 * HEIGHT * 2 * HEIGHT * 2 / np.pi  # more than the visible layer
    for yaw in (0.0, 1.6, 3.1, 4.7):
        pose = Pose(world_from_camera_rotation(0.0, 0.0, yaw), np.array([0.0, 0.5, 0.0]))
        assert (render_view(splats, pinhole(np.pi / 2, (96, 64)), (96, 64), pose).alpha < 0.9).mean() < 0.01


def test_options_that_contradict_each_other() -> None:
    for options in ({"unit_m": 1, "camera_height_m": 1.6}, {"shows": "panorama", "holds": "z_depth"}, {"unit_m": 0}):
        with pytest.raises(ValidationError):
            GivenDepthOptions.model_validate({"path": "a.png", **options})


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    camera = testing.tiny_camera()
    square, r = np.ones((50, 50)), truth()
    wide = replace(camera, size_px=(200, 100))
    for values, seen_by, options, what in (
        (square, camera, {}, r"the photo's shape, 192×144, or twice as wide as high; got 50×50"),
        (square, None, {}, r"made from a panorama, or twice as wide as high; got 50×50"),
        (square, camera, {"shows": "panorama"}, r"twice as wide as high; got 50×50"),
        (r, camera, {"shows": "photo"}, r"192×144; got 256×128"),
        (r, None, {"shows": "photo"}, r"made from a panorama; got 256×128"),
        (r, wide, {}, r"expected lift.shows=photo or panorama"),
        (r, None, {"holds": "z_depth"}, r"expected distance or disparity"),
        (np.full((8, 16), np.nan), None, {}, r"expected distances, got none"),
        (np.full((8, 16), np.inf), None, {}, r"expected distances, got none"),
        (1000 * r, None, {}, r"got .* m in the middle: set lift.unit_m"),
    ):
        with pytest.raises(InputError, match=what):
            lifted(saved(tmp_path, values), seen_by, **options)
    with pytest.raises(InputError, match="nothing there"):
        lifted(tmp_path / "none.png")


def test_a_changed_map_makes_the_world_again(tmp_path: Path) -> None:
    options = GIVEN.options.model_validate({"path": str(saved(tmp_path, courtyard(photo_rays()))), "holds": "distance"})
    recipe = small_world.recipe()
    recipe = replace(recipe, choices={**recipe.choices, "lift": Choice(GIVEN, options)})
    first = make_scene(testing.tiny_photo(), recipe, tmp_path / "scene")
    assert testing.same_value(make_scene(testing.tiny_photo(), recipe, tmp_path / "scene"), first)
    saved(tmp_path, courtyard(photo_rays(), 1.2))
    second = make_scene(testing.tiny_photo(), recipe, tmp_path / "scene")
    below = (slice(-8, None), slice(None))
    ratio = second.geometry.distance[below] / first.geometry.distance[below]
    # straight below nothing was given: what is guessed there follows the map, but not exactly
    np.testing.assert_allclose(np.median(ratio), 1.2 / EYE_M, rtol=0.08)
