"""Things are found wherever they stand on the sphere, once each, and only in pixels that the photo knows."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from sonoworld import frames, sphere
from sonoworld.frames import Pose
from sonoworld.perceive import around
from sonoworld.perceive.around import SIDE_PX, detect_panorama, project_mask, tiles
from sonoworld.perceive.outline import outline
from sonoworld.tiles import Tile

HEIGHT = 512


def posted(picture: np.ndarray, azimuth_deg: float, elevation_deg: float, fov_deg: float) -> np.ndarray:
    """A gray panorama in which a picture hangs like a poster, its middle in the given direction."""
    height, width = picture.shape[:2]
    K = sphere.pinhole(np.radians(fov_deg), (width, height))
    rotation = frames.world_from_camera_rotation(np.radians(elevation_deg), 0.0, np.radians(azimuth_deg))
    x, y, ahead = sphere.camera_pixel_from_direction(sphere.pixel_directions(HEIGHT), K, Pose(rotation, np.zeros(3)))
    inside = ahead & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    drawn = cv2.remap(picture, x.astype(np.float32) - 0.5, y.astype(np.float32) - 0.5, cv2.INTER_AREA)
    return np.where(inside[..., None], drawn, np.uint8(128))


def direction(azimuth_deg: float, elevation_deg: float) -> np.ndarray:
    return frames.direction_from_angles(np.array(np.radians(azimuth_deg)), np.array(np.radians(elevation_deg)))


def angle_deg(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(a @ b, -1, 1))))


@pytest.mark.parametrize(("azimuth", "elevation"), [(180, -5), (75, -15)])
def test_a_cat_is_found_once_where_it_hangs(azimuth: float, elevation: float) -> None:
    cats = data.chelsea()
    panorama = posted(cats, azimuth, elevation, 50.0)
    found = detect_panorama(panorama, np.ones((HEIGHT, 2 * HEIGHT), bool))
    named = [t for t in found if t.label == "cat"]
    assert len(named) == 1
    assert angle_deg(named[0].direction, direction(azimuth, elevation)) < 10
    weight = named[0].mask * sphere.pixel_solid_angles(HEIGHT)[:, None]
    mean = (weight[..., None] * sphere.pixel_directions(HEIGHT)).sum((0, 1))
    assert angle_deg(mean / np.linalg.norm(mean), direction(azimuth, elevation)) < 10
    assert 20 < np.degrees(named[0].width) < 60


def test_nothing_is_found_in_invented_pixels() -> None:
    panorama = posted(data.chelsea(), 90, 0, 50.0)
    known = np.zeros((HEIGHT, 2 * HEIGHT), bool)
    known[:, HEIGHT:] = True  # the right half; the cat hangs on the left
    assert detect_panorama(panorama, known) == ()


def test_tiles_see_the_whole_ring() -> None:
    """Every direction within 45° of the horizon is well inside some tile."""
    views = tiles()
    for azimuth in range(0, 360, 10):
        for elevation in range(-45, 50, 15):
            d = direction(azimuth, elevation)
            inside = 0
            for view in views:
                x, y, ahead = sphere.camera_pixel_from_direction(d, view.K, view.pose)
                inside += bool(ahead and 40 < x < SIDE_PX - 40 and 40 < y < SIDE_PX - 40)
            assert inside


@settings(max_examples=40)
@given(
    st.floats(-180, 180), st.floats(-90, 90), st.floats(60, 400), st.floats(60, 400), st.sampled_from([38.0, 60, 100])
)
def test_masks_of_tiles_land_in_their_direction(
    azimuth: float, elevation: float, x: float, y: float, fov: float
) -> None:
    """Everywhere on the sphere, poles and seam included."""
    rotation = frames.world_from_camera_rotation(np.radians(elevation), 0.0, np.radians(azimuth))
    view = Tile(sphere.pinhole(np.radians(fov), (SIDE_PX, SIDE_PX)), Pose(rotation, np.zeros(3)), np.radians(fov))
    yy, xx = np.mgrid[:SIDE_PX, :SIDE_PX] + 0.5
    disc = (xx - x) ** 2 + (yy - y) ** 2 < 40**2
    mask = project_mask(disc, view, HEIGHT)
    every = sphere.pixel_directions(HEIGHT)
    u, v, ahead = sphere.camera_pixel_from_direction(every, view.K, view.pose)
    inside = ahead & (u >= 0) & (v >= 0) & (u < SIDE_PX) & (v < SIDE_PX)
    plain = np.zeros_like(mask)
    plain[inside] = disc[v[inside].astype(int), u[inside].astype(int)]
    assert (mask == plain).all()


def candidate(label: str, score: float, tile: int, centre: np.ndarray, views: tuple[Tile, ...]) -> around._Candidate:
    x, y, _ = sphere.camera_pixel_from_direction(centre, views[tile].K, views[tile].pose)
    half = views[tile].K[0, 0] * 0.05
    return around._Candidate(label, score, (float(x - half), float(y - half), float(x + half), float(y + half)), tile)


def test_one_thing_seen_by_many_tiles_is_one_thing() -> None:
    views = tiles()
    centre = direction(179.5, -4)
    seeing = []
    for i, view in enumerate(views):
        x, y, ahead = sphere.camera_pixel_from_direction(centre, view.K, view.pose)
        if ahead and 60 < x < 450 and 60 < y < 450:
            seeing.append(i)
    assert len(seeing) > 2
    candidates = [candidate("car", 0.5 + 0.01 * i, i, centre, views) for i in seeing]
    assert len(around._each_once(candidates, views)) == 1
    bus = candidate("bus", 0.4, seeing[0], centre, views)
    dog = candidate("dog", 0.4, seeing[0], centre, views)
    assert [c.label for c in around._each_once([*candidates, bus, dog], views)] == ["car", "dog"]
    apart = candidate("car", 0.4, seeing[0], direction(170, -4), views)
    assert len(around._each_once([*candidates, apart], views)) == 2


def test_outlines_stay_inside_their_boxes() -> None:
    rng = np.random.default_rng(0)
    rgb = rng.integers(90, 110, (120, 160, 3)).astype(np.uint8)
    rgb[40:90, 60:100] = [200, 30, 30]
    mask = outline(rgb, (50.0, 30.0, 110.0, 100.0))
    assert not mask[:30].any()
    assert not mask[:, 111:].any()
    truth = np.zeros_like(mask)
    truth[40:90, 60:100] = True
    assert (mask & truth).sum() / (mask | truth).sum() > 0.85
    assert mask.tobytes() == outline(rgb, (50.0, 30.0, 110.0, 100.0)).tobytes()
    assert not outline(rgb, (200.0, 0.0, 220.0, 20.0)).any()
