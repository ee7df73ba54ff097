"""Harmonics and rotations against SciPy, another package, and their own laws."""

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from scipy.special import sph_harm_y
from spherical_array_processing import sh

from sonoworld.encode.harmonics import channel_count, channel_degrees, harmonics
from sonoworld.encode.rotate import rotation_matrix
from sonoworld.errors import ShapeError

RNG = np.random.default_rng(5)
DIRECTIONS = RNG.standard_normal((400, 3))
DIRECTIONS /= np.linalg.norm(DIRECTIONS, axis=1, keepdims=True)
POLES = np.array([[0.0, 0, 1], [0, 0, -1], [1, 0, 0], [0, 1, 0], [-1, 0, 0], [1e-9, 0, 1]])


def scipy_sn3d(v: np.ndarray, order: int) -> np.ndarray:
    azimuth, zenith = np.arctan2(v[:, 1], v[:, 0]), np.arctan2(np.hypot(v[:, 0], v[:, 1]), v[:, 2])
    columns = []
    for n in range(order + 1):
        for m in range(-n, n + 1):
            complex_ = sph_harm_y(n, abs(m), zenith, azimuth) * (-1) ** m  # without Condon-Shortley
            real = complex_.real if m >= 0 else complex_.imag
            columns.append(real * np.sqrt((1 if m == 0 else 2) * 4 * np.pi / (2 * n + 1)))
    return np.stack(columns, -1)


@pytest.mark.parametrize("v", [DIRECTIONS, POLES / np.linalg.norm(POLES, axis=1, keepdims=True)])
def test_harmonics_are_scipys(v: np.ndarray) -> None:
    assert np.abs(harmonics(v, 10) - scipy_sn3d(v, 10)).max() < 1e-12


def test_first_order_is_w_y_z_x() -> None:
    np.testing.assert_allclose(harmonics(np.array([0.6, 0.0, 0.8]), 1), [1, 0, 0.8, 0.6], atol=1e-15)


@given(st.floats(1e-200, 1e200), st.integers(0, 399))
def test_length_does_not_count(scale: float, i: int) -> None:
    np.testing.assert_allclose(harmonics(DIRECTIONS[i] * scale, 4), harmonics(DIRECTIONS[i], 4), atol=1e-12)


def test_no_direction_is_only_w() -> None:
    np.testing.assert_array_equal(harmonics(np.zeros((2, 3)), 3)[:, 1:], 0)
    np.testing.assert_array_equal(harmonics(np.zeros((2, 3)), 3)[:, 0], 1)


def test_energy_per_degree_is_one() -> None:
    # Unsöld: Σ_m Y² = 1 for SN3D, every degree
    Y = harmonics(DIRECTIONS, 10)
    degrees = np.array(channel_degrees(10))
    for n in range(11):
        np.testing.assert_allclose((Y[:, degrees == n] ** 2).sum(1), 1, atol=1e-12)


def test_batches_and_dtypes_stay() -> None:
    v = DIRECTIONS[:24].reshape(2, 3, 4, 3)
    assert harmonics(v, 2).shape == (2, 3, 4, 9)
    assert harmonics(v.astype(np.float32), 5).dtype == np.float32
    assert np.abs(harmonics(v.astype(np.float32), 7) - harmonics(v, 7)).max() < 5e-6


def test_any_array_library() -> None:
    ours = harmonics(strict.asarray(DIRECTIONS), 10)
    np.testing.assert_allclose(np.asarray(ours), harmonics(DIRECTIONS, 10), atol=1e-14)
    R = Rotation.random(3, random_state=1).as_matrix()
    np.testing.assert_allclose(np.asarray(rotation_matrix(strict.asarray(R), 6)), rotation_matrix(R, 6), atol=1e-14)


@pytest.mark.parametrize("order", [-1, 11])
def test_orders_end(order: int) -> None:
    with pytest.raises(ShapeError, match=r"0\.\.10"):
        harmonics(DIRECTIONS, order)
    with pytest.raises(ShapeError, match=r"0\.\.10"):
        channel_count(order)


def test_wrong_shapes() -> None:
    with pytest.raises(Exception, match="3"):
        harmonics(np.zeros((3, 2)), 1)


@given(st.tuples(*[st.floats(-3, 3)] * 3), st.integers(0, 10))
def test_rotating_the_field_is_rotating_the_sources(angles: tuple[float, ...], order: int) -> None:
    R = Rotation.from_rotvec(angles).as_matrix()
    turned = harmonics(DIRECTIONS[:60] @ R.T, order)
    assert np.abs(turned - harmonics(DIRECTIONS[:60], order) @ rotation_matrix(R, order).T).max() < 1e-12


def test_rotations_are_a_group() -> None:
    A, B = Rotation.random(2, random_state=3).as_matrix()
    one, two, both = (rotation_matrix(R, 10) for R in (A, B, A @ B))
    assert np.abs(one @ two - both).max() < 1e-12
    assert np.abs(one @ one.T - np.eye(121)).max() < 1e-12
    np.testing.assert_allclose(rotation_matrix(np.eye(3), 10), np.eye(121), atol=1e-15)
    np.testing.assert_allclose(rotation_matrix(np.stack([A, B]), 10), np.stack([one, two]), atol=1e-15)


def test_rotation_is_another_packages() -> None:
    alpha, beta, gamma = 0.7, -0.4, 1.1
    R = Rotation.from_euler("ZYZ", [alpha, beta, gamma]).as_matrix()
    other = sh.sh_rotation_matrix_real(7, alpha, beta, gamma)
    assert np.abs(rotation_matrix(R, 7) - other).max() < 1e-11
