"""From a box to the pixels of the thing in it: graph cut where it finds something plausible, else an ellipse.

Source: Rother, Kolmogorov, Blake, GrabCut (SIGGRAPH 2004), as OpenCV does it.
"""

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

WORK_PX = 96
"""Longer side of the box while it is cut."""

MARGIN = 0.3
ROUNDS = 3
CORE = 0.5
"""The middle of a thing's box, this part of each half-axis of its ellipse, belongs to the thing."""

PLAUSIBLE_SHARE = (0.3, 0.92)
"""A thing fills at least this much and at most this much of its box."""


def outline(
    rgb: UInt8[np.ndarray, "h w 3"], box_px: tuple[float, float, float, float], *, cut: bool = True
) -> Bool[np.ndarray, "h w"]:
    """Pixels of the thing in `box_px` (x0, y0, x1, y1); never outside the box."""
    height, width = rgb.shape[:2]
    x0, y0 = max(0, int(np.floor(box_px[0]))), max(0, int(np.floor(box_px[1])))
    x1, y1 = min(width, int(np.ceil(box_px[2]))), min(height, int(np.ceil(box_px[3])))
    mask = np.zeros((height, width), np.bool_)
    if x1 <= x0 or y1 <= y0:
        return mask
    inside = _ellipse(x1 - x0, y1 - y0)
    if cut and min(x1 - x0, y1 - y0) >= 8:
        found = _grab(rgb, (x0, y0, x1, y1))
        low, high = PLAUSIBLE_SHARE
        if low <= float(found.mean()) <= high:
            inside = found
    mask[y0:y1, x0:x1] = inside
    return mask


def _ellipse(width: int, height: int, part: float = 1.0) -> Bool[np.ndarray, "h w"]:
    x = (np.arange(width) + 0.5) * 2 / width - 1
    y = (np.arange(height) + 0.5) * 2 / height - 1
    return x[None, :] ** 2 + y[:, None] ** 2 <= part**2


def _grab(rgb: UInt8[np.ndarray, "h w 3"], box: tuple[int, int, int, int]) -> Bool[np.ndarray, "k l"]:
    height, width = rgb.shape[:2]
    x0, y0, x1, y1 = box
    mx, my = round((x1 - x0) * MARGIN) + 2, round((y1 - y0) * MARGIN) + 2
    left, top = max(0, x0 - mx), max(0, y0 - my)
    crop = rgb[top : min(height, y1 + my), left : min(width, x1 + mx)]
    scale = min(1.0, WORK_PX / max(x1 - x0, y1 - y0))
    small = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    sx, sy = small.shape[1] / crop.shape[1], small.shape[0] / crop.shape[0]
    a, b = round((x0 - left) * sx), round((y0 - top) * sy)
    w, h = max(2, round((x1 - x0) * sx)), max(2, round((y1 - y0) * sy))
    marks = np.full(small.shape[:2], cv2.GC_BGD, np.uint8)
    core = marks[b : b + h, a : a + w]
    core[:] = cv2.GC_PR_FGD
    core[~_ellipse(core.shape[1], core.shape[0])] = cv2.GC_PR_BGD
    core[_ellipse(core.shape[1], core.shape[0], CORE)] = cv2.GC_FGD
    if (marks == cv2.GC_BGD).sum() < 16:
        return np.zeros((y1 - y0, x1 - x0), np.bool_)
    cv2.setRNGSeed(0)  # its k-means draws from OpenCV's own generator
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(small[..., ::-1]), marks, (0, 0, 1, 1), *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
    thing = np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    whole = cv2.resize(thing, (crop.shape[1], crop.shape[0]), interpolation=cv2.INTER_NEAREST)
    return _largest(whole[y0 - top : y1 - top, x0 - left : x1 - left])


def _largest(mask: UInt8[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The largest connected piece."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return mask > 0
    return labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
