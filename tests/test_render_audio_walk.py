"""Walks: their JSON, their way between poses, and what is heard on them."""

import json
import math
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonoworld.encode import EncodeOptions
from sonoworld.errors import InputError, ShapeError
from sonoworld.frames import Pose, head_angles, world_from_head_rotation
from sonoworld.render import Walk, default_walk, parse_walk, render_walk, still_walk
from sonoworld.types import Clip, SoundField, Source, Spread

angle = st.floats(-3, 3)


def source(place: tuple[float, float, float], spread: Spread = Spread.POINT, *, seed: int = 0) -> Source:
    points = np.array([place] if spread is not Spread.AMBIENT else np.zeros((0, 3)), np.float32).reshape(-1, 3)
    weights = np.ones(len(points), np.float32)
    samples = (0.1 * np.random.default_rng(seed).standard_normal(9600)).astype(np.float32)
    clip = Clip(samples, 48000, True, 0.0, "test", "MIT")
    return Source(f"s{seed}", "a", "a", spread, 100.0, 1.0, "test", points, points * 0, weights, 0.1, clip=clip)


def pose(t: float, **change: object) -> dict[str, object]:
    return {"t": t, "position": [0.0, 0.0, 0.0], "yaw": 0.0, "pitch": 0.0} | change


def test_json_is_read_exactly() -> None:
    document = json.loads(
        '{"rate_hz": 30, "poses": [{"t": 0, "position": [1, 2, 3], "yaw": 0.1, "pitch": -0.2},'
        '{"t": 2.5, "position": [1, 2, 4], "yaw": 0.3, "pitch": 0.2, "roll": 0.05}]}'
    )
    walk = parse_walk(document)
    np.testing.assert_array_equal(walk.times_s, [0, 2.5])
    np.testing.assert_array_equal(walk.positions, [[1, 2, 3], [1, 2, 4]])
    np.testing.assert_array_equal(walk.roll, [0, 0.05])
    assert walk.seconds == 2.5
    np.testing.assert_allclose(walk.pose_at(1.25).origin, [1, 2, 3.5])
    without_times = parse_walk({"rate_hz": 10, "poses": [{k: v for k, v in pose(0).items() if k != "t"}] * 3})
    np.testing.assert_allclose(without_times.times_s, [0, 0.1, 0.2])


BAD: dict[str, object] = {
    "not an object": [],
    "unknown key": {"poses": [pose(0)], "speed": 1},
    "no poses": {"rate_hz": 30},
    "empty": {"poses": []},
    "poses not a list": {"poses": {"0": pose(0)}},
    "rate": {"rate_hz": 0, "poses": [pose(0)]},
    "rate word": {"rate_hz": "30", "poses": [pose(0)]},
    "pose not an object": {"poses": [3]},
    "unknown field": {"poses": [pose(0, head=1)]},
    "no time": {"poses": [{"position": [0, 0, 0], "yaw": 0, "pitch": 0}]},
    "no yaw": {"poses": [{"t": 0, "position": [0, 0, 0], "pitch": 0}]},
    "two coordinates": {"poses": [pose(0, position=[0, 0])]},
    "word": {"poses": [pose(0, yaw="left")]},
    "true": {"poses": [pose(0, yaw=True)]},
    "nan": {"poses": [pose(0, pitch=math.nan)]},
    "inf": {"poses": [pose(0, position=[0, 0, math.inf])]},
    "far": {"poses": [pose(0, position=[0, 0, 1e9])]},
    "huge": {"poses": [pose(0, yaw=10**400)]},
    "before zero": {"poses": [pose(-1)]},
    "times fall": {"poses": [pose(0), pose(2), pose(1)]},
    "times stand": {"poses": [pose(1), pose(1)]},
}


@pytest.mark.parametrize("name", BAD)
def test_bad_walks_are_one_clear_error(name: str) -> None:
    with pytest.raises(InputError, match=r"walk.*expected"):
        parse_walk(BAD[name])


@given(st.tuples(angle, angle, angle), st.tuples(angle, angle, angle), st.floats(0, 1))
def test_heads_turn_evenly_on_the_shortest_arc(a: tuple[float, ...], b: tuple[float, ...], share: float) -> None:
    first, last = world_from_head_rotation(*a), world_from_head_rotation(*b)
    columns = np.array([a, b], np.float64).T
    walk = Walk(np.array([0.0, 1.0]), np.zeros((2, 3)), *(np.ascontiguousarray(c) for c in columns))
    middle, _ = walk.at(np.array([share]))
    whole, part = (math.acos(max(-1, min(1, (np.trace(first.T @ R) - 1) / 2))) for R in (last, middle[0]))
    assert part == pytest.approx(share * whole, abs=2e-6)
    Pose(middle[0], np.zeros(3))


