"""FLUX.1 Fill, FLUX.2 klein and a LoRA, tiny and random, in the official format of diffusers."""

# pyright: basic
from pathlib import Path
from typing import Any

LETTERS = [chr(c) for c in range(33, 127)]
TOKENS = [*LETTERS, *(c + "</w>" for c in LETTERS), "<|startoftext|>", "<|endoftext|>"]
END = len(TOKENS) - 1
LATENTS = 4
DIMENSIONS = {"num_layers": 1, "num_single_layers": 1, "num_attention_heads": 2, "attention_head_dim": 16}


def clip() -> tuple[Any, Any]:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer  # noqa: PLC0415

    config = CLIPTextConfig(
        hidden_size=32, num_attention_heads=2, intermediate_size=64, num_hidden_layers=2, projection_dim=32,
        vocab_size=len(TOKENS), eos_token_id=END, bos_token_id=END - 1, pad_token_id=END,
    )  # fmt: skip
    vocab = {token: i for i, token in enumerate(TOKENS)}
    return CLIPTextModel(config), CLIPTokenizer(vocab=vocab, merges=[], model_max_length=77)


def t5() -> tuple[Any, Any]:
    from transformers import T5Config, T5EncoderModel, T5Tokenizer  # noqa: PLC0415

    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), *((c, -3.0) for c in LETTERS)]
    config = T5Config(vocab_size=len(pieces), d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4)
    return T5EncoderModel(config), T5Tokenizer(vocab=pieces, extra_ids=0)


def qwen3() -> tuple[Any, Any]:
    """28 layers, since the pipeline reads layers 9, 18 and 27."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers  # noqa: PLC0415
    from transformers import Qwen2TokenizerFast, Qwen3Config, Qwen3ForCausalLM  # noqa: PLC0415

    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    raw = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate([*letters, *marks])}, merges=[]))
    raw.pre_tokenizer, raw.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    tokenizer = Qwen2TokenizerFast(
        tokenizer_object=raw, eos_token="<|im_end|>", pad_token="<|endoftext|>", unk_token=None
    )
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    config = Qwen3Config(
        vocab_size=len(letters) + len(marks), hidden_size=16, intermediate_size=32, num_hidden_layers=28,
        num_attention_heads=2, num_key_value_heads=1, head_dim=8,
    )  # fmt: skip
    return Qwen3ForCausalLM(config), tokenizer


def vae_blocks() -> dict[str, Any]:
    return {
        "down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4,
        "block_out_channels": (8, 8, 8, 8), "layers_per_block": 1, "latent_channels": LATENTS, "norm_num_groups": 4,
    }  # fmt: skip


def flux_fill_pipeline() -> Any:
    import torch  # noqa: PLC0415
    from diffusers import (  # noqa: PLC0415
        AutoencoderKL,
        FlowMatchEulerDiscreteScheduler,
        FluxFillPipeline,
        FluxTransformer2DModel,
    )

    torch.manual_seed(0)
    text, tokenizer = clip()
    text_2, tokenizer_2 = t5()
    return FluxFillPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=AutoencoderKL(
            **vae_blocks(), use_quant_conv=False, use_post_quant_conv=False, shift_factor=0.1159, scaling_factor=0.3611
        ),
        text_encoder=text, tokenizer=tokenizer, text_encoder_2=text_2, tokenizer_2=tokenizer_2,
        transformer=FluxTransformer2DModel(
            **DIMENSIONS, in_channels=8 * LATENTS + 256, out_channels=4 * LATENTS, joint_attention_dim=32,
            pooled_projection_dim=32, guidance_embeds=True, axes_dims_rope=(4, 4, 8),
        ),
    )  # fmt: skip


def flux2_klein_pipeline() -> Any:
    import torch  # noqa: PLC0415
    from diffusers import (  # noqa: PLC0415
        AutoencoderKLFlux2,
        FlowMatchEulerDiscreteScheduler,
        Flux2KleinPipeline,
        Flux2Transformer2DModel,
    )

    torch.manual_seed(0)
    text, tokenizer = qwen3()
    return Flux2KleinPipeline(  # published as this; the inpainting pipeline takes the same parts
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=AutoencoderKLFlux2(**vae_blocks()),
        text_encoder=text, tokenizer=tokenizer,
        transformer=Flux2Transformer2DModel(
            **DIMENSIONS, in_channels=4 * LATENTS, joint_attention_dim=48, guidance_embeds=False,
            axes_dims_rope=(4, 4, 4, 4),
        ),
        is_distilled=True,
    )  # fmt: skip


def save_lora(folder: Path, name: str) -> Path:
    """A LoRA of rank 2 on one projection of the tiny FLUX.1 Fill."""
    import torch  # noqa: PLC0415
    from safetensors.torch import save_file  # noqa: PLC0415

    rng = torch.Generator().manual_seed(1)
    where = "transformer.single_transformer_blocks.0.attn.to_q"
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(
        {
            f"{where}.lora_A.weight": torch.randn(2, 32, generator=rng),
            f"{where}.lora_B.weight": torch.randn(32, 2, generator=rng),
        },
        file,
    )
    return folder
