"""Pictures of sources: the right way round, in the middle, wide enough, and none of what is not to be seen."""

from dataclasses import replace

import numpy as np
import pytest

from sonoworld import sphere, testing
from sonoworld.frames import direction_from_angles
from sonoworld.localize.picture import FOV_RANGE_RAD, SIDE_PX, picture_of
from sonoworld.types import Source, Spread

HEIGHT = 256


def at(direction: np.ndarray, solid_angle_sr: float = 0.01) -> Source:
    bird = testing.tiny_sources()[1]
    points = (5 * direction)[None].astype(np.float32)
    return replace(bird, points=points, normals=-direction[None].astype(np.float32), solid_angle_sr=solid_angle_sr)


def cap(direction: np.ndarray, radius: float) -> np.ndarray:
    return sphere.pixel_directions(HEIGHT) @ direction > np.cos(radius)


def painted(*caps: tuple[np.ndarray, tuple[int, int, int]]) -> np.ndarray:
    rgb = np.zeros((HEIGHT, 2 * HEIGHT, 3), np.uint8)
    for where, colour in caps:
        rgb[where] = colour
    return rgb


@pytest.mark.parametrize(("azimuth", "elevation"), [(0.0, 0.0), (np.pi, 0.1), (1.2, 1.3), (-2.5, -1.4)])
def test_the_source_is_in_the_middle_anywhere_on_the_sphere(azimuth: float, elevation: float) -> None:
    direction = direction_from_angles(np.array(azimuth), np.array(elevation))
    picture = picture_of(at(direction), painted((cap(direction, 0.12), (255, 0, 0))))
    assert picture is not None
    assert picture.shape == (SIDE_PX, SIDE_PX, 3)
    rows, columns = np.nonzero(picture[..., 0] > 127)
    assert abs(rows.mean() - SIDE_PX / 2) < 4
    assert abs(columns.mean() - SIDE_PX / 2) < 4


def test_left_is_left_and_up_is_up() -> None:
    ahead = np.array([1.0, 0.0, 0.0])
    left = direction_from_angles(np.array(0.15), np.array(0.0))
    above = direction_from_angles(np.array(0.0), np.array(0.15))
    picture = picture_of(at(ahead), painted((cap(left, 0.05), (255, 0, 0)), (cap(above, 0.05), (0, 255, 0))))
    assert picture is not None
    assert np.nonzero(picture[..., 0] > 127)[1].mean() < SIDE_PX / 2 - 20
    assert np.nonzero(picture[..., 1] > 127)[0].mean() < SIDE_PX / 2 - 20


def test_a_larger_source_is_shown_wider() -> None:
    ahead = np.array([1.0, 0.0, 0.0])
    rgb = painted((cap(ahead, 0.1), (255, 255, 255)))
    shares = []
    for solid_angle in (0.001, 0.3, 4.0):
        picture = picture_of(at(ahead, solid_angle), rgb)
        assert picture is not None
        shares.append(float((picture[..., 0] > 127).mean()))
    assert shares[0] > shares[1] > shares[2] > 0
    # the smallest shows 30°: a disc of tan 0.1 in a square of half-width tan 15°
    assert shares[0] == pytest.approx(np.pi / 4 * (np.tan(0.1) / np.tan(FOV_RANGE_RAD[0] / 2)) ** 2, rel=0.05)


def test_an_area_is_looked_at_where_most_of_it_is_seen() -> None:
    """Far points count for much surface and little of what is seen."""
    near = direction_from_angles(np.array([0.0, 0.1, 0.2]), np.full(3, -0.5)) * 2
    far = direction_from_angles(np.array([2.0]), np.array([0.0])) * 100
    points = np.concatenate([near, far]).astype(np.float32)
    normals = np.asarray(-points / np.linalg.norm(points, axis=1, keepdims=True), np.float32)
    bird = testing.tiny_sources()[1]
    river = replace(
        bird, spread=Spread.AREA, points=points, normals=normals, weights=np.full(4, 0.25, np.float32),
        solid_angle_sr=0.1,
    )  # fmt: skip
    middle = direction_from_angles(np.array(0.1), np.array(-0.5))
    picture = picture_of(river, painted((cap(middle, 0.08), (255, 0, 0))))
    assert picture is not None
    rows, columns = np.nonzero(picture[..., 0] > 127)
    assert abs(rows.mean() - SIDE_PX / 2) < 10
    assert abs(columns.mean() - SIDE_PX / 2) < 10


def test_nothing_is_shown_of_what_is_not_seen() -> None:
    rgb = painted()
    wind, bird = testing.tiny_sources()
    assert picture_of(wind, rgb) is None
    assert picture_of(replace(bird, solid_angle_sr=0.0), rgb) is None
    assert picture_of(bird, rgb) is not None


def test_a_fine_panorama_is_averaged_not_picked_from() -> None:
    rgb = np.zeros((2048, 4096, 3), np.uint8)
    rgb[::2] = 255  # the finest stripes: their mean is grey everywhere
    picture = picture_of(at(np.array([1.0, 0.0, 0.0]), 2.0), rgb)
    assert picture is not None
    assert float(picture[100:-100, 100:-100].astype(float).std()) < 25
