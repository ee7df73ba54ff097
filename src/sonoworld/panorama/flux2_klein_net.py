"""FLUX.2 klein (diffusers): it sees the whole picture as a reference, and each step ends with it outside the hole."""

from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image

from sonoworld.backend import MakePanorama
from sonoworld.panorama.diffusion_net import after_step, loaded, noise, pictured, placed, plan_of
from sonoworld.panorama.flux2_klein import AROUND, WEIGHTS, Flux2KleinOptions
from sonoworld.panorama.paint import Painter, Sentences, Wish, painting
from sonoworld.weights import Checkpoint, library

WHO = "panorama.flux2_klein"


def panoramas(options: Flux2KleinOptions) -> MakePanorama:
    """The stage function of `panorama.flux2_klein`; the model is loaded now."""
    checkpoint = Checkpoint(options.model, options.revision, options.offline, WEIGHTS)
    pipe = placed(loaded("Flux2KleinInpaintPipeline", options, checkpoint, WHO, "text_encoder"), options)
    plan = plan_of(options, Sentences(AROUND), from_embedded=options.start == "embedded")
    return painting(painter(pipe, options), plan)


def painter(pipe: Any, options: Flux2KleinOptions) -> Painter:
    """The pipeline as a painter. All noise, and nothing of the start but as the reference: strength 1."""
    torch = library("torch")
    channels = int(pipe.transformer.config.in_channels)  # of a token

    def paint(
        picture: UInt8[np.ndarray, "h w 3"], unknown: Bool[np.ndarray, "h w"], wish: Wish
    ) -> UInt8[np.ndarray, "h w 3"]:
        start = torch.from_numpy(noise(picture, channels, wish)).permute(2, 0, 1)[None].contiguous()
        made = pipe(
            prompt=wish.prompt,
            image=Image.fromarray(picture),
            mask_image=Image.fromarray(np.where(unknown, 255, 0).astype(np.uint8)),
            height=picture.shape[0],
            width=picture.shape[1],
            strength=1.0,
            num_inference_steps=options.steps,
            guidance_scale=options.guidance,
            generator=torch.Generator("cpu").manual_seed(wish.seed),
            latents=start.to(pipe.text_encoder.dtype),  # of its prompts, as the pipeline's own noise
            output_type="np",
            callback_on_step_end=after_step(picture, wish, options.steps),
        )
        return pictured(np.asarray(made.images[0], np.float32), WHO)

    return paint
