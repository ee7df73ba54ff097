"""A camera at the world's origin from three angles: what every calibration ends in."""

import math

import numpy as np

from sonoworld.errors import InputError
from sonoworld.frames import Pose, world_from_camera_rotation
from sonoworld.sphere import pinhole
from sonoworld.types import Camera, CameraSigma, Photo, Projection

MIN_FOV, MAX_FOV = math.radians(1), math.radians(175)
"""Horizontal fields of view a pinhole picture can sensibly have, radians."""

PITCH_SIGMA, ROLL_SIGMA = math.radians(13), math.radians(5)
"""How people hold cameras when nothing else is known, radians: the priors on pitch and roll (mean 0)."""


def require_perspective(photo: Photo) -> None:
    """Raise `InputError` when the photo is a panorama, which has no pinhole camera."""
    if photo.projection is not Projection.PERSPECTIVE:
        raise InputError(
            "calibrate: expected a perspective photo, got an equirectangular panorama (it needs no camera)"
        )


def fov_from_focal(focal_px: float, width_px: int) -> float:
    """Horizontal field of view, radians, of a picture `width_px` wide with that focal length."""
    return 2 * math.atan(width_px / (2 * focal_px))


def focal_from_fov(fov: float, width_px: int) -> float:
    """Focal length, px, of a picture `width_px` wide with that horizontal field of view (radians)."""
    return width_px / (2 * math.tan(fov / 2))


def camera_from_angles(photo: Photo, fov: float, pitch: float, roll: float, sigma: CameraSigma) -> Camera:
    """The photo's camera at the origin (angles in radians; pitch + up, roll + clockwise), looking ahead.

    Raises:
        InputError: the photo is a panorama, or the field of view is outside 1..175°.
    """
    require_perspective(photo)
    if not MIN_FOV <= fov <= MAX_FOV:
        raise InputError(f"calibrate: field of view: expected 1..175 degrees, got {math.degrees(fov):.4g}")
    pose = Pose(world_from_camera_rotation(pitch, roll), np.zeros(3))
    return Camera(K=pinhole(fov, photo.size_px), size_px=photo.size_px, world_from_camera=pose, sigma=sigma)
