"""`lift.popup`: distances without weights: a flat ground, upright things on it, a shell of sky.

After Hoiem, Efros and Hebert 2005, "Automatic Photo Pop-up", on the whole sphere. `metric` is true in this sense only:
metres follow from an assumed height of the camera over level ground, so everything is wrong by one factor where the
camera was held higher or lower, and more where the ground is not level. Beyond about 15 m distances are ordinal.
"""

from typing import Literal

from pydantic import Field, model_validator

from sonoworld.backend import Backend, Lift, Options


class PopupOptions(Options):
    """What pop-up has to assume."""

    camera_height_m: float = Field(1.6, gt=0.1, le=100, description="eye over the ground, m: the scale of the world")
    far_m: float = Field(80.0, ge=10, le=1000, description="cap of the ground and of what meets it near the horizon, m")
    sky_radius_m: float = Field(200.0, ge=20, le=5000, description="radius of the sky shell, m")
    plant_height_m: float = Field(
        8.0,
        gt=0.5,
        le=100,
        description="height at which vegetation, whose foot is rarely seen, is taken to end, m: it keeps far ridges "
        "from standing at the edge of the lawn",
    )
    tallest_m: float = Field(
        25.0,
        gt=2,
        le=1000,
        description="nothing is believed to stand higher over the ground, m: what would, has its foot nearer than it "
        "seems",
    )
    enclosure: Literal["auto", "open", "room"] = Field(
        "auto",
        description="room: walls and a ceiling instead of a sky; auto: a room where a built scene shows hardly any sky",
    )
    ceiling_height_m: float = Field(2.8, gt=1, le=50, description="ceiling of a room over its floor, m")
    detect: bool = Field(True, description="stand people, vehicles and animals upright, found by the embedded detector")
    min_trust: float = Field(0.3, ge=0, le=1, description="pixels trusted at least this much, 0..1, are marked valid")

    @model_validator(mode="after")
    def _sky_lies_behind_everything(self) -> "PopupOptions":
        if self.sky_radius_m < 1.2 * max(self.far_m, self.tallest_m):
            raise ValueError(
                f"sky_radius_m: expected at least 1.2 × far_m and tallest_m, got {self.sky_radius_m} m "
                f"with far_m = {self.far_m} m and tallest_m = {self.tallest_m} m"
            )
        return self


def _make(options: PopupOptions) -> Lift:
    from sonoworld.lift.standing import popup  # noqa: PLC0415  OpenCV, SciPy and numba take their time to import

    return popup(options)


POPUP = Backend(
    stage="lift",
    name="popup",
    version="2",
    summary="level ground, upright things where they touch it, a sky shell; metres from the camera's height",
    options=PopupOptions,
    make=_make,
)
