"""Line segments of a photo (LSD, von Gioi et al., PAMI 2010), as rays of a camera to be found."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

WORK_PX = 800
"""Longer side at which segments are looked for: finer detail is texture."""

MIN_LENGTH, MAX_SEGMENTS = 0.03, 300
"""Shortest segment as a share of the picture's diagonal; how many of the longest are kept."""


@dataclass(frozen=True, slots=True)
class Segments:
    """Segments of a picture, centred on its middle, in px of the *photo* (x right, y down).

    `ends` holds both end points; `weights` grow with length (0.2..2, 1 at a tenth of the diagonal);
    `lengths` are shares of (width + height).
    """

    ends: Float64[np.ndarray, "n 2 2"]
    weights: Float64[np.ndarray, "n"]
    lengths: Float64[np.ndarray, "n"]


def shrink(rgb: UInt8[np.ndarray, "h w 3"], longer_px: int) -> UInt8[np.ndarray, "k l 3"]:
    """The picture with its longer side at most `longer_px`, area filtered."""
    scale = longer_px / max(rgb.shape[:2])
    if scale >= 1:
        return rgb
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def find_segments(rgb: UInt8[np.ndarray, "h w 3"]) -> Segments:
    """The longest line segments of a photo."""
    small = shrink(rgb, WORK_PX)
    height, width = small.shape[:2]
    found: Any = cv2.createLineSegmentDetector(0).detect(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))[0]
    ends = np.zeros((0, 2, 2)) if found is None else np.asarray(found, np.float64).reshape(-1, 2, 2)
    ends = ends + 0.5  # LSD counts from pixel centres: its (0, 0) is our (0.5, 0.5)
    length = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=-1)
    diagonal = float(np.hypot(height, width))
    order = np.argsort(-length, kind="stable")[:MAX_SEGMENTS]
    order = order[length[order] > MIN_LENGTH * diagonal]
    ends, length = ends[order], length[order]
    centred = (ends - np.array([width / 2, height / 2])) * (rgb.shape[1] / width)
    return Segments(
        ends=centred,
        weights=np.clip(length / (0.10 * diagonal), 0.2, 2.0),
        lengths=length / (height + width),
    )
