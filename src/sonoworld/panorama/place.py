"""Photo onto the sphere: every panorama pixel is an area-matched look into the photo's Gaussian pyramid.

Letters: x y continuous photo pixels (0.5 = first centre); ρ footprint, the photo pixels one panorama pixel spans;
level = log2 ρ, the pyramid level whose pixels are that large (Williams, Pyramidal Parametrics, 1983).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from sonoworld.sphere import camera_pixel_from_direction, direction_from_pixel, sample_panorama
from sonoworld.types import Camera

ROWS_AT_ONCE = 128
"""Rows projected together: bounds memory at large widths."""


@dataclass(frozen=True, slots=True)
class Footprints:
    """Where each panorama pixel looks into the photo.

    `x`, `y` photo px; `level` of the pyramid, >= 0; `coverage` 0..1, the share of the pixel inside the photo
    (a ramp one panorama pixel wide across the photo's border; 0 behind the camera).
    """

    x: Float32[np.ndarray, "h w"]
    y: Float32[np.ndarray, "h w"]
    level: Float32[np.ndarray, "h w"]
    coverage: Float32[np.ndarray, "h w"]


def _project_rows(camera: Camera, height: int, first: int, last: int) -> Footprints:
    columns, rows = np.meshgrid(np.arange(-1, 2 * height + 1) + 0.5, np.arange(first - 1, last + 1) + 0.5)
    # one row and column more on each side: the smaller step to a neighbour is the footprint; the larger one may
    # cross the plane of the camera, where the projection turns over
    directions = direction_from_pixel(columns, rows, height)
    x, y, ahead = camera_pixel_from_direction(directions, camera.K, camera.world_from_camera)
    across = np.hypot(np.diff(x, axis=1), np.diff(y, axis=1))[1:-1]
    along = np.hypot(np.diff(x, axis=0), np.diff(y, axis=0))[:, 1:-1]
    footprint = np.maximum(np.minimum(across[:, 1:], across[:, :-1]), np.minimum(along[1:], along[:-1]))
    x, y, ahead = x[1:-1, 1:-1], y[1:-1, 1:-1], ahead[1:-1, 1:-1]
    width_px, height_px = camera.size_px
    inside = np.minimum(np.minimum(x, width_px - x), np.minimum(y, height_px - y))
    coverage = np.where(ahead, np.clip(inside / footprint + 0.5, 0, 1), 0)
    far = 2.0 * max(camera.size_px)
    return Footprints(
        x=np.clip(x, -far, far).astype(np.float32),
        y=np.clip(y, -far, far).astype(np.float32),
        level=np.log2(np.clip(footprint, 1, far)).astype(np.float32),
        coverage=coverage.astype(np.float32),
    )


def project(camera: Camera, height: int) -> Footprints:
    """Footprints of all pixels of a panorama [height, 2·height] in the camera's photo."""
    starts = range(0, height, ROWS_AT_ONCE)
    parts = [_project_rows(camera, height, s, min(s + ROWS_AT_ONCE, height)) for s in starts]
    return Footprints(
        x=np.concatenate([p.x for p in parts]),
        y=np.concatenate([p.y for p in parts]),
        level=np.concatenate([p.level for p in parts]),
        coverage=np.concatenate([p.coverage for p in parts]),
    )


def _look(image: np.ndarray, x: np.ndarray, y: np.ndarray, scale: float) -> np.ndarray:
    """Bilinear; pyramid pixel i of level l is centred on photo pixel i·2^l (scale = 2^−l), both counted from 0."""
    at_x, at_y = (x - 0.5) * scale, (y - 0.5) * scale
    return cv2.remap(image, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def gather(image: Float32[np.ndarray, "k l c"], at: Footprints) -> Float32[np.ndarray, "h w c"]:
    """The photo-sized image as seen by each panorama pixel: trilinear in its Gaussian pyramid; 0 where uncovered."""
    channels = image.shape[2]
    out = np.zeros((*at.x.shape, channels), np.float32)
    rows = np.flatnonzero((at.coverage > 0).any(1))
    columns = np.flatnonzero((at.coverage > 0).any(0))
    if not rows.size:
        return out
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    x, y, covered = at.x[box], at.y[box], at.coverage[box] > 0
    level = at.level[box]
    last = int(np.ceil(level[covered].max()))
    for k in range(last + 1):
        weight = np.clip(1 - np.abs(level - k), 0, 1) * covered
        if weight.any():
            seen = _look(image, x, y, 0.5**k).reshape(*x.shape, channels)
            out[box] += seen * weight[..., None]
        if k < last:
            image = np.asarray(cv2.pyrDown(image), np.float32).reshape(
                (image.shape[0] + 1) // 2, (image.shape[1] + 1) // 2, channels
            )
    return out


def shrunk(at: Footprints, scale: float) -> Footprints:
    """The same looks into a copy of the photo resized by `scale` (< 1)."""
    level = np.maximum(at.level + np.float32(np.log2(scale)), 0)
    return Footprints(x=at.x * np.float32(scale), y=at.y * np.float32(scale), level=level, coverage=at.coverage)


def resample_panorama(rgb: UInt8[np.ndarray, "k l 3"], height: int) -> UInt8[np.ndarray, "h w 3"]:
    """A panorama at another size: area filtered when it shrinks, bilinear (closed at ±180°) when it grows."""
    if height == rgb.shape[0]:
        return rgb.copy()
    if height < rgb.shape[0]:
        return np.asarray(cv2.resize(rgb, (2 * height, height), interpolation=cv2.INTER_AREA), np.uint8)
    columns, rows = np.meshgrid(np.arange(2 * height) + 0.5, np.arange(height) + 0.5)
    return np.asarray(sample_panorama(rgb, direction_from_pixel(columns, rows, height)), np.uint8)
