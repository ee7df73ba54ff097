"""`lift.moge`: MoGe on overlapping views all around, merged so that its metres are kept."""

from pydantic import Field

from sonoworld.backend import Backend, Lift
from sonoworld.lift.model_options import ViewsOptions
from sonoworld.perceive import moge
from sonoworld.weights import folder_files


class MogeLiftOptions(moge.MogeOptions, ViewsOptions):
    """Which MoGe, how it looks around, and how its distances are understood."""

    side_px: int = Field(default=640, ge=70, le=2048, description="width and height of a view")
    resolution_level: int = Field(
        default=3, ge=0, le=9, description="0 the coarsest, 9 the finest; 3: as many patches as a view of 640 px has"
    )


def _make(options: MogeLiftOptions) -> Lift:
    from sonoworld.lift.moge_net import lifter  # noqa: PLC0415  heavy only where used

    return lifter(options)


MOGE = Backend(
    stage="lift",
    name="moge",
    version="1",
    summary="MoGe sees distances in metres on views all around, merged without losing their scale",
    options=MogeLiftOptions,
    make=_make,
    extra="models",
    licence="MIT",
    weights=moge.WEIGHTS,
    missing=moge.missing,
    files=lambda options: folder_files(options.model),
)
