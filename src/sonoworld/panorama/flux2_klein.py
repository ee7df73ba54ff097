"""FLUX.2 klein, of which 4B is under the Apache licence: an editor of pictures, which paints from a picture and words.

Why this one: of what diffusers can inpaint with under a permissive licence it is by far the smallest and fastest
(4 billion parameters, 4 steps). Qwen-Image (Apache-2.0, too) is five times as large.
"""

from typing import Literal

from pydantic import Field, model_validator

from sonoworld.backend import Backend, MakePanorama, Weights
from sonoworld.panorama.diffusion import DiffusionOptions, missing, missing_with
from sonoworld.weights import folder_files

PARAMETERS = {"transformer": 3_875_544_576, "text_encoder": 4_022_468_096, "vae": 84_046_115}
"""Of `black-forest-labs/FLUX.2-klein-4B`, all in 16 bits."""

PARAMETERS_9B = {"transformer": 9_100_000_000, "text_encoder": 8_190_735_360, "vae": 84_046_115}
"""Of `black-forest-labs/FLUX.2-klein-9B`, about: its text encoder is Qwen3-8B, its transformer said to be of 9 B."""

MOST_PX = 1024 * 1024
"""Larger pictures are shrunk by the pipeline of diffusers, and not to the same shape."""


NON_COMMERCIAL = "FLUX Non-Commercial License"


def _weights(size: str) -> Weights:
    small = size.endswith("4B")
    parameters = PARAMETERS if small else PARAMETERS_9B
    return Weights(
        f"black-forest-labs/FLUX.2-klein-{size}",
        round(2 * sum(parameters.values()) / 1e9, 1),
        "Apache-2.0" if small else NON_COMMERCIAL,
        f"hf download black-forest-labs/FLUX.2-klein-{size} --exclude 'flux-2-klein*.safetensors'",
        gated=not small,
        largest_part_gb=round(2 * max(parameters.values()) / 1e9, 1),
        largest_part_8bit_gb=round(max(parameters["transformer"], 2 * parameters["text_encoder"]) / 1e9, 1),
    )


WEIGHTS = tuple(_weights(size) for size in ("4B", "base-4B", "9B", "base-9B"))
"""Licences as the table of https://github.com/black-forest-labs/flux2 says."""
AROUND = "A 360 degree equirectangular panorama photo of {}, seamless, level horizon, natural light, sharp"


class Flux2KleinOptions(DiffusionOptions):
    """Which checkpoint, what it begins with, what is painted, and where it runs."""

    model: str = Field(
        default="black-forest-labs/FLUX.2-klein-4B", min_length=1, description="model id on the hub, or a local folder"
    )
    start: Literal["embedded", "grey"] = Field(
        default="embedded", description="what it sees where the photo says nothing: the embedded fill, or grey"
    )
    canvas_width: int = Field(default=1344, ge=128, le=1440, description="width of what the model paints, px (32s)")
    pole_px: int = Field(default=1024, ge=32, le=1024, description="side of the view of a pole, px (16s)")
    steps: int = Field(default=4, ge=1, le=200, description="denoising steps: 4, for the base model 50")
    guidance: float = Field(default=1.0, ge=0, le=100, description="1: none; 4 with the base model, which takes twice")

    @model_validator(mode="after")
    def _small(self) -> "Flux2KleinOptions":
        total = (self.canvas_width + self.shared_px) * self.canvas_width // 2
        if total > MOST_PX:
            raise ValueError(f"(canvas_width + shared_px) · canvas_width / 2: expected at most {MOST_PX}, got {total}")
        return self


def _make(options: Flux2KleinOptions) -> MakePanorama:
    from sonoworld.panorama.flux2_klein_net import panoramas  # noqa: PLC0415  heavy only where used

    return panoramas(options)


FLUX2_KLEIN = Backend(
    stage="panorama",
    name="flux2_klein",
    version="1",
    summary="FLUX.2 klein paints the rest of the sphere, over the embedded fill",
    options=Flux2KleinOptions,
    make=_make,
    extra="models",
    licence="Apache-2.0",
    weights=WEIGHTS,
    missing=missing,
    files=lambda options: folder_files(options.model),
    missing_for=missing_with(),
)
