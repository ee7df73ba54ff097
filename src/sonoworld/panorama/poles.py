"""Straight up and straight down: a pole is one point, but a whole row of a panorama, and painters do not know that.

Letters: θ angle from the pole; R within it a view is painted anew; f field of view of the square view. Around the disc
of radius R the view shows what there is, which the painter continues.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from sonoworld.frames import Pose, world_from_camera_rotation
from sonoworld.sphere import (
    camera_pixel_directions,
    camera_pixel_from_direction,
    pinhole,
    pixel_directions,
    row_elevations,
    sample_panorama,
)

AROUND = np.radians(15.0)
"""A view shows at least this much around its disc, radians."""

SEEN = 0.999
"""Share of a view's pixel that must be known for it to be kept (it is interpolated)."""


@dataclass(frozen=True, slots=True)
class PoleView:
    """A square look at a pole; `radius` and `feather` (within the radius) are angles from the pole, radians."""

    up: bool
    side_px: int
    radius: float
    feather: float

    @property
    def fov(self) -> float:
        """Field of view, radians."""
        return 2 * (self.radius + float(AROUND))

    @property
    def K(self) -> Float64[np.ndarray, "3 3"]:  # noqa: N802  the camera matrix is K everywhere
        """Intrinsics, px."""
        return pinhole(self.fov, (self.side_px, self.side_px))

    @property
    def pose(self) -> Pose:
        """Ahead is at the lower side of the view upwards and at the upper side of the view downwards."""
        return Pose(world_from_camera_rotation(np.pi / 2 if self.up else -np.pi / 2, 0.0), np.zeros(3))


def cut(
    rgb: UInt8[np.ndarray, "h w 3"], known: Bool[np.ndarray, "h w"], view: PoleView
) -> tuple[UInt8[np.ndarray, "s s 3"], Bool[np.ndarray, "s s"]]:
    """What the view sees, and where it is to be painted: the disc, without what is known."""
    size = (view.side_px, view.side_px)
    directions = camera_pixel_directions(view.K, size, view.pose)
    picture = np.asarray(sample_panorama(rgb, directions), np.uint8)
    kept = np.asarray(sample_panorama(known.astype(np.float32), directions)) >= SEEN
    toward = directions[..., 2] if view.up else -directions[..., 2]
    return picture, (toward > np.cos(view.radius)) & ~kept


def weights(view: PoleView, height: int) -> Float32[np.ndarray, "h"]:
    """How much of each panorama row the view paints: 1 at the pole, smoothly to 0 at the radius."""
    elevation = row_elevations(height)
    theta = np.pi / 2 - (elevation if view.up else -elevation)
    t = np.clip((view.radius - theta) / max(view.feather, 1e-6), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def laid(
    fill: Float32[np.ndarray, "h w 3"], picture: UInt8[np.ndarray, "s s 3"], view: PoleView
) -> Float32[np.ndarray, "h w 3"]:
    """The fill with the view's picture blended in around its pole; each of its pixels is interpolated once."""
    height = fill.shape[0]
    weight = weights(view, height)
    rows = np.flatnonzero(weight > 0)
    out = fill.copy()
    if not rows.size:
        return out
    part = slice(int(rows[0]), int(rows[-1]) + 1)
    directions = pixel_directions(height)[part]
    x, y, _ = camera_pixel_from_direction(directions, view.K, view.pose)
    looked = cv2.remap(
        picture.astype(np.float32),
        (x - 0.5).astype(np.float32),
        (y - 0.5).astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    w = weight[part, None, None]
    out[part] = fill[part] * (1 - w) + np.clip(looked, 0, 255) * w
    return out
