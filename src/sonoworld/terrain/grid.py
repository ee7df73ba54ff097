"""A square grid of ground cells around the eye: points sorted into it, and gaps in it closed.

Letters: n cells a side (odd), m = (n − 1)/2 the middle one; x ahead, y left, z up (m), the eye at the origin.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int64


@dataclass(frozen=True, slots=True)
class Grid:
    """`cells` a side, each `cell_m` wide."""

    cells: int
    cell_m: float

    def cell_of(self, points: Float32[np.ndarray, "k 3"]) -> tuple[Int64[np.ndarray, "k"], Bool[np.ndarray, "k"]]:
        """Flat cell of every point (0 outside), and whether it lies inside."""
        at = np.floor(points[:, :2] / np.float32(self.cell_m) + np.float32(self.cells / 2)).astype(np.int64)
        inside = np.all((at >= 0) & (at < self.cells), axis=1)
        return np.where(inside, at[:, 0] * self.cells + at[:, 1], 0), inside

    def distance(self) -> Float32[np.ndarray, "n n"]:
        """From the eye to the middle of every cell, along the ground, m."""
        along = (np.arange(self.cells, dtype=np.float32) - self.cells // 2) * np.float32(self.cell_m)
        return np.hypot(along[:, None], along[None, :])

    def disc(self, radius_m: float) -> np.ndarray:
        """Kernel of the cells whose middle is at most so far from the middle one's."""
        reach = int(radius_m / self.cell_m)
        along = np.arange(-reach, reach + 1) * self.cell_m
        return (np.hypot(along[:, None], along[None, :]) <= radius_m).astype(np.uint8)


def low_quantile(
    cell: Int64[np.ndarray, "k"], values: Float32[np.ndarray, "k"], cells: int, share: float
) -> Float32[np.ndarray, "n n"]:
    """In every cell the value below which `share` of its values lie; NaN in empty cells."""
    order = np.lexsort((values, cell))
    sorted_cell = cell[order]
    starts = np.flatnonzero(np.diff(sorted_cell, prepend=-1))
    counts = np.diff(np.append(starts, len(cell)))
    out = np.full(cells * cells, np.nan, np.float32)
    out[sorted_cell[starts]] = values[order[starts + (share * counts).astype(np.int64)]]
    return out.reshape(cells, cells)


def highest(cell: Int64[np.ndarray, "k"], values: Float32[np.ndarray, "k"], cells: int) -> Float32[np.ndarray, "n n"]:
    """In every cell its largest value; 0 in empty cells and where all are below."""
    out = np.zeros(cells * cells, np.float32)
    np.maximum.at(out, cell, values)
    return out.reshape(cells, cells)


def continued(values: Float32[np.ndarray, "n n"], known: Bool[np.ndarray, "n n"]) -> Float32[np.ndarray, "n n"]:
    """Values where `known`, elsewhere smooth between and beyond them: means of ever larger neighbourhoods.

    Gortler et al. 1996, "The Lumigraph", 3.4.2 (pull and push). At least one cell must be known.
    """
    n = values.shape[0]
    if known.all():
        return values
    if n <= 2:
        return np.where(known, values, values[known].mean()).astype(np.float32)
    padded = np.pad(np.where(known, values, 0), ((0, n % 2), (0, n % 2)))
    count = np.pad(known, ((0, n % 2), (0, n % 2))).astype(np.float32)
    half = (len(padded) // 2, 2, len(padded) // 2, 2)
    total, weight = padded.reshape(half).sum((1, 3)), count.reshape(half).sum((1, 3))
    coarse = continued((total / np.maximum(weight, 1)).astype(np.float32), weight > 0)
    fine = cv2.resize(coarse, (len(padded), len(padded)), interpolation=cv2.INTER_LINEAR)[:n, :n]
    return np.where(known, values, fine).astype(np.float32)


def reached(
    open_cells: Bool[np.ndarray, "n n"], start: Bool[np.ndarray, "n n"], *, corners: bool
) -> Bool[np.ndarray, "n n"]:
    """Open cells that hang together with an open cell of `start`, by their sides, or by `corners` too."""
    _, label = cv2.connectedComponents(open_cells.astype(np.uint8), connectivity=8 if corners else 4)
    mine = np.unique(label[start & open_cells])
    return np.isin(label, mine[mine > 0])
