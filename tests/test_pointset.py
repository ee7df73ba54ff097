"""Fewer points keep the weight, the centre and the sound of the surface they stand for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonoworld.pointset import cells, mean, thin

LIMIT = 256


@given(count=st.integers(1, 900), seed=st.integers(0, 2**32 - 1))
def test_a_thinned_surface_keeps_weight_and_centre(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(count, 3)) * [5, 1, 0.1]
    weights = rng.random(count) ** 3
    weights /= weights.sum()
    few, share = thin(points, weights, LIMIT)
    assert len(few) == min(count, LIMIT)
    assert (share >= 0).all()
    assert share.sum() == pytest.approx(1)
    np.testing.assert_allclose(share @ few, weights @ points, atol=1e-9)


def test_a_thinned_surface_sounds_like_the_whole() -> None:
    """Σ w/d at a near listener: 256 cells of a wall against its 10,000 points."""
    y, z = np.meshgrid(np.linspace(-4, 4, 100), np.linspace(-1, 3, 100))
    points = np.stack([np.full(y.size, 1.0), y.ravel(), z.ravel()], -1)
    weights = np.full(len(points), 1 / len(points))
    few, share = thin(points, weights, LIMIT)
    whole = weights @ (1 / np.linalg.norm(points, axis=1))
    assert share @ (1 / np.linalg.norm(few, axis=1)) == pytest.approx(whole, rel=0.005)


def test_one_heavy_spot_among_many_points_is_kept() -> None:
    points = np.zeros((2000, 3))
    points[:, 0] = np.arange(2000)
    weights = np.full(2000, 1e-6)
    weights[1234] = 1 - 1999e-6
    few, share = thin(points, weights, LIMIT)
    assert few[np.argmax(share), 0] == pytest.approx(1234, abs=0.1)


@given(count=st.integers(1, 300), limit=st.integers(1, 300), seed=st.integers(0, 99))
def test_every_point_is_in_one_cell(count: int, limit: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 4, (count, 3)).astype(np.float64)  # many points in the same place
    found = cells(points, rng.random(count), limit)
    assert len(found) <= limit
    np.testing.assert_array_equal(np.sort(np.concatenate(found)), np.arange(count))


def test_the_mean_of_weightless_points_is_the_plain_one() -> None:
    np.testing.assert_allclose(mean(np.array([[0.0, 2.0], [4.0, 4.0]]), np.zeros(2)), [2.0, 3.0])
