"""MoGe-1 and MoGe-2, tiny and random, in the official format: one file of configuration and weights."""

# pyright: basic
from functools import partial
from pathlib import Path
from typing import Any

WIDTHS = [16, 8, 8, 8, 8]
RESAMPLERS = ["conv_transpose", "conv_transpose", "conv_transpose", "bilinear"]
NORMS = {"res_block_in_norm": "none", "res_block_hidden_norm": "none"}
STACK = {"dim_res_blocks": WIDTHS, "num_res_blocks": [0, 1, 1, 1, 0], "resamplers": RESAMPLERS, **NORMS}


def moge_2(backbone: str = "dinov2_tiny", *, scale: bool = True, mask: bool = True) -> dict[str, Any]:
    """As `Ruicheng/moge-2-vitl-normal`, with fewer and narrower layers."""
    last = [None, None, None, None]
    config: dict[str, Any] = {
        "encoder": {"backbone": backbone, "intermediate_layers": [0, 1], "dim_out": 16},
        "neck": {**STACK, "dim_in": [18, 2, 2, 2, 2], "dim_out": None},
        "points_head": {**STACK, "dim_in": WIDTHS, "dim_out": [*last, 3]},
        "normal_head": {**STACK, "dim_in": WIDTHS, "dim_out": [*last, 3]},
        "remap_output": "exp",
        "num_tokens_range": [16, 64],
    }
    if mask:
        config["mask_head"] = {**STACK, "dim_in": WIDTHS, "dim_out": [*last, 1]}
    if scale:
        config["scale_head"] = {"dims": [48, 16, 1]}
    return config


def moge_2_large() -> dict[str, Any]:
    """`Ruicheng/moge-2-vitl-normal`, as configs/train/v2.json of its repository has it."""
    widths = [1024, 256, 128, 64, 32]
    stack = {"dim_res_blocks": widths, "resamplers": RESAMPLERS, **NORMS}
    head = {**stack, "dim_in": widths, "num_res_blocks": [0, 1, 1, 1, 0]}
    none = [None, None, None, None]
    return {
        "encoder": {"backbone": "dinov2_vitl14", "intermediate_layers": [5, 11, 17, 23], "dim_out": 1024},
        "neck": {**stack, "dim_in": [1026, 2, 2, 2, 2], "dim_out": None, "num_res_blocks": [0, 2, 2, 2, 0]},
        **{f"{name}_head": {**head, "dim_out": [*none, n]} for name, n in (("points", 3), ("normal", 3), ("mask", 1))},
        "scale_head": {"dims": [1024, 1024, 1024, 1]},
        "remap_output": "exp",
        "num_tokens_range": [1200, 3600],
    }


def moge_1(backbone: str = "dinov2_tiny") -> dict[str, Any]:
    """As `Ruicheng/moge-vitl`."""
    return {
        "encoder": backbone, "remap_output": "exp", "intermediate_layers": 2, "dim_proj": 32,
        "dim_upsample": [32, 32, 32], "num_tokens_range": [16, 64], "last_conv_channels": 8,
    }  # fmt: skip


def add_tiny_encoder() -> None:
    """The package knows sizes from 22 M parameters on; this adds one of 0.1 M under the name `dinov2_tiny`."""
    from moge.model.dinov2.hub import backbones  # noqa: PLC0415
    from moge.model.dinov2.models.vision_transformer import DinoVisionTransformer  # noqa: PLC0415

    tiny = partial(
        DinoVisionTransformer, img_size=518, patch_size=14, embed_dim=48, depth=2, num_heads=2, mlp_ratio=2,
        init_values=1.0, ffn_layer="mlp", block_chunks=0,
    )  # fmt: skip

    def made(*, pretrained: bool) -> Any:
        assert not pretrained
        return tiny()

    backbones.dinov2_tiny = made


def save_moge(folder: Path, config: dict[str, Any], factor: float = 0.05, across: float = 1.0) -> Path:
    """`factor`: of a MoGe-2's metres; 0.05 makes them metres of a room. Everything is said to be there, not sky.

    `across`: of what a MoGe-2 says of left and right, up and down; the field of view follows from it, and a random
    model sees behind itself: −0.02 makes it 68° for the bundled photo.
    """
    import math  # noqa: PLC0415

    import torch  # noqa: PLC0415

    add_tiny_encoder()
    second = isinstance(config["encoder"], dict)
    from moge.model import import_model_class_by_version  # noqa: PLC0415

    torch.manual_seed(0)
    net = import_model_class_by_version("v2" if second else "v1")(**config)
    with torch.no_grad():
        if "scale_head" in config:
            net.scale_head[-1].bias.fill_(math.log(factor))
        if second and "mask_head" in config:
            net.mask_head.output_blocks[-1].bias.fill_(4.0)
        if second:
            last = net.points_head.output_blocks[-1]
            last.weight[:2] *= across
            last.bias[:2] *= across
        if not second:
            net.head.output_block[1][-1].bias.fill_(4.0)
    folder.mkdir(exist_ok=True, parents=True)
    torch.save({"model_config": config, "model": net.state_dict()}, folder / "model.pt")
    return folder
