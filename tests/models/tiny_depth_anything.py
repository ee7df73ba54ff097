"""Depth Anything V2, tiny and random, in the official format."""

# pyright: basic
from pathlib import Path
from typing import Any


def config(kind: str, **changes: Any) -> Any:
    """As `depth-anything/Depth-Anything-V2-Small-hf`, with fewer and narrower layers. `kind`: relative or metric."""
    from transformers import DepthAnythingConfig, Dinov2Config  # noqa: PLC0415

    backbone = Dinov2Config(
        hidden_size=32, num_attention_heads=2, num_hidden_layers=4, image_size=70, patch_size=14,
        out_indices=[1, 2, 3, 4], reshape_hidden_states=False, apply_layernorm=True,
    )  # fmt: skip
    return DepthAnythingConfig(
        backbone_config=backbone, reassemble_hidden_size=32, neck_hidden_sizes=[8, 8, 16, 16], fusion_hidden_size=8,
        head_hidden_size=8, depth_estimation_type=kind, max_depth=20 if kind == "metric" else 1, **changes,
    )  # fmt: skip


def full(size: str, kind: str) -> Any:
    """Of full size: small, base or large."""
    from transformers import DepthAnythingConfig, Dinov2Config  # noqa: PLC0415

    hidden, heads, layers, out, neck, fusion = {
        "small": (384, 6, 12, [3, 6, 9, 12], [48, 96, 192, 384], 64),
        "base": (768, 12, 12, [3, 6, 9, 12], [96, 192, 384, 768], 128),
        "large": (1024, 16, 24, [5, 12, 18, 24], [256, 512, 1024, 1024], 256),
    }[size]
    backbone = Dinov2Config(
        hidden_size=hidden, num_attention_heads=heads, num_hidden_layers=layers, image_size=518, patch_size=14,
        out_indices=out, reshape_hidden_states=False, apply_layernorm=True,
    )  # fmt: skip
    return DepthAnythingConfig(
        backbone_config=backbone, reassemble_hidden_size=hidden, neck_hidden_sizes=neck, fusion_hidden_size=fusion,
        head_hidden_size=32, depth_estimation_type=kind, max_depth=80 if kind == "metric" else 1,
    )  # fmt: skip


def processor(side: int = 70) -> Any:
    """As published: the shorter side to 518 px, sides multiples of 14."""
    from transformers import DPTImageProcessor  # noqa: PLC0415

    return DPTImageProcessor(
        size={"height": side, "width": side}, keep_aspect_ratio=True, ensure_multiple_of=14, resample=3,
        image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225],
    )  # fmt: skip


def save(folder: Path, kind: str) -> Path:
    import torch  # noqa: PLC0415
    from transformers import DepthAnythingForDepthEstimation  # noqa: PLC0415

    torch.manual_seed(0)
    net = DepthAnythingForDepthEstimation(config(kind))
    net.save_pretrained(folder)
    processor().save_pretrained(folder)
    return folder
