"""FLUX.1 Fill and FLUX.2 klein 4B at full size: how to build each of their nets, from the published configurations."""

# pyright: basic
from collections.abc import Callable
from typing import Any

BLOCKS = {
    "down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "sample_size": 1024,
}  # fmt: skip
LARGE = {"attention_head_dim": 128, "num_attention_heads": 24}


def flux_fill_parts() -> dict[str, Callable[[], Any]]:
    """`black-forest-labs/FLUX.1-Fill-dev`; CLIP ViT-L/14's text tower, T5 v1.1 XXL's encoder."""
    from diffusers import AutoencoderKL, FluxTransformer2DModel  # noqa: PLC0415
    from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel  # noqa: PLC0415

    clip = CLIPTextConfig(
        hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, projection_dim=768
    )
    t5 = T5Config(
        vocab_size=32128, d_model=4096, d_kv=64, d_ff=10240, num_layers=24, num_heads=64,
        feed_forward_proj="gated-gelu", is_gated_act=True, dense_act_fn="gelu_new", tie_word_embeddings=False,
    )  # fmt: skip
    return {
        "transformer": lambda: FluxTransformer2DModel(
            **LARGE, in_channels=384, out_channels=64, num_layers=19, num_single_layers=38, joint_attention_dim=4096,
            pooled_projection_dim=768, guidance_embeds=True, axes_dims_rope=(16, 56, 56),
        ),
        "text_encoder": lambda: CLIPTextModel(clip),
        "text_encoder_2": lambda: T5EncoderModel(t5),
        "vae": lambda: AutoencoderKL(
            **BLOCKS, latent_channels=16, use_quant_conv=False, use_post_quant_conv=False, shift_factor=0.1159,
            scaling_factor=0.3611,
        ),
    }  # fmt: skip


def flux2_klein_parts() -> dict[str, Callable[[], Any]]:
    """`black-forest-labs/FLUX.2-klein-4B`, with Qwen3-4B, whose layers 9, 18 and 27 (3 × 2560) are its words."""
    from diffusers import AutoencoderKLFlux2, Flux2Transformer2DModel  # noqa: PLC0415
    from transformers import Qwen3Config, Qwen3ForCausalLM  # noqa: PLC0415

    qwen = Qwen3Config(
        vocab_size=151936, hidden_size=2560, intermediate_size=9728, num_hidden_layers=36, num_attention_heads=32,
        num_key_value_heads=8, head_dim=128, tie_word_embeddings=True,
    )  # fmt: skip
    return {
        "transformer": lambda: Flux2Transformer2DModel(
            **LARGE, in_channels=128, num_layers=5, num_single_layers=20, joint_attention_dim=7680,
            guidance_embeds=False, axes_dims_rope=(32, 32, 32, 32),
        ),
        "text_encoder": lambda: Qwen3ForCausalLM(qwen),
        "vae": lambda: AutoencoderKLFlux2(**BLOCKS, latent_channels=32),
    }  # fmt: skip
