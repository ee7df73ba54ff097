"""Axes and poses obey their axioms, and the signs are the ones CONVENTIONS.md promises."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from sonoworld import frames
from sonoworld.errors import InputError, ShapeError
from sonoworld.frames import Pose

ANGLE = st.floats(-3.1, 3.1)
TILT = st.floats(-1.5, 1.5)


@st.composite
def poses(draw: st.DrawFn) -> Pose:
    rotation = frames.world_from_head_rotation(draw(ANGLE), draw(TILT), draw(ANGLE))
    return Pose(rotation, np.array([draw(st.floats(-100, 100)) for _ in range(3)]))


POINTS = np.array([[1.0, 2.0, 3.0], [-4.0, 0.5, 0.0], [0.0, 0.0, 0.0]])


@given(poses(), poses(), poses())
def test_poses_form_a_group(a: Pose, b: Pose, c: Pose) -> None:
    left, right = a.then(b).then(c), a.then(b.then(c))
    np.testing.assert_allclose(left @ POINTS, right @ POINTS, atol=1e-9)
    np.testing.assert_allclose(a.then(a.inverse()) @ POINTS, POINTS, atol=1e-9)
    np.testing.assert_allclose(Pose.identity().then(a) @ POINTS, a @ POINTS, atol=0)
    np.testing.assert_allclose(a.then(b) @ POINTS, b @ (a @ POINTS), atol=1e-9)


@given(ANGLE, TILT, ANGLE)
def test_head_angles_round_trip(yaw: float, pitch: float, roll: float) -> None:
    back = frames.head_angles(frames.world_from_head_rotation(yaw, pitch, roll))
    np.testing.assert_allclose(back, (yaw, pitch, roll), atol=1e-9)


@given(ANGLE, TILT, ANGLE)
def test_head_rotation_equals_scipy(yaw: float, pitch: float, roll: float) -> None:
    ours = frames.world_from_head_rotation(yaw, pitch, roll)
    oracle = Rotation.from_euler("ZYX", [yaw, -pitch, roll]).as_matrix()
    np.testing.assert_allclose(ours, oracle, atol=1e-12)


def test_signs() -> None:
    ahead, left, up = np.eye(3)
    np.testing.assert_allclose(frames.world_from_head_rotation(np.pi / 2, 0, 0) @ ahead, left, atol=1e-12)
    np.testing.assert_allclose(frames.world_from_head_rotation(0, np.pi / 2, 0) @ ahead, up, atol=1e-12)
    right_ear = frames.world_from_head_rotation(0, 0, 0.3) @ -left
    assert right_ear[2] < 0, "positive roll dips the right ear"
    camera = frames.world_from_camera_rotation(0.0, 0.0)
    np.testing.assert_allclose(camera @ np.array([0.0, 0, 1]), ahead, atol=1e-12)
    np.testing.assert_allclose(camera @ np.array([1.0, 0, 0]), -left, atol=1e-12)
    np.testing.assert_allclose(camera @ np.array([0.0, 1, 0]), -up, atol=1e-12)
    np.testing.assert_allclose(frames.RUB_FROM_FLU @ ahead, [0, 0, -1], atol=0)
    np.testing.assert_allclose(frames.RUB_FROM_FLU @ up, [0, 1, 0], atol=0)


@given(TILT, ANGLE, ANGLE)
def test_camera_angles_round_trip(pitch: float, roll: float, yaw: float) -> None:
    got = frames.camera_angles(frames.world_from_camera_rotation(pitch, roll, yaw))
    np.testing.assert_allclose(got, (yaw, pitch, roll), atol=1e-9)


@given(ANGLE, st.floats(-np.pi / 2, np.pi / 2))
def test_directions_round_trip(azimuth: float, elevation: float) -> None:
    direction = frames.direction_from_angles(np.array(azimuth), np.array(elevation))
    assert abs(np.linalg.norm(direction) - 1) < 1e-12
    az, el = frames.angles_from_direction(direction)
    np.testing.assert_allclose(el, elevation, atol=1e-9)
    if abs(elevation) < 1.57:
        np.testing.assert_allclose(az, azimuth, atol=1e-6)


@pytest.mark.parametrize("bad", [np.eye(3) * 2, np.diag([1.0, 1.0, -1.0]), np.full((3, 3), np.nan)])
def test_only_rotations_make_poses(bad: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="proper rotation"):
        Pose(bad, np.zeros(3))


def test_poses_have_finite_origins() -> None:
    with pytest.raises(ShapeError, match="finite"):
        Pose(np.eye(3), np.array([np.inf, 0, 0]))


def test_named_axes_are_the_constants() -> None:
    np.testing.assert_array_equal(frames.world_from_axes("FLU"), np.eye(3))
    np.testing.assert_array_equal(frames.world_from_axes("RDF"), frames.FLU_FROM_RDF)
    np.testing.assert_array_equal(frames.world_from_axes("RUB"), frames.RUB_FROM_FLU.T)


def test_half_of_all_axes_are_right_handed_and_each_is_named_back() -> None:
    good: list[str] = []
    for axes in map("".join, itertools.product("FBLRUD", repeat=3)):
        try:
            rotation = frames.world_from_axes(axes)
        except InputError as error:
            assert "expected right-handed" in str(error)
            continue
        good.append(axes)
        Pose(rotation, np.zeros(3))
        assert frames.axes_from_words(f"metres; {frames.axes_in_words(axes)}; ours") == axes
    assert len(good) == 24
    assert frames.axes_from_words("x ahead, y left") is None


@pytest.mark.parametrize("axes", ["", "RD", "RDFF", "rdf", "XYZ", "RUF", "RRF"])
def test_other_axes_are_refused(axes: str) -> None:
    with pytest.raises(InputError, match="axes: expected"):
        frames.world_from_axes(axes)
