"""MoGe by Microsoft Research: depth and field of view of a picture, in metres since MoGe-2.

Wang et al., "MoGe" (CVPR 2025) and "MoGe-2" (NeurIPS 2025). Code and weights are MIT. Its package is `moge`, from its
repository, or from PyPI as `dlr-moge` with `dlr-utils3d`.
"""

from importlib.util import find_spec

from pydantic import Field, field_validator

from sonoworld.backend import Weights
from sonoworld.weights import ModelOptions

FILE = "model.pt"
"""The one file of a model: configuration and weights."""


def _weights(model: str, millions: int) -> Weights:
    return Weights(model, round(4e-3 * millions, 2), "MIT", f"hf download {model} {FILE}")


WEIGHTS = (
    _weights("Ruicheng/moge-2-vitl-normal", 331),
    _weights("Ruicheng/moge-2-vitl", 326),
    _weights("Ruicheng/moge-2-vitb-normal", 104),
    _weights("Ruicheng/moge-2-vits-normal", 35),
    _weights("Ruicheng/moge-vitl", 314),
)
"""Parameters as its page says, of 4 bytes. The last one is MoGe-1, which knows no metres."""

HOW = "pip install --no-deps dlr-moge dlr-utils3d (and 'sonoworld[models]'), or from github.com/microsoft/MoGe"
NEEDED = ("torch", "huggingface_hub", "moge", "utils3d")


class MogeOptions(ModelOptions):
    """Which MoGe, where it runs, and how closely it looks."""

    model: str = Field(
        default="Ruicheng/moge-2-vitl-normal", min_length=1, description="model id on the hub, or a local folder"
    )
    resolution_level: int = Field(
        default=9, ge=0, le=9, description="tokens a picture: 0 the fewest and fastest, 9 the most"
    )

    @field_validator("dtype")
    @classmethod
    def _its_own(cls, value: str) -> str:
        if value == "bfloat16":
            raise ValueError("MoGe runs in float32, or in float16 on a GPU: expected auto, float32 or float16")
        return value


def missing() -> str:
    """What is not installed, and how to get it."""
    absent = [name for name in NEEDED if find_spec(name) is None]
    return f"not installed: {', '.join(absent)}; {HOW}" if absent else ""
