"""In which order to show pieces of the photo's horizon band so that it goes once around, without showing a mirror.

Letters: a strip of n source columns; a piece is (start, direction ±1, length) in it; K pieces fill the gap between
the photo's right and left edges. Pieces are chosen at random many times; the order is kept whose joins fit best and
which repeats least (after Schödl et al., Video Textures, SIGGRAPH 2000, with columns for frames).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

TRIES = 160

TYPICAL, SPREAD = (0.3, 0.8), 0.35
"""Mean length of pieces as a share of the strip (drawn for each try), and how much they vary around it."""

REPEAT_COST = 1.0
"""Cost of showing columns again, against the median cost of a join."""

DISLIKE = 30.0
"""Cost of showing a disliked column again, in repeats."""

FOLD_COST = 5.0
"""Cost of a join at which the picture turns back on itself, against the median cost of a join."""


@dataclass(frozen=True, slots=True)
class Piece:
    """`length` columns of the strip from `start` on, leftwards when `direction` is −1."""

    start: int
    direction: int
    length: int

    def columns(self, extra: int = 0) -> np.ndarray:
        """Source columns shown, in order, `extra` more at the end (may leave the strip)."""
        return self.start + self.direction * np.arange(self.length + extra)


def _join_costs(features: Float32[np.ndarray, "m f"], pad: int) -> np.ndarray:
    """Cost [2 2 n n] of going on at column j in direction d' where i would have come next in direction d.

    `features` cover the strip and `pad` columns more on each side.
    """
    n = len(features) - 2 * pad
    at = np.arange(n) + pad
    nexts = [np.stack([features[at + d * (k + 1)] for k in range(pad)], 1).reshape(n, -1) for d in (1, -1)]
    reads = [np.stack([features[at + d * k] for k in range(pad)], 1).reshape(n, -1) for d in (1, -1)]
    cost = np.empty((2, 2, n, n))
    for d in range(2):
        for e in range(2):
            square = (nexts[d] ** 2).sum(1)[:, None] + (reads[e] ** 2).sum(1)[None]
            cost[d, e] = np.maximum(square - 2 * nexts[d] @ reads[e].T, 0)
    cost = np.sqrt(cost / reads[0].shape[1])
    apart = np.abs(np.arange(n)[:, None] - np.arange(n)[None])
    fold = FOLD_COST * float(np.median(cost)) * np.exp(-0.5 * (apart / (0.25 * n)) ** 2)
    cost[0, 1] += fold
    cost[1, 0] += fold
    return cost


def _lengths(gap: int, n: int, rng: np.random.Generator) -> np.ndarray:
    count = max(1, round(gap / (rng.uniform(*TYPICAL) * n)))
    count = max(count, -(-gap // max(1, int(0.95 * n))))
    share = 1 + SPREAD * rng.uniform(-1, 1, count)
    edges = np.round(np.cumsum(share / share.sum()) * gap).astype(int)
    return np.minimum(np.diff(np.concatenate([[0], edges])), n)


def _try(cost: np.ndarray, dislike: np.ndarray, gap: int, rng: np.random.Generator) -> tuple[float, list[Piece]]:
    n = cost.shape[2]
    scale = float(np.median(cost))
    lengths = _lengths(gap, n, rng)
    used = np.zeros(n)
    used[-n // 3 :] = 1  # the photo's own right edge is next to the first piece
    total, at, towards = 0.0, n - 1, 0
    pieces: list[Piece] = []
    for k, length in enumerate(lengths):
        starts = np.concatenate([np.arange(n - length + 1), np.arange(length - 1, n)])
        turn = np.repeat([0, 1], n - length + 1)
        join = cost[towards, turn, at, starts]
        sums = np.concatenate([[0], np.cumsum(used + DISLIKE * dislike**2)])
        first = np.where(turn == 0, starts, starts - length + 1)
        again = (sums[first + length] - sums[first]) / n
        score = join + REPEAT_COST * scale * again
        ends = starts + np.where(turn == 0, 1, -1) * (length - 1)
        if k == len(lengths) - 1:
            score = score + cost[turn, 0, ends, 0]
        pick = int(np.argmin(score * rng.uniform(0.8, 1.2, len(score)) + 0.2 * scale * rng.uniform(size=len(score))))
        total += float(score[pick])
        pieces.append(Piece(int(starts[pick]), 1 - 2 * int(turn[pick]), int(length)))
        used *= 0.75
        used[first[pick] : first[pick] + length] += 1
        at, towards = int(ends[pick]), int(turn[pick])
    return total, pieces


def order_pieces(
    features: Float32[np.ndarray, "m f"],
    pad: int,
    dislike: Float32[np.ndarray, "n"],
    gap: int,
    rng: np.random.Generator,
) -> list[Piece]:
    """Pieces that fill `gap` columns from the strip's right edge around to its left edge.

    `features` describe each column of the strip and `pad` more on each side; `dislike` >= 0 marks columns that
    should not be shown again.
    """
    cost = _join_costs(features, pad)
    tries = [_try(cost, dislike, gap, rng) for _ in range(TRIES)]
    return min(tries, key=lambda t: t[0])[1]
