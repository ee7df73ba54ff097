"""Pixels and directions: the only module that maps one to the other.

Letters: W H panorama size in px; u v continuous pixel coordinates (0.5 = centre of the first pixel); d unit
directions, world FLU. Column u -> azimuth π − 2πu/W (centre column is ahead, left edge is behind), row v ->
elevation π/2 − πv/H. Camera pixels use the same half-pixel rule.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, UInt8

from sonoworld.frames import Pose, angles_from_direction, direction_from_angles


def pixel_directions(height: int) -> Float64[np.ndarray, "h w 3"]:
    """Unit directions of all pixel centres of a panorama [height, 2·height]."""
    return _pixel_directions(height).copy()


@lru_cache(maxsize=2)
def _pixel_directions(height: int) -> Float64[np.ndarray, "h w 3"]:
    width = 2 * height
    azimuth = np.pi - 2 * np.pi * (np.arange(width) + 0.5) / width
    elevation = np.pi / 2 - np.pi * (np.arange(height) + 0.5) / height
    az, el = np.meshgrid(azimuth, elevation)
    return direction_from_angles(az, el)


def row_elevations(height: int) -> Float64[np.ndarray, "h"]:
    """Elevation of each row's centre, radians, top row first."""
    return np.pi / 2 - np.pi * (np.arange(height) + 0.5) / height


def pixel_solid_angles(height: int) -> Float64[np.ndarray, "h"]:
    """Exact solid angle of one pixel of each row, steradians; the sum over all pixels is 4π."""
    edges = np.pi / 2 - np.pi * np.arange(height + 1) / height
    return (np.sin(edges[:-1]) - np.sin(edges[1:])) * (2 * np.pi / (2 * height))


def pixel_from_direction(
    direction: Float[np.ndarray, "*b 3"], height: int
) -> tuple[Float[np.ndarray, "*b"], Float[np.ndarray, "*b"]]:
    """Continuous (u, v) in a panorama [height, 2·height]; u in [0, 2·height), v in [0, height]."""
    azimuth, elevation = angles_from_direction(direction)
    width = 2 * height
    u = np.mod((np.pi - azimuth) * (width / (2 * np.pi)), width)
    u = np.where(u >= width, np.zeros_like(u), u)  # mod of a tiny negative number rounds up to the modulus
    return np.asarray(u), np.asarray((np.pi / 2 - elevation) * (height / np.pi))


def direction_from_pixel(
    u: Float[np.ndarray, "*b"], v: Float[np.ndarray, "*b"], height: int
) -> Float[np.ndarray, "*b 3"]:
    """Inverse of `pixel_from_direction`."""
    return direction_from_angles(np.asarray(np.pi - np.pi * u / height), np.asarray(np.pi / 2 - np.pi * v / height))


def nearest_pixel(direction: Float[np.ndarray, "*b 3"], height: int) -> tuple[np.ndarray, np.ndarray]:
    """(row, column) indices of the pixel that contains each direction."""
    u, v = pixel_from_direction(direction, height)
    rows = np.clip(v.astype(np.int64), 0, height - 1)
    return np.asarray(rows), np.asarray(np.mod(u.astype(np.int64), 2 * height))


def camera_pixel_directions(
    K: Float64[np.ndarray, "3 3"], size_px: tuple[int, int], world_from_camera: Pose
) -> Float64[np.ndarray, "h w 3"]:
    """Unit world directions of all pixel centres of a pinhole camera, [height, width, 3]."""
    x, y = np.meshgrid(np.arange(size_px[0]) + 0.5, np.arange(size_px[1]) + 0.5)
    return camera_ray(x, y, K, world_from_camera)


def camera_ray(
    x: Float[np.ndarray, "*b"], y: Float[np.ndarray, "*b"], K: Float64[np.ndarray, "3 3"], world_from_camera: Pose
) -> Float64[np.ndarray, "*b 3"]:
    """Unit world directions of continuous camera pixels."""
    rays = np.stack([(x - K[0, 2]) / K[0, 0], (y - K[1, 2]) / K[1, 1], np.ones_like(x, dtype=np.float64)], -1)
    rays = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    return rays @ world_from_camera.rotation.T


