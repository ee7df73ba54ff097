"""SAM 3 by text prompts on perspective tiles: vision features once a tile, then one pass a prompt."""

from pydantic import Field

from sonoworld.backend import Backend, Segment, Weights
from sonoworld.segment.trace import TraceOptions, tracing
from sonoworld.weights import ModelOptions, folder_files, packages_missing

PARAMETERS = 840_376_374
"""Of the model of pictures, which is what runs here; counted in the tests."""

PARAMETERS_PUBLISHED = 859_921_848
"""Of `facebook/sam3` as published: the model of pictures and a tracker for films, in one file."""

WEIGHTS = (
    Weights(
        "facebook/sam3",
        round(4 * PARAMETERS_PUBLISHED / 1e9, 2),  # float32
        "SAM License",
        "hf download facebook/sam3 --exclude '*.pt'",  # the same weights once more, for Meta's own package
        gated=True,
    ),
)


class Sam3Options(ModelOptions, TraceOptions):
    """Which checkpoint, where it runs, and what is believed."""

    model: str = Field(default="facebook/sam3", min_length=1, description="model id on the hub, or a local folder")
    batch: int = Field(default=4, ge=1, le=64, description="tiles at a time")
    least_score: float = Field(default=0.4, ge=0, le=1, description="instances below this score are left out")
    fov_deg: float = Field(default=90.0, ge=40, le=110, description="field of view of a tile")


def _make(options: Sam3Options) -> Segment:
    from sonoworld.segment.sam3_net import segmenter  # noqa: PLC0415  heavy only where used

    return tracing(segmenter(options), options)


SAM3 = Backend(
    stage="segment",
    name="sam3",
    version="1",
    summary="SAM 3 finds what the soundings' words name, on tiles all around",
    options=Sam3Options,
    make=_make,
    extra="models",
    licence="SAM License",
    weights=WEIGHTS,
    missing=packages_missing("torch", "transformers"),
    files=lambda options: folder_files(options.model),
)
