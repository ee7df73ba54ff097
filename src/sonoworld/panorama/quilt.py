"""Texture of any size from a patch of it: image quilting (Efros & Freeman, SIGGRAPH 2001)."""

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from sonoworld.panorama.cut import least_cut

PATCH_SIZES = (96, 64, 40, 24, 14)
"""Sides of patches tried, px: the largest that fits often enough is used."""

OVERLAP = 0.3
"""Overlap of neighbouring patches as a share of their side."""

CANDIDATES = 240
"""Patches looked at for each place; one of the best few is taken."""

TOLERANCE = 1.2
"""A patch is taken at random among those whose error is at most this many times the least."""


def _origins(valid: Bool[np.ndarray, "h w"], side: int) -> np.ndarray:
    """(row, column) of the patches that lie wholly in the valid part, [n 2]."""
    if min(valid.shape) < side:
        return np.zeros((0, 2), np.int64)
    sums = cv2.integral(valid.astype(np.uint8))
    inside = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    return np.argwhere(inside == side * side)


def _choose_side(valid: Bool[np.ndarray, "h w"]) -> tuple[int, np.ndarray]:
    for side in PATCH_SIZES:
        origins = _origins(valid, side)
        if len(origins) >= 2 * side:
            return side, origins
    return 0, np.zeros((0, 2), np.int64)


def _place(canvas: np.ndarray, patch: np.ndarray, row: int, column: int, overlap: int) -> None:
    """Write the patch where it differs least from what the canvas holds above and to the left of it."""
    side = len(patch)
    there = canvas[row : row + side, column : column + side]
    take = np.ones((side, side), bool)
    if column:
        take[:, :overlap] &= least_cut(((there - patch)[:, :overlap] ** 2).sum(-1))
    if row:
        take[:overlap] &= least_cut(((there - patch)[:overlap] ** 2).sum(-1).T).T
    there[take] = patch[take]


def quilt(
    exemplars: tuple[Float32[np.ndarray, "h w c"], ...],
    valid: tuple[Bool[np.ndarray, "h w"], ...],
    size_px: int,
    which: Callable[[float, float], int],
    rng: np.random.Generator,
) -> Float32[np.ndarray, "n n c"] | None:
    """A square texture of `size_px`; None when no exemplar holds enough whole patches.

    `which(x, y)` names the exemplar for a place (x right, y down, −1..1): turned copies keep a direction radial.
    """
    sides = [_choose_side(v) for v in valid]
    side = min(s for s, _ in sides)
    if side == 0:
        return None
    origins = [_origins(v, side) for v in valid]
    overlap = max(4, round(OVERLAP * side))
    stride = side - overlap
    count = max(1, -(-(size_px - overlap) // stride))
    full = count * stride + overlap
    canvas = np.zeros((full, full, exemplars[0].shape[2]), np.float32)
    for row in range(count):
        for column in range(count):
            middle = (np.array([column, row]) * stride + side / 2) * (2 / full) - 1
            k = which(float(middle[0]), float(middle[1]))
            patch = _best_patch(canvas, exemplars[k], origins[k], (row * stride, column * stride, side, overlap), rng)
            _place(canvas, patch, row * stride, column * stride, overlap)
    start = (full - size_px) // 2
    return canvas[start : start + size_px, start : start + size_px]


def _best_patch(
    canvas: np.ndarray,
    exemplar: np.ndarray,
    origins: np.ndarray,
    place: tuple[int, int, int, int],
    rng: np.random.Generator,
) -> np.ndarray:
    """One of the patches that agree best with the canvas in the overlaps."""
    row, column, side, overlap = place
    some = origins[rng.integers(0, len(origins), CANDIDATES)]
    seen = np.zeros((side, side), bool)
    seen[:, :overlap] |= column > 0
    seen[:overlap] |= row > 0
    at = np.argwhere(seen)[::3]  # every third pixel of the overlaps is evidence enough
    if len(at):
        have = canvas[row + at[:, 0], column + at[:, 1]]
        offered = exemplar[some[:, :1] + at[:, 0], some[:, 1:] + at[:, 1]]
        error = ((offered - have) ** 2).sum((1, 2))
        some = some[error <= max(float(error.min()), 1e-6) * TOLERANCE]
    y, x = some[rng.integers(0, len(some))]
    return exemplar[y : y + side, x : x + side]
