"""Directivity: its patterns, its integral over all directions, and gradients where others have none."""

import math

import array_api_strict as strict
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from sonoworld.encode.directivity import directivity_gain
from sonoworld.errors import ShapeError
from sonoworld.types import Directivity

AHEAD = np.array([1.0, 0.0, 0.0])
NEAR_M = 0.1


def around(theta: float, distance_m: float = 1000.0) -> np.ndarray:
    """Offset of a source that faces `AHEAD`, with the listener at the angle θ off its axis."""
    return -distance_m * np.array([math.cos(theta), math.sin(theta), 0.0])


@pytest.mark.parametrize(
    ("pattern", "sharpness", "theta", "expected"),
    [
        (0.0, 3.0, 2.0, 1.0),  # alike to all sides
        (0.5, 1.0, 0.0, 1.0),  # cardioid: ahead, at the side, behind
        (0.5, 1.0, math.pi / 2, 0.5),
        (0.5, 1.0, math.pi, 0.0),
        (0.5, 2.0, math.pi / 2, 0.25),
        (1.0, 1.0, math.pi / 3, 0.5),  # figure of eight: the back lobe has the other sign
        (1.0, 1.0, math.pi, -1.0),
        (1.0, 2.5, math.pi, -1.0),
        (0.75, 1.0, math.acos(-1 / 3), 0.0),  # hypercardioid: null at 109.5°
    ],
)
def test_patterns(pattern: float, sharpness: float, theta: float, expected: float) -> None:
    assert directivity_gain(around(theta), AHEAD, pattern, sharpness, NEAR_M) == pytest.approx(expected, abs=1e-7)


@given(st.floats(0, 1), st.floats(0, 3.1), st.floats(0, 6.2), st.floats(1, 6))
def test_only_the_angle_off_the_axis_counts(pattern: float, theta: float, roll: float, sharpness: float) -> None:
    rest = around(theta)
    rolled = np.array([rest[0], rest[1] * math.cos(roll), rest[1] * math.sin(roll)])
    gains = directivity_gain(np.stack([rest, rolled]), AHEAD, pattern, sharpness, NEAR_M)
    assert gains[0] == pytest.approx(gains[1], abs=1e-12)
    assert -1 <= gains[0] <= 1


@pytest.mark.parametrize("pattern", [0.0, 0.3, 0.5, 0.8, 1.0])
def test_power_over_all_directions_is_the_integral_of_its_square(pattern: float) -> None:
    # mean of (1 − a + a z)² over z in −1..1: 1 − 2a + 4a²/3
    power = quad(lambda z: float(directivity_gain(around(math.acos(z)), AHEAD, pattern, 1, 1e-9)) ** 2 / 2, -1, 1)[0]
    assert power == pytest.approx(1 - 2 * pattern + 4 * pattern**2 / 3, abs=1e-9)


def test_at_the_source_there_is_no_side() -> None:
    assert directivity_gain(np.zeros(3), AHEAD, 0.5, 3.0, NEAR_M) == pytest.approx(0.125)


def test_axes_of_the_world_or_of_the_head() -> None:
    rng = np.random.default_rng(2)
    R = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    offset, facing = rng.standard_normal((7, 3)), rng.standard_normal((7, 3))
    facing /= np.linalg.norm(facing, axis=-1, keepdims=True)
    world = directivity_gain(offset, facing, 0.6, 2.0, NEAR_M)
    np.testing.assert_allclose(directivity_gain(offset @ R, facing @ R, 0.6, 2.0, NEAR_M), world, atol=1e-14)
    theirs = directivity_gain(strict.asarray(offset), strict.asarray(facing), 0.6, 2.5, NEAR_M)
    np.testing.assert_allclose(np.asarray(theirs), directivity_gain(offset, facing, 0.6, 2.5, NEAR_M), atol=1e-14)


@pytest.mark.parametrize("place", [[0.0, 0.0, 0.0], [0.0, 2.0, 0.0], [3.0, 0.0, 0.0], [-0.5, 0.4, 1.0]])
def test_gradients_are_finite_everywhere_and_right(place: list[float]) -> None:
    offset, facing, pattern, sharpness = (
        torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (place, [1.0, 0.0, 0.0], 1.0, 2.0)
    )
    assert torch.autograd.gradcheck(
        lambda *v: directivity_gain(*v, NEAR_M), (offset, facing, pattern, sharpness), atol=1e-3
    )
    for n in (1.0, 1.2, 5.0):
        directivity_gain(offset, facing, pattern, n, NEAR_M).backward()
        assert offset.grad is not None
        assert bool(torch.isfinite(offset.grad).all())


@pytest.mark.parametrize(
    ("pattern", "sharpness", "facing"),
    [(1.1, 1.0, AHEAD), (-0.1, 1.0, AHEAD), (0.5, 0.5, AHEAD), (0.5, math.nan, AHEAD), (0.5, 1.0, 2 * AHEAD)],
)
def test_values_refuse_nonsense(pattern: float, sharpness: float, facing: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="Directivity"):
        Directivity(pattern, sharpness, facing)
