"""`calibrate.geocalib`: GeoCalib by its own package: field of view, pitch and roll, each with its uncertainty.

Veicht et al., "GeoCalib: Learning Single-image Calibration with Geometric Optimization" (ECCV 2024).
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from pydantic import Field

from sonoworld.backend import Backend, Calibrate, Options, Weights

PAGE = "https://github.com/cvg/GeoCalib"
NAMED = ("pinhole", "distorted")
RELEASE = f"{PAGE}/releases/download/v1.0/geocalib-{{name}}.tar"
SIZE_GB = 0.12

HOW = f"""GeoCalib is not on PyPI; code and weights ({SIZE_GB:g} GB) are Apache-2.0:
  pip install --no-deps git+{PAGE} && pip install kornia matplotlib (and 'sonoworld[models]')"""
NEEDED = ("torch", "torchvision", "cv2", "kornia", "geocalib")


class GeocalibOptions(Options):
    """Which weights, where they run, and what the file is believed."""

    model: str = Field(
        default="pinhole",
        min_length=1,
        description="pinhole (rectified photos), distorted (wide lenses as they come), or a local file of weights",
    )
    lens: Literal["pinhole", "simple_radial", "radial", "simple_divisional"] = Field(
        default="pinhole",
        description="what is fitted; the world is made with a pinhole: others only keep distortion out of its angles",
    )
    trust_file: bool = Field(
        default=True, description="a focal length that the photo's file states is taken as known, and helps the rest"
    )
    offline: bool = Field(default=False, description="never fetch weights: only what torch.hub keeps, or a file")
    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="auto, cpu, cuda, cuda:1")


def missing() -> str:
    """What is not installed, and how to get it."""
    absent = [name for name in NEEDED if find_spec(name) is None]
    return f"not installed: {', '.join(absent)}\n{HOW}" if absent else ""


def _make(options: GeocalibOptions) -> Calibrate:
    from sonoworld.calibrate.geocalib_net import calibrator  # noqa: PLC0415  heavy only where used

    return calibrator(options)


GEOCALIB = Backend(
    stage="calibrate",
    name="geocalib",
    version="1",
    summary="GeoCalib: field of view, pitch and roll from one photo, with their uncertainties",
    options=GeocalibOptions,
    make=_make,
    licence="Apache-2.0",
    weights=tuple(
        Weights(
            name,
            SIZE_GB,
            "Apache-2.0",
            f"curl -L --create-dirs -o ~/.cache/torch/hub/geocalib/{name}.tar {RELEASE.format(name=name)}",
        )
        for name in NAMED
    ),
    missing=missing,
    files=lambda options: (options.model,) if Path(options.model).is_file() else (),
)
