"""Views of relative disparity (inverse depth up to a scale and a shift of each view's own) brought to one scale.

Letters: s_i disparity as view i says it, α_i and β_i its scale and shift, so that α_i s_i + β_i is inverse z-depth in
units of the whole; c_i cosine of the angle between a ray and the view's axis: inverse distance = c_i (α_i s_i + β_i).

Where two views see, both must say one inverse distance: least absolute differences by reweighting, where a slight pull
of all α to one value keeps them from 0 (the mean is then set to 1). Shifts show, since a shift of z-depth in one view
is none in another one that looks elsewhere; where they hardly do, they stay near 0, which is what such models say of
the sky.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from sonoworld.errors import StageError
from sonoworld.lift.view_merge import LATTICE, View
from sonoworld.sphere import row_elevations

ROUNDS, SMALL = 20, 1e-3
PULL = 1e-5
"""Of all scales to one value and of all shifts to 0, of the pull of all pixels that are seen twice. Weaker, views that
bend a little pull shifts to where all is far; stronger, true shifts are missed (both seen on made rooms)."""

FARTHEST = 1e-3
"""Inverse depth below this share of the median of all is sky."""


@dataclass(frozen=True, slots=True)
class Disparity:
    """What a view says of the pixels of a panorama: each at most once, ascending. `s` >= 0, `cosine` > 0."""

    pixels: Int64[np.ndarray, "n"]
    s: Float32[np.ndarray, "n"]
    cosine: Float32[np.ndarray, "n"]
    weight: Float32[np.ndarray, "n"]


def fitted(views: Sequence[Disparity], height: int) -> list[View]:
    """The same views as distances in one unit.

    Raises:
        StageError: the views contradict each other: one would have to be turned inside out.
    """
    said = np.concatenate([view.s[view.s > 0] for view in views])
    if not said.size:
        raise StageError("no view has any depth: the model says 0 everywhere")
    unit = float(np.median(said))
    scale, shift = _fit(views, height, unit)
    if (scale <= 0).any():
        raise StageError("the views of the panorama contradict each other: near in one is far in the other")
    return [_distances(view, float(a), float(b)) for view, a, b in zip(views, scale / unit, shift, strict=True)]


def _distances(view: Disparity, scale: float, shift: float) -> View:
    inverse = scale * view.s + shift
    far = inverse < FARTHEST
    q = -np.log(np.where(far, 1, inverse * view.cosine))
    return View(view.pixels, np.where(far, np.nan, q).astype(np.float32), far, view.weight)


def _fit(
    views: Sequence[Disparity], height: int, unit: float
) -> tuple[Float64[np.ndarray, "k"], Float64[np.ndarray, "k"]]:
    k = len(views)
    pairs = _pairs(views, height, unit)
    pull = PULL * sum(float(pair.area.sum()) for pair in pairs) / SMALL
    something = np.array([bool(view.s.any()) for view in views])
    alike = np.r_[np.ones(k), np.zeros(k)]
    x = alike
    for _ in range(ROUNDS):
        a = np.diag(np.full(2 * k, pull))
        for pair in pairs:
            at = [pair.i, k + pair.i, pair.j, k + pair.j]
            weight = pair.area / np.maximum(np.abs(pair.rows @ x[at]), SMALL)
            a[np.ix_(at, at)] += (pair.rows * weight[:, None]).T @ pair.rows
        x = np.linalg.solve(a, alike)
        x /= x[:k][something].mean()
    return np.where(something, x[:k], 1), x[k:]


@dataclass(frozen=True, slots=True)
class _Pair:
    """A row (c_i s_i, c_i, −c_j s_j, −c_j) for every lattice pixel that views i and j see, and its area."""

    i: int
    j: int
    rows: Float64[np.ndarray, "n 4"]
    area: Float64[np.ndarray, "n"]


def _pairs(views: Sequence[Disparity], height: int, unit: float) -> list[_Pair]:
    step = max(1, height // LATTICE)
    area = np.repeat(np.cos(row_elevations(height)), 2 * height)
    kept = np.zeros((height, 2 * height), np.bool_)
    kept[step // 2 :: step, step // 2 :: step] = True
    sparse = [np.flatnonzero(kept.reshape(-1)[view.pixels]) for view in views]
    found: list[_Pair] = []
    for i, one in enumerate(views):
        for j in range(i + 1, len(views)):
            other = views[j]
            at, a, b = np.intersect1d(
                one.pixels[sparse[i]], other.pixels[sparse[j]], assume_unique=True, return_indices=True
            )
            if not len(at):
                continue
            a, b = sparse[i][a], sparse[j][b]
            columns = [one.cosine[a] * one.s[a] / unit, one.cosine[a], -other.cosine[b] * other.s[b] / unit]
            found.append(_Pair(i, j, np.stack([*columns, -other.cosine[b]], -1).astype(np.float64), area[at]))
    return found
