"""Closed forms and rooms: truths agree with sums and formulas that are not theirs; levels of single recordings."""

import importlib.util
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from sonoworld.errors import BackendMissingError
from sonoworld.evaluate import spatial, spatial_map
from sonoworld.evaluate.baselines.ours import ROWS
from sonoworld.evaluate.datasets import synthetic, synthetic_rooms
from sonoworld.evaluate.datasets.foa_folder import read_foa
from sonoworld.evaluate.datasets.sonoscene360 import read_sonoscene360
from sonoworld.evaluate.datasets.synthetic_closed import SCENES, closed_layouts, closed_recording, covariance
from sonoworld.evaluate.datasets.synthetic_layout import Body, Layout, Room
from sonoworld.evaluate.datasets.synthetic_picture import picture
from sonoworld.evaluate.datasets.synthetic_rooms import room_layouts
from sonoworld.evaluate.datasets.synthetic_truth import Take, recording
from sonoworld.frames import Pose

RATE_HZ = 48000
EYE = Pose(np.eye(3), np.zeros(3))
WITH_SIMULATOR = pytest.mark.skipif(importlib.util.find_spec("pyroomacoustics") is None, reason="no pyroomacoustics")


def summed(points: np.ndarray, listener: Pose) -> np.ndarray:
    """Mean of y yᵀ / d², by adding up."""
    offset = (points - listener.origin) @ listener.rotation
    d = np.linalg.norm(offset, axis=1, keepdims=True)
    y = np.concatenate([np.ones_like(d), (offset / d)[:, [1, 2, 0]]], axis=1) / d
    return y.T @ y / len(points)


@pytest.mark.parametrize("name", ["point", "disc", "sphere"])
def test_closed_forms_are_what_sums_converge_to(name: str) -> None:
    layout = closed_layouts(6, 2, 3)[SCENES.index(name)]
    (body,) = layout.bodies
    for listener in layout.microphones:
        total = summed(synthetic.surface(body, (400, 400)), listener)
        np.testing.assert_allclose(covariance(body, listener), total, atol=1e-4 * total[0, 0])


@pytest.mark.parametrize("at", range(len(SCENES)))
def test_recordings_have_exactly_their_covariance(at: int) -> None:
    layout = closed_layouts(6, 1, 0)[at]
    listener = layout.microphones[0]
    expected = 10 ** ((layout.ambient_db - 100) / 10) * np.diag([1, 1 / 3, 1 / 3, 1 / 3])
    for body in layout.bodies:
        expected += 10 ** ((body.level_db - 100) / 10) * covariance(body, listener)
    found = spatial_map.covariance(closed_recording(layout, listener, Take(0.5, 1)))
    np.testing.assert_allclose(found, expected, atol=1e-4 * expected[0, 0])


def test_our_encoder_agrees_with_closed_forms() -> None:
    """Points exactly; the sounds of two points, and of parts of a surface, are not quite orthogonal in two seconds."""
    for layout, bound_deg in zip(closed_layouts(5, 1, 0), (0.01, 0.01, 3.0, 3.0, 3.0), strict=True):
        given, listener = synthetic.oracle_anchors(layout, 128, 2.0), layout.microphones[0]
        truth = closed_recording(layout, listener, Take(2.0, 1))
        estimate = ROWS["oracle anchors"](given, listener, 2 * RATE_HZ, np.random.default_rng(0))
        found = spatial.compare(estimate, truth, RATE_HZ)
        assert found["angular_error_deg"] < bound_deg, layout.id
        assert found["cc"] > 0.99, layout.id


def test_closed_forms_are_a_tree(tmp_path: Path) -> None:
    size = synthetic.SyntheticSize(6, 1, 1, 128, 0.5, "T0")
    made = synthetic.write_synthetic(tmp_path, size, 0)
    scenes = read_sonoscene360(tmp_path).scenes
    assert [layout.part for layout in made] == list(SCENES)
    for layout, scene in zip(made, scenes, strict=True):
        foa = read_foa(scene.microphones[0].recordings[0].path)
        truth = closed_recording(layout, layout.microphones[0], synthetic.take_of(size, 0, made.index(layout), 0, 0))
        assert spatial.covariance_distance(foa, truth) < 1e-3


