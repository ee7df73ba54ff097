"""Pixels and directions are inverse to each other everywhere, at the seam and the poles too."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonoworld import frames, sphere
from sonoworld.frames import Pose

HEIGHTS = st.integers(2, 600)


@given(HEIGHTS, st.floats(0, 1, exclude_max=True), st.floats(0.001, 0.999))
def test_pixel_round_trip(height: int, across: float, down: float) -> None:
    u, v = np.array(across * 2 * height), np.array(down * height)
    back_u, back_v = sphere.pixel_from_direction(sphere.direction_from_pixel(u, v, height), height)
    difference = (back_u - u + height) % (2 * height) - height  # the seam is one place
    assert abs(difference) < 1e-6 * height
    assert abs(back_v - v) < 1e-6 * height


@given(HEIGHTS)
def test_solid_angles_fill_the_sphere(height: int) -> None:
    total = 2 * height * sphere.pixel_solid_angles(height).sum()
    np.testing.assert_allclose(total, 4 * np.pi, rtol=1e-12)


def test_where_things_lie_in_the_picture() -> None:
    ahead = sphere.pixel_from_direction(np.array([1.0, 0, 0]), 100)
    left = sphere.pixel_from_direction(np.array([0.0, 1, 0]), 100)
    behind = sphere.pixel_from_direction(np.array([-1.0, 0, 0]), 100)
    np.testing.assert_allclose(ahead, (100, 50), atol=1e-9)
    np.testing.assert_allclose(left, (50, 50), atol=1e-9)
    np.testing.assert_allclose(behind, (0, 50), atol=1e-9)
    assert sphere.pixel_from_direction(np.array([0.0, 0, 1]), 100)[1] == 0


def test_all_pixel_directions_agree_with_the_inverse() -> None:
    u, v = sphere.pixel_from_direction(sphere.pixel_directions(33), 33)
    np.testing.assert_allclose(u, np.broadcast_to(np.arange(66) + 0.5, u.shape), atol=1e-9)
    np.testing.assert_allclose(v, np.broadcast_to(np.arange(33)[:, None] + 0.5, v.shape), atol=1e-9)


def test_cached_directions_cannot_be_spoilt() -> None:
    sphere.pixel_directions(16)[:] = 0
    assert np.abs(np.linalg.norm(sphere.pixel_directions(16), axis=-1) - 1).max() < 1e-12


def test_sampling_at_pixel_centres_returns_the_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 64, 3), dtype=np.uint8)
    np.testing.assert_array_equal(sphere.sample_panorama(image, sphere.pixel_directions(32)), image)


def test_sampling_is_continuous_across_the_seam() -> None:
    height = 64
    smooth = (sphere.pixel_directions(height)[..., :1] * 100).astype(np.float32)
    azimuth = np.linspace(np.pi - 0.1, np.pi + 0.1, 101)
    values = sphere.sample_panorama(smooth, frames.direction_from_angles(azimuth, np.zeros(101)))[:, 0]
    np.testing.assert_allclose(values, 100 * np.cos(azimuth), atol=0.2)


def test_sampling_passes_over_the_pole() -> None:
    height = 64
    smooth = (sphere.pixel_directions(height)[..., :1] * 100).astype(np.float32)
    elevation = np.linspace(np.pi / 2 - 0.1, np.pi / 2 + 0.1, 101)
    direction = frames.direction_from_angles(np.zeros(101), elevation)
    np.testing.assert_allclose(sphere.sample_panorama(smooth, direction)[:, 0], 100 * direction[:, 0], atol=0.3)


@pytest.mark.parametrize("nearest", [False, True])
def test_turned_samples_are_samples_of_turned_directions(nearest: bool) -> None:
    image = np.random.default_rng(3).random((64, 128, 2), dtype=np.float32)
    rays = sphere.camera_pixel_directions(sphere.pinhole(1.5, (20, 20)), (20, 20), frames.Pose.identity())
    azimuths = [0.0, 1.0, -3.0, 2 * np.pi / 3]
    for azimuth, seen in zip(azimuths, sphere.sample_turned(image, rays, azimuths, nearest=nearest), strict=True):
        c, s = np.cos(azimuth), np.sin(azimuth)
        turned = rays @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T
        expected = sphere.sample_panorama(image, turned, nearest=nearest)
        same = np.isclose(seen, expected, atol=1e-3)
        assert same.mean() > (0.99 if nearest else 0.9999)  # a direction between two pixels may go to either


@given(st.floats(0.2, 2.4), st.floats(-1.2, 1.2), st.floats(-0.5, 0.5), st.floats(-3, 3))
def test_camera_pixels_round_trip(fov: float, pitch: float, roll: float, yaw: float) -> None:
    size = (64, 48)
    K = sphere.pinhole(fov, size)
    pose = Pose(frames.world_from_camera_rotation(pitch, roll, yaw), np.zeros(3))
    directions = sphere.camera_pixel_directions(K, size, pose)
    x, y, ahead = sphere.camera_pixel_from_direction(directions, K, pose)
    assert ahead.all()
    np.testing.assert_allclose(x, np.broadcast_to(np.arange(64) + 0.5, x.shape), atol=1e-6)
    np.testing.assert_allclose(y, np.broadcast_to(np.arange(48)[:, None] + 0.5, y.shape), atol=1e-6)


def test_behind_the_camera_is_said_so() -> None:
    pose = Pose(frames.world_from_camera_rotation(0, 0), np.zeros(3))
    assert not sphere.camera_pixel_from_direction(np.array([-1.0, 0, 0]), sphere.pinhole(1.0, (10, 10)), pose)[2]


@pytest.mark.parametrize("fov", [0.3, 1.2, 2.5])
def test_pinhole_has_the_field_of_view(fov: float) -> None:
    edge = sphere.camera_ray(np.array(0.0), np.array(24.0), sphere.pinhole(fov, (64, 48)), Pose.identity())
    np.testing.assert_allclose(2 * np.arctan(-edge[0] / edge[2]), fov, rtol=1e-12)


def test_padding_is_what_the_sphere_holds_there() -> None:
    image = np.random.default_rng(0).integers(0, 256, (8, 16), dtype=np.uint8)
    padded = sphere.pad_sphere(image, 2)
    np.testing.assert_array_equal(padded[2:-2, 2:-2], image)
    np.testing.assert_array_equal(padded[2:-2, :2], image[:, -2:])
    np.testing.assert_array_equal(padded[1, 2:-2], np.roll(image[0], 8))
