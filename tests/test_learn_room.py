"""A room made by closed forms is heard once and told again."""

from pathlib import Path

import numpy as np
import pytest

from sonoworld.acoustics import OCTAVES_HZ, LateField, Room, diffuse_covariance, plain_emitter, shoebox
from sonoworld.acoustics.heard import room_response
from sonoworld.acoustics.response import Grid
from sonoworld.disk import atomic
from sonoworld.disk.room_file import ROOM_FILE, carry_room, read_room, write_room
from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.learn.room import FitOptions, RoomFit, Shot, fit_room

B, RATE = len(OCTAVES_HZ), 48000
SIZE, EYE = (6.0, 4.5, 3.0), (2.5, 2.0, 1.4)
SOURCE, LISTENER = np.array([1.7, 0.6, 0.2]), np.zeros(3)
TRUE = np.array([0.2, 0.35, 0.5, 0.15, 0.6, 0.25])


def true_room() -> Room:
    walls = shoebox(SIZE, EYE, np.repeat(TRUE[:, None], B, 1))
    late = LateField(np.full(B, 0.4), np.full(B, -6.0), 0.05, diffuse_covariance())
    return Room(walls, late, 2)


def shot(source: np.ndarray = SOURCE) -> Shot:
    h = room_response(true_room(), plain_emitter(), source, LISTENER, Grid(33600, RATE, air=False))
    return Shot(h, RATE, source, LISTENER)


@pytest.fixture(scope="module")
def fit() -> RoomFit:
    start = shoebox(SIZE, EYE, np.full((6, B), 0.3))
    return fit_room((shot(),), start, FitOptions(steps=80, early_s=0.035, late_from_s=0.06, patience=80))


def test_absorption_is_told(fit: RoomFit) -> None:
    told = fit.room.walls.absorption[:, 2:6]  # 500 Hz .. 4 kHz
    assert np.abs(told.mean(1) - TRUE).max() < 0.1
    assert np.abs(told.mean(1) - TRUE).mean() < 0.05
    assert fit.explained[2:6].min() > 0.9


def test_decay_is_told(fit: RoomFit) -> None:
    assert fit.room.late is not None
    assert np.median(fit.room.late.t60_s[1:7]) == pytest.approx(0.4, rel=0.08)


def test_loss_falls(fit: RoomFit) -> None:
    assert min(fit.losses) < 0.8 * fit.losses[0]


def test_at_the_place_of_training_the_response_is_the_heard_one(fit: RoomFit) -> None:
    h = room_response(fit.room, fit.emitter, SOURCE, LISTENER, Grid(9600, RATE, air=False))
    truth = shot().response[0, :9600]
    assert np.sum((h[0] - truth) ** 2) < 0.05 * np.sum(truth**2)


def test_elsewhere_the_direct_sound_comes_from_there(fit: RoomFit) -> None:
    there = np.array([-1.0, -1.2, 0.0])
    h = room_response(fit.room, fit.emitter, there, LISTENER, Grid(9600, RATE, air=False))
    at = round(float(np.linalg.norm(there)) / 343.2 * RATE)
    w, y, _, x = h[:, at - 24 : at + 72]
    azimuth = np.degrees(np.arctan2(w @ y, w @ x))
    assert azimuth == pytest.approx(np.degrees(np.arctan2(-1.2, -1.0)), abs=10)


def test_the_same_seed_gives_the_same_room(fit: RoomFit) -> None:
    start = shoebox(SIZE, EYE, np.full((6, B), 0.3))
    options = FitOptions(steps=3, early_s=0.04)
    one, other = (fit_room((shot(),), start, options).room.walls.absorption for _ in range(2))
    assert np.array_equal(one, other)


def test_silence_is_told() -> None:
    silent = Shot(np.zeros((4, 9600)), RATE, SOURCE, LISTENER)
    with pytest.raises(InputError, match="silence"):
        fit_room((silent,), shoebox(SIZE, EYE, np.full((6, B), 0.3)), FitOptions(steps=1))


def test_a_room_is_written_and_read(fit: RoomFit, tmp_path: Path) -> None:
    write_room(tmp_path, fit.room, fit.emitter, RATE)
    room, emitter = read_room(tmp_path)
    assert emitter is not None
    assert room.late is not None
    assert fit.room.late is not None
    np.testing.assert_allclose(room.walls.absorption, fit.room.walls.absorption, rtol=1e-5)
    np.testing.assert_array_equal(room.late.measured, fit.room.late.measured)
    h = [
        room_response(*pair, SOURCE, LISTENER, Grid(3200, RATE)) for pair in ((room, emitter), (fit.room, fit.emitter))
    ]
    np.testing.assert_allclose(h[0], h[1], atol=1e-5)


def test_a_room_is_taken_over(fit: RoomFit, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    carry_room(old, new)
    assert not list(new.iterdir())
    write_room(old, fit.room, fit.emitter, RATE)
    carry_room(old, new)
    assert read_room(new)[0].walls.materials == fit.room.walls.materials


def test_a_strangers_room_is_checked(tmp_path: Path) -> None:
    write_room(tmp_path, true_room())
    document = atomic.read_json(tmp_path / ROOM_FILE)
    assert isinstance(document, dict)
    document["late"]["residue"] = "../elsewhere.wav"
    atomic.write_json(tmp_path / ROOM_FILE, document)
    with pytest.raises(UnsafeFileError):
        read_room(tmp_path)
