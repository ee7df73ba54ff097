"""`lift.worldmirror`: HunyuanWorld-Mirror sees all views at once, told where each looks and how wide.

Liu et al., "WorldMirror" (arXiv:2510.10726). It is no package but a checkout, whose modules are called `src`. Its
depths have a scale of their own, one for all views; the height of the eye over the ground gives metres. Its Gaussians
are left out: they lie at these same depths, and its renderer of them needs CUDA; `seed` makes splats here.
"""

from importlib.util import find_spec
from pathlib import Path

from pydantic import Field, field_validator

from sonoworld.backend import Backend, Lift, Weights
from sonoworld.lift.model_options import ViewsOptions
from sonoworld.weights import folder_files

PATCH_PX = 14
MODULE = "src/models/models/worldmirror.py"
PAGE = "https://github.com/Tencent-Hunyuan/HunyuanWorld-Mirror"
LICENCE = "Tencent HunyuanWorld-Mirror Community License: not in the EU, the UK and South Korea"
MODEL = "tencent/HunyuanWorld-Mirror"
WEIGHTS = (Weights(MODEL, 5.05, LICENCE, f"hf download {MODEL} config.json model.safetensors"),)
"""5 053 546 720 bytes."""

NEEDED = ("torch", "huggingface_hub", "safetensors", "einops", "gsplat", "lightning_utilities")
HOW = f"""HunyuanWorld-Mirror is not a pip package (licence: not in the EU, the UK and South Korea):
  git clone {PAGE}
  pip install 'sonoworld[models]' einops gsplat lightning-utilities
  then --set lift.code=HunyuanWorld-Mirror"""


class WorldMirrorOptions(ViewsOptions):
    """Where its code is, which checkpoint, and how it looks around."""

    model: str = Field(
        default=MODEL,
        min_length=1,
        description="model id on the hub, or a local folder with config.json and model.safetensors",
    )
    code: str = Field(default="HunyuanWorld-Mirror", min_length=1, description="folder of HunyuanWorld-Mirror's code")
    batch: int = Field(
        default=64, ge=2, le=64, description="views that are seen together, of one scale; all of them is best"
    )

    @field_validator("side_px")
    @classmethod
    def _patches(cls, value: int) -> int:
        if value % PATCH_PX:
            raise ValueError(f"expected a multiple of {PATCH_PX}, got {value}")
        return value

    @field_validator("dtype")
    @classmethod
    def _its_own(cls, value: str) -> str:
        if value != "auto":
            raise ValueError("WorldMirror chooses by itself (bfloat16 on a GPU, float32 on the CPU): expected auto")
        return value


def missing_for(options: WorldMirrorOptions) -> str:
    """What of code and packages is not here, and how to get it."""
    lacking = [f"no HunyuanWorld-Mirror code in {options.code}"] if not code_folder(options) else []
    absent = [name for name in NEEDED if find_spec(name) is None]
    lacking += [f"not installed: {', '.join(absent)}"] if absent else []
    return f"{'; '.join(lacking)}\n{HOW}" if lacking else ""


def code_folder(options: WorldMirrorOptions) -> Path | None:
    """The checkout, or None where there is none."""
    folder = Path(options.code).expanduser().resolve()
    return folder if (folder / MODULE).is_file() else None


def _make(options: WorldMirrorOptions) -> Lift:
    from sonoworld.lift.worldmirror_net import lifter  # noqa: PLC0415  heavy only where used

    return lifter(options)


WORLDMIRROR = Backend(
    stage="lift",
    name="worldmirror",
    version="1",
    summary="WorldMirror sees all views at once, told their cameras; metres from the eye's height over the ground",
    options=WorldMirrorOptions,
    make=_make,
    licence=LICENCE,
    commercial=False,
    weights=WEIGHTS,
    missing=lambda: missing_for(WorldMirrorOptions.model_validate({})),
    missing_for=missing_for,
    files=lambda options: folder_files(options.model),
)