def test_ends_hold_and_bad_walks_do_not_exist() -> None:
    walk = Walk(np.array([1.0, 2.0]), np.array([[0.0, 0, 0], [1, 0, 0]]), *[np.array([0.0, 0.5])] * 3)
    np.testing.assert_allclose(walk.pose_at(0).origin, [0, 0, 0])
    np.testing.assert_allclose(walk.pose_at(9).origin, [1, 0, 0])
    np.testing.assert_allclose(head_angles(walk.pose_at(9).rotation), [0.5, 0.5, 0.5])
    with pytest.raises(ShapeError, match="rise"):
        replace(walk, times_s=np.array([2.0, 1.0]))
    with pytest.raises(ShapeError, match="finite"):
        replace(walk, yaw=np.array([0.0, np.nan]))


def test_default_walk_is_slow_small_and_closed() -> None:
    walk = default_walk(20.0)
    assert walk.seconds == 20
    np.testing.assert_allclose(walk.positions[0], walk.positions[-1], atol=1e-12)
    assert np.linalg.norm(walk.positions, axis=1).max() <= 1.01
    speed = np.linalg.norm(np.diff(walk.positions, axis=0), axis=1) / np.diff(walk.times_s)
    assert speed.max() < 0.5
    assert np.abs(np.diff(walk.yaw) / np.diff(walk.times_s)).max() < np.deg2rad(60)


def test_formats_and_lengths() -> None:
    walk = default_walk(0.5)
    scene = [source((2.0, 1.0, 0.0)), source((0.0, 0.0, 0.0), Spread.AMBIENT, seed=1)]
    both = render_walk(scene, walk)
    assert (both.shape, both.dtype) == ((2, 24000), np.float32)
    field = render_walk(scene, walk, format="ambix", order=5, seconds=0.25)
    assert isinstance(field, SoundField)
    assert field.signal.shape == (36, 12000)
    np.testing.assert_array_equal(render_walk(scene, walk), both)
    assert render_walk(scene, walk, format="ambix").order == 3
    with pytest.raises(ShapeError, match="seconds"):
        render_walk(scene, walk, seconds=0)
    with pytest.raises(ShapeError, match=r"1\.\.7"):
        render_walk(scene, walk, order=9)
    paper = render_walk(scene, walk, format="ambix", options=EncodeOptions(mode="paper"))
    assert paper.order == 1


def test_left_and_right_are_where_they_should_be() -> None:
    left = render_walk([source((0.0, 2.0, 0.0))], still_walk(Pose.identity(), 0.3))
    power = (left**2).sum(1)
    assert power[0] > 3 * power[1]
    back = Pose(world_from_head_rotation(math.pi, 0.0), np.zeros(3))
    turned = render_walk([source((0.0, 2.0, 0.0))], still_walk(back, 0.3))
    np.testing.assert_allclose((turned**2).sum(1), power[::-1], rtol=1e-3)


def test_a_frontal_source_is_about_as_loud_as_its_w() -> None:
    walk = still_walk(Pose.identity(), 0.5)
    w = render_walk([source((1.0, 0.0, 0.0))], walk, format="ambix").signal[0]
    ears = render_walk([source((1.0, 0.0, 0.0))], walk)
    ratio_db = 10 * np.log10((ears**2).mean(1) / (w**2).mean())
    assert np.abs(ratio_db).max() < 4.5


def test_walking_makes_no_steps() -> None:
    # a low tone while passing a source at 2 m/s: no sample jumps more than the tone itself can
    t = np.arange(48000) / 48000
    clip = Clip(np.sin(2 * np.pi * 50 * t).astype(np.float32), 48000, True, 0.0, "test", "MIT")
    tone = replace(source((0.0, 0.5, 0.0)), clip=clip)
    times = np.linspace(0, 1, 31)
    positions = np.stack([np.linspace(-1, 1, 31), 0 * times, 0 * times], -1)
    walk = Walk(times, positions, np.sin(3 * times), 0 * times, 0 * times)
    field = render_walk([tone], walk, format="ambix")
    curvature = np.abs(np.diff(field.signal.astype(float), 2, axis=1)).max()
    # tone: 2·(2π·50/48000)² = 8.6e-5 at its loudest; a gain ramp may bend by its change of slope at a boundary
    assert curvature < 4e-4


def test_a_walk_is_rendered_far_faster_than_it_is_walked() -> None:
    scene = [source((3.0, k - 4.0, 0.0), seed=k) for k in range(8)]
    render_walk(scene, default_walk(0.1))
    start = time.process_time()
    render_walk(scene, default_walk(10.0))
    assert time.process_time() - start < 1.0
