"""The torch picture of splats equals the plain one, and its gradients are finite differences."""

import numpy as np
import pytest
import torch

from sonoworld.frames import Pose, world_from_camera_rotation
from sonoworld.render.splat import render_view_plain
from sonoworld.render.splat_torch import SplatTensors, render_view_torch
from sonoworld.sphere import pinhole
from sonoworld.types import Splats


def cloud(seed: int, n: int) -> Splats:
    rng = np.random.default_rng(seed)
    return Splats(
        means=rng.normal(0, 2.0, (n, 3)).astype(np.float32),
        log_scales=rng.uniform(-4, 0.3, (n, 3)).astype(np.float32),
        quats=rng.normal(size=(n, 4)).astype(np.float32),
        opacity_logits=rng.normal(0, 3, n).astype(np.float32),
        sh=rng.normal(size=(n, 1, 3)).astype(np.float32),
    )


@pytest.mark.parametrize("seed", range(6))
def test_equals_the_plain_picture(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pose = Pose(world_from_camera_rotation(*rng.uniform(-1, 1, 2), rng.uniform(-3, 3)), rng.normal(size=3))
    K, size = pinhole(rng.uniform(0.5, 2.0), (67, 45)), (67, 45)
    splats = cloud(seed, 60)
    plain = render_view_plain(splats, K, size, pose)
    ours = render_view_torch(SplatTensors.of(splats, dtype=torch.float64), K, size, pose)
    for name in ("rgb", "alpha"):
        apart = np.abs(getattr(ours, name).numpy() - getattr(plain, name)).reshape(67 * 45, -1).max(1)
        # A pixel within rounding of a threshold (alpha 1/255, transmittance 1e-3) may fall on its other side.
        assert apart.max() < 4 * 2 / 255
        assert np.mean(apart > 2e-4) < 0.01
    seen = plain.alpha > 0.2
    if seen.any():
        assert np.quantile(np.abs(ours.depth.numpy()[seen] / plain.depth[seen] - 1), 0.99) < 1e-3


def test_gradients_are_finite_differences() -> None:
    K, size = pinhole(1.2, (11, 9)), (11, 9)
    pose = Pose(world_from_camera_rotation(0.0, 0.0), np.zeros(3))
    rng = np.random.default_rng(1)
    means = torch.tensor([[3.0, 0.3, 0.1], [4.0, -0.4, 0.2]], dtype=torch.float64)
    fields = (
        means,
        torch.tensor(rng.uniform(-0.5, 0.0, (2, 3))),
        torch.tensor(rng.normal(size=(2, 4))),
        torch.tensor([0.3, -0.2], dtype=torch.float64),
        torch.tensor(rng.normal(size=(2, 1, 3)) * 0.3),
    )

    def sums(*given: torch.Tensor) -> torch.Tensor:
        image = render_view_torch(SplatTensors(*given), K, size, pose)
        return torch.stack([image.rgb[3:6, 4:7].sum(), image.alpha[4, 5], (image.alpha * image.depth)[4, 5]])

    inputs = tuple(field.clone().requires_grad_() for field in fields)
    assert torch.autograd.gradcheck(sums, inputs, eps=1e-6, atol=1e-5)


def test_there_and_back() -> None:
    splats = cloud(0, 5)
    back = SplatTensors.of(splats).numpy()
    for name in ("means", "log_scales", "quats", "opacity_logits", "sh"):
        np.testing.assert_array_equal(getattr(back, name), getattr(splats, name))
