"""Known pixels stay the photo's, and what was invented beside them continues its colours.

A painter sees the photo at its own size and returns it a little changed (its code loses detail and may shift colours).
So the photo is never taken from the painter: it is projected at the final size, and only the fill is the painter's.
"""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from scipy.ndimage import distance_transform_edt

from sonoworld.panorama.dislike import WHOLE
from sonoworld.panorama.membrane import membrane

LIP = np.radians(0.9)
"""How far the photo's detail at its border fades into what was invented, radians."""

RING_PX = 170
"""A panorama this many rows high has a ring of one pixel along the photo's border; higher ones in proportion."""


def toned(
    rgb: Float32[np.ndarray, "h w 3"], coverage: Float32[np.ndarray, "h w"], fill: Float32[np.ndarray, "h w 3"]
) -> Float32[np.ndarray, "h w 3"]:
    """The fill with a smooth correction that gives it the photo's colours along the photo's border."""
    inside = (coverage >= WHOLE).astype(np.uint8)
    px = max(2, round(len(fill) / RING_PX))
    ring = inside - cv2.erode(inside, np.ones((2 * px + 1, 2 * px + 1), np.uint8))
    return fill + membrane(rgb - fill, ring.astype(np.float32)) if ring.any() else fill


def lip(
    rgb: Float32[np.ndarray, "h w 3"], coverage: Float32[np.ndarray, "h w"], fill: Float32[np.ndarray, "h w 3"]
) -> Float32[np.ndarray, "h w 3"]:
    """What the fill still differs by from the nearest pixel of the photo, fading within a few pixels of its border."""
    outside = coverage < WHOLE
    out = np.zeros_like(fill)
    if outside.all():
        return out
    apart = np.asarray(distance_transform_edt(outside))
    nearest = np.asarray(distance_transform_edt(outside, return_distances=False, return_indices=True))
    reach = LIP / np.pi * len(fill)
    near = (apart > 0) & (apart < 4 * reach)
    rows, columns = nearest[0][near], nearest[1][near]
    gain = np.exp(-(apart[near] - 0.5) / reach).astype(np.float32)[:, None]
    out[near] = gain * (rgb[rows, columns] - fill[rows, columns])
    return out


def pasted(
    rgb: Float32[np.ndarray, "h w 3"], coverage: Float32[np.ndarray, "h w"], fill: Float32[np.ndarray, "h w 3"]
) -> UInt8[np.ndarray, "h w 3"]:
    """The photo over the fill: where `coverage` is 1, exactly the photo."""
    alpha = coverage[..., None]
    return np.clip(np.rint(rgb * alpha + fill * (1 - alpha)), 0, 255).astype(np.uint8)
