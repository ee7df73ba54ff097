"""Weighted points that stand for a surface: fewer of them, with the same weight and the same centre."""

import heapq

import numpy as np
from jaxtyping import Float64, Int64


def cells(
    points: Float64[np.ndarray, "m 3"], weights: Float64[np.ndarray, "m"], limit: int
) -> list[Int64[np.ndarray, "_"]]:
    """Indices of the points in at most `limit` (>= 1) compact cells, every point in exactly one.

    The cell that loses most by being taken as one point (weight times squared size) is halved along its longest side,
    as in a k-d tree, until there are `limit`. Deterministic.
    """
    columns = np.ascontiguousarray(points.T)
    whole = np.arange(len(points))
    loss, axis = _extent(columns, weights, whole)
    heap = [(-loss, 0, axis, whole)]
    made = 1
    while len(heap) < limit and heap[0][0] < 0:
        _, _, axis, cell = heapq.heappop(heap)
        for half in _halves(columns[axis], cell):
            loss, longest = _extent(columns, weights, half)
            heapq.heappush(heap, (-loss, made, longest, half))
            made += 1
    return sorted((cell for *_, cell in heap), key=lambda cell: int(cell[0]))


def thin(
    points: Float64[np.ndarray, "m 3"], weights: Float64[np.ndarray, "m"], limit: int
) -> tuple[Float64[np.ndarray, "k 3"], Float64[np.ndarray, "k"]]:
    """At most `limit` points, each the weighted mean of a cell with its weight: same total, same centroid."""
    if len(points) <= limit:
        return points, weights
    found = cells(points, weights, limit)
    means = np.stack([mean(points[cell], weights[cell]) for cell in found])
    return means, np.array([weights[cell].sum() for cell in found])


def mean(values: Float64[np.ndarray, "m k"], weights: Float64[np.ndarray, "m"]) -> Float64[np.ndarray, "k"]:
    """Weighted mean of rows; the plain mean where all weights are 0."""
    total = float(weights.sum())
    return weights @ values / total if total > 0 else values.mean(0)


def _halves(
    along: Float64[np.ndarray, "m"], cell: Int64[np.ndarray, "k"]
) -> tuple[Int64[np.ndarray, "_"], Int64[np.ndarray, "_"]]:
    """The lower and the upper half of a cell, each in rising order; of equal values the first are the lower ones."""
    value = along[cell]
    half = len(cell) // 2
    middle = np.partition(value, half)[half]
    lower = value < middle
    lower[np.flatnonzero(value == middle)[: half - int(np.count_nonzero(lower))]] = True
    return cell[lower], cell[~lower]


def _extent(
    columns: Float64[np.ndarray, "3 m"], weights: Float64[np.ndarray, "m"], cell: Int64[np.ndarray, "k"]
) -> tuple[float, int]:
    """What is lost by taking a cell as one point, and its longest axis."""
    inside = columns.take(cell, axis=1)
    sides = inside.max(1) - inside.min(1)
    return float(weights[cell].sum() * np.square(sides).sum()), int(np.argmax(sides))
