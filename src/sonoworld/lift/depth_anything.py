"""`lift.depth_anything`: Depth Anything V2 on overlapping views all around.

Yang et al., "Depth Anything V2" (NeurIPS 2024). Its metric models say metres, of rooms (to 20 m) or outdoors (to 80 m);
the others say disparity up to a scale and a shift: views are fitted to each other, and the ground gives metres.
"""

from pydantic import Field

from sonoworld.backend import Backend, Lift, Weights
from sonoworld.lift.model_options import ViewsOptions
from sonoworld.weights import folder_files, packages_missing

SMALL, BASE, LARGE = 24_785_089, 97_470_785, 335_315_649
"""Parameters; counted in the tests."""

NON_COMMERCIAL = "CC-BY-NC-4.0"


def _weights(name: str, parameters: int, licence: str) -> Weights:
    model = f"depth-anything/Depth-Anything-V2-{name}-hf"
    return Weights(model, round(4e-9 * parameters, 2), licence, f"hf download {model}")


WEIGHTS = tuple(
    _weights(f"{kind}{size}", parameters, licence)
    for kind in ("Metric-Outdoor-", "Metric-Indoor-", "")
    for size, parameters, licence in (
        ("Small", SMALL, "Apache-2.0"),
        ("Base", BASE, NON_COMMERCIAL),
        ("Large", LARGE, NON_COMMERCIAL),
    )
)
"""Licences as https://github.com/DepthAnything/Depth-Anything-V2 gives them by size; cards of metric ones name none."""


class DepthAnythingOptions(ViewsOptions):
    """Which checkpoint, how it looks around, and how its distances are understood."""

    model: str = Field(
        default=WEIGHTS[0].model,
        min_length=1,
        description="model id on the hub, or a local folder: a metric one of outdoors or of rooms, or a relative one",
    )


def _make(options: DepthAnythingOptions) -> Lift:
    from sonoworld.lift.depth_anything_net import lifter  # noqa: PLC0415  heavy only where used

    return lifter(options)


DEPTH_ANYTHING = Backend(
    stage="lift",
    name="depth_anything",
    version="1",
    summary="Depth Anything V2 sees distances on views all around: metres of rooms or outdoors, or shapes only",
    options=DepthAnythingOptions,
    make=_make,
    extra="models",
    licence="Apache-2.0",
    weights=WEIGHTS,
    missing=packages_missing("torch", "torchvision", "transformers"),
    files=lambda options: folder_files(options.model),
)
