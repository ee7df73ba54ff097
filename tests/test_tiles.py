"""Tiles see the whole sphere, the right way round, and come back onto it where they were."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoworld import frames, sphere
from sonoworld.errors import InputError
from sonoworld.tiles import blend, cut_all, cut_tile, lookup, seen_by, side_px, solid_angles, sphere_tiles

HEIGHT = 96


@settings(max_examples=30)
@given(st.floats(40, 110), st.floats(0.1, 0.6))
def test_every_direction_is_seen(fov_deg: float, overlap: float) -> None:
    seen = np.sum([seen_by(t, 48) for t in sphere_tiles(32, fov_deg, overlap)], axis=0)
    assert seen.min() >= 1


def test_twelve_tiles_at_the_defaults_and_most_places_are_seen_twice() -> None:
    tiles = sphere_tiles(64)
    assert len(tiles) == 12
    seen = np.sum([seen_by(t, HEIGHT) for t in tiles], axis=0)
    assert float((solid_angles(HEIGHT) * (seen >= 2)).sum()) / (4 * np.pi) > 0.5


def test_left_is_left_and_up_is_up() -> None:
    direction = sphere.pixel_directions(HEIGHT)
    rgb = np.zeros((HEIGHT, 2 * HEIGHT, 3), np.uint8)
    rgb[..., 0] = np.where(direction[..., 1] > 0, 255, 0)  # left of the world
    rgb[..., 1] = np.where(direction[..., 2] > 0, 255, 0)  # up
    ahead = min(sphere_tiles(64, 60.0), key=lambda t: float(np.abs(t.pose.rotation[:, 2] - [1, 0, 0]).sum()))
    picture = cut_tile(rgb, ahead)
    tilt = np.arcsin(ahead.pose.rotation[2, 2])
    assert picture[:, :10, 0].mean() > 250
    assert picture[:, -10:, 0].mean() < 5
    assert picture[:3, :, 1].mean() > picture[-3:, :, 1].mean() or abs(tilt) > 0.5


@pytest.mark.parametrize("size", [(64, 64), (48, 48), (200, 200)])
def test_what_is_cut_comes_back(size: tuple[int, int]) -> None:
    """A smooth field on the sphere, written into maps of another size than the tiles, is the same after blending."""
    tiles = sphere_tiles(64)
    field = np.array([0.6, -0.3, 0.7])
    maps = []
    for t in tiles:
        K = t.K * np.array([[size[0] / 64], [size[1] / 64], [1.0]])
        maps.append((sphere.camera_pixel_directions(K, size, t.pose) @ field)[None].astype(np.float32))
    (back,) = blend(maps, tiles, HEIGHT)
    np.testing.assert_allclose(back, sphere.pixel_directions(HEIGHT) @ field, atol=2e-3)


def test_a_fine_panorama_is_averaged() -> None:
    stripes = np.zeros((512, 1024, 3), np.uint8)
    stripes[:, ::2] = 255  # finer than any tile: gray, not moiré
    ahead = sphere_tiles(32, 90.0)[3]
    picture = cut_tile(stripes, ahead).astype(float)
    assert np.abs(picture.mean() - 127) < 4
    assert picture.std() < 40


def test_middle_counts_more_than_border() -> None:
    where = lookup(sphere_tiles(64)[0], HEIGHT)
    middle = where.weight[np.hypot(where.x, where.y) < 0.2].min()
    border = where.weight[np.maximum(np.abs(where.x), np.abs(where.y)) > 0.97].max()
    assert middle > 50 * border > 0


@given(st.floats(-np.pi, np.pi), st.floats(-1.57, 1.57))
@settings(max_examples=20)
def test_a_spot_stays_where_it_is(azimuth: float, elevation: float) -> None:
    """From panorama to tiles and back: also at the seam and at the poles."""
    towards = frames.direction_from_angles(np.array(azimuth), np.array(elevation))
    spot = sphere.pixel_directions(HEIGHT) @ towards > np.cos(0.15)
    rgb = np.repeat((spot * np.uint8(255))[..., None], 3, axis=-1)
    tiles = sphere_tiles(96)
    pictures = [p[None, ..., 0].astype(np.float32) for batch in cut_all(rgb, tiles, 5) for p in batch]
    back = blend(pictures, tiles, HEIGHT)[0] * solid_angles(HEIGHT)
    centre = (back[..., None] * sphere.pixel_directions(HEIGHT)).sum((0, 1))
    assert np.degrees(np.arccos(min(1.0, centre @ towards / np.linalg.norm(centre)))) < 0.4


def test_wrong_use_is_refused() -> None:
    with pytest.raises(InputError, match=r"field of view .* 40\.\.110, got 10"):
        sphere_tiles(64, 10.0)
    tiles = sphere_tiles(64)[:5]
    with pytest.raises(InputError, match="whole sphere"):
        blend([np.zeros((1, 8, 8), np.float32)] * 5, tiles, 32)
    assert side_px(tiles[0]) == 64
