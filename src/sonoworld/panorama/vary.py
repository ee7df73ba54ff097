"""Repeats made unlike each other: away from the photo, what stands above the horizon is drawn lower or higher.

Letters: e elevation, s the factor by which heights shrink (1 in the photo's own directions).
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from scipy.ndimage import gaussian_filter1d

from sonoworld.sphere import row_elevations

LEAST, MOST = 0.62, 1.08
"""Range of the factor in natural scenes."""

REACH = np.radians(20.0)
"""Elevations well above this stay where they are."""


def _factors(free: Float32[np.ndarray, "w"], rng: np.random.Generator) -> Float32[np.ndarray, "w"]:
    """Smooth random factors around the circle, 1 where `free` is 0."""
    noise = gaussian_filter1d(rng.standard_normal(len(free)), len(free) / 28, mode="wrap")
    noise = np.clip(0.5 + noise / (3 * noise.std()), 0, 1)
    return (1 + (LEAST + (MOST - LEAST) * noise - 1) * free).astype(np.float32)


def quiet_seam(fill: Float32[np.ndarray, "h w 3"], known: Bool[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w 3"]:
    """Turn what was invented a little, so that the picture's edge at ±180° falls on an ordinary column.

    The picture is closed there anyway; viewers and codecs that do not know it then have nothing to spoil.
    """
    width = known.shape[1]
    reach = width // 24
    if known[:, : 2 * reach].any() or known[:, -2 * reach :].any():
        return fill
    bright = fill.mean(-1)
    step = np.abs(bright - np.roll(bright, 1, 1)).mean(0)  # between each column and the one before it
    near = np.roll(step, reach)[: 2 * reach + 1]
    shift = int(np.argmin(np.abs(np.log((near + 1e-3) / (np.median(step) + 1e-3))))) - reach
    away = np.abs((np.arange(width) + 0.5 + width / 2) % width - width / 2)  # columns from the edge
    turned = np.where(away < reach / 2, shift, shift * np.clip(2.5 - away / reach, 0, 2) / 2)
    x = (np.arange(width) + turned).astype(np.float32)
    padded = np.concatenate([fill[:, -2 * reach :], fill, fill[:, : 2 * reach]], 1)
    x, y = np.meshgrid(x + 2 * reach, np.arange(len(fill), dtype=np.float32))
    return np.asarray(cv2.remap(padded, x, y, cv2.INTER_LINEAR), np.float32)


def vary_heights(
    fill: Float32[np.ndarray, "h w 3"], known: Bool[np.ndarray, "h w"], amount: float, rng: np.random.Generator
) -> Float32[np.ndarray, "h w 3"]:
    """The fill with heights above the horizon changed, by `amount` (0 none, 1 nature), outside the photo's columns."""
    height, width = known.shape
    beside = (~known.any(0)).astype(np.float32)
    away = gaussian_filter1d(np.minimum(1, beside), width / 80, mode="wrap")
    free = np.clip(2 * away - 1, 0, 1) * amount  # 0 up to the photo's edge, then rising over about 10°
    s = _factors(free.astype(np.float32), rng)[None]
    e = row_elevations(height)[:, None]
    source = e * (1 + (1 / s - 1) * np.exp(-((e / REACH) ** 2)) * (e > 0))
    y = ((0.5 - source / np.pi) * height - 0.5).astype(np.float32)
    x = np.broadcast_to(np.arange(width, dtype=np.float32)[None], y.shape)
    return np.asarray(cv2.remap(fill, np.ascontiguousarray(x), y, cv2.INTER_LINEAR), np.float32)
