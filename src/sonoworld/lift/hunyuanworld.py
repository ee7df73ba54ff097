"""`lift.hunyuanworld`: HunyuanWorld 1.0 (arXiv:2507.21809) takes the panorama apart into layers of meshes.

It is no package: its own program, `demo_scenegen.py`, runs in the environment that was made for it, and writes
`mesh_layer0.ply`, `mesh_layer1.ply`, ...: those become splats as any mesh does. Its depth (MoGe's panorama) has no
scale of its own; the height of the eye over the ground gives it one.
"""

import shutil
from pathlib import Path
from typing import Literal

from pydantic import Field

from sonoworld.backend import Backend, Lift, Options, Weights

PROGRAM = "demo_scenegen.py"
CODE_PAGE = "https://github.com/Tencent-Hunyuan/HunyuanWorld-1.0"
LICENCE = "Tencent HunyuanWorld-1.0 Community License: not in the EU, the UK and South Korea"
WEIGHTS = (
    Weights(
        "tencent/HunyuanWorld-1",
        0.6,
        LICENCE,
        "hf download tencent/HunyuanWorld-1 --include 'HunyuanWorld-PanoInpaint-*'",
    ),
    Weights(
        "black-forest-labs/FLUX.1-Fill-dev",
        33.7,  # transformer 11 902 M, T5 4 762 M, autoencoder 84 M, CLIP 123 M parameters in 16 bits
        "FLUX.1 [dev] Non-Commercial License",
        "hf download black-forest-labs/FLUX.1-Fill-dev --exclude flux1-fill-dev.safetensors --exclude ae.safetensors",
        gated=True,
        largest_part_gb=23.8,
    ),
    Weights("Ruicheng/moge-vitl", 1.3, "MIT", "hf download Ruicheng/moge-vitl model.pt"),
    Weights("IDEA-Research/grounding-dino-tiny", 0.7, "Apache-2.0", "hf download IDEA-Research/grounding-dino-tiny"),
    Weights("naver-iv/zim-anything-vitl", 1.3, "CC BY-NC 4.0", "hf download naver-iv/zim-anything-vitl"),
)
"""What its program loads (hy3dworld/models/layer_decomposer.py, utils/pano_depth_utils.py), beside Real-ESRGAN."""

HOW = f"""HunyuanWorld 1.0 is not a pip package; a CUDA GPU is needed:
  git clone {CODE_PAGE}
  conda env create -f HunyuanWorld-1.0/docker/HunyuanWorld.yaml   (then Real-ESRGAN and ZIM, as its README says)
  then --set lift.code=HunyuanWorld-1.0 --set lift.python=PYTHON_OF_THAT_ENVIRONMENT"""


class HunyuanWorldOptions(Options):
    """Where its program is, what lies in front, and how its meshes become splats."""

    code: str = Field(default="HunyuanWorld-1.0", min_length=1, description="folder of HunyuanWorld's code")
    python: str = Field(default="python3", min_length=1, description="the Python of its environment")
    near_labels: tuple[str, ...] = Field(
        default=(), max_length=32, description="words for what stands in front of all (its labels_fg1)"
    )
    far_labels: tuple[str, ...] = Field(
        default=(), max_length=32, description="words for what stands in front of the background (its labels_fg2)"
    )
    place: Literal["outdoor", "indoor"] = Field(default="outdoor", description="which words it paints away")
    fp8: bool = Field(default=False, description="matrix products and attention in 8 bits: less memory")
    offline: bool = Field(default=False, description="never ask the hub: only the local cache")
    timeout_s: float = Field(default=7200, gt=0, le=86_400, description="longest run of its program")
    camera_height_m: float = Field(default=1.6, gt=0.1, le=100, description="eye over the ground, m: sets the scale")
    yaw_deg: float = Field(default=0.0, ge=-360, le=360, description="turn the world to the left until it fits")
    sky_radius_m: float = Field(default=200.0, ge=20, le=5000, description="what is farther, or open above, is sky")
    max_splats: int = Field(default=2_000_000, ge=1000, le=20_000_000, description="at most about so many")


def missing_for(options: HunyuanWorldOptions) -> str:
    """Why these options cannot run here, or ""; found out without running anything."""
    lacking: list[str] = []
    if not (Path(options.code).expanduser() / PROGRAM).is_file():
        lacking.append(f"no HunyuanWorld code in {options.code}")
    if shutil.which(str(Path(options.python).expanduser())) is None:
        lacking.append(f"no program {options.python}")
    return f"{'; '.join(lacking)}\n{HOW}" if lacking else ""


def _make(options: HunyuanWorldOptions) -> Lift:
    from sonoworld.lift.hunyuanworld_run import hunyuanworld  # noqa: PLC0415  numba takes its time to import

    return hunyuanworld(options)


HUNYUANWORLD = Backend(
    stage="lift",
    name="hunyuanworld",
    version="1",
    summary="HunyuanWorld 1.0 by its own program: layers of meshes, as splats",
    options=HunyuanWorldOptions,
    make=_make,
    licence=LICENCE,
    commercial=False,
    weights=WEIGHTS,
    missing=lambda: missing_for(HunyuanWorldOptions()),
    missing_for=missing_for,
    weights_for=lambda options: WEIGHTS,
)
