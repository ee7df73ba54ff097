"""A soap film over missing pixels of a panorama: the harmonic continuation of what surrounds them.

Letters: h w rows and columns; c channels. Kinds of pixels: OUTSIDE neither gives nor gets a value (nothing flows to
or from it), KNOWN is held fixed, MISSING becomes the mean of its neighbours that are not OUTSIDE (Laplace's equation
with reflecting borders at OUTSIDE). Columns wrap; beyond the poles nothing flows.
Solved from coarse to fine ("cascadic multigrid", Bornemann and Deuflhard 1996): each level starts from the one above.
"""

from typing import no_type_check

import numpy as np
from jaxtyping import Float32, UInt8
from numba import njit

OUTSIDE, KNOWN, MISSING = 0, 1, 2
SWEEPS = 24
"""Gauss-Seidel sweeps a level, with over-relaxation."""

OVER_RELAXATION = np.float32(1.7)
COARSEST_PX = 4


def fill(values: Float32[np.ndarray, "h w c"], kind: UInt8[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w c"]:
    """Values with MISSING pixels filled; a patch of MISSING that touches nothing KNOWN gets the mean of all KNOWN."""
    out = values.copy()
    known = kind == KNOWN
    out[kind == MISSING] = values[known].mean(0) if known.any() else 0
    _solve(out, kind)
    return out


def _solve(values: np.ndarray, kind: np.ndarray) -> None:
    height, width = kind.shape
    missing = np.flatnonzero(kind == MISSING)
    if missing.size == 0:
        return
    if height % 2 == 0 and width % 2 == 0 and min(height, width) > COARSEST_PX:
        coarse_values, coarse_kind = _coarser(values, kind)
        _solve(coarse_values, coarse_kind)
        rows, columns = np.divmod(missing, width)
        values[rows, columns] = _prolonged(coarse_values, coarse_kind, rows, columns)
    _relax(values, kind, missing, SWEEPS)


def _coarser(values: np.ndarray, kind: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Half size: KNOWN where a child is (their mean), else MISSING where a child is, else OUTSIDE."""
    height, width, channels = values.shape
    known = (kind == KNOWN).astype(np.float32)[..., None]
    blocks = (height // 2, 2, width // 2, 2)
    count = known.reshape(blocks).sum((1, 3))[..., None]
    total = (values * known).reshape(*blocks, channels).sum((1, 3))
    missing = (kind == MISSING).reshape(blocks).any((1, 3))
    start = values.reshape(*blocks, channels)[:, 0, :, 0]
    coarse_kind = np.where(count[..., 0] > 0, KNOWN, np.where(missing, MISSING, OUTSIDE)).astype(np.uint8)
    return np.where(count > 0, total / np.maximum(count, 1), start), coarse_kind


def _prolonged(coarse: np.ndarray, kind: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Bilinear between the four nearest coarse pixels that hold a value (the pixel's own parent always does)."""
    height, width = kind.shape
    total = np.zeros((rows.size, coarse.shape[2]), np.float32)
    weight = np.zeros((rows.size, 1), np.float32)
    for own_row, share_row in ((True, 0.75), (False, 0.25)):
        y = rows // 2 if own_row else np.clip(rows // 2 + np.where(rows % 2, 1, -1), 0, height - 1)
        for own_column, share_column in ((True, 0.75), (False, 0.25)):
            x = columns // 2 if own_column else (columns // 2 + np.where(columns % 2, 1, -1)) % width
            share = (np.float32(share_row * share_column) * (kind[y, x] != OUTSIDE))[:, None]
            total += share * coarse[y, x]
            weight += share
    return total / weight


@njit(cache=True)
@no_type_check
def _relax(values: np.ndarray, kind: np.ndarray, missing: np.ndarray, sweeps: int) -> None:
    height, width, channels = values.shape
    for sweep in range(sweeps):
        for j in range(missing.size):
            at = missing[j] if sweep % 2 == 0 else missing[missing.size - 1 - j]
            y, x = at // width, at % width
            left, right = (x - 1) % width, (x + 1) % width
            a = np.float32(kind[y, left] != 0)
            b = np.float32(kind[y, right] != 0)
            c = np.float32(y > 0 and kind[max(y - 1, 0), x] != 0)
            d = np.float32(y < height - 1 and kind[min(y + 1, height - 1), x] != 0)
            count = a + b + c + d
            if count == 0:
                continue
            for k in range(channels):
                mean = a * values[y, left, k] + b * values[y, right, k]
                mean += c * values[max(y - 1, 0), x, k] + d * values[min(y + 1, height - 1), x, k]
                values[y, x, k] += OVER_RELAXATION * (mean / count - values[y, x, k])
