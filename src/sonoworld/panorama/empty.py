"""A photo without the things in it: what stands where they were is shown from beside them, at the same height.

Photos look alike along their rows (ground, walls, trees and sky each keep to theirs), so a hole is filled by the same
stretch of rows a little to the left or right: the shift whose surroundings look most like the hole's (one shift of
He & Sun, Statistics of Patch Offsets, ECCV 2012, instead of a graph of many). Then a membrane carries the colours of
the hole's rim inwards.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from sonoworld.panorama.membrane import spread

RIM_PX = 7
"""Width of what is compared around a hole, px of the small copy."""

STEP_PX = 3
"""Shifts are tried in these steps, px."""

REACH = 0.6
"""Shifts go so far, as a part of the picture's width."""

ABSENT = 6000.0
"""Cost of a pixel of the hole that a shift has nothing to show for, squared colour difference (0..255) ..."""

FAR = 900.0
"""... and of a shift by the whole width: what is near fits better in light and distance."""

ROUNDS, LEAST_SHARE = 12, 0.08
"""A hole wider than its surroundings is filled in so many pieces at most, each this part of what is left at least."""

NEAREST_PX = 9
"""The least shift, px: nearer than that there is only the hole's own rim."""

MOST_OFFSET = 45.0
"""A rim's colours are carried inwards up to this difference (0..255); beyond, they belong to something else."""


def emptied(rgb: UInt8[np.ndarray, "h w 3"], there: Bool[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """The picture with what is `there` replaced by what is beside it; the same where nothing is there or all is."""
    if not there.any() or there.all():
        return rgb
    picture, open_ = rgb.astype(np.float32), there.copy()
    count, labels, stats, _ = cv2.connectedComponentsWithStats(there.astype(np.uint8))
    for one in 1 + np.argsort(stats[1:count, cv2.CC_STAT_AREA], kind="stable"):
        hole = labels == one
        for _ in range(ROUNDS):
            if not hole.any():
                break
            filled = _shown_from_beside(picture, hole, open_)
            open_ &= ~filled
            hole &= ~filled
    left = cv2.inpaint(np.clip(np.rint(picture), 0, 255).astype(np.uint8), open_.astype(np.uint8), 4, cv2.INPAINT_TELEA)
    return np.asarray(left, np.uint8)


def _shown_from_beside(
    picture: Float32[np.ndarray, "h w 3"], hole: Bool[np.ndarray, "h w"], open_: Bool[np.ndarray, "h w"]
) -> Bool[np.ndarray, "h w"]:
    """Fill what of `hole` the best shift can show, in place; which pixels those are. `open_` are still to be filled."""
    size = 2 * RIM_PX + 1
    around = cv2.dilate(hole.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    rim = around & ~open_
    shift = _best_shift(picture, hole, rim, open_)
    rows, columns = np.nonzero(hole)
    if not shift:
        return np.zeros_like(hole)
    shows = _shows(columns + shift, rows, open_)
    rows, columns = rows[shows], columns[shows]
    offset = _carried(picture, rim, shift, open_)
    picture[rows, columns] = np.clip(picture[rows, columns + shift] + offset[rows, columns], 0, 255)
    filled = np.zeros_like(hole)
    filled[rows, columns] = True
    return filled


def _shows(columns: np.ndarray, rows: np.ndarray, open_: Bool[np.ndarray, "h w"]) -> np.ndarray:
    """Which of these places lie in the picture and are not themselves to be filled."""
    inside = (columns >= 0) & (columns < open_.shape[1])
    return inside & ~open_[rows, np.where(inside, columns, 0)]


def _best_shift(
    picture: Float32[np.ndarray, "h w 3"],
    hole: Bool[np.ndarray, "h w"],
    rim: Bool[np.ndarray, "h w"],
    open_: Bool[np.ndarray, "h w"],
) -> int:
    """Columns to look aside, + right; 0 where no shift shows anything."""
    width = picture.shape[1]
    rows, columns = np.nonzero(hole)
    rim_rows, rim_columns = np.nonzero(rim)
    best, chosen = np.inf, 0
    for aside in range(NEAREST_PX, round(REACH * width), STEP_PX):
        for shift in (-aside, aside):
            shows = _shows(columns + shift, rows, open_)
            if shows.mean() < LEAST_SHARE:
                continue
            seen = _shows(rim_columns + shift, rim_rows, open_)
            if not seen.any():
                continue
            y, x = rim_rows[seen], rim_columns[seen]
            unlike = float(((picture[y, x] - picture[y, x + shift]) ** 2).sum(-1).mean())
            cost = unlike + ABSENT * (2 - shows.mean() - seen.mean()) + FAR * aside / width
            if cost < best:
                best, chosen = cost, shift
    return chosen


def _carried(
    picture: Float32[np.ndarray, "h w 3"], rim: Bool[np.ndarray, "h w"], shift: int, open_: Bool[np.ndarray, "h w"]
) -> Float32[np.ndarray, "h w 3"]:
    """How the rim's colours differ from those that the shift shows, carried over the picture."""
    height, width = rim.shape
    side = 1 << max(height, width).bit_length()
    value, weight = np.zeros((side, side, 3), np.float32), np.zeros((side, side, 1), np.float32)
    y, x = np.nonzero(rim)
    seen = _shows(x + shift, y, open_)
    y, x = y[seen], x[seen]
    value[y, x] = np.clip(picture[y, x] - picture[y, x + shift], -MOST_OFFSET, MOST_OFFSET)
    weight[y, x] = 1
    return spread(value, weight)[:height, :width]
