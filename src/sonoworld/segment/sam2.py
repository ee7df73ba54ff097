"""SAM 2 regions give the shape, the semantics of tiles the class: the paper's way, with a choice of semantics."""

from typing import Literal

from pydantic import Field

from sonoworld.backend import Backend, Segment, Weights, weights_of
from sonoworld.segment.clipseg import WEIGHTS as CLIPSEG_WEIGHTS
from sonoworld.segment.regions import RegionOptions
from sonoworld.segment.sam3 import WEIGHTS as SAM3_WEIGHTS
from sonoworld.segment.trace import TraceOptions, tracing
from sonoworld.segment.x_decoder import WEIGHTS as X_DECODER_WEIGHTS
from sonoworld.weights import ModelOptions, folder_files, packages_missing

PARAMETERS = 216_924_865
"""Of the model of pictures, which is what runs here; counted in the tests."""

PARAMETERS_PUBLISHED = 224_446_642
"""Of `facebook/sam2.1-hiera-large` as published: the same with a memory for films, in one file."""


def _weights(size: str, parameters: int) -> Weights:
    model = f"facebook/sam2.1-hiera-{size}"
    return Weights(model, round(4e-9 * parameters, 2), "Apache-2.0", f"hf download {model} --exclude '*.pt'")


WEIGHTS = (
    _weights("large", PARAMETERS_PUBLISHED),
    _weights("base-plus", 80_800_000),
    _weights("small", 46_000_000),
    _weights("tiny", 38_900_000),
)
"""In float32; the smaller ones' counts as https://github.com/facebookresearch/sam2 gives them."""

SemanticsName = Literal["clipseg", "sam3", "x_decoder"]


class Sam2Options(ModelOptions, RegionOptions, TraceOptions):
    """Which checkpoints, which masks of SAM 2 are kept, and when a region takes a class.

    `dtype` is that of the picture encoder; points and masks are always computed in float32.
    """

    model: str = Field(
        default="facebook/sam2.1-hiera-large", min_length=1, description="model id on the hub, or a local folder"
    )
    points: int = Field(default=64, ge=1, le=4096, description="points at a time")
    least_iou: float = Field(default=0.8, ge=0, le=1, description="masks that SAM 2 itself trusts less are dropped")
    least_stability: float = Field(
        default=0.95, ge=0, le=1, description="masks whose area depends more on the threshold are dropped"
    )
    semantics: SemanticsName = Field(default="clipseg", description="what gives the class: clipseg, sam3, x_decoder")
    semantics_model: str = Field(default="", description="its model id, folder or file; empty: its own default")
    semantics_code: str = Field(default="", description="folder of X-Decoder's code, for semantics = x_decoder")
    batch: int = Field(default=8, ge=1, le=256, description="tiles at a time")
    fov_deg: float = Field(default=90.0, ge=40, le=110, description="field of view of a tile")
    least_score: float | None = Field(
        default=None, ge=0, le=1, description="a pixel has a label above this score; none: as usual for the semantics"
    )
    least_share: float = Field(default=0.5, gt=0, le=1, description="share of a region that must have the label")
    keep_outside: bool = Field(default=False, description="keep labelled pixels that lie in no region")
    others: tuple[str, ...] = Field(default=(), description="words that compete with the labels, such as 'sky'")


def weights_for(options: Sam2Options) -> tuple[Weights, ...]:
    """SAM 2, and what gives the class."""
    semantics = {"clipseg": CLIPSEG_WEIGHTS, "sam3": SAM3_WEIGHTS, "x_decoder": X_DECODER_WEIGHTS}[options.semantics]
    return weights_of(WEIGHTS + semantics, options.model, options.semantics_model or semantics[0].model)


def _make(options: Sam2Options) -> Segment:
    from sonoworld.segment.sam2_net import segmenter  # noqa: PLC0415  heavy only where used

    return tracing(segmenter(options), options)


SAM2 = Backend(
    stage="segment",
    name="sam2",
    version="1",
    summary="SAM 2 regions give the shape, tiles seen by CLIPSeg, SAM 3 or X-Decoder the class",
    options=Sam2Options,
    make=_make,
    extra="models",
    licence="Apache-2.0",
    weights=WEIGHTS + CLIPSEG_WEIGHTS,
    weights_for=weights_for,
    missing=packages_missing("torch", "transformers"),
    files=lambda options: folder_files(*(m for m in (options.model, options.semantics_model) if m)),
)
