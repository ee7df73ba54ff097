"""What of a photo should not be shown again: a thing that occurs once is what a repeat is recognised by."""

import cv2
import numpy as np
from jaxtyping import Float32

from sonoworld.panorama.evidence import Evidence

WHOLE = 0.999
"""Coverage from which a pixel counts as known."""

STANDS_OUT = (300, 60), (110, 22)
"""Sizes of things that stand out, and of what is around them, as parts of the panorama's height."""

SUN = 249.0, 0.05
"""Brightness (0..255) from which a small part of the picture, at most this share, is taken for the sun."""


def _rare(
    rgb: Float32[np.ndarray, "h w 3"], weight: Float32[np.ndarray, "h w"], small_px: float, large_px: float
) -> Float32[np.ndarray, "h w"]:
    """0..1: how much more each pixel of that size differs from what is around it than others of its row do."""
    fine, broad = (
        cv2.GaussianBlur(rgb * weight[..., None], (0, 0), px)
        / np.maximum(cv2.GaussianBlur(weight, (0, 0), px), 1e-3)[..., None]
        for px in (small_px, large_px)
    )
    apart = np.abs(fine - broad).mean(-1) * weight
    usual = apart.sum(1) / np.maximum(weight.sum(1), 1)
    return np.clip(apart / (2.5 * usual[:, None] + 8) - 1, 0, 1)


def dislike(seen: Evidence) -> Float32[np.ndarray, "h w"]:
    """How little each pixel should be shown again, 0..1: the sun, whatever stands out of its row, a little clutter."""
    height = len(seen.sky)
    known = seen.coverage >= WHOLE
    bright = cv2.GaussianBlur(seen.empty.min(-1), (0, 0), height / 200)
    sun = (bright > SUN[0]) & known
    if sun.sum() > SUN[1] * known.sum():
        sun &= False
    weight = known.astype(np.float32)
    rare = np.max([_rare(seen.empty, weight, height / small, height / large) for small, large in STANDS_OUT], axis=0)
    clutter = cv2.GaussianBlur(seen.clutter * known, (0, 0), height / 200)
    return np.maximum(np.maximum(sun, rare), np.clip(clutter, 0, 1)).astype(np.float32)