def test_discs_and_spheres_are_seen_where_they_are() -> None:
    disc, shell = (closed_layouts(6, 1, 0)[SCENES.index(name)] for name in ("disc", "sphere"))
    for layout, area in ((disc, math.pi * 1.4**2 / 2.5**2), (shell, 2 * math.pi * (1 - math.sqrt(1 - (1.4 / 3) ** 2)))):
        _, geometry, (mask,) = picture(layout, 256)
        rows = np.sin((np.arange(256) + 0.5) / 256 * np.pi)[:, None] * (np.pi / 256) ** 2
        assert float((mask * rows).sum()) == pytest.approx(area, rel=0.25)  # a disc's rim is farther than its middle
        assert geometry.distance[mask].min() == pytest.approx(2.5 if layout is disc else 3.03 - 1.4, abs=0.1)


def test_levels_of_a_recording_are_told_to_those_who_ask() -> None:
    """Two equal birds of which one happens to be louder: only who knows that hears the right middle."""
    birds = [Body("birds", "ball", "birds", (0.0, s * 4.0, 0.0), (0.5, 0.5), 0.0, 80.0) for s in (1.0, -1.0)]
    ahead = Body("person", "ball", "voice", (4.0, 0.0, 0.0), (0.5, 0.5), 0.0, 80.0)
    layout, take = Layout("two", (*birds, ahead), (), 0.0, False, -100.0), Take(2.0, 4, 6.0)
    given = synthetic.oracle_anchors(layout, 128, 2.0)
    told = synthetic.with_levels_of(given, layout, take)
    truth = recording(layout, EYE, take)
    off = [
        spatial.compare(ROWS["oracle anchors"](one, EYE, 2 * RATE_HZ, np.random.default_rng(0)), truth, RATE_HZ)
        for one in (given, told)
    ]
    assert off[1]["angular_error_deg"] < 2.0 < off[0]["angular_error_deg"]
    assert [s.level_db for s in told.truth] == [s.level_db for s in told.soundings]


def test_a_room_is_around_the_eye() -> None:
    layout = Layout("room", (), (), 0.0, False, 30.0, Room((-2.0, -3.0, -1.6), (4.0, 2.0, 1.4), 0.5))
    _, geometry, _ = picture(layout, 64)
    assert geometry.valid.all()
    ahead, left, behind, right = (geometry.distance[32, c] for c in (64, 32, 0, 96))
    np.testing.assert_allclose([ahead, left, behind, right], [4, 2, 2, 3], rtol=0.01)
    np.testing.assert_allclose([geometry.distance[0, 0], geometry.distance[63, 0]], [1.4, 1.6], rtol=0.01)
    np.testing.assert_allclose(geometry.normal[32, 64], [-1, 0, 0])


def test_without_a_simulator_one_line_says_what_to_type(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyroomacoustics", None)
    with pytest.raises(BackendMissingError, match="pip install pyroomacoustics"):
        synthetic.write_synthetic(tmp_path, synthetic.SyntheticSize(1, 1, 1, 64, 0.2, "T2"), 0)
    assert not list(tmp_path.iterdir())


@WITH_SIMULATOR
def test_rooms_ring_as_long_as_they_say() -> None:
    """By Schroeder's integral; Sabine's formula, which sets the walls, is good to about a third in small rooms."""
    layout = room_layouts(3, 1, 0)[2]
    assert layout.room is not None
    listener, source = layout.microphones[0], layout.bodies[0].centre
    heard = synthetic_rooms.response(layout.room, source, listener)
    left = np.cumsum(heard[0, ::-1] ** 2)[::-1] / np.sum(heard[0] ** 2)
    t60 = 3 * (np.argmax(left < 10**-2.5) - np.argmax(left < 10**-0.5)) / RATE_HZ
    assert 0.6 < t60 / layout.room.t60_s < 1.6
    d = np.linalg.norm(np.array(source) - listener.origin)
    onset = round(d / 343.2 * RATE_HZ)
    direct = heard[:, onset - 20 : onset + 21]
    u = (np.array(source) - listener.origin) @ listener.rotation / d
    np.testing.assert_allclose(spatial.direction(direct), u, atol=0.05)
    assert np.sum(direct[0]) == pytest.approx(1 / d, rel=0.1)


@WITH_SIMULATOR
def test_rooms_repeat(tmp_path: Path) -> None:
    size = synthetic.SyntheticSize(1, 1, 1, 64, 0.3, "T2")
    for name in ("a", "b"):
        synthetic_rooms._images.cache_clear()  # pyright: ignore[reportPrivateUsage]
        synthetic.write_synthetic(tmp_path / name, size, 2)
    (first, again) = (next((tmp_path / name).rglob("foa.wav")).read_bytes() for name in ("a", "b"))
    assert first == again
