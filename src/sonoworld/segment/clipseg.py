"""CLIPSeg (Lüddecke and Ecker, CVPR 2022): a score map for any words, on perspective tiles."""

from pydantic import Field

from sonoworld.backend import Backend, Segment, Weights
from sonoworld.segment.semantics import DenseOptions
from sonoworld.segment.trace import TraceOptions, tracing
from sonoworld.weights import ModelOptions, folder_files, packages_missing

PARAMETERS = 150_747_746
"""Of `CIDAS/clipseg-rd64-refined`: ViT-B/16, decoder of 64 channels, transposed convolutions; counted in the tests."""

WEIGHTS = (
    Weights(
        "CIDAS/clipseg-rd64-refined",
        round(4 * PARAMETERS / 1e9, 2),  # float32
        "Apache-2.0",
        "hf download CIDAS/clipseg-rd64-refined",
    ),
)


class ClipsegOptions(ModelOptions, DenseOptions, TraceOptions):
    """Which checkpoint, where it runs, and what is believed."""

    model: str = Field(
        default="CIDAS/clipseg-rd64-refined", min_length=1, description="model id on the hub, or a local folder"
    )


def _make(options: ClipsegOptions) -> Segment:
    from sonoworld.segment.clipseg_net import segmenter  # noqa: PLC0415  heavy only where used

    return tracing(segmenter(options), options)


CLIPSEG = Backend(
    stage="segment",
    name="clipseg",
    version="1",
    summary="CLIPSeg scores what the soundings' words name, on tiles all around",
    options=ClipsegOptions,
    make=_make,
    extra="models",
    licence="Apache-2.0",
    weights=WEIGHTS,
    missing=packages_missing("torch", "transformers"),
    files=lambda options: folder_files(options.model),
)
