"""The learned reading of stuff: probabilities, alike for photo and panorama however turned, right on a real picture."""

import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from sonoworld.perceive.learned import (
    CELLS,
    Head,
    read_panorama,
    read_photo,
    read_square,
    shipped_head,
    views,
)
from sonoworld.perceive.objects import FEATURES, SIDE_PX, features
from sonoworld.perceive.seen import look
from sonoworld.perceive.stuff import Stuff, parse
from sonoworld.sphere import camera_pixel_from_direction, pixel_directions, row_elevations
from sonoworld.types import Panorama


def flat(height: int, width: int) -> np.ndarray:
    return np.linspace(0.5, -0.5, height, dtype=np.float32)[:, None].repeat(width, 1)


def test_features_have_the_channels_of_the_weights() -> None:
    seen = features(np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8))
    head = shipped_head()
    assert len(seen) == len(FEATURES) == len(head.maps)
    for name, F, W in zip(FEATURES, seen, head.maps, strict=True):
        assert F.shape[0] == W.shape[0]
        assert F.shape[1] == F.shape[2] == SIDE_PX // int(name.split("_")[1])


def test_weights_of_nothing_leave_the_bias_and_the_cues() -> None:
    """A hidden unit far in the linear part of silu, a = 40 + sin(elevation), and its output sky alone."""
    head = shipped_head()
    cues = np.zeros((5, 2), np.float32)
    cues[3, 0] = 1.0  # the sine of the elevation
    out = np.zeros((2, 7), np.float32)
    out[0, Stuff.SKY] = 5.0
    shift = np.zeros(7, np.float32)
    shift[Stuff.SKY] = -200.0
    maps = tuple(np.zeros((len(W), 2), np.float32) for W in head.maps)
    empty = Head(maps, cues, np.full(2, 40, np.float32), out, shift)
    square = np.random.default_rng(0).integers(0, 255, (SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
    read = read_square(square, flat(CELLS, CELLS), empty)
    z = 5 * np.sin(flat(CELLS, CELLS))
    np.testing.assert_allclose(read[..., Stuff.SKY], z - np.log(np.exp(z) + 6), atol=1e-4)
    np.testing.assert_allclose(read[..., Stuff.ROAD], -np.log(np.exp(z) + 6), atol=1e-4)


def test_the_hidden_units_are_silu_of_all_maps() -> None:
    """Against the same in plain sums, at a cell of the finest maps where nothing is between cells."""
    rng = np.random.default_rng(3)
    square = rng.integers(0, 255, (SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
    seen = features(square)
    fine = [name.endswith("_4") for name in FEATURES]
    maps = tuple(rng.normal(0, 0.1 * f, (len(F), 3)).astype(np.float32) for F, f in zip(seen, fine, strict=True))
    head = Head(maps, np.zeros((5, 3), np.float32), rng.normal(0, 1, 3).astype(np.float32),
                rng.normal(0, 1, (3, 7)).astype(np.float32), np.zeros(7, np.float32))  # fmt: skip
    a = sum(F[:, 17, 90] @ W for F, W, f in zip(seen, maps, fine, strict=True) if f) + head.bias
    z = (a * scipy.special.expit(a)) @ head.out
    read = read_square(square, flat(CELLS, CELLS), head)[17, 90]
    np.testing.assert_allclose(read, z - scipy.special.logsumexp(z), atol=1e-4)


@settings(max_examples=5, deadline=None)
@given(st.integers(20, 300), st.integers(20, 300))
def test_every_pixel_has_probabilities(height: int, width: int) -> None:
    rgb = np.random.default_rng(height).integers(0, 255, (height, width, 3), dtype=np.uint8)
    read = read_photo(rgb, flat(height, width))
    assert read.shape == (height, width, 7)
    np.testing.assert_allclose(np.exp(read).sum(-1), 1, atol=1e-4)
    assert read.tobytes() == read_photo(rgb, flat(height, width)).tobytes()


@pytest.mark.parametrize("turn", [2, 4])
def test_a_panorama_turned_by_a_tile_is_read_alike(turn: int) -> None:
    rows = np.linspace(0, 1, 192)[:, None, None]
    noise = np.random.default_rng(1).normal(0, 12, (192, 384, 1))
    rgb = np.clip(np.where(rows < 0.5, [110, 160, 230], [70, 110, 50]) + noise, 0, 255).astype(np.uint8)
    shift = turn * 384 // 6
    turned = read_panorama(np.roll(rgb, shift, 1))
    difference = np.abs(np.roll(read_panorama(rgb), shift, 1) - turned)
    assert np.quantile(difference, 0.99) < 0.1


def test_a_cat_is_neither_sky_nor_water() -> None:
    cat = data.chelsea()
    read = read_photo(cat, flat(*cat.shape[:2]))
    kinds = read[60:250, 100:350].argmax(-1)
    assert not np.isin(kinds, [Stuff.SKY, Stuff.WATER]).any()
    rules, both = (parse(cat, flat(*cat.shape[:2]), elevation_sigma=0.1, learned=x).probability for x in (None, read))
    assert both[60:250, 100:350, Stuff.OTHER].mean() > rules[60:250, 100:350, Stuff.OTHER].mean()


def test_looking_uses_it_only_with_the_detector() -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (64, 128, 3), dtype=np.uint8)
    panorama = Panorama(rgb, np.ones((64, 128), np.bool_))
    elevation = row_elevations(64).astype(np.float32)[:, None].repeat(128, 1)
    rules = parse(rgb, elevation, elevation_sigma=0.0, wraps=True).probability
    assert not np.allclose(look(panorama, detect=True).view.stuff.probability, rules, atol=1e-2)


def test_the_views_see_the_whole_sphere() -> None:
    """Every direction is well within one of them."""
    around = pixel_directions(64)
    best = np.zeros(around.shape[:2])
    for view in views(np.zeros((64, 128, 3), np.uint8)):
        x, y, ahead = camera_pixel_from_direction(around, view.K, view.pose)
        edge = np.minimum(np.minimum(x, SIDE_PX - x), np.minimum(y, SIDE_PX - y))
        best = np.maximum(best, np.where(ahead, edge, 0))
    assert best.min() > 20
