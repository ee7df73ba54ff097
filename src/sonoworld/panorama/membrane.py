"""A correction that is right at the photo's border and dies away from it: membrane blending on the sphere.

Instead of solving Laplace's equation, offsets known on a thin ring spread by pull and push through a pyramid
(Gortler et al., The Lumigraph, 1996), a little weaker with every octave of distance; then each row is smoothed along
its circle, so that rows near the poles agree with their neighbours.
"""

import cv2
import numpy as np
from jaxtyping import Float32

from sonoworld.sphere import row_elevations

GRID_ROWS = 512
"""Rows of the grid on which the correction is found (0.35° each)."""

DECAY = 0.84
"""What is left of a correction with each doubling of the distance."""

SMOOTH = 0.04
"""Smoothing along each row's circle near the poles, radians of arc; it grows from nothing at the horizon."""


def _halve(image: Float32[np.ndarray, "h w c"]) -> Float32[np.ndarray, "k l c"]:
    h, w, channels = image.shape
    return image.reshape(h // 2, 2, w // 2, 2, channels).mean((1, 3))


def _double(image: Float32[np.ndarray, "h w c"]) -> Float32[np.ndarray, "k l c"]:
    """Twice the size, bilinear, closed at ±180°."""
    h, w, channels = image.shape
    padded = np.concatenate([image[:, -1:], image, image[:, :1]], 1)
    large = cv2.resize(padded, (2 * (w + 2), 2 * h), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32).reshape(2 * h, 2 * (w + 2), channels)[:, 2:-2]


def spread(value: Float32[np.ndarray, "h w c"], weight: Float32[np.ndarray, "h w 1"]) -> Float32[np.ndarray, "h w c"]:
    """Pull (average what is known into coarser grids) and push (fill what is not from them)."""
    if value.shape[0] == 1:
        return value * weight
    mass = _halve(weight)
    mean = _halve(value * weight) / np.maximum(mass, 1e-6)
    coarse = _double(spread(mean, np.minimum(4 * mass, 1.0)))
    return value * weight + DECAY * coarse * (1 - weight)


def _smooth_rows(image: Float32[np.ndarray, "h w c"]) -> Float32[np.ndarray, "h w c"]:
    """Gaussian along each row, ever wider in pixels towards the poles."""
    h, w = image.shape[:2]
    angle = SMOOTH * np.abs(np.tan(row_elevations(h)))
    gain = np.exp(-0.5 * (angle[:, None] * np.arange(w // 2 + 1)[None]) ** 2)
    return np.fft.irfft(np.fft.rfft(image, axis=1) * gain[..., None], w, axis=1).astype(np.float32)


def enlarge(image: Float32[np.ndarray, "k l c"], height: int) -> Float32[np.ndarray, "h w c"]:
    """A smooth panorama on a larger grid: bilinear, closed at ±180°."""
    rows, columns = image.shape[:2]
    padded = np.concatenate([image[:, -1:], image, image[:, :1]], 1)
    x = ((np.arange(2 * height) + 0.5) * (columns / (2 * height)) + 0.5).astype(np.float32)
    y = ((np.arange(height) + 0.5) * (rows / height) - 0.5).astype(np.float32)
    x, y = np.meshgrid(x, y)
    large = cv2.remap(padded, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(large, np.float32).reshape(height, 2 * height, -1)


def membrane(offset: Float32[np.ndarray, "h w c"], weight: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w c"]:
    """Spread `offset`, trusted where `weight` > 0 (0..1), over the whole sphere."""
    size = (2 * GRID_ROWS, GRID_ROWS)
    mass = np.asarray(cv2.resize(weight, size, interpolation=cv2.INTER_AREA), np.float32)[..., None]
    value = np.asarray(cv2.resize(offset * weight[..., None], size, interpolation=cv2.INTER_AREA), np.float32)
    value = value.reshape(GRID_ROWS, 2 * GRID_ROWS, -1) / np.maximum(mass, 1e-6)
    touched = (mass > 1e-4).astype(np.float32)
    return enlarge(_smooth_rows(spread(value, touched)), weight.shape[0])
