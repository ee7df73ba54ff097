"""SAM 3, SAM 2 and CLIPSeg, tiny and random, in the official format: configurations, processors, saved folders."""

# pyright: basic
from pathlib import Path
from typing import Any

LETTERS = [chr(c) for c in range(33, 127)]
TOKENS = [*LETTERS, *(c + "</w>" for c in LETTERS), "<|startoftext|>", "<|endoftext|>"]
END = len(TOKENS) - 1
TEXT = {"vocab_size": len(TOKENS), "eos_token_id": END, "bos_token_id": END - 1, "pad_token_id": END}
SMALL = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}


def tokenizer(longest: int) -> Any:
    """CLIP's, of single letters."""
    from transformers import CLIPTokenizer  # noqa: PLC0415

    return CLIPTokenizer(vocab={t: i for i, t in enumerate(TOKENS)}, merges=[], model_max_length=longest)


def clipseg_config() -> Any:
    """As `CIDAS/clipseg-rd64-refined`, with fewer and narrower layers and a learnt grid of 2×2 patches."""
    from transformers import CLIPSegConfig  # noqa: PLC0415

    return CLIPSegConfig(
        text_config={**SMALL, **TEXT, "num_hidden_layers": 2, "max_position_embeddings": 20},
        vision_config={**SMALL, "num_hidden_layers": 4, "image_size": 32, "patch_size": 16},
        projection_dim=24, extract_layers=[0, 1, 2], reduce_dim=8, decoder_num_attention_heads=2,
        decoder_intermediate_size=16, use_complex_transposed_convolution=True,
    )  # fmt: skip


def clipseg_processor(side: int = 64) -> Any:
    from transformers import CLIPSegProcessor, ViTImageProcessor  # noqa: PLC0415

    return CLIPSegProcessor(ViTImageProcessor(size={"height": side, "width": side}), tokenizer(20))


def sam3_config() -> Any:
    from transformers import Sam3Config  # noqa: PLC0415

    return Sam3Config(
        vision_config={
            "backbone_config": {
                "model_type": "sam3_vit_model",
                **SMALL, "num_hidden_layers": 2, "image_size": 112, "patch_size": 14, "window_size": 4,
                "global_attn_indexes": [1], "pretrain_image_size": 56,
            },
            "fpn_hidden_size": 32, "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
        },
        text_config={
            **SMALL, **TEXT, "num_hidden_layers": 2, "max_position_embeddings": 32, "projection_dim": 32,
        },
        geometry_encoder_config={**SMALL, "num_layers": 1},
        detr_encoder_config={**SMALL, "num_layers": 1},
        detr_decoder_config={**SMALL, "num_layers": 2, "num_queries": 10},
        mask_decoder_config={"hidden_size": 32, "num_attention_heads": 2},
    )  # fmt: skip


def sam3_processor(side: int = 112) -> Any:
    from transformers import Sam3ImageProcessor, Sam3Processor  # noqa: PLC0415

    return Sam3Processor(Sam3ImageProcessor(size={"height": side, "width": side}), tokenizer(32))


def sam2_parts() -> dict[str, Any]:
    """A global block must not start a stage."""
    small = {"hidden_size": 32}
    return {
        "vision_config": {
            "backbone_config": {
                "model_type": "sam2_hiera_det_model", "hidden_size": 12, "image_size": [128, 128],
                "embed_dim_per_stage": [12, 24, 48, 96], "num_attention_heads_per_stage": [1, 2, 4, 8],
                "blocks_per_stage": [1, 2, 2, 1], "global_attention_blocks": [4], "window_size_per_stage": [4, 4, 4, 4],
            },
            "backbone_channel_list": [96, 48, 24, 12], "fpn_hidden_size": 32,
            "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
        },
        "prompt_encoder_config": {**small, "image_size": 128},
        "mask_decoder_config": {**small, "mlp_dim": 64, "num_attention_heads": 2, "iou_head_hidden_dim": 32},
    }  # fmt: skip


def sam2_config() -> Any:
    from transformers import Sam2Config  # noqa: PLC0415

    return Sam2Config(**sam2_parts())


def sam2_processor(side: int = 128) -> Any:
    from transformers import Sam2ImageProcessor, Sam2Processor  # noqa: PLC0415

    return Sam2Processor(Sam2ImageProcessor(size={"height": side, "width": side}))


def _save(folder: Path, model: Any, processor: Any) -> Path:
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def save_clipseg(folder: Path) -> Path:
    import torch  # noqa: PLC0415
    from transformers import CLIPSegForImageSegmentation  # noqa: PLC0415

    torch.manual_seed(0)
    return _save(folder, CLIPSegForImageSegmentation(clipseg_config()), clipseg_processor())


def save_sam3(folder: Path) -> Path:
    import torch  # noqa: PLC0415
    from transformers import Sam3Model  # noqa: PLC0415

    torch.manual_seed(0)
    return _save(folder, Sam3Model(sam3_config()), sam3_processor())


def save_sam2(folder: Path) -> Path:
    import torch  # noqa: PLC0415
    from transformers import Sam2Model  # noqa: PLC0415

    torch.manual_seed(0)
    return _save(folder, Sam2Model(sam2_config()), sam2_processor())
