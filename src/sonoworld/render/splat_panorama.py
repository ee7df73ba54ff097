"""Splats seen all around: an equirectangular picture, put together from six views through pinholes.

Letters: (x, y, z) a direction in a view's camera axes (RDF), t = max(|x|, |y|)/z its place in the square view.
A pinhole's picture of a Gaussian is exact to first order only (Zwicker et al. 2001), best near its axis: so there are
six views, each a little wider than 90°, and neighbours fade into each other where they overlap: no edge shows.
"""

import math
from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.errors import InputError
from sonoworld.frames import Pose, world_from_camera_rotation
from sonoworld.render.splat import SplatImage, render_view
from sonoworld.sphere import camera_pixel_from_direction, pinhole, pixel_directions
from sonoworld.types import Splats

VIEWS = ((0, 0), (90, 0), (180, 0), (-90, 0), (0, 90), (0, -90))
"""Yaw and pitch of the six views, degrees."""

NARROW, WIDE = math.tan(math.radians(42)), math.tan(math.radians(48))
"""A view counts fully up to the first t and not at all from the second; between them two (or three) share a pixel."""

View = Callable[[Splats, np.ndarray, tuple[int, int], Pose], SplatImage]


def render_panorama(splats: Splats, height: int, eye: Float64[np.ndarray, "3"], view: View = render_view) -> SplatImage:
    """See splats all around from `eye`: an equirectangular picture in world axes (the centre column looks along x).

    Args:
        splats: what is there, m, world axes.
        height: rows of the picture; it is twice as wide.
        eye: m, world.
        view: what draws a pinhole's picture: `render_view`, its plain twin, or the GPU's.

    Returns:
        As `render_view`, but `depth` is the distance along the ray.

    Raises:
        InputError: fewer than 8 rows.
    """
    if height < 8:
        raise InputError(f"panorama of splats: expected at least 8 rows, got {height}")
    side, K = _pinhole(height)
    total, shares = np.zeros((height, 2 * height, 5), np.float32), np.zeros((height, 2 * height, 1), np.float32)
    for rotation, (share, x, y) in zip(_rotations(), _all_shares(height), strict=True):
        picture = view(splats, K, (side, side), Pose(rotation, eye))
        total += share * cv2.remap(_layers(picture, K), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        shares += share
    total /= shares
    alpha = total[..., 4]
    depth = np.divide(total[..., 3], alpha, out=np.full_like(alpha, np.inf), where=alpha > 0)
    return SplatImage(np.minimum(total[..., :3], np.float32(1)), depth, alpha)


def _pinhole(height: int) -> tuple[int, Float64[np.ndarray, "3 3"]]:
    """Side in px of a view that is, in its middle, as fine as a panorama of so many rows; its camera matrix."""
    side = math.ceil(2 * WIDE * height / math.pi)
    return side, pinhole(2 * math.atan(WIDE), (side, side))


def _rotations() -> list[Float64[np.ndarray, "3 3"]]:
    return [world_from_camera_rotation(math.radians(pitch), 0.0, math.radians(yaw)) for yaw, pitch in VIEWS]


@lru_cache(maxsize=1)  # films ask again and again
def _all_shares(height: int) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]:
    """`_shares` of every view: they do not depend on where one stands."""
    directions, K = pixel_directions(height), _pinhole(height)[1]
    return tuple(_shares(directions, K, Pose(rotation, np.zeros(3))) for rotation in _rotations())


def _layers(picture: SplatImage, K: Float64[np.ndarray, "3 3"]) -> Float32[np.ndarray, "s s 5"]:
    """Colour, distance along the ray times alpha, alpha: what may be averaged."""
    side = len(picture.alpha)
    at = (np.arange(side, dtype=np.float32) + np.float32(0.5 - K[0, 2])) / np.float32(K[0, 0])
    per_depth = np.sqrt(1 + at[None] ** 2 + at[:, None] ** 2)
    seen = np.where(picture.alpha > 0, picture.depth, np.float32(0)) * per_depth * picture.alpha
    return np.concatenate([picture.rgb, seen[..., None], picture.alpha[..., None]], -1)


def _shares(
    directions: Float64[np.ndarray, "h w 3"], K: Float64[np.ndarray, "3 3"], pose: Pose
) -> tuple[Float32[np.ndarray, "h w 1"], Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w"]]:
    """How much each panorama pixel takes from a view, and where it lies in it (array indices)."""
    u, v, ahead = camera_pixel_from_direction(directions, K, pose)
    t = np.maximum(np.abs(u - K[0, 2]) / K[0, 0], np.abs(v - K[1, 2]) / K[1, 1])
    share = np.where(ahead, np.clip((WIDE - t) / (WIDE - NARROW), 0, 1), 0)
    x, y = (np.where(share > 0, a - 0.5, 0).astype(np.float32) for a in (u, v))
    return share[..., None].astype(np.float32), x, y
