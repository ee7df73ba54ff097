"""Splats all around: agrees with the pinhole views it is made of, has no edge, and knows distances."""

import numpy as np
import pytest

from sonoworld.errors import InputError
from sonoworld.frames import Pose, world_from_camera_rotation
from sonoworld.render.splat import render_view
from sonoworld.render.splat_panorama import render_panorama
from sonoworld.sphere import camera_pixel_directions, pinhole, pixel_directions, sample_panorama
from sonoworld.types import Splats

HEIGHT = 128


def shell(n: int, radius: float, sigma: float, colour) -> Splats:
    i = np.arange(n) + 0.5
    z, a = 1 - 2 * i / n, np.pi * (1 + 5**0.5) * i
    d = np.stack([np.sqrt(1 - z * z) * np.cos(a), np.sqrt(1 - z * z) * np.sin(a), z], -1)
    rgb = colour(d).astype(np.float32)
    return Splats(
        means=(radius * d).astype(np.float32),
        log_scales=np.full((n, 3), np.log(sigma), np.float32),
        quats=np.tile(np.array([1, 0, 0, 0], np.float32), (n, 1)),
        opacity_logits=np.full(n, 4.0, np.float32),
        sh=((rgb - 0.5) / 0.28209479)[:, None].astype(np.float32),
    )


def smooth(d: np.ndarray) -> np.ndarray:
    return 0.5 + 0.4 * d


def test_a_shell_is_seen_in_its_own_colours_and_at_its_distance() -> None:
    image = render_panorama(shell(20_000, 5.0, 0.1, smooth), HEIGHT, np.zeros(3))
    d = pixel_directions(HEIGHT)
    assert image.alpha.min() > 0.99
    assert np.abs(image.rgb - smooth(d)).max() < 0.03
    assert np.abs(image.depth / 5 - 1).max() < 0.05  # splats are flat at their centre depth, and 0.1 m wide


def test_agrees_with_a_view_across_the_edges_of_the_cube() -> None:
    rng = np.random.default_rng(0)
    splats = Splats(
        means=(rng.normal(size=(300, 3)) * 6).astype(np.float32),
        log_scales=rng.uniform(-3.5, -2.7, (300, 3)).astype(np.float32),
        quats=rng.normal(size=(300, 4)).astype(np.float32),
        opacity_logits=rng.normal(1, 1, 300).astype(np.float32),
        sh=rng.normal(size=(300, 1, 3)).astype(np.float32),
    )
    eye = np.array([0.2, -0.1, 0.3])
    around = render_panorama(splats, 512, eye)
    pose = Pose(world_from_camera_rotation(0.7, 0.1, 0.8), eye)
    K = pinhole(0.9, (130, 130))
    view = render_view(splats, K, (130, 130), pose)
    looked_up = sample_panorama(around.rgb, camera_pixel_directions(K, (130, 130), pose))
    assert np.abs(looked_up - view.rgb).mean() < 0.02
    assert np.corrcoef(looked_up.ravel(), view.rgb.ravel())[0, 1] > 0.985


def test_nothing_is_a_hole_far_away() -> None:
    image = render_panorama(shell(1, 5.0, 0.01, smooth), HEIGHT, np.zeros(3))
    assert (image.alpha == 0).mean() > 0.99
    assert np.isinf(image.depth[image.alpha == 0]).all()
    with pytest.raises(InputError, match="at least 8 rows"):
        render_panorama(shell(1, 5.0, 0.01, smooth), 4, np.zeros(3))
