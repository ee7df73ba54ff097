"""What stands on nothing is told from what stands, all around."""

import numpy as np

from sonoworld.panorama.floating import floating

HORIZON = 60


def scene() -> np.ndarray:
    solid = np.zeros((100, 400), np.float32)
    solid[HORIZON:] = 1
    return solid


def test_a_house_stands_and_a_cloud_of_bricks_floats() -> None:
    solid = scene()
    solid[20:HORIZON, 50:90] = 1
    solid[10:30, 200:230] = 1
    found = floating(solid, HORIZON)
    assert found[10:30, 200:230].all()
    assert found.sum() == 20 * 30


def test_a_thin_gap_does_not_part_a_crown_from_its_trunk() -> None:
    solid = scene()
    solid[10:40, 100:150] = 1
    solid[42:HORIZON, 120:124] = 1  # two rows of light between them
    assert not floating(solid, HORIZON).any()


def test_what_stands_beyond_the_edge_stands() -> None:
    solid = scene()
    solid[20:25, 380:] = solid[20:25, :40] = 1  # an arm across ±180°
    solid[20:HORIZON, 35:40] = 1  # held by a post on the other side
    assert not floating(solid, HORIZON).any()
    solid[25:HORIZON, 35:40] = 0
    assert floating(solid, HORIZON)[20:25, 380:].all()


def test_without_a_horizon_in_sight_nothing_is_said() -> None:
    assert not floating(scene(), 0).any()
    assert not floating(scene(), 100).any()
