"""`lift.unik3d`: UniK3D sees the distances of a whole panorama at once, in metres, by its own package.

Piccinelli et al., "UniK3D: Universal Camera Monocular 3D Estimation" (CVPR 2025). Code and weights are for
non-commercial use only.
"""

from importlib.util import find_spec

from pydantic import Field

from sonoworld.backend import Backend, Lift, Weights
from sonoworld.lift.model_options import TurnsOptions
from sonoworld.weights import folder_files

LICENCE = "CC-BY-NC-SA-4.0"
PAGE = "https://github.com/lpiccinelli-eth/UniK3D"
PARAMETERS = {"vitl": 358_826_124, "vitb": 117_233_804, "vits": 35_436_684}


def _weights(size: str) -> Weights:
    model = f"lpiccinelli/unik3d-{size}"
    return Weights(model, round(4e-9 * PARAMETERS[size], 2), LICENCE, f"hf download {model}")


WEIGHTS = tuple(_weights(size) for size in PARAMETERS)
HOW = f"""UniK3D is not on PyPI; code and weights are {LICENCE}:
  pip install --no-deps git+{PAGE} && pip install 'sonoworld[models]' einops h5py scipy timm wandb"""
NEEDED = ("torch", "torchvision", "einops", "timm", "wandb", "huggingface_hub", "safetensors", "unik3d")


class Unik3dOptions(TurnsOptions):
    """Which checkpoint, how closely and how often it looks, and how its distances are understood."""

    model: str = Field(
        default=WEIGHTS[0].model, min_length=1, description="model id on the hub, or a local folder of the same format"
    )
    resolution_level: int = Field(default=9, ge=0, le=9, description="0 the coarsest and fastest, 9 the finest")


def missing() -> str:
    """What is not installed, and how to get it."""
    absent = [name for name in NEEDED if find_spec(name) is None]
    return f"not installed: {', '.join(absent)}\n{HOW}" if absent else ""


def _make(options: Unik3dOptions) -> Lift:
    from sonoworld.lift.unik3d_net import lifter  # noqa: PLC0415  heavy only where used

    return lifter(options)


UNIK3D = Backend(
    stage="lift",
    name="unik3d",
    version="1",
    summary="UniK3D sees a whole panorama at once, in metres; not for commercial use",
    options=Unik3dOptions,
    make=_make,
    licence=LICENCE,
    commercial=False,
    weights=WEIGHTS,
    missing=missing,
    files=lambda options: folder_files(options.model),
)
