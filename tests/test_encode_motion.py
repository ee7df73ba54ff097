"""Paths of sources: where they are, where they face, and from where they are heard."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonoworld.encode.motion import headings, places, sent_at
from sonoworld.encode.travel import SPEED_OF_SOUND_M_S
from sonoworld.errors import ShapeError
from sonoworld.types import Motion

CORNERS = np.array([[0.0, 0, 0], [10, 0, 0], [10, 5, 0], [0, 0, 0]])
ROUND = Motion(np.array([1.0, 2.0, 4.0, 5.0]), CORNERS, loops=True)
ONCE = Motion(ROUND.times_s, CORNERS)


def test_straight_and_even_between_keys_and_still_outside() -> None:
    t = np.array([0.0, 1.0, 1.5, 3.0, 4.5, 5.0, 99.0])
    expected = [[0, 0, 0], [0, 0, 0], [5, 0, 0], [10, 2.5, 0], [5, 2.5, 0], [0, 0, 0], [0, 0, 0]]
    np.testing.assert_allclose(places(ONCE, t), expected)


@given(st.floats(-20, 20), st.integers(-5, 5))
def test_a_loop_has_no_beginning_and_no_end(t: float, rounds: int) -> None:
    a, b = places(ROUND, np.array([t, t + 4.0 * rounds]))
    np.testing.assert_allclose(a, b, atol=1e-9)


def test_it_faces_where_it_goes() -> None:
    rests = Motion(np.arange(5.0), np.array([[0.0, 0, 0], [0, 0, 0], [2, 0, 0], [2, 0, 0], [2, 0, 3]]))
    t = np.array([-1.0, 0.5, 1.5, 2.5, 3.5, 9.0])
    x, z = [1.0, 0, 0], [0, 0, 1.0]
    np.testing.assert_allclose(headings(rests, t), [x, x, x, x, z, z])
    back = np.array([-10, -5, 0]) / np.sqrt(125)
    np.testing.assert_allclose(headings(ROUND, np.array([0.5, 1.0, 4.9, 5.1])), [back, x, back, x])
    assert headings(Motion(np.array([0.0, 1.0]), np.ones((2, 3))), t) is None
    assert headings(Motion(np.array([0.0]), np.ones((1, 3))), t) is None


@given(
    st.lists(st.tuples(*[st.floats(-30, 30)] * 3), min_size=2, max_size=6),
    st.tuples(*[st.floats(-30, 30)] * 3),
    st.booleans(),
)
def test_what_is_heard_left_when_it_must_have(
    keys: list[tuple[float, ...]], origin: tuple[float, ...], loops: bool
) -> None:
    closed = [*keys, keys[0]]
    path = Motion(np.arange(len(closed)) * 1.0, np.array(closed), loops=loops)
    t = np.linspace(0.0, 8.0, 40)
    sent = sent_at(path, t, np.tile(origin, (40, 1)), 0.1)
    way = np.sqrt(((places(path, sent) - origin) ** 2).sum(-1) + 0.01)
    np.testing.assert_allclose(sent + way / SPEED_OF_SOUND_M_S, t, atol=1e-9)
    assert (np.diff(sent) > 0).all()


def test_straight_past_is_the_quadratic_equation() -> None:
    # p = (v t, h), heard at the origin: (t − τ)² c² = v² τ² + h²
    v, h, c = 100.0, 5.0, SPEED_OF_SOUND_M_S
    path = Motion(np.array([0.0, 10.0]), np.array([[0.0, h, 0], [10 * v, h, 0]]))
    t = np.linspace(0.1, 8.0, 50)
    exact = (c * c * t - np.sqrt(c * c * v * v * t * t + (c * c - v * v) * h * h)) / (c * c - v * v)
    np.testing.assert_allclose(sent_at(path, t, np.zeros((50, 3)), 1e-9), exact, atol=1e-9)


@pytest.mark.parametrize(
    ("times", "positions", "loops"),
    [
        ([], np.zeros((0, 3)), False),
        ([0.0], np.zeros((1, 3)), True),
        ([0.0, 1.0], np.zeros((3, 3)), False),
        ([0.0, 0.0], np.zeros((2, 3)), False),
        ([-1.0, 0.0], np.zeros((2, 3)), False),
        ([0.0, 1.0], np.full((2, 3), np.nan), False),
        ([0.0, np.inf], np.zeros((2, 3)), False),
    ],
)
def test_values_refuse_nonsense(times: list[float], positions: np.ndarray, loops: bool) -> None:
    with pytest.raises((ShapeError, TypeError), match="Motion"):
        Motion(np.array(times, np.float64), positions, loops)
