"""A stand-in for HunyuanWorld-Mirror's src/models/models/worldmirror.py, with its signatures as of commit c61300e.

It lives where a test copies it to. It sees no pictures: it answers with the depths of a box around the eye, in units of
`unit`, along the rays of the cameras it is told of; strict about shapes. Down is where the first view looks.
"""

from typing import Any

import torch
from torch import nn

HALF_WIDTH_M, ABOVE_M, BELOW_M = 4.0, 3.0, 1.6


class WorldMirror(nn.Module):
    def __init__(  # noqa: PLR0917  theirs
        self,
        img_size: int = 518,
        patch_size: int = 14,
        embed_dim: int = 1024,
        gs_dim: int = 256,
        enable_cond: bool = True,
        enable_cam: bool = True,
        enable_pts: bool = True,
        enable_depth: bool = True,
        enable_norm: bool = True,
        enable_gs: bool = True,
        patch_embed: str = "dinov2_vitl14_reg",
        fixed_patch_embed: bool = False,
        sampling_strategy: str = "uniform",
        dpt_gradient_checkpoint: bool = False,
        condition_strategy: Any = ("token", "pow3r", "token"),
    ) -> None:
        super().__init__()
        assert enable_cond and enable_depth
        assert not (enable_cam or enable_pts or enable_norm or enable_gs)
        self.patch_size = patch_size
        self.depth_head = nn.ParameterDict({"unit": nn.Parameter(torch.ones(embed_dim))})

    def forward(self, views: dict[str, Any], cond_flags: Any = (0, 0, 0), is_inference: bool = True) -> dict[str, Any]:
        images, poses, K = views["img"], views["camera_poses"], views["camera_intrs"]
        count, (high, wide) = images.shape[1], images.shape[-2:]
        assert list(cond_flags) == [1, 0, 1] and is_inference and "depthmap" not in views
        assert images.shape == (1, count, 3, high, wide) and high % self.patch_size == wide % self.patch_size == 0
        assert images.min() >= 0 and images.max() <= 1
        assert poses.shape == (1, count, 4, 4) and K.shape == (1, count, 3, 3)
        assert (
            torch.allclose(poses[0, 0], torch.eye(4), atol=1e-6)
            and images.dtype == poses.dtype == K.dtype == torch.float32
        )
        v, u = torch.meshgrid(torch.arange(high) + 0.5, torch.arange(wide) + 0.5, indexing="ij")
        pixels = torch.stack([u, v, torch.ones_like(u)], -1)
        rays = torch.einsum("nij,njk,hwk->nhwi", poses[0, :, :3, :3], torch.linalg.inv(K[0]), pixels)
        x, y, z = rays.unbind(-1)
        below = torch.where(z > 0, BELOW_M / z, -ABOVE_M / z)
        depth = torch.minimum(HALF_WIDTH_M / torch.maximum(x.abs(), y.abs()), below)
        return {
            "depth": (depth * self.depth_head["unit"][0])[None, ..., None],
            "depth_conf": torch.ones_like(depth)[None],
        }
