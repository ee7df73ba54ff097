"""`lift.popup`: distances without weights: a flat ground, upright things on it, a shell of sky.

After Hoiem, Efros and Hebert 2005, "Automatic Photo Pop-up", on the whole sphere. `metric` is true in this sense only:
metres follow from an assumed height of the camera over level ground, so everything is wrong by one factor where the
camera was held higher or lower, and more where the ground is not level. Beyond about 15 m distances are ordinal.
"""

from typing import Literal

from pydantic import Field

from sonoworld.backend import Backend, Lift, Options


class PopupOptions(Options):
    """What pop-up has to assume.

    `camera_height_m` sets the scale of the world. `far_m` caps the ground and whatever meets it near the horizon.
    `plant_height_m` is the height at which vegetation, whose foot is rarely seen, is taken to end: it keeps far
    ridges from standing at the edge of the lawn. `tallest_m` is the height over the ground beyond which nothing is
    believed to stand: a wall that would be taller has its foot nearer than it seems. `enclosure`: `room` closes the
    world with walls and a ceiling at `ceiling_height_m` over the floor instead of a sky; `auto` takes a built scene
    without visible sky for a room. `valid` marks pixels trusted at least `min_trust`.
    """

    camera_height_m: float = Field(1.6, gt=0.1, le=100)
    far_m: float = Field(80.0, ge=10, le=1000)
    sky_radius_m: float = Field(200.0, ge=20, le=5000)
    plant_height_m: float = Field(8.0, gt=0.5, le=100)
    tallest_m: float = Field(25.0, gt=2, le=1000)
    ceiling_height_m: float = Field(2.8, gt=1, le=50)
    enclosure: Literal["auto", "open", "room"] = "auto"
    min_trust: float = Field(0.3, ge=0, le=1)


def _make(options: PopupOptions) -> Lift:
    from sonoworld.lift.standing import popup  # noqa: PLC0415  OpenCV, SciPy and numba take their time to import

    return popup(options)


POPUP = Backend(
    stage="lift",
    name="popup",
    version="1",
    summary="level ground, upright things where they touch it, a sky shell; metres from the camera's height",
    options=PopupOptions,
    make=_make,
)
