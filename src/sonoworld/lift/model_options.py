"""Options that models of depth have in common."""

from typing import Literal

from pydantic import Field

from sonoworld.weights import ModelOptions


class WorldOptions(ModelOptions):
    """How a model's distances are understood."""

    camera_height_m: float | None = Field(
        None,
        gt=0.1,
        le=100,
        description="eye over the ground, m: sets the scale instead of the model; for a model without metres the "
        "default is 1.6",
    )
    sky: Literal["auto", "model", "parse", "none"] = Field(
        "auto",
        description="what is sky; model: as the model says; parse: what looks like sky; auto: as the model says where "
        "that may be sky, else as it looks; none: nothing, it is a room",
    )
    sky_radius_m: float = Field(200.0, ge=20, le=5000, description="radius of the sky shell, m; what is farther is sky")
    trust: float = Field(
        0.25, gt=0, le=10, description="pixels whose distance views differ in by no more than this share are valid"
    )


class ViewsOptions(WorldOptions):
    """How a model of perspective pictures looks around."""

    fov_deg: float = Field(default=90.0, ge=40, le=110, description="field of view of a view")
    overlap: float = Field(
        default=0.33, ge=0.1, le=0.6, description="least part of a view that the next one sees, too; 0.33: 14 views"
    )
    side_px: int = Field(default=518, ge=70, le=2048, description="width and height of a view")
    batch: int = Field(default=4, ge=1, le=64, description="views at a time")


class TurnsOptions(WorldOptions):
    """How a model of whole panoramas looks at one."""

    turns: int = Field(
        default=2, ge=1, le=8, description="times it sees the panorama, turned each time: more than one closes its seam"
    )
