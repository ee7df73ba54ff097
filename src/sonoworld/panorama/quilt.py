"""Quilting: a picture's fine detail laid anew from small blocks of it, cut together where they differ least.

After Efros & Freeman, Image Quilting (SIGGRAPH 2001), with three changes: a block stays in its own rows, so that
treetops stay treetops; its colour must be near the one wanted there; and what was shown lately or often is avoided,
so that nobody sees it twice.

Letters: source [k n c] and canvas [k m c] have the same rows; a block has h rows and w columns.
"""

from dataclasses import dataclass
from typing import no_type_check

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Int64
from numba import njit

from sonoworld.panorama.cut import SOFT_PX, UNLIKE, least_cut

CANDIDATES = 1800
"""Random places looked at for each block."""

STRETCH, STRETCH_HOUSES = (0.8, 1.0, 1.25), (1.0, 1.3, 1.6)
"""Widths at which the source is shown; houses also as if nearer."""

REPEAT, LATELY, OFTEN = 2.0, 1 / 6, 0.35
"""Cost of a block shown a moment ago, against the median cost; distance (share of the canvas) at which that is
forgotten; and cost for each time it was shown, as a share of the first."""

DISLIKED = 8.0
"""Cost of a block of disliked things, against the median cost."""

NOTICED = 0.12
"""Share of a block that is disliked and shows at first glance."""

COLOUR, TINT = 1.0, 12.0
"""Weight of the squared difference of broad colour against that of the overlap; and how far (0..255) a block's colour
is shifted to what is wanted."""

TALL = 3.0
"""Cost of a block whose columns are e times as tall as those wanted, against the median cost."""

MIRRORED = 0.5
"""Cost of a mirrored block, against the median cost."""


@dataclass(frozen=True, slots=True)
class Material:
    """What is laid.

    `image`: colours, then any channels; its `broad` colour; `dislike`: how little each pixel should be shown, 0..1;
    how `tall` each column was (px).
    """

    image: Float32[np.ndarray, "k n c"]
    broad: Float32[np.ndarray, "k n 3"]
    dislike: Float32[np.ndarray, "k n"]
    tall: Float32[np.ndarray, "n"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the canvas should be like: its `broad` colour, and how `tall` its columns will be (px)."""

    broad: Float32[np.ndarray, "k m 3"]
    tall: Float32[np.ndarray, "m"]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of blocks: first pixel row, height and width of blocks, overlap with the row above, rows of free play."""

    first: int
    h: int
    w: int
    overlap: int
    play: int


@dataclass(frozen=True, slots=True)
class _Copy:
    """A stretched (and perhaps mirrored) copy of the material.

    `origin` is the source column of each column; `total` the sum of all dislike above and left of each pixel.
    """

    material: Material
    origin: Float64[np.ndarray, "n"]
    mirrored: bool
    total: Float64[np.ndarray, "l o"]


def _copies(material: Material, mirror: bool) -> list[_Copy]:
    k, n = material.dislike.shape
    copies: list[_Copy] = []
    for scale in STRETCH if mirror else STRETCH_HOUSES:
        size = (max(2, round(n * scale)), k)
        planes = [cv2.resize(p, size) for p in np.moveaxis(material.image, -1, 0)]
        stretched = Material(
            image=np.asarray(np.stack(planes, -1), np.float32),
            broad=np.asarray(cv2.resize(material.broad, size), np.float32),
            dislike=np.asarray(cv2.resize(material.dislike, size), np.float32),
            tall=np.asarray(cv2.resize(material.tall[None], (size[0], 1))[0], np.float32),
        )
        origin = (np.arange(size[0]) + 0.5) * n / size[0]
        copies.append(_Copy(stretched, origin, False, cv2.integral(stretched.dislike)))
        if mirror:
            image, broad, dislike = (
                np.ascontiguousarray(x[:, ::-1]) for x in (stretched.image, stretched.broad, stretched.dislike)
            )
            turned = Material(image, broad, dislike, stretched.tall[::-1].copy())
            copies.append(_Copy(turned, origin[::-1].copy(), True, cv2.integral(dislike)))
    return copies


@no_type_check  # compiled by numba, which cannot see through the checker of the tests
@njit(cache=True)
def overlap_costs(source, canvas, place, overlaps, corners, tints):
    """Mean squared difference of the block at each (top, left) of `source` from what `canvas` holds already."""
    tops, lefts = corners
    row, column, h, w = place
    over, beside = overlaps
    out = np.zeros(len(tops))
    for i in range(len(tops)):
        total = 0.0
        for y in range(h):
            last = w if y < over else beside
            for x in range(last):
                for c in range(4):
                    d = source[tops[i] + y, lefts[i] + x, c] + tints[i, c] - canvas[row + y, column + x, c]
                    total += d * d
        out[i] = total / max(4 * (over * w + (h - over) * beside), 1)
    return out


def _blurred(image: Float32[np.ndarray, "h w *c"], sigma: float) -> Float32[np.ndarray, "h w *c"]:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)


