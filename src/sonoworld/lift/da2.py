"""`lift.da2`: DA² sees the distances of a whole panorama at once, up to their scale, by its own package.

Li et al., "DA²: Depth Anything in Any Direction" (2025). The ground gives metres.
"""

from importlib.util import find_spec

from pydantic import Field

from sonoworld.backend import Backend, Lift, Weights
from sonoworld.lift.model_options import TurnsOptions
from sonoworld.weights import folder_files

PAGE = "https://github.com/EnVision-Research/DA-2"
PARAMETERS = 344_615_682
WEIGHTS = (Weights("haodongli/DA-2", round(4e-9 * PARAMETERS, 2), "Apache-2.0", "hf download haodongli/DA-2"),)
HOW = f"""DA² is not on PyPI and asks for old versions of much; code and weights (1.38 GB) are Apache-2.0:
  git clone {PAGE} && pip install --no-deps -e DA-2/src
  pip install 'sonoworld[models]' accelerate einops gradio matplotlib omegaconf tabulate timm trimesh"""
NEEDED = ("torch", "torchvision", "huggingface_hub", "safetensors", "da2")


class Da2Options(TurnsOptions):
    """Which checkpoint, how often it looks, and how its distances are understood."""

    model: str = Field(
        default=WEIGHTS[0].model, min_length=1, description="model id on the hub, or a local folder of the same format"
    )
    batch: int = Field(default=1, ge=1, le=8, description="turns at a time")


def missing() -> str:
    """What is not installed, and how to get it."""
    absent = [name for name in NEEDED if find_spec(name) is None]
    return f"not installed: {', '.join(absent)}\n{HOW}" if absent else ""


def _make(options: Da2Options) -> Lift:
    from sonoworld.lift.da2_net import lifter  # noqa: PLC0415  heavy only where used

    return lifter(options)


DA2 = Backend(
    stage="lift",
    name="da2",
    version="1",
    summary="DA² sees the shape of a whole panorama at once; metres from the eye's height over the ground",
    options=Da2Options,
    make=_make,
    licence="Apache-2.0",
    weights=WEIGHTS,
    missing=missing,
    files=lambda options: folder_files(options.model),
)
