"""Every model of `best.toml` without its weights: checkpoints of random numbers in the official formats, full or tiny.

Full sizes are those that are published (counted against the parameters that the backends state); the ones of Stable
Audio 3 are the defaults of its classes in diffusers. They are stored in 16 bits, for speed of disks.
"""

# pyright: basic, reportMissingImports=false, reportPrivateImportUsage=false, reportArgumentType=false
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "models"))
import full_painters
import tiny_depth
import tiny_painters
import tiny_recipes
import tiny_segmenters

import sound_made
import vlm_made
from sonoworld.panorama import flux_fill
from sonoworld.panorama.worldgen import LORA_FILE
from sonoworld.segment import sam3

LORA_RANK = 16
Options = dict[str, object]


def tiny(folder: Path) -> dict[str, Options]:
    """Stage -> options, of models that run in seconds on a CPU."""
    makers: dict[str, Callable[[Path], Options]] = {
        "calibrate": tiny_recipes.moge_fov, "panorama": tiny_recipes.worldgen, "lift": tiny_recipes.moge,
        "understand": tiny_recipes.qwen_vl, "segment": tiny_recipes.sam3, "sound": tiny_recipes.stable_audio,
    }  # fmt: skip
    return {stage: make(folder / stage) for stage, make in makers.items()}


def full(folder: Path, device: str, large_folder: Path) -> dict[str, Options]:
    """The same at full size; what is painted with, 34 GB, goes into the second folder."""
    depth = {"model": tiny_depth.save_moge(folder / "moge", tiny_depth.moge_2_large(), across=-0.02), "offline": True}
    fill, lora = large_folder / "fill", folder / "lora"
    _fill(fill, lora / LORA_FILE, device)
    _seeing(folder / "qwen", device)
    _sam3(folder / "sam3", device)
    _sound(folder / "sound", device)
    sound_made.clap(folder / "clap", tiny=False)
    return {
        "calibrate": depth,
        "panorama": {"model": fill, "lora": lora, "offline": True, "prompt": "hills"},
        "lift": depth,
        "understand": {"model": folder / "qwen", "offline": True},
        "segment": {"model": folder / "sam3", "offline": True},
        "sound": {"model": folder / "sound", "rank_model": folder / "clap", "offline": True},
    }


def _counted(net: Any, name: str, expected: int) -> Any:
    count = sum(p.numel() for p in net.parameters())
    if count != expected:
        raise SystemExit(f"{name}: expected {expected:,} parameters as published, got {count:,}")
    return net


def _made(build: Callable[[], Any], device: str, dtype: Any) -> Any:
    import torch  # noqa: PLC0415

    torch.manual_seed(0)
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            net = build()
    finally:
        torch.set_default_dtype(torch.float32)
    return net.to("cpu", dtype).eval()


def _fill(folder: Path, lora: Path, device: str) -> None:
    import torch  # noqa: PLC0415
    from diffusers import FluxFillPipeline  # noqa: PLC0415
    from safetensors.torch import save_file  # noqa: PLC0415

    small = tiny_painters.flux_fill_pipeline()
    nets = {
        name: _counted(_made(build, device, torch.bfloat16), name, flux_fill.PARAMETERS[name])
        for name, build in full_painters.flux_fill_parts().items()
    }
    weights: dict[str, Any] = {}
    for index in range(len(nets["transformer"].single_transformer_blocks)):
        for name in ("to_q", "to_k", "to_v"):
            where = f"transformer.single_transformer_blocks.{index}.attn.{name}"
            weights[f"{where}.lora_A.weight"] = torch.randn(LORA_RANK, 3072, dtype=torch.bfloat16) / 3072**0.5
            weights[f"{where}.lora_B.weight"] = torch.zeros(3072, LORA_RANK, dtype=torch.bfloat16)
    lora.parent.mkdir(parents=True)
    save_file(weights, lora)
    pipe = FluxFillPipeline(
        scheduler=small.scheduler, tokenizer=small.tokenizer, tokenizer_2=small.tokenizer_2, **nets
    )  # fmt: skip
    pipe.save_pretrained(folder)


def _seeing(folder: Path, device: str) -> None:
    import torch  # noqa: PLC0415
    from transformers import AutoModelForImageTextToText  # noqa: PLC0415

    made = vlm_made.qwen3_vl(tiny=False)
    net = _made(lambda: AutoModelForImageTextToText.from_config(made.config, dtype=torch.bfloat16), device,
                torch.bfloat16)  # fmt: skip
    net.save_pretrained(folder)
    made.processor.save_pretrained(folder)


def _sam3(folder: Path, device: str) -> None:
    import torch  # noqa: PLC0415
    from transformers import Sam3Config, Sam3Model  # noqa: PLC0415

    config = Sam3Config()
    net = _counted(_made(lambda: Sam3Model(config), device, torch.bfloat16), "SAM 3", sam3.PARAMETERS)
    net.save_pretrained(folder)
    tiny_segmenters.sam3_processor(config.vision_config.backbone_config.image_size).save_pretrained(folder)


def _sound(folder: Path, device: str) -> None:
    import torch  # noqa: PLC0415
    from diffusers import (  # noqa: PLC0415
        AutoencoderSAME,
        FlowMatchEulerDiscreteScheduler,
        StableAudio3DiTModel,
        StableAudio3Pipeline,
    )
    from diffusers.pipelines.stable_audio_3 import StableAudio3DurationEmbedder  # noqa: PLC0415
    from transformers import GemmaTokenizer, T5GemmaConfig, T5GemmaEncoderModel, T5GemmaModuleConfig  # noqa: PLC0415

    words = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", *sound_made.LETTERS]
    encoder = T5GemmaModuleConfig(
        vocab_size=256_000, hidden_size=768, intermediate_size=2048, num_hidden_layers=12, num_attention_heads=12,
        num_key_value_heads=12, head_dim=64,
    )  # fmt: skip
    text = T5GemmaConfig(encoder=encoder, decoder=encoder, is_encoder_decoder=False, vocab_size=256_000)
    builds: dict[str, Callable[[], Any]] = {
        "vae": AutoencoderSAME,
        "text_encoder": lambda: T5GemmaEncoderModel(text),
        "duration_embedder": StableAudio3DurationEmbedder,
        "transformer": StableAudio3DiTModel,
    }
    pipe = StableAudio3Pipeline(
        **{name: _awake(_made(build, device, torch.float32)).to(torch.float16) for name, build in builds.items()},
        tokenizer=GemmaTokenizer(vocab={w: i for i, w in enumerate(words)}, merges=[], model_max_length=64),
        scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, stochastic_sampling=True),
    )
    pipe.save_pretrained(folder)


def _awake(net: Any) -> Any:
    """Layers that begin at zero would let nothing through."""
    import torch  # noqa: PLC0415

    with torch.no_grad():
        for weight in net.parameters():
            if not weight.any():
                weight.normal_(std=0.02)
    return net
