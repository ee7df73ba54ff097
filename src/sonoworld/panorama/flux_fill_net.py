"""FLUX.1 Fill (diffusers): a painter that was trained to fill holes, so what is under the hole does not matter."""

from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image

from sonoworld.backend import MakePanorama
from sonoworld.panorama.diffusion import DiffusionOptions
from sonoworld.panorama.diffusion_net import after_step, loaded, noise, pictured, placed, plan_of
from sonoworld.panorama.flux_fill import AROUND, WEIGHTS, FluxFillOptions
from sonoworld.panorama.paint import Painter, Sentences, Wish, painting
from sonoworld.weights import Checkpoint, library

WHO = "panorama.flux_fill"


def panoramas(options: FluxFillOptions) -> MakePanorama:
    """The stage function of `panorama.flux_fill`; the model is loaded now."""
    pipe = placed(pipeline(options, WHO), options)
    return painting(painter(pipe, options, WHO), plan_of(options, Sentences(AROUND)))


def pipeline(options: DiffusionOptions, who: str) -> Any:
    """FLUX.1 Fill, not placed yet."""
    checkpoint = Checkpoint(options.model, options.revision, options.offline, WEIGHTS)
    return loaded("FluxFillPipeline", options, checkpoint, who, "text_encoder_2")


def painter(pipe: Any, options: DiffusionOptions, who: str) -> Painter:
    """The pipeline as a painter."""
    torch = library("torch")
    channels = 4 * int(pipe.vae.config.latent_channels)  # of a token: 2 × 2 latents

    def paint(
        picture: UInt8[np.ndarray, "h w 3"], unknown: Bool[np.ndarray, "h w"], wish: Wish
    ) -> UInt8[np.ndarray, "h w 3"]:
        start = torch.from_numpy(noise(picture, channels, wish)).reshape(1, -1, channels)
        made = pipe(
            prompt=wish.prompt,
            image=Image.fromarray(picture),
            mask_image=Image.fromarray(np.where(unknown, 255, 0).astype(np.uint8)),
            height=picture.shape[0],
            width=picture.shape[1],
            num_inference_steps=options.steps,
            guidance_scale=options.guidance,
            generator=torch.Generator("cpu").manual_seed(wish.seed),
            latents=start,
            output_type="np",
            callback_on_step_end=after_step(picture, wish, options.steps),
        )
        return pictured(np.asarray(made.images[0], np.float32), who)

    return paint
