"""Distances of overlapping views become one map of the sphere, in metres, without steps where views end.

Letters: q log distance as a view says it; o_i log of what view i's distances are multiplied by; m_ij median of
q_i − q_j where both see; w weight of a view at a pixel (large in its middle, nearly 0 at its border).

1. One factor a view: Σ n_ij |m_ij + o_i − o_j| is made least (n_ij: solid angle that both see; iteratively reweighted
   least squares), so that a view that is wrong in places pulls no other one.
2. The scale of all: the median of o is 0, so that metres are those of the middle view. A Poisson merge alone, which
   knows differences only, loses them.
3. Blend: the mean of q + o, weighed by w, says what is large. Steps between neighbouring pixels are those of one view,
   the one in whose middle they lie, so that edges stay as sharp as they were seen. `sphere_poisson` joins both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from scipy.sparse.csgraph import connected_components

from sonoworld.errors import StageError
from sonoworld.lift import sphere_poisson
from sonoworld.sphere import row_elevations

WIDE = np.radians(10.0)
"""What is wider follows the mean of all views, what is narrower the view that sees it best."""

LATTICE = 128
"""Rows that factors are found on."""

LEAST_SHARED = 1e-3
"""Solid angle, sr (6 square degrees is 2e-3), that two views must share to be compared."""

LEAST_VIEW = 0.05
"""Views with less solid angle than this share of the largest have no say in the scale of all."""

ROUNDS, SMALL = 30, 1e-4


@dataclass(frozen=True, slots=True)
class View:
    """What one view says of the pixels of a panorama: each at most once, ascending.

    `q`: log distance, NaN where it says none; `far`: it says that there is nothing but sky; `weight` > 0.
    """

    pixels: Int64[np.ndarray, "n"]
    q: Float32[np.ndarray, "n"]
    far: Bool[np.ndarray, "n"]
    weight: Float32[np.ndarray, "n"]


@dataclass(frozen=True, slots=True)
class Merged:
    """One map: `distance` where `solid`, `far` is sky, elsewhere nobody says.

    `spread`: standard deviation of log distance between the views that see a pixel (0 where one does), after `factors`,
    which each view's distances were multiplied by.
    """

    distance: Float32[np.ndarray, "h w"]
    solid: Bool[np.ndarray, "h w"]
    far: Bool[np.ndarray, "h w"]
    spread: Float32[np.ndarray, "h w"]
    factors: Float64[np.ndarray, "k"]

    def report(self) -> str:
        """For people: how far the views agree."""
        shared = self.spread[self.solid & (self.spread > 0)]
        if not len(shared):
            return f"{len(self.factors)} views"
        middle, most = np.expm1(np.quantile(shared, [0.5, 0.9]))
        low, high = self.factors.min(), self.factors.max()
        return (
            f"{len(self.factors)} views: distances differ by {middle:.1%} (9 of 10 by at most {most:.1%}) "
            f"after factors of {low:.2f} to {high:.2f}"
        )


def merge(views: Sequence[View], height: int) -> Merged:
    """One map [height, 2·height] of all views.

    Raises:
        StageError: no view says any distance.
    """
    o = log_factors(views, height)
    blend = _blend(views, o, height)
    if not blend.solid.any():
        raise StageError("no view has any distance: the model sees nothing but sky")
    near = np.where(blend.solid, blend.mean, np.float32(blend.mean[blend.solid].max()))
    right, down = _steps(views, near, blend.solid)
    q = sphere_poisson.solve(near, right, down, float(WIDE))
    return Merged(np.exp(q), blend.solid, blend.far, blend.spread, np.exp(o))


def log_factors(views: Sequence[View], height: int) -> Float64[np.ndarray, "k"]:
    """Letter o of every view; views that share nothing with others keep a median of 0 of their own."""
    k = len(views)
    step = max(1, height // LATTICE)
    area = np.repeat(np.cos(row_elevations(height))[step // 2 :: step], len(range(step // 2, 2 * height, step)))
    area *= 4 * np.pi / area.sum()
    q = np.stack([_on_lattice(view, height, step) for view in views])
    said = np.isfinite(q)
    m, n = np.zeros((k, k)), np.zeros((k, k))
    for i in range(k):
        for j in range(i + 1, k):
            both = said[i] & said[j]
            if (shared := float(area[both].sum())) >= LEAST_SHARED:
                m[i, j] = _median(q[i, both] - q[j, both], area[both])
                m[j, i], n[i, j], n[j, i] = -m[i, j], shared, shared
    o = _least_absolute(m, n)
    seen = np.where(said, area, 0).sum(1)
    _, group = connected_components(n > 0, directed=False)
    for one in np.unique(group):
        own = group == one
        o[own] -= np.median(o[own & (seen >= LEAST_VIEW * seen[own].max())])
    return o


def _on_lattice(view: View, height: int, step: int) -> Float64[np.ndarray, "n"]:
    whole = np.full(2 * height * height, np.nan)
    whole[view.pixels] = view.q
    return whole.reshape(height, -1)[step // 2 :: step, step // 2 :: step].reshape(-1)


def _median(values: Float64[np.ndarray, "n"], weights: Float64[np.ndarray, "n"]) -> float:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(total, total[-1] / 2)]])


def _least_absolute(m: Float64[np.ndarray, "k k"], n: Float64[np.ndarray, "k k"]) -> Float64[np.ndarray, "k"]:
    """Letter o with least Σ n |m_ij + o_i − o_j|; its mean is 0 in every group of connected views."""
    o = np.zeros(len(m))
    for _ in range(ROUNDS):
        weight = n / np.maximum(np.abs(m + o[:, None] - o[None]), SMALL)
        laplacian = np.diag(weight.sum(1)) - weight
        o = np.linalg.pinv(laplacian, hermitian=True) @ -(weight * m).sum(1)
    return o


@dataclass(frozen=True, slots=True)
class _Blend:
    mean: Float32[np.ndarray, "h w"]
    spread: Float32[np.ndarray, "h w"]
    solid: Bool[np.ndarray, "h w"]
    far: Bool[np.ndarray, "h w"]


def _blend(views: Sequence[View], o: Float64[np.ndarray, "k"], height: int) -> _Blend:
    weight, total, squares, far = np.zeros((4, 2 * height * height))
    for view, own in zip(views, o, strict=True):
        said = np.isfinite(view.q)
        at, w, q = view.pixels[said], view.weight[said].astype(np.float64), view.q[said] + own
        weight[at] += w
        total[at] += w * q
        squares[at] += w * q * q
        far[view.pixels[view.far]] += view.weight[view.far]
    mean = total / np.where(weight > 0, weight, 1)
    variance = np.maximum(squares / np.where(weight > 0, weight, 1) - mean**2, 0)
    variance[variance < 1e-12 * (1 + mean**2)] = 0  # rounding, where one view sees or all agree
    solid = (weight > 0) & (weight >= far)
    shape = (height, 2 * height)
    return _Blend(
        mean.reshape(shape).astype(np.float32),
        np.sqrt(variance).reshape(shape).astype(np.float32),
        solid.reshape(shape),
        (~solid & (far > 0)).reshape(shape),
    )


def _steps(
    views: Sequence[View], near: Float32[np.ndarray, "h w"], solid: Bool[np.ndarray, "h w"]
) -> tuple[Float32[np.ndarray, "h w"], Float32[np.ndarray, "_ w"]]:
    """Steps to the right and downwards, each of the view that sees both its ends best; of `near` where none does."""
    right, down = np.roll(near, -1, 1) - near, near[1:] - near[:-1]
    best_right, best_down = np.zeros_like(right), np.zeros_like(down)
    q, weight = np.zeros_like(near), np.zeros_like(near)
    for view in views:
        said = np.isfinite(view.q) & solid.reshape(-1)[view.pixels]
        weight[:] = 0
        q.reshape(-1)[view.pixels] = np.where(said, view.q, 0)
        weight.reshape(-1)[view.pixels] = np.where(said, view.weight, 0)
        rows = slice(int(view.pixels[0]) // near.shape[1], int(view.pixels[-1]) // near.shape[1] + 1)
        band_q, band_w = q[rows], weight[rows]
        _take(right[rows], best_right[rows], np.roll(band_q, -1, 1) - band_q, np.roll(band_w, -1, 1), band_w)
        links = slice(rows.start, rows.stop - 1)
        _take(down[links], best_down[links], band_q[1:] - band_q[:-1], band_w[1:], band_w[:-1])
    return right, down


def _take(steps: np.ndarray, best: np.ndarray, own: np.ndarray, one_end: np.ndarray, other_end: np.ndarray) -> None:
    sure = np.minimum(one_end, other_end)
    better = sure > best
    steps[better], best[better] = own[better], sure[better]