def laid(
    block: Float32[np.ndarray, "h w c"], there: Float32[np.ndarray, "h w c"], over: int, beside: int
) -> Float32[np.ndarray, "h w c"]:
    """The block over what is `there`: detail changes along least cuts, colour across the whole overlap where alike."""
    apart = block - there
    error = (apart[..., :4] ** 2).sum(-1)
    keep, ramp = np.ones(error.shape, np.float32), np.ones(error.shape, np.float32)
    if beside > 1:
        keep[:, :beside] = least_cut(error[:, :beside])
        ramp[:, :beside] = (np.arange(beside) + 0.5) / beside
    if over > 1:
        keep[:over] *= least_cut(np.ascontiguousarray(error[:over].T)).T
        ramp[:over] *= ((np.arange(over) + 0.5) / over)[:, None]
    keep, ramp = _blurred(keep, SOFT_PX)[..., None], ramp[..., None]
    keep[over:, beside:] = 1
    seen = np.ones_like(keep)
    seen[over:, beside:] = 0  # nothing is there yet
    reach = max(1.0, max(over, beside) / 3)
    mass = _blurred(seen[..., 0], reach)[..., None] + 1e-3
    low = _blurred(np.ascontiguousarray((apart * seen)[..., :3]), reach) / mass
    alike = 1 - np.clip(np.abs(low).max(-1, keepdims=True) / UNLIKE - 0.5, 0, 1)
    out = there + keep * apart
    out[..., :3] += (ramp - keep) * low * alike
    return out


