"""What a source looks like: a square perspective picture around it, as seen from the photo's eye.

Letters: u unit direction from the eye to a point; r its distance, m; n surface normal; w weight (surface area);
Ω solid angle, sr; ρ half-width of what is seen, rad.
"""

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from sonoworld import sphere
from sonoworld.frames import Pose, angles_from_direction, world_from_camera_rotation
from sonoworld.types import Source, Spread

SIDE_PX = 384
"""Width and height of a picture; what encoders of pictures take, or a little more."""

MARGIN = 1.5
"""How much more than the source is shown, so that it has surroundings."""

FOV_RANGE_RAD = (float(np.radians(30)), float(np.radians(100)))
_SHARE = 0.9
_GRAZING = 0.05


def picture_of(source: Source, rgb: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "s s 3"] | None:
    """The panorama around a source, upright, its middle in the middle.

    The field of view is 1.5 times what holds nine tenths of the source as seen, from 30° to 100°.

    Args:
        source: a located source.
        rgb: the panorama.

    Returns:
        The picture; None for ambience, and for sources of which nothing is seen (only a direction was stated).
    """
    if source.spread is Spread.AMBIENT or source.solid_angle_sr <= 0:
        return None
    direction, half = _seen(source)
    fov = float(np.clip(2 * MARGIN * half, *FOV_RANGE_RAD))
    yaw, pitch = (float(angle) for angle in angles_from_direction(direction))
    eye = Pose(world_from_camera_rotation(pitch, 0.0, yaw), np.zeros(3))
    # at least as fine as the panorama's pixels, then averaged down: a wide view of a fine panorama would flicker
    focal_px = SIDE_PX / (2 * np.tan(fov / 2))
    finer = max(1, int(np.ceil(rgb.shape[0] / np.pi / focal_px)))
    size_px = (finer * SIDE_PX, finer * SIDE_PX)
    fine = sphere.sample_panorama(rgb, sphere.camera_pixel_directions(sphere.pinhole(fov, size_px), size_px, eye))
    return np.asarray(fine if finer == 1 else cv2.resize(fine, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA))


def _seen(source: Source) -> tuple[Float64[np.ndarray, "3"], float]:
    """Where the middle of it is seen, and the half-width ρ that holds most of it."""
    points, normals = np.asarray(source.points, np.float64), np.asarray(source.normals, np.float64)
    r = np.linalg.norm(points, axis=1)
    u = points / r[:, None]
    # a piece of surface w covers Ω = w |n·u| / r² as seen; grazing pieces are kept from vanishing
    omega = source.weights * np.maximum(np.abs((normals * u).sum(1)), _GRAZING) / r**2
    total = omega @ u
    if np.linalg.norm(total) < 1e-9 * omega.sum():  # evenly around: its largest piece is as good as any
        total = u[int(np.argmax(omega))]
    direction = total / np.linalg.norm(total)
    apart = np.arccos(np.clip(u @ direction, -1, 1))
    order = np.argsort(apart, kind="stable")
    share = np.cumsum(omega[order]) / omega.sum()
    spread = float(apart[order[int(np.searchsorted(share, _SHARE - 1e-12))]])
    # a cap of half-width ρ covers Ω = 2π (1 − cos ρ): for points, which are seen as things all the same
    cap = float(np.arccos(max(-1.0, 1 - source.solid_angle_sr / (2 * np.pi))))
    return direction, max(spread, cap)
