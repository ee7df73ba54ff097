"""`lift.depth_anything_3`: Depth Anything 3 by its own package, one view at a time, on views all around.

Lin et al., "Depth Anything 3" (2025). Its metric model says metres and sky; the others say shapes, and the ground gives
metres. Views are not shown together: they have one eye, and a model of many eyes has no use for that.
"""

from importlib.util import find_spec

from pydantic import Field, field_validator

from sonoworld.backend import Backend, Lift, Weights
from sonoworld.lift.model_options import ViewsOptions
from sonoworld.weights import folder_files

PATCH_PX = 14


def _weights(name: str, millions: int, licence: str) -> Weights:
    model = f"depth-anything/{name}"
    return Weights(model, round(4e-3 * millions, 2), licence, f"hf download {model}")


WEIGHTS = (
    _weights("DA3METRIC-LARGE", 334, "Apache-2.0"),
    _weights("DA3MONO-LARGE", 334, "Apache-2.0"),
    _weights("DA3-BASE", 120, "Apache-2.0"),
    _weights("DA3-SMALL", 80, "Apache-2.0"),
    _weights("DA3-LARGE-1.1", 350, "CC-BY-NC-4.0"),
    _weights("DA3-GIANT-1.1", 1150, "CC-BY-NC-4.0"),
)
"""Parameters and licences as the table of https://github.com/ByteDance-Seed/Depth-Anything-3 says."""

HOW = (
    "pip install --no-deps depth-anything-3 && pip install addict einops omegaconf 'sonoworld[models]' "
    "(its own requirements ask for old versions of much)"
)
NEEDED = ("torch", "torchvision", "addict", "einops", "omegaconf", "safetensors", "depth_anything_3")


class DepthAnything3Options(ViewsOptions):
    """Which checkpoint, how it looks around, and how its distances are understood."""

    model: str = Field(
        default=WEIGHTS[0].model,
        min_length=1,
        description="model id on the hub, or a local folder with config.json and model.safetensors",
    )
    side_px: int = Field(default=504, ge=70, le=2030, description="width and height of a view, a multiple of 14")

    @field_validator("side_px")
    @classmethod
    def _patches(cls, value: int) -> int:
        if value % PATCH_PX:
            raise ValueError(f"expected a multiple of {PATCH_PX}, got {value}")
        return value


def missing() -> str:
    """What is not installed, and how to get it."""
    absent = [name for name in NEEDED if find_spec(name) is None]
    return f"not installed: {', '.join(absent)}; {HOW}" if absent else ""


def _make(options: DepthAnything3Options) -> Lift:
    from sonoworld.lift.depth_anything_3_net import lifter  # noqa: PLC0415  heavy only where used

    return lifter(options)


DEPTH_ANYTHING_3 = Backend(
    stage="lift",
    name="depth_anything_3",
    version="1",
    summary="Depth Anything 3 sees metres and sky on views all around, by its own package",
    options=DepthAnything3Options,
    make=_make,
    extra="models",
    licence="Apache-2.0",
    weights=WEIGHTS,
    missing=missing,
    files=lambda options: folder_files(options.model),
)
