"""Pictures of splats on a CUDA GPU by gsplat (Apache 2.0), under the signature of `render.splat.render_view`.

gsplat blends as `render.splat` does (Zwicker's projection, 0.3 px² low pass, alpha from 1/255 to 0.99 or 0.999 by
version), so pictures agree but at thresholds; `tests/test_splat_gpu.py` says how this is checked without a GPU.
"""

from types import ModuleType

import numpy as np
from jaxtyping import Float64

from sonoworld.errors import BackendMissingError
from sonoworld.frames import Pose
from sonoworld.render.splat import LOW_PASS_PX2, NEAR_M, SplatImage, check_camera, seen_colours
from sonoworld.types import Splats

DEVICE = "cuda"


def require_gsplat() -> ModuleType:
    """The module gsplat, on a machine where it can draw.

    Raises:
        BackendMissingError: no gsplat, or no CUDA.
    """
    try:
        import gsplat  # noqa: PLC0415  # pyright: ignore[reportMissingImports]  an extra
        import torch  # noqa: PLC0415
    except ImportError as error:
        raise BackendMissingError(
            f"gsplat is not installed ({error}): pip install 'sonoworld[gpu]' on a machine with CUDA"
        ) from error
    if not torch.cuda.is_available():
        raise BackendMissingError("gsplat needs a CUDA GPU, and torch sees none; `render_view` draws on the CPU")
    return gsplat


def render_view_gpu(
    splats: Splats, K: Float64[np.ndarray, "3 3"], size_px: tuple[int, int], world_from_camera: Pose
) -> SplatImage:
    """See splats through a pinhole camera, on the GPU.

    Args:
        splats: what is there, world axes, m.
        K: intrinsics in px, no skew.
        size_px: (width, height).
        world_from_camera: where the camera is; camera axes RDF.

    Raises:
        InputError: the picture is empty or the camera is not a pinhole without skew.
        BackendMissingError: no gsplat, or no CUDA.
    """
    check_camera(K, size_px)
    gsplat = require_gsplat()
    import torch  # noqa: PLC0415

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.tensor(array, dtype=torch.float32, device=DEVICE)

    camera_from_world = world_from_camera.inverse()
    view = np.eye(4)
    view[:3, :3], view[:3, 3] = camera_from_world.rotation, camera_from_world.origin
    colours, alphas, _ = gsplat.rasterization(
        means=tensor(splats.means),
        quats=tensor(splats.quats),
        scales=torch.exp(tensor(splats.log_scales)),
        opacities=torch.sigmoid(tensor(splats.opacity_logits)),
        colors=tensor(seen_colours(splats, world_from_camera.origin)),
        viewmats=tensor(view)[None],
        Ks=tensor(K)[None],
        width=size_px[0],
        height=size_px[1],
        near_plane=NEAR_M,
        eps2d=LOW_PASS_PX2,
        render_mode="RGB+ED",
    )
    picture, alpha = colours[0].cpu().numpy(), alphas[0, ..., 0].cpu().numpy()
    depth = np.where(alpha > 0, picture[..., 3], np.float32(np.inf))
    return SplatImage(np.minimum(picture[..., :3], np.float32(1)), depth, alpha)
