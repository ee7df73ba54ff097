"""Splat files by their kind: axes turn everything together, and each kind reads back what it was given."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from sonoworld import frames
from sonoworld.disk.splat_file_axes import turned
from sonoworld.render.splat import rotations, seen_colours
from sonoworld.types import Splats

ANGLE = st.floats(-3.1, 3.1)


def some_splats(n: int, k: int = 1, seed: int = 0) -> Splats:
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    quats = draw(n, 4)
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)
    return Splats(
        means=3 * draw(n, 3), log_scales=draw(n, 3) - 4, quats=quats, opacity_logits=draw(n), sh=0.25 * draw(n, k, 3)
    )


@settings(max_examples=40, deadline=None)
@given(yaw=ANGLE, pitch=st.floats(-1.5, 1.5), roll=ANGLE, k=st.sampled_from([1, 4, 9, 16]))
def test_a_turned_world_looks_the_same_from_a_turned_eye(yaw: float, pitch: float, roll: float, k: int) -> None:
    """Oracle: the renderer's own harmonics and rotation matrices."""
    R = Rotation.from_euler("zyx", [yaw, pitch, roll]).as_matrix()
    splats, eye = some_splats(30, k), np.array([0.5, -1.0, 2.0])
    there = turned(splats, R)
    np.testing.assert_allclose(there.means, splats.means @ R.T, atol=1e-5)
    np.testing.assert_allclose(rotations(there.quats), R @ rotations(splats.quats), atol=1e-5)
    np.testing.assert_allclose(seen_colours(there, R @ eye), seen_colours(splats, eye), atol=1e-5)
    np.testing.assert_array_equal(there.log_scales, splats.log_scales)


def test_half_turns_are_turned_too() -> None:
    """Quaternions with w = 0, where naive formulas divide by zero."""
    for axes in ("RDF", "RUB", "LDB", "LUF", "BRU", "FRD", "BLD"):
        R = frames.world_from_axes(axes)
        splats = some_splats(20, 16)
        there = turned(splats, R)
        np.testing.assert_allclose(rotations(there.quats), R @ rotations(splats.quats), atol=1e-6)
        np.testing.assert_array_equal(there.means, splats.means @ R.T.astype(np.float32))
        np.testing.assert_allclose(turned(there, R.T).sh, splats.sh, atol=1e-6)
