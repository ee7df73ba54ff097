"""Depth edges made crisp: learned depth runs smoothly from near to far, and a smooth edge tears into a curtain.

Letters: r distance (m). All in log distance, columns wrapped.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float32

WINDOW_PX = 9
STEP_RATIO = 1.5
"""Farthest over nearest distance in the window that makes it an edge."""

SLACK_RATIO = 1.1
"""A pixel within this of either side of an edge is on that side; else it is in between."""

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

    Looked for in 3×3 windows: there a crisp edge has none, and no plain surface is steep enough to look like one.
    """
    log = np.log(distance)
    low, high = _extremes(log)
    at_edge = high - low > np.log(STEP_RATIO)
    slack = np.log(SLACK_RATIO)
    between = at_edge & (log - low > slack) & (high - log > slack) & _steep(log)
    crisp = at_edge & _jump(log)
    total = int(between.sum()) + int(crisp.sum())
    return total > 0 and int(between.sum()) > SOFT_SHARE * total


def _steep(log: np.ndarray) -> Bool[np.ndarray, "h w"]:
    low, high = _extremes(log, 3)
    return high - low > np.log(SLACK_RATIO)


def _jump(log: np.ndarray) -> Bool[np.ndarray, "h w"]:
    low, high = _extremes(log, 3)
    return high - low > np.log(STEP_RATIO)


def _extremes(log: np.ndarray, window_px: int = WINDOW_PX) -> tuple[np.ndarray, np.ndarray]:
    kernel, pad = np.ones((window_px, window_px), np.uint8), window_px // 2
    wide = _wrapped(log, pad)
    return cv2.erode(wide, kernel)[:, pad:-pad], cv2.dilate(wide, kernel)[:, pad:-pad]


def _wrapped(image: np.ndarray, pad: int) -> np.ndarray:
    return np.concatenate([image[:, -pad:], image, image[:, :pad]], 1)
