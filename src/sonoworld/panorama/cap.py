"""A cap around a pole, made of texture the photo shows near it: the ground under the feet, the canopy overhead.

Letters: θ angle from the pole; the cap is drawn on the stereographic chart r = 2 tan(θ/2), which keeps shapes, so
texture has its natural size everywhere and nothing converges at the pole. Colour by elevation (the profile) and
texture (what differs from it) are continued separately.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from scipy.ndimage import gaussian_filter1d

from sonoworld.panorama.quilt import quilt

SOURCE_REACH = np.radians(28.0)
"""How far from the pole-side edge of the visible part texture is taken, radians of elevation."""

MIN_PIXELS = 60

CHART_LIMIT_PX = 1400
"""Longest side of the chart: above it the texture is enlarged."""


def _profile(
    rgb: Float32[np.ndarray, "h w 3"], source: Bool[np.ndarray, "h w"]
) -> tuple[Float32[np.ndarray, "h 3"], int] | None:
    """Smooth mean colour per row, held beyond what is seen, and the seen row nearest to the last (pole) row."""
    count = source.sum(1)
    rows = np.flatnonzero(count >= max(8, 0.15 * count.max()))
    if count.sum() < MIN_PIXELS or len(rows) < 3:
        return None
    mean = np.stack([(rgb[r] * source[r][:, None]).sum(0) / count[r] for r in rows])
    height = len(rgb)
    smooth = gaussian_filter1d(mean, height / 100, axis=0, mode="nearest")
    every = np.stack([np.interp(np.arange(height), rows, smooth[:, k]) for k in range(3)], -1)
    last = int(rows[-1])
    near = rows > last - height * 0.05
    settle = np.clip((np.arange(height) - last + height * 0.05) / (height * 0.05), 0, 1)[:, None]
    held = every * (1 - settle) + mean[near].mean(0) * settle  # beyond the edge: the mean of its last 9°
    return held.astype(np.float32), last


def _quarter(x: float, y: float) -> int:
    """0 ahead (up), 1 left, 2 behind, 3 right of the chart's middle."""
    if abs(y) >= abs(x):
        return 0 if y <= 0 else 2
    return 1 if x < 0 else 3


def _chart_lookup(height: int, first: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Chart pixel (x, y) of the panorama's rows `first`.. down to the nadir; ahead is up, left is left."""
    azimuth = np.pi - np.pi * (np.arange(2 * height) + 0.5) / height
    theta = np.pi * (height - np.arange(first, height) - 0.5) / height
    reach = 2 * np.tan(np.pi * (height - first) / height / 2)
    r = (2 * np.tan(theta / 2) / reach * (side / 2 - 1))[:, None]
    x = side / 2 - 0.5 - r * np.sin(azimuth)[None]
    y = side / 2 - 0.5 - r * np.cos(azimuth)[None]
    return x.astype(np.float32), y.astype(np.float32)


def ground_cap(
    rgb: Float32[np.ndarray, "h w 3"],
    source: Bool[np.ndarray, "h w"],
    first: int,
    rng: np.random.Generator,
) -> Float32[np.ndarray, "k w 3"] | None:
    """Rows `first`.. of the panorama filled with the texture of `source`; None where there is too little of it.

    For a cap around the zenith, turn the panorama upside down.
    """
    found = _profile(rgb, source)
    if found is None:
        return None
    profile, last = found
    height = len(rgb)
    top = max(0, last - round(SOURCE_REACH / np.pi * height))
    columns = np.flatnonzero(source[top : last + 1].any(0))
    box = (slice(top, last + 1), slice(columns[0], columns[-1] + 1))
    exemplar = np.where(source[box][..., None], rgb[box] - profile[top : last + 1, None], 0).astype(np.float32)
    solid = cv2.erode(source[box].astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    side = min(CHART_LIMIT_PX, 2 * int(2 * np.tan((height - first) * np.pi / height / 2) * height / np.pi) + 4)
    turned = tuple(np.ascontiguousarray(np.rot90(exemplar, k)) for k in range(4))
    chart = quilt(turned, tuple(np.rot90(solid, k) for k in range(4)), side, _quarter, rng)
    if chart is None:
        spread = exemplar[solid].std() if solid.any() else 4.0
        chart = rng.normal(0, spread, (side, side, 1)).astype(np.float32).repeat(3, 2)
    x, y = _chart_lookup(height, first, side)
    texture = cv2.remap(chart, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(texture, np.float32) + profile[first:, None]
