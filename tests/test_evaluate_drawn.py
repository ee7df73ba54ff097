"""The panorama that pictures show is the one around the microphone; true directions are seen from there."""

import math

import numpy as np
import pytest

from sonoworld.evaluate import drawn
from sonoworld.evaluate.datasets.synthetic import oracle_anchors
from sonoworld.evaluate.datasets.synthetic_layout import Body, Layout
from sonoworld.evaluate.datasets.synthetic_picture import picture
from sonoworld.frames import Pose

BUS = Layout("one", (Body("bus", "ball", "engine", (4.0, 0.0, -0.1), (0.8, 0.8)),), (), 0.0, False, 30.0)
TO_THE_LEFT = Pose(np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]), np.array([4.0, -3.0, -0.1]))
"""Looks along +y, with the bus 3 m ahead."""


def test_a_microphone_sees_what_is_ahead_of_it_in_the_middle() -> None:
    rgb, geometry, _ = picture(BUS, 256)
    seen = drawn.panorama_at(rgb, geometry, TO_THE_LEFT, 128).astype(int)
    red = seen[..., 0] - seen[..., 2] > 80
    rows, columns = np.nonzero(red)
    assert columns.mean() == pytest.approx(128, abs=15), "the eye sees only one of its sides"
    assert rows.mean() == pytest.approx(64, abs=8)
    half_width = math.degrees(math.asin(0.8 / 3))
    assert np.ptp(columns) * 360 / 256 < 2 * half_width + 3


def test_from_the_eye_nothing_moves() -> None:
    rgb, geometry, _ = picture(BUS, 64)
    same = drawn.panorama_at(rgb, geometry, Pose(np.eye(3), np.zeros(3)), 64)
    np.testing.assert_array_equal(same, rgb)


def test_true_directions_are_in_head_axes() -> None:
    ((label, direction),) = drawn.true_directions(oracle_anchors(BUS, 64, 0.1), TO_THE_LEFT)
    assert label == "bus"
    np.testing.assert_allclose(direction, [3.0, 0.0, 0.0], atol=1e-6)


@pytest.mark.parametrize(("count", "most"), [(1, 1), (8, 8), (12, 12), (13, 7), (40, 10)])
def test_pictures_are_bounded_and_spread(count: int, most: int) -> None:
    chosen = [at for at in range(count) if drawn.is_drawn(at, count)]
    assert len(chosen) == most <= drawn.MOST_STATIONS
    assert chosen[-1] >= count / 2 or count == 1
