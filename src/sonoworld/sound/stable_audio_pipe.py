"""Stable Audio's pipelines of diffusers behind one function: wishes in one batch, mono clips out."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32

from sonoworld.errors import BackendMissingError, InputError
from sonoworld.sound.candidates import Generator, Wish
from sonoworld.sound.stable_audio import KNOWN, StableAudioOptions
from sonoworld.sound.takes import MARGIN_S
from sonoworld.weights import Checkpoint, chosen_device, chosen_dtype, library, licence, loading, used

_WHO = "sound.stable_audio"
_OPEN, _THREE = "StableAudioPipeline", "StableAudio3Pipeline"
_OPEN_GUIDANCE, _THREE_GUIDANCE = 7.0, 1.0  # the pipelines' own defaults
_OPEN_STEPS = 100
_DECODER_REACH = 16
"""Latents after the wanted ones that its sound may depend on: Oobleck's decoder reaches 9 of them."""


def generator(options: StableAudioOptions) -> Generator:
    """Load the checkpoint; which of the pipelines it is says its own index.

    Raises:
        BackendMissingError: a package or the checkpoint is not here, or it is a pipeline of another kind.
    """
    torch, diffusers = library("torch"), library("diffusers")
    checkpoint = Checkpoint(options.model, options.revision, options.offline, KNOWN)
    device = chosen_device(options.device)
    dtype = chosen_dtype(options.dtype, device, on_gpu="float16")
    with loading(checkpoint, _WHO):
        pipe = diffusers.DiffusionPipeline.from_pretrained(
            checkpoint.place, revision=options.revision, local_files_only=options.offline, dtype=dtype
        )
    kind = type(pipe).__name__
    if kind not in (_OPEN, _THREE):
        raise BackendMissingError(f"{_WHO}: {options.model!r} is a {kind}, expected a {_OPEN} or {_THREE}")
    pipe = pipe.to(device)
    pipe.set_progress_bar_config(disable=True)
    latents = _open(pipe, options) if kind == _OPEN else _three(pipe, options)

    def generate(wishes: Sequence[Wish], seconds: float) -> Float32[np.ndarray, "b t"]:
        with torch.inference_mode():
            return _decoded(pipe, latents(wishes, seconds), seconds)

    rate_hz, name = int(pipe.vae.config.sampling_rate), _named(checkpoint, pipe, options)
    return Generator(generate, rate_hz, name, checkpoint.name, licence(checkpoint))


def _open(pipe: Any, options: StableAudioOptions) -> Callable[[Sequence[Wish], float], Any]:
    """Open: the model always makes its full length, 47.5 s; what is wanted of it is kept, and some more to decode."""
    torch = library("torch")
    rate_hz, hop = pipe.vae.config.sampling_rate, pipe.vae.hop_length
    longest_s = pipe.transformer.config.sample_size * hop / rate_hz

    def once(wishes: Sequence[Wish], seconds: float, unwanted: list[str] | None) -> Any:
        return pipe(
            prompt=[wish.prompt for wish in wishes],
            negative_prompt=unwanted,
            audio_end_in_s=seconds,
            num_inference_steps=options.steps or _OPEN_STEPS,
            guidance_scale=_guidance(pipe, options),
            generator=_seeded(wishes),
            output_type="latent",
        ).audios[..., : math.ceil(seconds * rate_hz / hop) + _DECODER_REACH]

    def latents(wishes: Sequence[Wish], seconds: float) -> Any:
        if seconds > longest_s:
            raise InputError(
                f"{_WHO}: expected loops of at most {longest_s - MARGIN_S:.1f} s of {options.model}, "
                f"got {seconds - MARGIN_S:g} s"
            )
        # where nothing is unwanted the model was trained on an empty condition, which is not that of the text ""
        free = [i for i, wish in enumerate(wishes) if not wish.negative_prompt]
        bound = [i for i, wish in enumerate(wishes) if wish.negative_prompt]
        made: dict[int, Any] = {}
        if free:
            made.update(zip(free, once([wishes[i] for i in free], seconds, None), strict=True))
        if bound:
            some = [wishes[i] for i in bound]
            made.update(zip(bound, once(some, seconds, [wish.negative_prompt for wish in some]), strict=True))
        return torch.stack([made[i] for i in range(len(wishes))])

    return latents


def _three(pipe: Any, options: StableAudioOptions) -> Callable[[Sequence[Wish], float], Any]:
    """3: a latent of the wanted length; its scheduler says how many steps it was distilled for."""

    def latents(wishes: Sequence[Wish], seconds: float) -> Any:
        return pipe(
            prompt=[wish.prompt for wish in wishes],
            negative_prompt=[wish.negative_prompt for wish in wishes],
            duration=seconds,
            num_inference_steps=options.steps,
            guidance_scale=_guidance(pipe, options),
            generator=_seeded(wishes),
            output_type="latent",
        ).audios

    return latents


def _decoded(pipe: Any, latents: Any, seconds: float) -> Float32[np.ndarray, "b t"]:
    """Latents to mono, one at a time: the decoder of a whole batch would need most of a large GPU's memory."""
    length = int(seconds * pipe.vae.config.sampling_rate)
    stereo = [pipe.vae.decode(latents[i : i + 1]).sample[0, :, :length] for i in range(len(latents))]
    return np.stack([sound.float().mean(dim=0).cpu().numpy() for sound in stereo])


def _seeded(wishes: Sequence[Wish]) -> list[Any]:
    """On the CPU, so that a seed means the same noise on every device."""
    torch = library("torch")
    return [torch.Generator("cpu").manual_seed(wish.seed) for wish in wishes]


def _guidance(pipe: Any, options: StableAudioOptions) -> float:
    own = _OPEN_GUIDANCE if type(pipe).__name__ == _OPEN else _THREE_GUIDANCE
    return own if options.guidance is None else options.guidance


def _named(checkpoint: Checkpoint, pipe: Any, options: StableAudioOptions) -> str:
    unheard = " (guidance 1: negative prompts have no effect)" if _guidance(pipe, options) <= 1 else ""
    return f"{used(checkpoint)}{unheard}"
