"""Values refuse what they cannot be, and never change once made."""

import dataclasses

import numpy as np
import pytest

from sonoworld import testing
from sonoworld.errors import ShapeError
from sonoworld.types import (
    Clip,
    Directivity,
    Geometry,
    Motion,
    Panorama,
    Photo,
    Projection,
    SoundField,
    Sounding,
    Source,
    Splats,
    Spread,
)


def test_arrays_are_read_only() -> None:
    panorama = testing.tiny_panorama()
    with pytest.raises(ValueError, match="read-only"):
        panorama.rgb[0, 0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        panorama.rgb = panorama.rgb  # type: ignore[misc]


def test_a_panorama_is_twice_as_wide_as_high() -> None:
    with pytest.raises(ShapeError, match="twice as wide"):
        Panorama(np.zeros((4, 9, 3), np.uint8), np.zeros((4, 9), bool))
    with pytest.raises(ShapeError, match="twice as wide"):
        Photo(np.zeros((4, 9, 3), np.uint8), projection=Projection.EQUIRECTANGULAR)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_distances_are_finite_and_positive(bad: float) -> None:
    g = testing.tiny_geometry(8)
    distance = g.distance.copy()
    distance[2, 3] = bad
    with pytest.raises(ShapeError, match="finite and > 0"):
        Geometry(distance, g.normal, g.sky, g.valid, g.metric)


def test_weights_of_a_source_sum_to_one() -> None:
    bird = testing.tiny_sources()[1]
    with pytest.raises(ShapeError, match="sum of weights"):
        dataclasses.replace(bird, weights=np.array([0.5], np.float32))
    with pytest.raises(ShapeError, match="ambient"):
        dataclasses.replace(bird, spread=Spread.AMBIENT)


def test_the_centroid_is_the_weighted_mean() -> None:
    points = np.array([[0, 0, 0], [4, 0, 8]], np.float32)
    weights = np.array([0.25, 0.75], np.float32)
    source = Source("a", "a", "a", Spread.AREA, 50.0, 1.0, "t", points, points, weights, 0.1)
    np.testing.assert_allclose(source.centroid, [3, 0, 6])
    assert testing.tiny_sources()[0].centroid is None


def test_only_what_has_a_place_moves_and_faces() -> None:
    wind, bird = testing.tiny_sources()
    path = Motion(np.array([0.0, 1.0]), np.zeros((2, 3)))
    aim = Directivity(0.5, 1.0, np.array([1.0, 0.0, 0.0]))
    moving = dataclasses.replace(bird, path=path, directivity=aim)
    assert moving.path is path
    for change in ({"path": path}, {"directivity": aim}):
        with pytest.raises(ShapeError, match="no directivity and no path"):
            dataclasses.replace(wind, **change)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="read-only"):
        path.positions[0, 0] = 1.0


def test_soundings_and_clips_refuse_nonsense() -> None:
    with pytest.raises(ShapeError, match="label"):
        Sounding(" ", "x", Spread.POINT, 50.0, 0.5, "t")
    with pytest.raises(ShapeError, match="level"):
        Sounding("x", "x", Spread.POINT, float("nan"), 0.5, "t")
    with pytest.raises(ShapeError, match=r"0\.\.1"):
        Sounding("x", "x", Spread.POINT, 50.0, 1.5, "t")
    with pytest.raises(ShapeError, match="unit vector"):
        Sounding("x", "x", Spread.POINT, 50.0, 0.5, "t", direction=np.array([1.0, 1.0, 0.0]))
    with pytest.raises(ShapeError, match="finite samples"):
        Clip(np.array([np.nan], np.float32), 48000, True, 23.0, "t", "CC0-1.0")


def test_sound_fields_have_whole_orders() -> None:
    assert SoundField(np.zeros((16, 4), np.float32), 48000).order == 3
    with pytest.raises(ShapeError, match="channels"):
        SoundField(np.zeros((5, 4), np.float32), 48000)


def test_splats_have_known_harmonics() -> None:
    one = np.zeros((1, 3), np.float32)
    with pytest.raises(ShapeError, match="coefficients"):
        Splats(one, one, np.zeros((1, 4), np.float32), np.zeros(1, np.float32), np.zeros((1, 2, 3), np.float32))


def test_confidence_of_a_camera() -> None:
    camera = testing.tiny_camera()
    assert camera.sigma.confident
    assert not dataclasses.replace(camera.sigma, pitch=0.2).confident
    np.testing.assert_allclose(camera.fov, 2 * np.arctan(96 / 170))
