"""`calibrate.moge_fov`: the field of view by MoGe; pitch and roll, of which MoGe knows nothing, from lines and skyline.

MoGe finds the focal length at which the points that it sees in the photo fit their pixels. It sees no gravity: pitch
and roll are those of `calibrate.lines`, with this field of view taken as known.
"""

from pydantic import Field

from sonoworld.backend import Backend, Calibrate
from sonoworld.perceive import moge
from sonoworld.weights import folder_files


class MogeFovOptions(moge.MogeOptions):
    """Which MoGe, where it runs, and what the file is believed."""

    trust_file: bool = Field(
        default=True, description="a focal length that the photo's file states is taken as known, and MoGe is not asked"
    )


def _make(options: MogeFovOptions) -> Calibrate:
    from sonoworld.calibrate.moge_fov_net import calibrator  # noqa: PLC0415  heavy only where used

    return calibrator(options)


MOGE_FOV = Backend(
    stage="calibrate",
    name="moge_fov",
    version="1",
    summary="field of view by MoGe; pitch and roll, which it does not know, from lines and skyline",
    options=MogeFovOptions,
    make=_make,
    extra="models",
    licence="MIT",
    weights=moge.WEIGHTS,
    missing=moge.missing,
    files=lambda options: folder_files(options.model),
)
