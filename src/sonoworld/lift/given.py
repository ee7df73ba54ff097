"""`lift.given`: distances that the user has: rendered, measured, or from a depth model run elsewhere.

A map of the photo is placed by the photo's camera; what it does not show is popped up and fitted to it at its border.
Metres follow from the map's unit, or, where that is unknown, from the eye's height over the ground.
"""

from typing import Literal

from pydantic import Field, model_validator

from sonoworld.backend import Backend, Lift, Options


class GivenDepthOptions(Options):
    """Which file, and what its numbers mean."""

    path: str = Field(
        min_length=1, description="the depth map: .png of 16 bits, .tif, .exr (none, ZIP or ZIPS), .pfm, .npy or .npz"
    )
    shows: Literal["auto", "photo", "panorama"] = Field(
        "auto", description="what the map is a map of; auto: by its shape, the photo's or twice as wide as high"
    )
    holds: Literal["auto", "distance", "z_depth", "disparity"] = Field(
        "auto",
        description="distance: along the ray; z_depth: along the photo's optical axis; disparity: the inverse of "
        "z_depth (in a panorama: of distance), large is near; auto: z_depth in a photo, distance in a panorama",
    )
    array: str | None = Field(None, description="array of an .npz, or channel of an .exr, if there are several")
    unit_m: float | None = Field(
        None,
        gt=0,
        lt=1e6,
        description="metres per unit of the file; disparity: distance in m where the file says 1. Default: a "
        "millimetre for whole numbers, a metre for others; disparity: from the eye's height",
    )
    camera_height_m: float | None = Field(
        None,
        gt=0.1,
        le=100,
        description="eye over the ground, m: sets the scale where the unit is not known, instead of unit_m; "
        "disparity without either: 1.6",
    )
    sky: Literal["auto", "file", "parse", "none"] = Field(
        "auto",
        description="what is sky; file: what is infinite or the largest 16-bit number (disparity: 0); parse: what "
        "looks like sky; auto: as the file says where that may be sky, else as it looks; none: nothing, it is a room",
    )
    sky_from: float | None = Field(
        None, description="numbers of the file from here on are sky (disparity: down from here), such as 80 or 1e10"
    )
    sky_radius_m: float = Field(200.0, ge=20, le=5000, description="radius of the sky shell, m; what is farther is sky")

    @model_validator(mode="after")
    def _agree(self) -> "GivenDepthOptions":
        if self.unit_m is not None and self.camera_height_m is not None:
            raise ValueError("expected one of unit_m and camera_height_m, got both")
        if self.shows == "panorama" and self.holds == "z_depth":
            raise ValueError("a panorama has no optical axis: expected holds = distance or disparity, got z_depth")
        return self

    @property
    def inverse(self) -> bool:
        """Whether large numbers are near."""
        return self.holds == "disparity"

    @property
    def knows_metres(self) -> bool:
        """Whether the file's numbers are metres once they are multiplied by the unit."""
        return self.unit_m is not None or (not self.inverse and self.camera_height_m is None)


def _make(options: GivenDepthOptions) -> Lift:
    from sonoworld.lift.given_distances import given_distances  # noqa: PLC0415  OpenCV and numba take their time

    return given_distances(options)


GIVEN = Backend(
    stage="lift",
    name="given",
    version="2",
    summary="distances from a depth map of your own, of the photo or of the panorama",
    options=GivenDepthOptions,
    make=_make,
    files=lambda options: (options.path,),
)
