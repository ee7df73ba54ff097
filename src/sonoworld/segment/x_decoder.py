"""X-Decoder (Zou et al., CVPR 2023), the paper's semantics, by its own package: score maps of words on tiles.

The package is not on PyPI and asks for old versions of much: give it an environment of its own with this package in it.
"""

from importlib.util import find_spec
from pathlib import Path

from pydantic import Field

from sonoworld.backend import Backend, Segment, Weights
from sonoworld.segment.semantics import DenseOptions
from sonoworld.segment.trace import TraceOptions, tracing

FILE = "xdecoder_focalt_best_openseg.pt"
CODE_PAGE = "https://github.com/microsoft/X-Decoder"
NEEDED = ("torch", "detectron2", "timm", "nltk", "mpi4py", "yaml", "transformers")
"""What its own modules import at once, of its two lists of requirements."""

WEIGHTS = (
    Weights(
        "xdecoder/X-Decoder",
        0.66,  # 658 330 805 bytes, as its page says
        "Apache-2.0",
        f"hf download xdecoder/X-Decoder {FILE} --local-dir .",
    ),
)

HOW = f"""X-Decoder is not a pip package; code and weights (0.66 GB) are Apache-2.0, a CUDA GPU is needed:
  git clone {CODE_PAGE} && pip install -r X-Decoder/assets/requirements/requirements.txt \\
      -r X-Decoder/assets/requirements/requirements_custom.txt
  {WEIGHTS[0].command}
  then --set segment.code=X-Decoder --set segment.model={FILE}
  (with backend = sam2: segment.semantics_code and segment.semantics_model)"""


class XDecoderOptions(DenseOptions, TraceOptions):
    """Where code and weights are, and what is believed. Scores are shares: all words and the background sum to 1."""

    code: str = Field(default="", description="folder of X-Decoder's code; empty: it can be imported as it is")
    model: str = Field(default=FILE, min_length=1, description="file of weights")
    config: str = Field(
        default="configs/xdecoder/xdecoder_focalt_lang.yaml", description="its configuration, a path in the code folder"
    )


def absent(options: XDecoderOptions) -> str:
    """What is not here of code, packages and weights, found out without importing any; "" when nothing is."""
    lacking: list[str] = []
    if options.code and not (Path(options.code).expanduser() / "modeling" / "BaseModel.py").is_file():
        lacking.append(f"no X-Decoder code in {options.code}")
    if not options.code and find_spec("modeling") is None:
        lacking.append("no X-Decoder code")
    packages = [name for name in NEEDED if find_spec(name) is None]
    if packages:
        lacking.append(f"not installed: {', '.join(packages)}")
    if not Path(options.model).expanduser().is_file():
        lacking.append(f"no file {options.model}")
    return "; ".join(lacking)


def missing_for(options: XDecoderOptions) -> str:
    """The same, with how to get all of it."""
    lacking = absent(options)
    return f"{lacking}\n{HOW}" if lacking else ""


def _make(options: XDecoderOptions) -> Segment:
    from sonoworld.segment.x_decoder_net import segmenter  # noqa: PLC0415  heavy only where used

    return tracing(segmenter(options), options)


X_DECODER = Backend(
    stage="segment",
    name="x_decoder",
    version="1",
    summary="X-Decoder, by its own package, scores what the soundings' words name, on tiles all around",
    options=XDecoderOptions,
    make=_make,
    licence="Apache-2.0",
    weights=WEIGHTS,
    missing=lambda: absent(XDecoderOptions()),
    missing_for=missing_for,
    files=lambda options: (options.model,) if Path(options.model).is_file() else (),
)
