"""Calibration by the user: the angles are taken as they are."""

import math

from pydantic import Field

from sonoworld.backend import Backend, Calibrate, Options, Run
from sonoworld.calibrate.camera import camera_from_angles
from sonoworld.types import Camera, CameraSigma, Photo


class GivenOptions(Options):
    """Degrees. Pitch + up, roll + clockwise (the camera's right side dips); field of view is horizontal."""

    fov_deg: float = Field(ge=1, le=175, description="horizontal field of view, degrees")
    pitch_deg: float = Field(default=0.0, ge=-90, le=90, description="camera pitch, degrees, up +")
    roll_deg: float = Field(default=0.0, ge=-180, le=180, description="roll, degrees, clockwise +")


def make(options: GivenOptions) -> Calibrate:
    """The stage function: the same camera angles for every photo, certain (sigma 0)."""

    def calibrate(photo: Photo, run: Run) -> Camera:
        del run
        fov, pitch, roll = (math.radians(a) for a in (options.fov_deg, options.pitch_deg, options.roll_deg))
        return camera_from_angles(photo, fov, pitch, roll, CameraSigma(fov=0.0, pitch=0.0, roll=0.0))

    return calibrate


GIVEN = Backend(
    stage="calibrate",
    name="given",
    version="1",
    summary="field of view, pitch and roll as the user says",
    options=GivenOptions,
    make=make,
)
