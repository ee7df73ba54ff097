"""WorldGen's LoRA on FLUX.1 Fill, and WorldGen's own package as a painter."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image

from sonoworld.backend import MakePanorama
from sonoworld.panorama.diffusion_net import placed, plan_of, with_lora
from sonoworld.panorama.flux_fill_net import painter, pipeline
from sonoworld.panorama.paint import Painter, Sentences, Wish, painting
from sonoworld.panorama.worldgen import PREFIX, SUFFIX, WEIGHTS, WorldgenOptions
from sonoworld.weights import Checkpoint, chosen_device, library, loading

WHO = "panorama.worldgen"
BLEND_LATENTS = 6
"""Columns of latents that the package adds at the right side: `blend_extend` in its source."""


def panoramas(options: WorldgenOptions) -> MakePanorama:
    """The stage function of `panorama.worldgen`; the model is loaded now."""
    plan = plan_of(options, Sentences(f"{PREFIX} {{}} {SUFFIX}"))
    if options.engine == "package":
        return painting(package(options), plan)
    lora = Checkpoint(options.lora, options.lora_revision, options.offline, WEIGHTS)
    pipe = with_lora(pipeline(options, WHO), lora, options.lora_file, WHO, fuse=options.quantise != "4bit")
    return painting(painter(placed(pipe, options), options, WHO), plan)


def package(options: WorldgenOptions) -> Painter:
    """The package's own pipeline, which finds its own weights of FLUX.1 Fill.

    Raises:
        BackendMissingError: the package or what it needs is missing.
    """
    own = library("worldgen.pano_gen", "models")
    folder = Path(options.lora).expanduser()
    path = str(folder / options.lora_file) if folder.is_dir() else None  # None: it downloads its own
    device = chosen_device(options.device)
    with loading(Checkpoint(options.lora, options.lora_revision, options.offline, WEIGHTS), WHO):
        model: Any = own.build_pano_fill_model(lora_path=path, device=device, low_vram=options.offload == "sequential")

    def paint(
        picture: UInt8[np.ndarray, "h w 3"], unknown: Bool[np.ndarray, "h w"], wish: Wish
    ) -> UInt8[np.ndarray, "h w 3"]:
        made = own.gen_pano_fill_image(
            model,
            image=Image.fromarray(picture),
            mask=Image.fromarray(np.where(unknown, 255, 0).astype(np.uint8)),
            prompt=wish.prompt,
            seed=wish.seed,
            guidance_scale=options.guidance,
            num_inference_steps=options.steps,
            height=picture.shape[0],
            width=picture.shape[1],
            blend_extend=BLEND_LATENTS if wish.around else 0,
            prefix="",  # they are in the prompt already
            suffix="",
        )
        wish.tell(1.0)
        return np.asarray(made.convert("RGB"), np.uint8).copy()

    return paint
