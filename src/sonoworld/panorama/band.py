"""The band around the horizon: the photo's own columns, shown again in another order until the circle is closed.

Letters: a strip of rows × n columns cut from the photo; beyond its sides it goes on mirrored for one overlap, just
far enough to join pieces without an edge.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from scipy.ndimage import distance_transform_edt

from sonoworld.panorama.cut import join
from sonoworld.panorama.order import Piece, order_pieces

OVERLAP = 1 / 50
"""Width of a join as a share of the panorama's width (7°); never more than a third of the strip."""

FEATURE_ROWS, FEATURE_STEP = 48, 1 / 512
"""Grid on which columns are compared: rows, and column spacing as a share of the panorama's width."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Rows [top, bottom) and columns [left, right) of the panorama in which the photo is (nearly) whole."""

    top: int
    bottom: int
    left: int
    right: int


def core_extent(known: Bool[np.ndarray, "h w"]) -> Extent:
    """The part of the photo to continue sideways.

    Rows: where the photo is widest (at least 70 % of that), short of going all around. Columns: where most of
    those rows are known.
    """
    count = known.sum(1)
    width = known.shape[1]
    around = np.where(count < 0.9 * width, count, 0)
    rows = np.flatnonzero(around >= 0.7 * max(int(around.max()), 1))
    middle = rows[len(rows) // 2]
    gaps = np.flatnonzero(np.diff(rows) > 1)
    first = max([int(rows[g + 1]) for g in gaps if rows[g + 1] <= middle], default=int(rows[0]))
    last = min([int(rows[g]) for g in gaps if rows[g] >= middle], default=int(rows[-1]))
    columns = np.flatnonzero(known[first : last + 1].mean(0) > 0.6)
    spare = width // 32  # a gap is left to close the circle in, even where the photo goes all around
    left, right = max(int(columns[0]), spare), min(int(columns[-1]) + 1, width - spare)
    return Extent(top=first, bottom=last + 1, left=left, right=right)


def _strip(
    layers: Float32[np.ndarray, "h w c"], known: Bool[np.ndarray, "h w"], at: Extent
) -> Float32[np.ndarray, "k n c"]:
    """The extent's pixels; where a slanted edge of the photo cuts into it, the row goes on mirrored.

    What even that leaves open (a photo around a pole has holes) takes the nearest pixel seen.
    """
    part, seen = layers[at.top : at.bottom, at.left : at.right], known[at.top : at.bottom, at.left : at.right]
    n = part.shape[1]
    first = np.argmax(seen, 1)
    last = n - 1 - np.argmax(seen[:, ::-1], 1)
    column = np.arange(n)[None]
    column = np.where(column < first[:, None], 2 * first[:, None] - column, column)
    column = np.where(column > last[:, None], 2 * last[:, None] - column, column)
    column = np.clip(column, 0, n - 1)
    strip, there = np.take_along_axis(part, column[..., None], 1), np.take_along_axis(seen, column, 1)
    if there.all():
        return strip
    nearest = np.asarray(distance_transform_edt(~there, return_distances=False, return_indices=True))
    return strip[nearest[0], nearest[1]]


def _extended(strip: Float32[np.ndarray, "k n c"], px: int) -> Float32[np.ndarray, "k m c"]:
    return np.pad(strip, ((0, 0), (px, px), (0, 0)), mode="symmetric")


def _order(
    strip: Float32[np.ndarray, "k n c"],
    dislike: Float32[np.ndarray, "n"],
    width: int,
    overlap: int,
    rng: np.random.Generator,
) -> list[Piece]:
    """The order of pieces, found on a coarse grid and scaled back to pixels."""
    step = max(1, round(width * FEATURE_STEP))
    n = strip.shape[1] // step
    pad = max(1, overlap // step)
    small = cv2.resize(strip[:, : n * step, :4], (n, FEATURE_ROWS), interpolation=cv2.INTER_AREA)
    small = np.pad(small, ((0, 0), (pad, pad), (0, 0)), mode="symmetric")
    features = small.transpose(1, 0, 2).reshape(n + 2 * pad, -1).astype(np.float32)
    bad = cv2.resize(dislike[None, : n * step], (n, 1), interpolation=cv2.INTER_AREA).reshape(n)
    gap = max(1, (width - strip.shape[1]) // step)
    pieces = order_pieces(features, pad, np.asarray(bad, np.float32), gap, rng)
    return [Piece(p.start * step, p.direction, p.length * step) for p in pieces]


def continue_around(
    layers: Float32[np.ndarray, "h w c"],
    known: Bool[np.ndarray, "h w"],
    dislike: Float32[np.ndarray, "w"],
    at: Extent,
    rng: np.random.Generator,
) -> Float32[np.ndarray, "k w c"]:
    """The extent's rows all around: the photo's columns in place, invented ones elsewhere.

    `dislike` (0..) marks columns not to be repeated.
    """
    width = known.shape[1]
    strip = _strip(layers, known, at)
    n = strip.shape[1]
    gap = width - n
    overlap = max(4, min(round(OVERLAP * width), n // 3, gap // 3))
    pieces = _order(strip, dislike[at.left : at.right], width, overlap, rng)
    extended = _extended(strip, overlap)
    canvas = np.zeros((len(strip), gap + 2 * overlap, strip.shape[2]), np.float32)
    canvas[:, :overlap] = extended[:, -overlap:]
    position = 0
    for piece in pieces:
        columns = np.clip(piece.columns(overlap) + overlap, 0, extended.shape[1] - 1)
        shown = extended[:, columns]
        end = min(position + shown.shape[1], canvas.shape[1])
        shown = shown[:, : end - position]
        shown[:, :overlap] = join(canvas[:, position : position + overlap], shown[:, :overlap])
        canvas[:, position:end] = shown
        position += piece.length
    canvas[:, gap - overlap : gap] = join(canvas[:, gap - overlap : gap], extended[:, :overlap])
    out = np.empty((len(strip), width, strip.shape[2]), np.float32)
    out[:, :n], out[:, n:] = strip, canvas[:, :gap]
    return np.roll(out, at.left, 1)
