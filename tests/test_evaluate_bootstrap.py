import math

import numpy as np
import pytest

from sonoworld.errors import InputError
from sonoworld.evaluate import bootstrap


def tree(values: np.ndarray) -> list[bootstrap.Value]:
    return [(f"s{s}", f"m{m}", f"c{c}", float(v)) for (s, m, c), v in np.ndenumerate(values)]


def test_one_clip_a_scene_agrees_with_the_normal_interval() -> None:
    x = np.random.default_rng(0).standard_normal((60, 1, 1))
    got = bootstrap.paired({"a": tree(x)}, draws=3000).means["a"]
    half = 1.96 * x.std() / math.sqrt(60)
    assert got.mean == pytest.approx(x.mean())
    assert (got.high - got.low) / 2 == pytest.approx(half, rel=0.08)


def test_clips_of_one_scene_are_not_independent() -> None:
    scenes = np.random.default_rng(1).standard_normal((8, 1, 1)) + np.zeros((8, 2, 4))
    got = bootstrap.paired({"a": tree(scenes)}, draws=2000).means["a"]
    assert (got.high - got.low) / 2 > 3 * scenes.std() / math.sqrt(64) * 0.9 * 1.5


def test_a_constant_difference_is_certain() -> None:
    x = np.random.default_rng(2).standard_normal((4, 2, 2))
    got = bootstrap.paired({"a": tree(x + 1), "b": tree(x)}, draws=200)
    pair = got.differences["a", "b"]
    assert (pair.mean, pair.low, pair.high) == pytest.approx((1, 1, 1))
    assert got.differences["b", "a"].mean == pytest.approx(-1)


def test_nan_is_counted() -> None:
    x = np.ones((3, 1, 1))
    x[0] = np.nan
    got = bootstrap.paired({"a": tree(x), "b": tree(np.zeros((3, 1, 1)))}, draws=100)
    assert (got.means["a"].count, got.means["a"].nan) == (2, 1)
    assert got.differences["b", "a"].nan == 1
    assert math.isnan(bootstrap.paired({"a": tree(np.full((1, 1, 1), np.nan))}, draws=10).means["a"].low)


def test_infinity_is_counted_apart() -> None:
    x = np.arange(4.0).reshape(4, 1, 1)
    y = x + 1
    x[0], x[1], y[0], y[2] = np.inf, np.nan, np.inf, -np.inf
    got = bootstrap.paired({"a": tree(x), "b": tree(y)}, draws=100)
    a, pair = got.means["a"], got.differences["a", "b"]
    assert (a.mean, a.count, a.nan, a.infinite) == (2.5, 2, 1, 1)
    assert (pair.mean, pair.count, pair.nan, pair.infinite) == (-1, 1, 1, 2)


def test_same_seed_same_interval_and_wrong_input_is_told() -> None:
    x = tree(np.random.default_rng(3).standard_normal((4, 2, 2)))
    assert bootstrap.paired({"a": x}, draws=50) == bootstrap.paired({"a": x}, draws=50)
    with pytest.raises(InputError, match="different clips"):
        bootstrap.paired({"a": x, "b": x[1:]}, draws=5)
    with pytest.raises(InputError, match="twice"):
        bootstrap.paired({"a": [*x, x[0]]}, draws=5)
