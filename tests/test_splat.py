"""Pictures of splats: the fast twin against the plain one, and both against what is known by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoworld.errors import InputError
from sonoworld.frames import Pose, world_from_camera_rotation
from sonoworld.render.splat import render_view, render_view_plain, rotations, seen_colours
from sonoworld.sphere import pinhole
from sonoworld.types import Splats

LEVEL = Pose(world_from_camera_rotation(0.0, 0.0), np.zeros(3))


def splats_at(means: np.ndarray, sigma_m: float = 0.1, opacity: float = 0.9, rgb: tuple = (1.0, 0.5, 0.0)) -> Splats:
    n = len(means)
    return Splats(
        means=np.asarray(means, np.float32),
        log_scales=np.full((n, 3), np.log(sigma_m), np.float32),
        quats=np.tile(np.array([1, 0, 0, 0], np.float32), (n, 1)),
        opacity_logits=np.full(n, np.log(opacity / (1 - opacity)), np.float32),
        sh=np.tile(((np.array(rgb, np.float32) - 0.5) / 0.28209479)[None, None], (n, 1, 1)).astype(np.float32),
    )


def random_splats(rng: np.random.Generator, n: int, k: int) -> Splats:
    return Splats(
        means=rng.normal(0, 2.0, (n, 3)).astype(np.float32),
        log_scales=rng.uniform(-4, 0.3, (n, 3)).astype(np.float32),
        quats=rng.normal(size=(n, 4)).astype(np.float32),
        opacity_logits=rng.normal(0, 3, n).astype(np.float32),
        sh=(rng.normal(size=(n, k, 3)) / k).astype(np.float32),
    )


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.sampled_from([1, 4, 16]), fov=st.floats(0.4, 2.2))
def test_twins_agree(seed: int, k: int, fov: float):
    rng = np.random.default_rng(seed)
    splats = random_splats(rng, 40, k)
    yaw, pitch, roll = rng.uniform([-3, -1, -1], [3, 1, 1])
    pose = Pose(world_from_camera_rotation(pitch, roll, yaw), rng.normal(size=3))
    K = pinhole(fov, (41, 37))
    K[:2, 2] += rng.uniform(-9, 9, 2)
    fast, plain = render_view(splats, K, (41, 37), pose), render_view_plain(splats, K, (41, 37), pose)
    # A pixel whose alpha is within rounding of 1/255 may take the splat in one twin and not in the other; then it
    # differs by at most that much of a colour (< 4 with random harmonics), and there are few of them.
    for name in ("rgb", "alpha"):
        difference = np.abs(getattr(fast, name) - getattr(plain, name)).reshape(37 * 41, -1).max(1)
        assert difference.max() < 4 * 2 / 255
        assert np.mean(difference > 2e-4) < 0.01
    both = np.isfinite(plain.depth) & np.isfinite(fast.depth) & (plain.alpha > 0.1)
    if both.any():
        assert np.quantile(np.abs(fast.depth[both] / plain.depth[both] - 1), 0.99) < 1e-3


@pytest.mark.parametrize("view", [render_view, render_view_plain])
def test_one_splat_by_hand(view):
    # f = 32 px; at 2 m ahead and 0.5 m left, sigma 0.1 m: x = 32 - 32·0.25 = 24 px, sigma² = (32·0.1/2)² + 0.3 px²
    splats = splats_at(np.array([[2.0, 0.5, 0.0]]))
    image = view(splats, pinhole(np.pi / 2, (64, 64)), (64, 64), LEVEL)
    y, x = np.unravel_index(np.argmax(image.alpha), (64, 64))
    assert (x, y) in {(23, 31), (23, 32), (24, 31), (24, 32)}
    assert abs(float(image.depth[y, x]) - 2) < 1e-5
    u = (0.0, -1 * 16 * 0.1, 0.0)  # half axes of the ball along x, seen with J = 16·[1 0 0.25]
    variance_x = u[1] ** 2 + (16 * 0.25 * 0.1) ** 2 + 0.3
    expected = 0.9 * np.exp(-0.5 * (0.5**2 / variance_x + 0.5**2 / (1.6**2 + 0.3)))
    assert abs(float(image.alpha[31, 24]) - expected) < 1e-4
    np.testing.assert_allclose(image.rgb[31, 24] / image.alpha[31, 24], [1, 0.5, 0], atol=1e-5)
    assert image.alpha[0, 63] == 0
    assert np.isinf(image.depth[0, 63])


@pytest.mark.parametrize("view", [render_view, render_view_plain])
def test_near_hides_far_whatever_the_order(view):
    for order in ([0, 1], [1, 0]):
        means = np.array([[2.0, 0, 0], [4.0, 0, 0]])[order]
        sh = np.stack([np.full((1, 3), 1.7), np.full((1, 3), -1.7)])[order].astype(np.float32)
        one = splats_at(means, sigma_m=0.5, opacity=0.98)
        both = Splats(one.means, one.log_scales, one.quats, one.opacity_logits, sh)
        image = view(both, pinhole(1.0, (17, 17)), (17, 17), LEVEL)
        np.testing.assert_allclose(image.rgb[8, 8], 0.98 * (0.5 + 0.28209479 * 1.7), atol=1e-3)


def test_behind_the_camera_and_nothing_at_all():
    K = pinhole(1.0, (20, 10))
    for splats in (splats_at(np.array([[-1.0, 0, 0]])), splats_at(np.zeros((0, 3))), splats_at(np.zeros((1, 3)))):
        image = render_view(splats, K, (20, 10), LEVEL)
        assert image.alpha.shape == (10, 20)
        assert not image.alpha.any()


def test_huge_splats_do_no_harm():
    for log_scale in (5.0, 60.0, 88.0):
        ball = splats_at(np.array([[1.0, 0, 0]]))
        splats = Splats(ball.means, np.full((1, 3), log_scale, np.float32), ball.quats, ball.opacity_logits, ball.sh)
        image = render_view(splats, pinhole(1.0, (40, 30)), (40, 30), LEVEL)
        assert np.isfinite(image.rgb).all()


def test_turning_the_world_with_the_camera_changes_nothing():
    rng = np.random.default_rng(3)
    splats = random_splats(rng, 30, 1)
    turn = world_from_camera_rotation(0.3, -0.2, 1.1)
    moved = Pose(turn @ LEVEL.rotation, np.array([1.0, 2.0, 3.0]))
    w = 0.5 * np.sqrt(1 + np.trace(turn))
    q = np.array(
        [w, *(np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]) / (4 * w))]
    )
    product = np.stack([q[0] * splats.quats[:, 0] - splats.quats[:, 1:] @ q[1:]], 1)
    vector = q[0] * splats.quats[:, 1:] + splats.quats[:, :1] * q[1:] + np.cross(q[1:], splats.quats[:, 1:])
    turned = Splats(
        (splats.means @ turn.T + moved.origin).astype(np.float32),
        splats.log_scales,
        np.concatenate([product, vector], 1).astype(np.float32),
        splats.opacity_logits,
        splats.sh,
    )
    K = pinhole(1.5, (40, 40))
    a, b = render_view(splats, K, (40, 40), LEVEL), render_view(turned, K, (40, 40), moved)
    assert np.quantile(np.abs(a.rgb - b.rgb), 0.995) < 1e-3


def test_rotations_are_scipys():
    from scipy.spatial.transform import Rotation  # noqa: PLC0415

    q = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    expected = Rotation.from_quat(q[:, [1, 2, 3, 0]].astype(np.float64)).as_matrix()
    np.testing.assert_allclose(rotations(q), expected, atol=1e-6)


def test_harmonics_are_orthonormal_and_scipys():
    from scipy.special import sph_harm_y  # noqa: PLC0415

    rng = np.random.default_rng(0)
    d = rng.normal(size=(200, 3))
    d /= np.linalg.norm(d, axis=1, keepdims=True)
    theta, phi = np.arccos(d[:, 2]), np.arctan2(d[:, 1], d[:, 0])
    for degree in range(4):
        for m in range(-degree, degree + 1):
            k = degree * degree + degree + m
            sh = np.zeros((200, 16, 3), np.float32)
            sh[:, k] = 1
            one = splats_at(d)
            seen = seen_colours(Splats(one.means, one.log_scales, one.quats, one.opacity_logits, sh), np.zeros(3))
            complex_y = sph_harm_y(degree, abs(m), theta, phi)
            real = complex_y.real if m == 0 else np.sqrt(2) * (complex_y.real if m > 0 else complex_y.imag)
            np.testing.assert_allclose(seen[:, 0], np.maximum(real + 0.5, 0), atol=2e-6, err_msg=f"{degree} {m}")


def test_wrong_cameras_are_refused():
    splats = splats_at(np.array([[1.0, 0, 0]]))
    skewed = pinhole(1.0, (8, 8))
    skewed[0, 1] = 1
    for K, size in ((pinhole(1.0, (8, 8)), (0, 8)), (skewed, (8, 8)), (-pinhole(1.0, (8, 8)), (8, 8))):
        with pytest.raises(InputError, match="expected"):
            render_view(splats, K, size, LEVEL)
