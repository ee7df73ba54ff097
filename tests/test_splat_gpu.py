"""The GPU's picture: what is handed to gsplat, by a stand-in with its signature that draws with our own rasteriser.

`bench/splat_gpu.py` compares the real one with `render_view` on a machine with CUDA.
"""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from sonoworld.errors import BackendMissingError
from sonoworld.frames import Pose, world_from_camera_rotation
from sonoworld.render import splat_gpu
from sonoworld.render.splat import render_view, render_view_plain
from sonoworld.render.splat_gpu import render_view_gpu
from sonoworld.sphere import pinhole
from sonoworld.types import Splats


def cloud(n: int) -> Splats:
    rng = np.random.default_rng(0)
    return Splats(
        means=(rng.normal(0, 1.0, (n, 3)) + np.array([4, 0, 0])).astype(np.float32),
        log_scales=rng.uniform(-3, -1, (n, 3)).astype(np.float32),
        quats=rng.normal(size=(n, 4)).astype(np.float32),
        opacity_logits=rng.normal(0, 2, n).astype(np.float32),
        sh=rng.normal(size=(n, 1, 3)).astype(np.float32),
    )


def rasterization(
    *, means, quats, scales, opacities, colors, viewmats, Ks, width, height, near_plane, eps2d, render_mode
):
    """gsplat 1.5's keyword names; draws with the definition."""
    assert (render_mode, near_plane, eps2d) == ("RGB+ED", 0.05, 0.3)
    camera_from_world = viewmats[0].double().numpy()
    u, _, v = np.linalg.svd(camera_from_world[:3, :3])  # float32 made it not quite a rotation
    pose = Pose((u @ v).T, -(u @ v).T @ camera_from_world[:3, 3])
    splats = Splats(
        means.numpy(),
        torch.log(scales).numpy(),
        quats.numpy(),
        torch.logit(opacities).numpy(),
        ((colors - 0.5) / 0.28209479177387814)[:, None].numpy(),
    )
    image = render_view_plain(splats, Ks[0].double().numpy(), (width, height), pose)
    depth = np.where(image.alpha > 0, image.depth, 0)
    seen = np.concatenate([image.rgb, depth[..., None]], -1).astype(np.float32)
    return torch.tensor(seen)[None], torch.tensor(image.alpha)[None, ..., None], {}


def test_what_is_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("gsplat")
    module.rasterization = rasterization  # type: ignore[attr-defined]
    monkeypatch.setattr(splat_gpu, "require_gsplat", lambda: module)
    monkeypatch.setattr(splat_gpu, "DEVICE", "cpu")
    pose = Pose(world_from_camera_rotation(0.1, 0.2, 0.3), np.array([0.2, 0.1, -0.1]))
    K, size = pinhole(1.0, (40, 30)), (40, 30)
    ours, expected = render_view_gpu(cloud(50), K, size, pose), render_view(cloud(50), K, size, pose)
    apart = np.abs(ours.rgb - expected.rgb).reshape(-1, 3).max(1)
    assert apart.max() < 4 * 2 / 255
    assert np.mean(apart > 1e-3) < 0.01
    seen = expected.alpha > 0.1
    assert np.quantile(np.abs(ours.depth[seen] / expected.depth[seen] - 1), 0.98) < 1e-2


def test_without_gsplat_or_cuda_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    K = pinhole(1.0, (4, 4))
    pose = Pose(np.eye(3), np.zeros(3))
    monkeypatch.setitem(sys.modules, "gsplat", None)
    with pytest.raises(BackendMissingError, match="pip install"):
        render_view_gpu(cloud(2), K, (4, 4), pose)
    monkeypatch.setitem(sys.modules, "gsplat", SimpleNamespace())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BackendMissingError, match="CUDA"):
        render_view_gpu(cloud(2), K, (4, 4), pose)
