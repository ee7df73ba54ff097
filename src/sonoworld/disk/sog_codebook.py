"""Many numbers by few: a codebook for single numbers, a palette for vectors; k-means both, without chance.

Letters: x values, n of them; k entries; c centroids. Lloyd 1982, "Least squares quantization in PCM".
"""

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8

ENTRIES = 256
CODEBOOK_ROUNDS = 100
CELLS = 4096
"""Cells of equal numbers of values, from which the first codebook is laid out."""

PALETTE_ROUNDS = 8
TRAINED_ON = 40
"""Vectors a centroid is trained on; all are then given their nearest."""

ROWS_AT_A_TIME = 1 << 14


def codebook(x: Float32[np.ndarray, "n c"]) -> tuple[Float32[np.ndarray, "k"], UInt8[np.ndarray, "n c"]]:
    """256 ascending values and, for every number, the index of the nearest; exact for up to 256 different numbers."""
    ordered = np.sort(x, axis=None)
    different = ordered[np.flatnonzero(np.diff(ordered, prepend=np.float32(-np.inf)))] if ordered.size else ordered
    if different.size <= ENTRIES:
        centroids = np.pad(different, (0, ENTRIES - different.size), mode="edge" if different.size else "constant")
    else:
        centroids = _lloyd(ordered.astype(np.float64)).astype(np.float32)
    borders = (centroids[1:].astype(np.float64) + centroids[:-1]) / 2
    return centroids, np.searchsorted(borders, x).astype(np.uint8)


def _lloyd(ordered: Float64[np.ndarray, "n"]) -> Float64[np.ndarray, "k"]:
    """Centroids of sorted values: means of the stretches nearest to them, until they rest."""
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    centroids = _first_centroids(ordered)
    for _ in range(CODEBOOK_ROUNDS):
        ends = np.searchsorted(ordered, (centroids[1:] + centroids[:-1]) / 2)
        ends = np.concatenate([[0], ends, [ordered.size]])
        count = np.diff(ends)
        means = np.divide(np.diff(sums[ends]), count, out=centroids.copy(), where=count > 0)
        if np.array_equal(means, centroids):
            break
        centroids = np.sort(means)
    return centroids


def _first_centroids(ordered: Float64[np.ndarray, "n"]) -> Float64[np.ndarray, "k"]:
    """Density of entries as the cube root of that of values (Panter and Dite 1951): a cell counts as width^(2/3)."""
    cells = ordered[np.linspace(0, ordered.size - 1, min(CELLS, ordered.size)).astype(np.int64)]
    share = np.concatenate([[0.0], np.cumsum(np.diff(cells) ** (2 / 3))])
    return np.interp((np.arange(ENTRIES) + 0.5) / ENTRIES * share[-1], share, cells)


def palette(x: Float32[np.ndarray, "n d"], k: int) -> tuple[Float32[np.ndarray, "k d"], Int64[np.ndarray, "n"]]:
    """At most `k` vectors and, for every vector, the index of one near to it; exact where k >= n.

    In two steps, √k groups and then as many within each, so that 65 536 entries for 2 M vectors take seconds.
    """
    if len(x) <= k:
        return x.copy(), np.arange(len(x))
    groups = max(1, round(k**0.5))
    group = _nearest(x, _kmeans(x, groups))
    order = np.argsort(group, kind="stable")
    counts = np.bincount(group, minlength=groups)
    ends = np.concatenate([[0], np.cumsum(counts)])
    shares = np.concatenate([[0], (ends[1:] * k) // len(x)])  # as many entries as a group has of the vectors
    centroids, labels = np.zeros((k, x.shape[1]), np.float32), np.empty(len(x), np.int64)
    for i in np.flatnonzero(counts):
        own = x[order[ends[i] : ends[i + 1]]]
        first = min(int(shares[i]), k - 1)
        entries = max(1, int(shares[i + 1]) - first)
        found = own if len(own) <= entries else _kmeans(own, entries)
        centroids[first : first + len(found)] = found
        labels[order[ends[i] : ends[i + 1]]] = first + _nearest(own, found)
    return centroids, labels


def _kmeans(x: Float32[np.ndarray, "n d"], k: int) -> Float32[np.ndarray, "k d"]:
    """Centroids from evenly spaced vectors of x; one that loses all its vectors stays where it is."""
    few = x[np.linspace(0, len(x) - 1, min(len(x), k * TRAINED_ON)).astype(np.int64)]
    centroids = few[np.linspace(0, len(few) - 1, k).astype(np.int64)].copy()
    for _ in range(PALETTE_ROUNDS):
        nearest = _nearest(few, centroids)
        order = np.argsort(nearest, kind="stable")
        used, first, counts = np.unique(nearest[order], return_index=True, return_counts=True)
        centroids[used] = np.add.reduceat(few[order], first, axis=0) / counts[:, None].astype(np.float32)
    return centroids


def _nearest(x: Float32[np.ndarray, "n d"], centroids: Float32[np.ndarray, "k d"]) -> Int64[np.ndarray, "n"]:
    half = 0.5 * np.einsum("kd,kd->k", centroids, centroids)
    parts = [
        np.argmin(half - x[start : start + ROWS_AT_A_TIME] @ centroids.T, axis=1)
        for start in range(0, len(x), ROWS_AT_A_TIME)
    ]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)
