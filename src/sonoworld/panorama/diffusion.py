"""What backends that paint panoramas by diffusion have in common: sizes, steps, and how the weights are held."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Literal

from pydantic import Field, field_validator, model_validator

from sonoworld.weights import ModelOptions, packages_missing

TOKEN_PX = 16
"""Side of a token of the FLUX models: 8 px a latent, 2 latents a token."""

FOR_FOUR_BIT = "bitsandbytes"

missing = packages_missing("torch", "diffusers", "transformers", "accelerate")


class DiffusionOptions(ModelOptions):
    """Which checkpoint, what is painted, and where it runs."""

    width: int = Field(default=2048, ge=256, le=8192, description="panorama width, px (even)")
    canvas_width: int = Field(default=1920, ge=128, le=4096, description="width of what the model paints, px (32s)")
    shared_px: int = Field(default=96, ge=0, le=512, description="columns painted twice, to close ±180°, px (32s)")
    pole_deg: float = Field(default=35.0, ge=0, le=60, description="poles painted anew within this angle; 0: not")
    pole_px: int = Field(default=1024, ge=32, le=2048, description="side of the view of a pole, px (16s)")
    prompt: str = Field(default="", max_length=2000, description="what is all around; empty: read off the photo")
    seed: int | None = Field(default=None, ge=0, lt=2**31, description="of the noise; none: from the scene's seed")
    steps: int = Field(default=50, ge=1, le=200, description="denoising steps")
    guidance: float = Field(default=30.0, ge=0, le=100, description="how closely words are followed")
    offload: Literal["none", "model", "sequential"] = Field(
        default="model",
        description="on a GPU: all parts there at once, one at a time, or one layer at a time (slow)",
    )
    quantise: Literal["none", "fp8", "4bit"] = Field(
        default="none", description="weights in 8 bits (half the memory), or in 4 (needs the package bitsandbytes)"
    )
    tiled_vae: bool = Field(default=False, description="decode in tiles: 2 GB less at the end, tiles may show")

    @field_validator("offload", mode="before")
    @classmethod
    def _said_in_short(cls, value: object) -> object:
        """`true` and `false`, as other backends have it and as the memory plan says it."""
        return ("model" if value else "none") if isinstance(value, bool) else value

    @field_validator("width")
    @classmethod
    def _even(cls, width: int) -> int:
        return _multiple(width, 2)

    @field_validator("canvas_width", "shared_px")
    @classmethod
    def _two_tokens(cls, px: int) -> int:
        return _multiple(px, 2 * TOKEN_PX)

    @field_validator("pole_px")
    @classmethod
    def _token(cls, px: int) -> int:
        return _multiple(px, TOKEN_PX)

    @model_validator(mode="after")
    def _fit(self) -> "DiffusionOptions":
        if self.shared_px > self.canvas_width:
            raise ValueError(f"shared_px: expected at most canvas_width, got {self.shared_px} > {self.canvas_width}")
        if self.offload == "sequential" and self.quantise != "none":
            raise ValueError(f"offload = sequential does not go with quantise = {self.quantise}: use offload = model")
        return self


def _multiple(px: int, of: int) -> int:
    if px % of:
        raise ValueError(f"expected a multiple of {of} px, got {px}")
    return px


def missing_with(*more: str) -> Callable[[DiffusionOptions], str]:
    """For `Backend.missing_for`: what these options need, and `more` packages."""

    def missing_for(options: DiffusionOptions) -> str:
        if why := missing() or packages_missing(*more)():
            return why
        if options.quantise == "4bit" and find_spec(FOR_FOUR_BIT) is None:
            return f"quantise = 4bit needs one more package: pip install {FOR_FOUR_BIT}"
        return ""

    return missing_for