def camera_pixel_from_direction(
    direction: Float[np.ndarray, "*b 3"], K: Float64[np.ndarray, "3 3"], world_from_camera: Pose
) -> tuple[Float[np.ndarray, "*b"], Float[np.ndarray, "*b"], Bool[np.ndarray, "*b"]]:
    """Continuous camera (x, y) of world directions, and whether each lies in front of the camera."""
    p = direction @ world_from_camera.rotation
    ahead = p[..., 2] > 1e-9
    z = np.where(ahead, p[..., 2], 1.0)
    x = K[0, 0] * p[..., 0] / z + K[0, 2]
    y = K[1, 1] * p[..., 1] / z + K[1, 2]
    return np.asarray(x), np.asarray(y), np.asarray(ahead)


def pinhole(fov: float, size_px: tuple[int, int]) -> Float64[np.ndarray, "3 3"]:
    """Intrinsics of a camera with horizontal field of view `fov` (radians) and the principal point in the middle."""
    focal = size_px[0] / (2 * np.tan(fov / 2))
    return np.array([[focal, 0.0, size_px[0] / 2], [0.0, focal, size_px[1] / 2], [0.0, 0.0, 1.0]])


def sample_panorama(
    image: UInt8[np.ndarray, "h w ..."] | Float32[np.ndarray, "h w ..."],
    direction: Float[np.ndarray, "*b 3"],
    *,
    nearest: bool = False,
) -> np.ndarray:
    """Look an image up in directions: bilinear (or nearest), closed at ±180°, continued over the poles.

    Returns the image's dtype, shape [*b ...]. No prefiltering: use `panorama` views for minification.
    """
    u, v = pixel_from_direction(direction, image.shape[0])
    return _looked_up(image, pad_sphere(image, 1), u, v, nearest)


def sample_turned(
    image: UInt8[np.ndarray, "h w ..."] | Float32[np.ndarray, "h w ..."],
    direction: Float[np.ndarray, "*b 3"],
    azimuths: Iterable[float],
    *,
    nearest: bool = False,
) -> Iterator[np.ndarray]:
    """`sample_panorama` of the directions after each turn by an azimuth (rad, to the left): a turn moves columns."""
    height, width = image.shape[:2]
    u, v = pixel_from_direction(direction, height)
    padded = pad_sphere(image, 1)
    for azimuth in azimuths:
        turned = np.mod(u - azimuth * (width / (2 * np.pi)), width)
        yield _looked_up(image, padded, turned, v, nearest)


def _looked_up(image: np.ndarray, padded: np.ndarray, u: np.ndarray, v: np.ndarray, nearest: bool) -> np.ndarray:
    mode = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    flat_u = np.ascontiguousarray(u, np.float32).reshape(u.shape[0] if u.ndim else 1, -1)
    flat_v = np.ascontiguousarray(v, np.float32).reshape(flat_u.shape)
    out = _remap(padded, flat_u + np.float32(0.5), flat_v + np.float32(0.5), mode)
    return out.reshape(*u.shape, *image.shape[2:])


def _remap(image: np.ndarray, u: np.ndarray, v: np.ndarray, mode: int) -> np.ndarray:
    """cv2.remap in row chunks: OpenCV refuses maps with a side of 32768 or more."""
    limit = 32000
    if max(u.shape) < limit:
        return cv2.remap(image, u, v, mode, borderMode=cv2.BORDER_REPLICATE)
    flat_u, flat_v = u.reshape(-1), v.reshape(-1)
    parts = [
        cv2.remap(
            image, flat_u[i : i + limit, None], flat_v[i : i + limit, None], mode, borderMode=cv2.BORDER_REPLICATE
        )
        for i in range(0, flat_u.size, limit)
    ]
    return np.concatenate(parts)


def pad_sphere(image: np.ndarray, px: int) -> np.ndarray:
    """Pad a panorama by `px` on all sides with what the sphere really holds there.

    Left and right wrap; beyond a pole the picture goes on half a turn away, upside down.
    """
    half = image.shape[1] // 2
    over_top = np.roll(image[:px][::-1], half, axis=1)
    over_bottom = np.roll(image[-px:][::-1], half, axis=1)
    tall = np.concatenate([over_top, image, over_bottom], axis=0)
    return np.concatenate([tall[:, -px:], tall, tall[:, :px]], axis=1)