class _Memory:
    """Where each source column was last shown in a row of blocks, and how often."""

    def __init__(self, n: int, m: int) -> None:
        self._last = np.arange(n) - float(n)  # the photo itself is shown before the canvas begins ...
        self._next = np.arange(n) + float(m)  # ... and after it ends
        self._count = np.zeros(n)
        self._far = LATELY * m

    def cost(self, at: int, columns: Int64[np.ndarray, "i *j"]) -> Float64[np.ndarray, "i"]:
        """How recently and how often the columns were shown, seen from column `at` of the canvas."""
        apart = np.minimum(at - self._last, self._next - at)
        each = np.exp(-np.maximum(apart, 0) / self._far) + OFTEN * self._count
        return each[columns].reshape(len(columns), -1).max(1)

    def show(self, at: int, first: int, last: int) -> None:
        """Source columns first..last are shown around column `at`."""
        self._last[first : last + 1] = at
        self._count[first : last + 1] += 1


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a block comes: its row, its first column, and how many columns there are laid already."""

    row: Row
    column: int
    beside: int


@dataclass(frozen=True, slots=True)
class _Offers:
    """Places in one copy: tops, lefts and tints of blocks, their cost, and extra cost in medians."""

    tops: Int64[np.ndarray, "i"]
    lefts: Int64[np.ndarray, "i"]
    tints: Float64[np.ndarray, "i 4"]
    cost: Float64[np.ndarray, "i"]
    extra: Float64[np.ndarray, "i"]


def _share(
    total: Float64[np.ndarray, "l o"], tops: Int64[np.ndarray, "i"], lefts: Int64[np.ndarray, "i"], row: Row
) -> Float64[np.ndarray, "i"]:
    """How disliked each block is as a whole: 1 where so much of it is as shows at first glance."""
    down, right = tops + row.h, lefts + row.w
    inside = total[down, right] - total[tops, right] - total[down, lefts] + total[tops, lefts]
    return np.minimum(1, inside / (row.h * row.w * NOTICED))


def _offers(
    copy: _Copy,
    canvas: Float32[np.ndarray, "k m c"],
    wanted: Wanted,
    spot: _Spot,
    memory: _Memory,
    draws: tuple[Float64[np.ndarray, "i"], Int64[np.ndarray, "i"]],
) -> _Offers:
    """Costs of the blocks at `draws` (share of the width, rows up or down) of a copy."""
    row, m = spot.row, copy.material
    lefts = (draws[0] * (max(m.dislike.shape[1] - row.w, 0) + 1)).astype(np.int64)
    tops = np.clip(row.first + draws[1], 0, canvas.shape[0] - row.h)
    ys = (np.array([0.15, 0.5, 0.85]) * (row.h - 1)).astype(int)[:, None]
    xs = (np.array([0.1, 0.5, 0.9]) * (row.w - 1)).astype(int)[None]
    there = tops[:, None, None] + ys, lefts[:, None, None] + xs
    apart = wanted.broad[row.first + ys, spot.column + xs][None] - m.broad[there].astype(np.float64)
    mean = apart.mean((1, 2))
    tints = np.pad(TINT * np.tanh(mean / TINT), ((0, 0), (0, 1)))
    colour = ((apart - tints[:, None, None, :3]) ** 2).mean((1, 2, 3))
    place, overlaps = np.array([row.first, spot.column, row.h, row.w]), np.array([row.overlap, spot.beside])
    overlap = overlap_costs(m.image, canvas, place, overlaps, np.stack([tops, lefts]), tints)
    tall = np.log(wanted.tall[spot.column + xs] / m.tall[lefts[:, None] + xs])
    extra = (
        REPEAT * memory.cost(spot.column, copy.origin[lefts[:, None] + xs].astype(np.int64))
        + DISLIKED * np.maximum(m.dislike[there].max((1, 2)), _share(copy.total, tops, lefts, row))
        + TALL * (tall**2).mean(1)
        + MIRRORED * copy.mirrored
    )
    return _Offers(tops, lefts, tints, overlap + COLOUR * colour, extra)


def _choose(
    copies: list[_Copy],
    canvas: Float32[np.ndarray, "k m c"],
    wanted: Wanted,
    spot: _Spot,
    memory: _Memory,
    rng: np.random.Generator,
) -> Float32[np.ndarray, "h w c"]:
    """The block to lay, remembered as shown."""
    row, count = spot.row, CANDIDATES // len(copies)
    offers = [
        _offers(copy, canvas, wanted, spot, memory, (rng.random(count), rng.integers(-row.play, row.play + 1, count)))
        for copy in copies
    ]
    scale = float(np.median(np.concatenate([o.cost for o in offers]))) + 1e-3
    best = [int(np.argmin(o.cost + scale * o.extra)) for o in offers]
    number = int(np.argmin([o.cost[k] + scale * o.extra[k] for o, k in zip(offers, best, strict=True)]))
    copy, offer, k = copies[number], offers[number], best[number]
    top, left = int(offer.tops[k]), int(offer.lefts[k])
    ends = copy.origin[[left, left + row.w - 1]].astype(int)
    memory.show(spot.column, int(ends.min()), int(ends.max()))
    block = copy.material.image[top : top + row.h, left : left + row.w].copy()
    block[..., :3] += offer.tints[k, :3].astype(np.float32)
    return block


def quilt(
    material: Material,
    start: Float32[np.ndarray, "k b c"],
    wanted: Wanted,
    rows: list[Row],
    mirror: bool,
    rng: np.random.Generator,
) -> Float32[np.ndarray, "k m c"]:
    """A picture of m columns that begins with `start` and is like what is `wanted`."""
    k, m = wanted.broad.shape[:2]
    copies = _copies(material, mirror)
    begun, spare = start.shape[1], max(r.w for r in rows)
    canvas = np.zeros((k, m + spare, start.shape[2]), np.float32)
    canvas[:, :begun] = start
    target = Wanted(
        np.pad(wanted.broad, ((0, 0), (0, spare), (0, 0)), mode="edge"), np.pad(wanted.tall, (0, spare), mode="edge")
    )
    for row in rows:
        memory = _Memory(material.dislike.shape[1], m)
        beside = max(2, min(row.w // 3, begun))
        column = begun - beside
        while column + beside < m:
            block = _choose(copies, canvas, target, _Spot(row, column, beside), memory, rng)
            there = canvas[row.first : row.first + row.h, column : column + row.w]
            canvas[row.first : row.first + row.h, column : column + row.w] = laid(block, there, row.overlap, beside)
            column += row.w - beside
    return canvas[:, :m]
