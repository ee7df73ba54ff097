"""WorldGen's way: its LoRA teaches FLUX.1 Fill what a panorama is; run by diffusers, or by its own package."""

from dataclasses import replace
from typing import Literal

from pydantic import Field, model_validator

from sonoworld.backend import Backend, MakePanorama, Weights, weights_of
from sonoworld.panorama import flux_fill
from sonoworld.panorama.diffusion import DiffusionOptions, missing, missing_with
from sonoworld.weights import folder_files, packages_missing

LORA_FILE = "models--WorldGen-Flux-Lora/worldgen_img2scene.safetensors"
WEIGHTS = (
    *flux_fill.WEIGHTS,
    Weights(
        "LeoXie/WorldGen",
        0.5,  # an estimate, nobody states it
        "Apache-2.0, on FLUX.1 [dev] Non-Commercial License",
        f"hf download LeoXie/WorldGen {LORA_FILE}",
    ),
)
PREFIX = "A high quality 360 panorama photo of"
SUFFIX = "HDR, RAW, 360 consistent, omnidirectional"
"""Its words, size, steps and guidance are those of worldgen/pano_gen.py, `gen_pano_fill_image`."""


class WorldgenOptions(DiffusionOptions):
    """Which checkpoints, who runs them, what is painted, and where it runs."""

    model: str = Field(
        default="black-forest-labs/FLUX.1-Fill-dev", min_length=1, description="FLUX.1 Fill: id, or a local folder"
    )
    lora: str = Field(default="LeoXie/WorldGen", min_length=1, description="its LoRA: id, or a local folder")
    lora_file: str = Field(default=LORA_FILE, min_length=1, description="file of the LoRA in there")
    lora_revision: str | None = Field(default=None, description="commit, tag or branch of the LoRA")
    engine: Literal["diffusers", "package"] = Field(
        default="diffusers", description="who runs the model: diffusers, or the package worldgen (a GPU, online)"
    )
    canvas_width: int = Field(default=1600, ge=128, le=4096, description="width of what the model paints, px (32s)")
    pole_deg: float = Field(default=0.0, ge=0, le=60, description="poles painted anew within this angle; 0: not")

    @model_validator(mode="after")
    def _of_the_package(self) -> "WorldgenOptions":
        """The package downloads, places and closes by itself."""
        if self.engine == "package" and (self.offline or self.quantise != "none" or self.shared_px):
            raise ValueError(
                "engine = package: expected offline = false, quantise = none and shared_px = 0 (it closes by itself)"
            )
        return self


def _make(options: WorldgenOptions) -> MakePanorama:
    from sonoworld.panorama.worldgen_net import panoramas  # noqa: PLC0415  heavy only where used

    return panoramas(options)


def weights_for(options: WorldgenOptions) -> tuple[Weights, ...]:
    """FLUX.1 Fill and the LoRA; the package takes its own FLUX.1 Fill from the hub, and holds all of it at once."""
    if options.engine == "package":
        whole = replace(WEIGHTS[0], largest_part_gb=0.0, largest_part_8bit_gb=0.0)
        return (whole, *weights_of(WEIGHTS, options.lora))
    return weights_of(WEIGHTS, options.model, options.lora)


def _missing_for(options: WorldgenOptions) -> str:
    if options.engine == "package":
        return packages_missing("worldgen")()
    return missing_with("peft")(options)


WORLDGEN = Backend(
    stage="panorama",
    name="worldgen",
    version="1",
    summary="FLUX.1 Fill with WorldGen's LoRA of panoramas",
    options=WorldgenOptions,
    make=_make,
    extra="models",
    licence="FLUX.1 [dev] Non-Commercial License",
    commercial=False,
    weights=WEIGHTS,
    missing=lambda: missing() or packages_missing("peft")(),
    files=lambda options: folder_files(options.model, options.lora),
    missing_for=_missing_for,
    weights_for=weights_for,
)
