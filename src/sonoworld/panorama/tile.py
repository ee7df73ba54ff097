"""A patch of ground of any size, quilted from a smaller one (Efros & Freeman, Image Quilting, SIGGRAPH 2001).

Letters: the exemplar [k l 3] is valid where `mask` is true; blocks are b × b px and overlap by a third. Blocks shown
often are avoided, and those around them.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int64

from sonoworld.panorama.quilt import laid, overlap_costs

CANDIDATES = 400
"""Random places looked at for each block."""

USED = 0.5
"""Cost of showing something once more, against the median cost."""

VALID = 0.97
"""Share of a block that must be valid."""

LEAST_PLACES, LEAST_BLOCK = 60, 9
"""Places a block must be able to come from, or blocks are made smaller; size (px) at which that ends."""

TURNS = 24
"""Directions in which the exemplar is kept."""


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A picture of ground and where it is valid."""

    image: Float32[np.ndarray, "k l 3"]
    mask: Bool[np.ndarray, "k l"]


def _places(mask: Bool[np.ndarray, "k l"], b: int) -> Int64[np.ndarray, "p 2"]:
    """Top left corners of the blocks that are valid."""
    if min(mask.shape) < b:
        return np.zeros((0, 2), np.int64)
    total = np.asarray(cv2.integral(mask.astype(np.uint8)), np.float64)
    inside = total[b:, b:] - total[:-b, b:] - total[b:, :-b] + total[:-b, :-b]
    return np.argwhere(inside >= VALID * b * b).astype(np.int64)


def _block_px(mask: Bool[np.ndarray, "k l"], b: int) -> int | None:
    """The largest size up to b px at which there are enough blocks."""
    while b >= LEAST_BLOCK:
        if len(_places(mask, b)) >= LEAST_PLACES:
            return b
        b = round(0.75 * b)
    return None


def _turned(exemplar: Exemplar, turn: float) -> Exemplar:
    """The exemplar turned by `turn` radians, counter-clockwise as one looks at it."""
    height, width = exemplar.mask.shape
    side = int(np.ceil(np.hypot(height, width))) + 2
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), float(np.degrees(turn)), 1.0)
    matrix[:, 2] += side / 2 - np.array([width / 2, height / 2])
    image = cv2.warpAffine(exemplar.image, matrix, (side, side), flags=cv2.INTER_LINEAR)
    mask = cv2.warpAffine(exemplar.mask.astype(np.float32), matrix, (side, side), flags=cv2.INTER_LINEAR) > 0.99
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not ys.size:
        return exemplar
    box = slice(ys[0], ys[-1] + 1), slice(xs[0], xs[-1] + 1)
    return Exemplar(np.ascontiguousarray(image[box]), mask[box])


class _Stock:
    """One turned exemplar: where its blocks can come from, and how often each place was shown."""

    def __init__(self, exemplar: Exemplar, b: int) -> None:
        self.image = np.pad(exemplar.image, ((0, 0), (0, 0), (0, 1)))
        self.places = _places(exemplar.mask, b)
        self.used = np.zeros(exemplar.mask.shape, np.float32)

    def pick(
        self,
        canvas: Float32[np.ndarray, "n n 4"],
        place: Int64[np.ndarray, "4"],
        over: Int64[np.ndarray, "2"],
        rng: np.random.Generator,
    ) -> Float32[np.ndarray, "b b 4"]:
        """The block that fits best at (row, column, height, width) of the canvas."""
        b = int(place[2])
        tops, lefts = corners = self.places[rng.integers(0, len(self.places), CANDIDATES)].T.copy()
        cost = overlap_costs(self.image, canvas, place, over, corners, np.zeros((CANDIDATES, 4)))
        scale = float(np.median(cost)) + 1e-3
        again = self.used[tops + b // 2, lefts + b // 2]
        k = int(np.argmin(cost + scale * (USED * again + 0.02 * rng.random(CANDIDATES))))
        top, left, half = int(tops[k]), int(lefts[k]), b // 3
        self.used[max(0, top - half) : top + b, max(0, left - half) : left + b] += 1
        return self.image[top : top + b, left : left + b]


def tile(exemplar: Exemplar, size: int, block_px: int, rng: np.random.Generator) -> Float32[np.ndarray, "n n 3"] | None:
    """A square of `size` px around the feet, or None where the exemplar is too small to lay anything from.

    The exemplar's upper side lies ahead, away from the feet; everywhere its blocks are turned so that they do.
    """
    b = _block_px(exemplar.mask, block_px)
    if b is None:
        return None
    stocks = [_Stock(_turned(exemplar, 2 * np.pi * k / TURNS), b) for k in range(TURNS)]
    over = max(3, b // 3)
    step = b - over
    side = over + -(-(size - over) // step) * step
    canvas = np.zeros((side, side, 4), np.float32)
    for row in range(0, side - over, step):
        for column in range(0, side - over, step):
            turn = np.arctan2(size / 2 - column - b / 2, size / 2 - row - b / 2)  # of the block's middle, + left
            stock = stocks[round(float(turn) / (2 * np.pi) * TURNS) % TURNS]
            if not len(stock.places):
                stock = stocks[0]
            overlaps = np.array([over if row else 0, over if column else 0])
            there = canvas[row : row + b, column : column + b]
            block = stock.pick(canvas, np.array([row, column, b, b]), overlaps, rng)
            canvas[row : row + b, column : column + b] = laid(block, there, int(overlaps[0]), int(overlaps[1]))
    return np.ascontiguousarray(canvas[:size, :size, :3])
