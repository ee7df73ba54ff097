"""gsplat on tensors, with gradients: the CUDA twin of `render.splat_torch.render_view_torch`."""

import numpy as np
import torch
from jaxtyping import Float

from sonoworld.frames import Pose
from sonoworld.render.splat import LOW_PASS_PX2, NEAR_M
from sonoworld.render.splat_gpu import require_gsplat
from sonoworld.render.splat_torch import SH0, SplatTensors, TensorImage


def render_tensors_gpu(
    splats: SplatTensors, K: Float[np.ndarray, "3 3"], size_px: tuple[int, int], world_from_camera: Pose
) -> TensorImage:
    """See splats through a pinhole camera, on their GPU; gradients flow to every field of the splats.

    Raises:
        BackendMissingError: no gsplat, or no CUDA.
    """
    like = splats.means
    camera_from_world = world_from_camera.inverse()
    view = np.eye(4)
    view[:3, :3], view[:3, 3] = camera_from_world.rotation, camera_from_world.origin
    colours, alphas, _ = require_gsplat().rasterization(
        means=splats.means,
        quats=splats.quats,
        scales=torch.exp(splats.log_scales),
        opacities=torch.sigmoid(splats.opacity_logits),
        colors=torch.clamp(SH0 * splats.sh[:, 0] + 0.5, min=0.0),
        viewmats=torch.tensor(view, dtype=like.dtype, device=like.device)[None],
        Ks=torch.tensor(K, dtype=like.dtype, device=like.device)[None],
        width=size_px[0],
        height=size_px[1],
        near_plane=NEAR_M,
        eps2d=LOW_PASS_PX2,
        render_mode="RGB+ED",
    )
    alpha = alphas[0, ..., 0]
    depth = torch.where(alpha > 0, colours[0, ..., 3], torch.zeros_like(alpha))
    return TensorImage(torch.clamp(colours[0, ..., :3], max=1.0), depth, alpha)
