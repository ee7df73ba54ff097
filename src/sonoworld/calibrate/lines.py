"""The embedded calibration: vanishing points of line segments, the skyline, and how people hold cameras."""

import math

from pydantic import Field

from sonoworld.backend import Backend, Calibrate, Options


class LinesOptions(Options):
    """Degrees; None = estimate. What is fixed is taken exactly as given (sigma 0) and helps the rest.

    `fov_deg` is horizontal and wins over the file's focal length; pitch + up, roll + clockwise.
    """

    fov_deg: float | None = Field(
        default=None,
        ge=1,
        le=175,
        description="horizontal field of view, degrees; by default from the file, or estimated",
    )
    pitch_deg: float | None = Field(
        default=None, ge=-90, le=90, description="camera pitch, degrees, up +; by default estimated"
    )
    roll_deg: float | None = Field(
        default=None, ge=-180, le=180, description="roll, degrees, clockwise +; by default estimated"
    )


def _radians(angle_deg: float | None) -> float | None:
    return None if angle_deg is None else math.radians(angle_deg)


def make(options: LinesOptions) -> Calibrate:
    """The stage function."""
    from sonoworld.calibrate.posterior import Fixed, estimator  # noqa: PLC0415  heavy only where used

    return estimator(
        Fixed(fov=_radians(options.fov_deg), pitch=_radians(options.pitch_deg), roll=_radians(options.roll_deg))
    )


LINES = Backend(
    stage="calibrate",
    name="lines",
    version="1",
    summary="vanishing points and skyline; focal length from the file where it has one",
    options=LinesOptions,
    make=make,
)
