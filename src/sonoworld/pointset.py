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
    whole = np.arange(len(points))
    heap = [(-_loss(points, weights, whole), 0, whole)]
    made = 1
    while len(heap) < limit and heap[0][0] < 0:
        _, _, cell = heapq.heappop(heap)
        for half in _halves(points, cell):
            heapq.heappush(heap, (-_loss(points, weights, half), made, half))
            made += 1
    return [cell for _, _, cell in sorted(heap, key=lambda entry: int(entry[2][0]))]


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
    points: Float64[np.ndarray, "m 3"], cell: Int64[np.ndarray, "k"]
) -> tuple[Int64[np.ndarray, "_"], Int64[np.ndarray, "_"]]:
    axis = int(np.argmax(np.ptp(points[cell], axis=0)))
    half = len(cell) // 2
    order = cell[np.argsort(points[cell, axis], kind="stable")]
    return np.sort(order[:half]), np.sort(order[half:])


def _loss(points: Float64[np.ndarray, "m 3"], weights: Float64[np.ndarray, "m"], cell: Int64[np.ndarray, "k"]) -> float:
    return float(weights[cell].sum() * np.square(np.ptp(points[cell], axis=0)).sum())
