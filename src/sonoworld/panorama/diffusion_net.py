"""Loading a pipeline of diffusers, holding its weights as asked, and keeping its latents closed at ±180°.

Letters: a picture is a grid of r × c tokens (16 px a side); n of the columns are shared (`circle`).
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from sonoworld.errors import StageError
from sonoworld.panorama.circle import agreed, opened
from sonoworld.panorama.diffusion import TOKEN_PX, DiffusionOptions
from sonoworld.panorama.paint import Plan, Sentences, Wish
from sonoworld.panorama.poles import PoleView
from sonoworld.weights import Checkpoint, chosen_device, chosen_dtype, library, loading

FEATHER_DEG = 8.0
"""Width of the ring in which a pole view is blended in."""


def plan_of(options: DiffusionOptions, sentences: Sentences, *, from_embedded: bool = False) -> Plan:
    """What is to be painted by these options."""
    radius, feather = (float(np.radians(angle)) for angle in (options.pole_deg, min(FEATHER_DEG, options.pole_deg)))
    views = tuple(PoleView(up, options.pole_px, radius, feather) for up in (True, False)) if radius else ()
    return Plan(
        height=options.width // 2,
        canvas=options.canvas_width // 2,
        shared=options.shared_px,
        poles=views,
        sentences=sentences,
        scene=options.prompt,
        seed=options.seed,
        from_embedded=from_embedded,
    )


def loaded(kind: str, options: DiffusionOptions, checkpoint: Checkpoint, who: str, large_text: str) -> Any:
    """The pipeline of class `kind` in memory of this machine, not placed yet. `large_text`: its large text encoder.

    Raises:
        BackendMissingError: a package, the checkpoint or some of its weights are missing.
    """
    diffusers = library("diffusers")
    device = chosen_device(options.device)
    dtype = chosen_dtype(options.dtype, device, on_gpu="bfloat16")
    how: dict[str, Any] = {"revision": checkpoint.revision, "local_files_only": checkpoint.offline, "dtype": dtype}
    if options.quantise == "4bit":
        library("bitsandbytes")
        how["quantization_config"] = four_bit(dtype, large_text)
    with loading(checkpoint, who):
        pipe = getattr(diffusers, kind).from_pretrained(checkpoint.place, use_safetensors=True, **how)
        _require_whole(pipe)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def four_bit(dtype: Any, large_text: str) -> Any:
    """The configuration of 4 bits (NF4) for the two largest parts: each library has its own class for it."""
    diffusers, transformers = library("diffusers"), library("transformers")
    how = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_compute_dtype": dtype}
    parts = {
        "transformer": diffusers.BitsAndBytesConfig(**how),
        large_text: transformers.BitsAndBytesConfig(**how),
    }
    return diffusers.PipelineQuantizationConfig(quant_mapping=parts)


def placed(pipe: Any, options: DiffusionOptions) -> Any:
    """The pipeline with its weights held as the options ask; on the CPU there is nothing to offload."""
    torch = library("torch")
    device = chosen_device(options.device)
    if options.quantise == "fp8":
        dtype = pipe.transformer.dtype
        pipe.transformer.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=dtype)
    if options.tiled_vae:
        pipe.vae.enable_tiling()
    if device == "cpu" or options.offload == "none":
        return pipe.to(device)
    if options.offload == "model":
        pipe.enable_model_cpu_offload(device=device)
    else:
        pipe.enable_sequential_cpu_offload(device=device)
    return pipe


def with_lora(pipe: Any, lora: Checkpoint, weight_name: str, who: str, *, fuse: bool) -> Any:
    """The pipeline with a LoRA; `fuse` adds it to the weights (not possible where they are quantised).

    Raises:
        BackendMissingError: the package peft or the file is missing, or no part of it fits the model.
    """
    library("peft")
    where = {"revision": lora.revision, "local_files_only": lora.offline, "use_safetensors": True}
    with loading(lora, who):
        pipe.load_lora_weights(lora.place, weight_name=weight_name, **where)
        if not pipe.get_list_adapters():
            raise ValueError("nothing in it fits this model")
    if fuse:
        pipe.fuse_lora()
        pipe.unload_lora_weights()
    return pipe


def noise(picture: UInt8[np.ndarray, "h w 3"], channels: int, wish: Wish) -> Float32[np.ndarray, "r c k"]:
    """Noise of the picture's tokens; shared columns have the same."""
    rows, columns, shared = picture.shape[0] // TOKEN_PX, picture.shape[1] // TOKEN_PX, wish.shared // TOKEN_PX
    once = np.random.default_rng(wish.seed).standard_normal((rows, columns - shared, channels), np.float32)
    return opened(once, shared)


def after_step(picture: UInt8[np.ndarray, "h w 3"], wish: Wish, steps: int) -> Callable[..., Mapping[str, Any]]:
    """For `callback_on_step_end`: shared columns agree after every step, and progress is told."""
    rows, shared = picture.shape[0] // TOKEN_PX, wish.shared // TOKEN_PX

    def closing(pipe: Any, step: int, timestep: Any, values: dict[str, Any]) -> Mapping[str, Any]:
        del pipe, timestep
        wish.tell((step + 1) / steps)
        latents = values["latents"]
        batch, tokens, channels = latents.shape
        grid = agreed(latents.reshape(batch, rows, tokens // rows, channels), shared)
        return {"latents": grid.reshape(batch, tokens, channels)}

    return closing


def pictured(image: Float32[np.ndarray, "h w 3"], who: str) -> UInt8[np.ndarray, "h w 3"]:
    """8 bits of a picture of 0..1.

    Raises:
        StageError: it holds numbers that are none.
    """
    if not np.isfinite(image).all():
        raise StageError(f"{who}: the model gave no picture (NaN): with dtype = float16 use bfloat16 or float32")
    return np.clip(np.rint(image * 255), 0, 255).astype(np.uint8)


def _require_whole(pipe: Any) -> None:
    """Parts that a checkpoint lacks stay without values in some versions of diffusers."""
    for name, part in pipe.components.items():
        for key, value in part.named_parameters() if hasattr(part, "named_parameters") else ():
            if value.is_meta:
                raise ValueError(f"{name} lacks {key}: another architecture?")
