"""Fewer points for a surface that sounds, with the same weight and the same centre."""

import heapq

import numpy as np
from jaxtyping import Float64, Int64

MAX_POINTS = 256


def thin_surface(
    points: Float64[np.ndarray, "m 3"], weights: Float64[np.ndarray, "m"], limit: int = MAX_POINTS
) -> tuple[Float64[np.ndarray, "k 3"], Float64[np.ndarray, "k"]]:
    """At most `limit` points (m, world) that stand for all: each is the weighted mean of one cell, with its weight.

    Cells come from halving along the longest side, as in a k-d tree, the heaviest cell first. The sum of weights and
    the weighted centroid stay what they were.
    """
    if len(points) <= limit:
        return points, weights
    whole = np.arange(len(points))
    waiting = [(0.0, 0, whole)]  # (−loss, number that settles ties, cell)
    for number in range(1, 2 * limit - 1, 2):
        _, _, worst = heapq.heappop(waiting)
        for offset, half in enumerate(_halves(worst, points)):
            heapq.heappush(waiting, (-_loss(points[half], weights[half]), number + offset, half))
    cells = [cell for _, _, cell in sorted(waiting, key=lambda item: item[1])]
    thinned = np.stack([_mean(points[cell], weights[cell]) for cell in cells])
    return thinned, np.array([weights[cell].sum() for cell in cells])


def _halves(cell: Int64[np.ndarray, "k"], points: Float64[np.ndarray, "m 3"]) -> list[Int64[np.ndarray, "_"]]:
    axis = int(np.argmax(np.ptp(points[cell], axis=0)))
    order = cell[np.argsort(points[cell, axis], kind="stable")]
    return [order[: len(order) // 2], order[len(order) // 2 :]]


def _loss(points: Float64[np.ndarray, "k 3"], weights: Float64[np.ndarray, "k"]) -> float:
    """Weight times squared size: what is lost by taking the cell as one point. Single points cannot be halved."""
    return -1.0 if len(points) < 2 else float(weights.sum() * np.square(np.ptp(points, axis=0)).sum())


def _mean(points: Float64[np.ndarray, "k 3"], weights: Float64[np.ndarray, "k"]) -> Float64[np.ndarray, "3"]:
    total = weights.sum()
    return weights @ points / total if total > 0 else points.mean(0)
