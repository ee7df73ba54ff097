"""One thing seen by several views is one instance: masks of views joined on the sphere, also across ±180°."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from sonoworld.tiles import solid_angles

SAME = 0.5
"""Two views show the same thing when, where both look, this part of the smaller piece is shared."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one view (by number) says of one thing: its pixels in the panorama, and a score 0..1."""

    mask: Bool[np.ndarray, "h w"]
    score: float
    view: int


@dataclass(frozen=True, slots=True)
class Instance:
    """One thing: all its pixels in the panorama, and the best score of its pieces."""

    mask: Bool[np.ndarray, "h w"]
    score: float


def joined(
    pieces: Sequence[Piece], seen: Sequence[Bool[np.ndarray, "h w"]], *, same: float = SAME
) -> tuple[Instance, ...]:
    """Instances, best first. `seen[v]`: pixels that view v sees.

    Pieces are compared only where both views look: a long river, cut by the borders of tiles, is one; two dogs are two.
    Within one view, a piece that another covers for the most part is the same thing.
    """
    parent = list(range(len(pieces)))
    for i, a in enumerate(pieces):
        for j in range(i):
            if _root(parent, i) != _root(parent, j) and _same(a, pieces[j], seen, same):
                low, high = sorted((_root(parent, i), _root(parent, j)))
                parent[high] = low
    groups: dict[int, list[Piece]] = {}
    for i, piece in enumerate(pieces):
        groups.setdefault(_root(parent, i), []).append(piece)
    found = [Instance(np.logical_or.reduce([p.mask for p in g]), max(p.score for p in g)) for g in groups.values()]
    return tuple(sorted(found, key=lambda instance: -instance.score))


def _root(parent: list[int], i: int) -> int:
    while parent[i] != i:
        i = parent[i]
    return i


def _same(a: Piece, b: Piece, seen: Sequence[Bool[np.ndarray, "h w"]], same: float) -> bool:
    both = seen[a.view] & seen[b.view]
    omega = solid_angles(both.shape[0])
    in_a, in_b = a.mask & both, b.mask & both
    smaller = min(float(omega[in_a].sum()), float(omega[in_b].sum()))
    return smaller > 0 and float(omega[in_a & in_b].sum()) > same * smaller
