"""Depth edges made crisp: learned depth runs smoothly from near to far, and a smooth edge tears into a curtain.

Letters: r distance (m). All in log distance, columns wrapped.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from sonoworld.sphere import pad_sphere

WINDOW_PX = 9
STEP_RATIO = 1.5
"""Farthest over nearest distance in the window that makes it an edge."""

SLACK_RATIO = 1.1
"""A pixel within this of either side of an edge is on that side; else it is in between."""

BEND = 0.15
"""Second over first differences of inverse distance beyond which a surface is not straight."""

FRINGE_RATIO = 1.15
"""Neighbours further apart than this in distance leave a fringe of mixed colour."""

SOFT_SHARE = 0.25
"""Share of in-between pixels among pixels at edges from which edges count as soft."""


def snap_edges(distance: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """Pull every distance at an edge to the nearer (in log) of the two sides; twice, then a 5×5 median."""
    log = np.log(distance)
    for _ in range(2):
        low, high = _extremes(log)
        side = np.where(log - low < high - log, low, high)
        log = np.where(high - low > np.log(STEP_RATIO), side, log).astype(np.float32)
    wide = cv2.medianBlur(_wrapped(log, 2), 5)
    return np.exp(wide[:, 2:-2])


def edges_are_soft(distance: Float32[np.ndarray, "h w"]) -> bool:
    """Whether many pixels at depth edges lie between near and far, as after a blur.

    A plane seen at a grazing angle has them too, but there inverse distance runs straight.
    """
    log = np.log(distance)
    low, high = _extremes(log)
    at_edge = high - low > np.log(STEP_RATIO)
    slack = np.log(SLACK_RATIO)
    between = at_edge & (log - low > slack) & (high - log > slack) & _bent(1 / distance)
    low, high = _extremes(log, 3)
    crisp = high - low > np.log(STEP_RATIO)
    total = int(between.sum()) + int(crisp.sum())
    return total > 0 and int(between.sum()) > SOFT_SHARE * total


def _bent(inverse: Float32[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Where inverse distance is steep and curved: on a blurred edge, not on a plane however steep."""
    bent = np.zeros(inverse.shape, bool)
    for axis in (0, 1):
        ahead, back = np.roll(inverse, -1, axis) - inverse, inverse - np.roll(inverse, 1, axis)
        change = np.abs(ahead) + np.abs(back)
        one = (np.abs(ahead - back) > BEND * change) & (change > (SLACK_RATIO - 1) * inverse)
        if axis == 0:
            one[0] = one[-1] = False
        bent |= one
    return bent


def _extremes(log: np.ndarray, window_px: int = WINDOW_PX) -> tuple[np.ndarray, np.ndarray]:
    kernel, pad = np.ones((window_px, window_px), np.uint8), window_px // 2
    wide = _wrapped(log, pad)
    return cv2.erode(wide, kernel)[:, pad:-pad], cv2.dilate(wide, kernel)[:, pad:-pad]


def _wrapped(image: np.ndarray, pad: int) -> np.ndarray:
    return np.concatenate([image[:, -pad:], image, image[:, :pad]], 1)


def unmixed(distance: Float32[np.ndarray, "h w"], rgb: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w 3"]:
    """Colours without the fringe at depth edges, where a pixel of the picture shows near and far at once.

    A pixel next to an edge takes the mean of those of its eight neighbours that lie on its own surface and are not
    themselves next to an edge; where there is none (things one or two pixels thin) it keeps its colour.
    """
    wide_r, wide_rgb = pad_sphere(distance, 1), pad_sphere(rgb, 1)
    height, width = distance.shape
    shifts = [(dy, dx) for dy in (0, 1, 2) for dx in (0, 1, 2) if (dy, dx) != (1, 1)]

    def beside(image: np.ndarray, shift: tuple[int, int]) -> np.ndarray:
        return image[shift[0] : shift[0] + height, shift[1] : shift[1] + width]

    ratios = [np.maximum(beside(wide_r, s), distance) / np.minimum(beside(wide_r, s), distance) for s in shifts]
    fringe = np.maximum.reduce(ratios) > FRINGE_RATIO
    inner = pad_sphere(~fringe, 1)
    rows, columns = np.nonzero(fringe)
    total, count = np.zeros((rows.size, 3), np.float32), np.zeros((rows.size, 1), np.float32)
    for shift, ratio in zip(shifts, ratios, strict=True):
        use = ((ratio < FRINGE_RATIO) & beside(inner, shift))[rows, columns][:, None]
        total += use * beside(wide_rgb, shift)[rows, columns]
        count += use
    out = rgb.copy()
    found = count[:, 0] > 0
    out[rows[found], columns[found]] = np.rint(total[found] / count[found]).astype(np.uint8)
    return out
