"""The walk that comes with a world: gentle, on the ground, within reach, and towards what sounds."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonoworld.frames import direction_from_angles
from sonoworld.render import Walk, default_walk
from sonoworld.types import Source, Spread, WalkSurface

CELL_M = 0.125
CELLS = 97
MIDDLE = CELLS // 2


def sounding(azimuth: float, distance_m: float, level_db: float = 70.0, elevation: float = 0.0) -> Source:
    point = (distance_m * direction_from_angles(np.array(azimuth), np.array(elevation)))[None].astype(np.float32)
    name, one = f"{azimuth:.3f}", np.ones(1, np.float32)
    normal = (-point / distance_m).astype(np.float32)
    return Source(name, name, name, Spread.POINT, level_db, 1.0, "test", point, normal, one, 0.01)


def surface(walkable: np.ndarray | None = None, floor: np.ndarray | None = None, near_m: float = math.inf):
    free = np.ones((CELLS, CELLS), bool) if walkable is None else walkable
    level = np.full((CELLS, CELLS), -1.6, np.float32) if floor is None else floor.astype(np.float32)
    return WalkSurface(level, np.zeros_like(level), ~free, free, np.ones_like(free), CELL_M, near_m)


def plan() -> tuple[np.ndarray, np.ndarray]:
    """x and y of every cell."""
    at = (np.arange(CELLS) - MIDDLE) * CELL_M
    x, y = np.meshgrid(at, at, indexing="ij")
    return x, y


def fastest(walk: Walk) -> tuple[float, float]:
    """m/s and °/s between pictures of a film at 30/s."""
    times = np.linspace(0, walk.seconds, max(2, round(walk.seconds * 30) + 1))
    rotations, origins = walk.at(times)
    turned = np.swapaxes(rotations[:-1], 1, 2) @ rotations[1:]
    cos = np.clip((np.trace(turned, axis1=1, axis2=2) - 1) / 2, -1, 1)
    speed = np.linalg.norm(np.diff(origins, axis=0), axis=1) / np.diff(times)
    return float(speed.max()), float(np.degrees((np.arccos(cos) / np.diff(times)).max()))


angles = st.floats(-math.pi, math.pi)


@given(
    st.lists(st.tuples(angles, st.floats(0.3, 60), st.floats(30, 100), st.floats(-1.2, 1.2)), max_size=6),
    st.floats(0.2, 60),
    st.floats(0.5, 20),
    st.integers(0, 2**32 - 1),
)
def test_it_is_gentle_and_keeps_to_the_ground(
    heard: list[tuple[float, float, float, float]], seconds: float, near_m: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x, y = plan()
    things = rng.uniform(-3, 3, (4, 2))
    blocked = np.any([np.hypot(x - tx, y - ty) < 0.4 for tx, ty in things], axis=0) & (np.hypot(x, y) > 0.3)
    slope = rng.uniform(-0.3, 0.3, 2)
    ground = surface(~blocked, -1.6 + slope[0] * x + slope[1] * y, near_m)
    walk = default_walk(seconds, [sounding(*one) for one in heard], ground)
    assert walk.seconds == pytest.approx(seconds)
    speed, turn = fastest(walk)
    assert speed < 1
    assert turn < 40
    assert np.hypot(walk.positions[:, 0], walk.positions[:, 1]).max() <= ground.comfortable_radius_m
    cell = np.rint(walk.positions[:, :2] / CELL_M).astype(int) + MIDDLE
    assert ground.walkable[cell[:, 0], cell[:, 1]].all()
    np.testing.assert_allclose(walk.positions[:, 2], walk.positions[:, :2] @ slope, atol=1e-3)


def test_it_starts_and_ends_standing_at_the_eye_looking_ahead() -> None:
    walk = default_walk(20.0, [sounding(0.5, 6.0), sounding(-1.0, 4.0)], surface())
    for end in (0, -1):
        assert not walk.positions[end].any()
        assert walk.yaw[end] == walk.pitch[end] == walk.roll[end] == 0
    steps = np.linalg.norm(np.diff(walk.positions, axis=0), axis=1)
    assert steps[0] < 0.05 * steps.max()
    assert steps[-1] < 0.05 * steps.max()


def test_it_looks_at_each_of_the_loudest_from_nearer_by() -> None:
    heard = [sounding(0.6, 5.0), sounding(-0.7, 8.0), sounding(2.0, 6.0), sounding(math.pi, 50.0, 40.0)]
    walk = default_walk(20.0, heard, surface())
    rotations, origins = walk.at(np.linspace(0, 20, 401))
    for source, visited in zip(heard, (True, True, True, False), strict=True):
        towards = source.points[0] - origins
        facing = np.einsum("kc,kc->k", rotations[:, :, 0], towards) / np.linalg.norm(towards, axis=1)
        nearer = np.linalg.norm(towards, axis=1) < np.linalg.norm(source.points[0]) - 1
        seen = (facing > math.cos(math.radians(3))) & nearer
        assert seen.any() == visited
        if visited:
            assert seen.sum() >= 20  # a second at least


def test_what_does_not_fit_into_the_time_is_left_out_the_quietest_first() -> None:
    loud, quiet = sounding(0.5, 6.0, 80.0), sounding(-2.4, 6.0, 60.0)
    short = default_walk(7.0, [quiet, loud], surface())
    assert np.degrees(short.yaw).max() == pytest.approx(28.6, abs=2)
    assert np.degrees(short.yaw).min() > -10


def test_it_goes_round_what_stands_between_two_stops() -> None:
    x, y = plan()
    wall = (np.abs(y) < 0.2) & (x > 0.5)
    ground = surface(~wall)
    walk = default_walk(30.0, [sounding(0.6, 9.0), sounding(-0.6, 9.0)], ground)
    cell = np.rint(walk.positions[:, :2] / CELL_M).astype(int) + MIDDLE
    assert ground.walkable[cell[:, 0], cell[:, 1]].all()
    assert walk.positions[:, 1].max() > 0.5
    assert walk.positions[:, 1].min() < -0.5


def test_where_nothing_sounds_it_looks_around_and_stays_near() -> None:
    walk = default_walk(20.0)
    assert np.linalg.norm(walk.positions, axis=1).max() <= 0.5
    assert np.degrees(np.ptp(walk.yaw)) > 60


def test_what_sounds_all_around_or_at_the_eye_is_no_sight() -> None:
    around = np.array([[3, 0, 0], [-3, 0, 0], [0, 3, 0], [0, -3, 0]], np.float32)
    quarter = np.full(4, 0.25, np.float32)
    river = Source("a", "a", "a", Spread.AREA, 99.0, 1.0, "test", around, -around / 3, quarter, 3.0)
    plain = default_walk(20.0)
    np.testing.assert_array_equal(default_walk(20.0, [river]).yaw, plain.yaw)
    above = sounding(0.3, 9.0, 90.0, elevation=math.radians(85))
    np.testing.assert_array_equal(default_walk(20.0, [above]).yaw, plain.yaw)
