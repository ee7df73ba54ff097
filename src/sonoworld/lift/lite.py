"""A lighter set of splats that still covers: neighbours merge where the picture is plain, nothing is dropped.

Cells of direction (seen from the origin, the photo's eye) and of log distance form quadtrees. A cell becomes one splat
if the colours in it differ so little that the sum of squared errors stays below a threshold; the threshold is the
smallest that meets the limit. So a clear sky costs little, and leaves and windows keep their pixels.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from sonoworld.errors import InputError
from sonoworld.lift.merge import merged
from sonoworld.types import Splats

SHELL_RATIO = 1.15
"""Farthest over nearest distance of splats that may merge."""

LEVELS = 4
"""Halvings from the coarsest cell to the finest; below the finest, splats stay apart."""

FINEST = 1.6
"""Side of the finest cell in mean distances between splats."""

SH_PER_RADIAN = 2.0
"""Price of size against colour: a cell 0.03 rad wide costs as much as colours 2 % of full scale apart."""

SEARCH_STEPS = 40


def lite(splats: Splats, limit: int = 500_000) -> Splats:
    """At most `limit` splats that look alike from near the origin; the same set if it is small enough already.

    Deterministic. The limit is met from below, usually within a percent.

    Raises:
        InputError: even the coarsest cells are more than `limit`.
    """
    if len(splats) <= limit:
        return splats
    keys = _nested_keys(splats)
    order = np.argsort(keys, kind="stable")
    features = _features(splats)[order]
    levels = [_level(keys[order] >> (2 * i), features) for i in range(LEVELS + 1)]
    fewest = levels[-1].starts.size
    if fewest > limit:
        raise InputError(f"lite: expected a limit of at least {fewest} for these splats, got {limit}")
    errors = np.concatenate([level.error for level in levels])
    low, high = 0.0, float(errors.max()) + 1.0
    for _ in range(SEARCH_STEPS):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if np.count_nonzero(_begins(levels, middle)) <= limit else (middle, high)
    return merged(splats, order, np.flatnonzero(_begins(levels, high)))


@dataclass(frozen=True, slots=True)
class _Level:
    """Cells of one size as stretches of the sorted splats: where each begins, and its squared error."""

    starts: Int64[np.ndarray, "m"]
    counts: Int64[np.ndarray, "m"]
    error: Float64[np.ndarray, "m"]


def _features(splats: Splats) -> Float64[np.ndarray, "n 6"]:
    """What a merged splat loses: differences of colour (SH units) and of direction (so that plain parts share too)."""
    means = splats.means.astype(np.float64)
    direction = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-6)
    return np.concatenate([splats.sh[:, 0], SH_PER_RADIAN * direction], 1)


def _level(sorted_keys: Int64[np.ndarray, "n"], features: Float64[np.ndarray, "n 6"]) -> _Level:
    starts = np.flatnonzero(np.diff(sorted_keys, prepend=-1))
    counts = np.diff(np.append(starts, len(sorted_keys)))
    total, squares = np.add.reduceat(features, starts), np.add.reduceat(features * features, starts)
    return _Level(starts, counts, np.maximum((squares - total * total / counts[:, None]).sum(1), 0))


def _begins(levels: list[_Level], threshold: float) -> Bool[np.ndarray, "n"]:
    """Where in the sorted order a new splat begins, if cells up to `threshold` merge; the coarsest that may wins."""
    begins = np.ones(int(levels[0].counts.sum()), bool)
    for level in levels:  # finer first: an error never shrinks in a larger cell
        plain = np.repeat(level.error <= threshold, level.counts)
        begins[plain] = False
        begins[level.starts] = True
    return begins


def _nested_keys(splats: Splats) -> Int64[np.ndarray, "n"]:
    """Coarsest cell, then shell, then two bits for each halving: `key >> 2` is the cell of twice the side."""
    means = splats.means.astype(np.float64)
    r = np.maximum(np.linalg.norm(means, axis=1), 1e-6)
    shell = np.floor(np.log(r) / np.log(SHELL_RATIO)).astype(np.int64)
    shell -= shell.min()
    parts = 1 << LEVELS
    side = FINEST * np.sqrt(4 * np.pi / len(splats)) * parts
    down = (np.pi / 2 - np.arcsin(np.clip(means[:, 2] / r, -1, 1))) / side
    rows = int(np.floor(down.max())) + 1
    # each coarse row is cut into a whole number of columns, about as wide as high
    columns = np.maximum(3, np.ceil(2 * np.pi * np.cos(np.pi / 2 - (np.arange(rows) + 0.5) * side) / side))
    row = down.astype(np.int64)
    along = (np.pi - np.arctan2(means[:, 1], means[:, 0])) / (2 * np.pi) * columns[row]
    column = np.minimum(along.astype(np.int64), columns[row].astype(np.int64) - 1)
    cell = np.concatenate([[0], np.cumsum(columns)[:-1]]).astype(np.int64)[row] + column
    fine_row = np.clip(((down - row) * parts).astype(np.int64), 0, parts - 1)
    fine_column = np.clip(((along - column) * parts).astype(np.int64), 0, parts - 1)
    key = cell * (int(shell.max()) + 1) + shell
    for bit in range(LEVELS - 1, -1, -1):
        key = (key << 2) | ((fine_row >> bit & 1) << 1) | (fine_column >> bit & 1)
    return key
