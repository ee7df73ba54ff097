"""Walls put where they are heard, reflections that are there, decays by ear, deconvolution: known answers."""

import numpy as np
import pytest

from sonoworld.acoustics import OCTAVES_HZ, Room, plain_emitter, shoebox
from sonoworld.acoustics.heard import early_part
from sonoworld.acoustics.response import Grid
from sonoworld.acoustics.room import MOST_ABSORPTION, Walls
from sonoworld.errors import InputError, ShapeError
from sonoworld.evaluate.acoustic import t60_s
from sonoworld.learn.blind import free_decay_times_s, heard_late_field
from sonoworld.learn.deconvolve import response_between
from sonoworld.learn.fit_picture import fit_picture
from sonoworld.learn.prepare import in_world_axes, walls_around, walls_that_ring
from sonoworld.learn.room import FitOptions, Shot, fit_room
from sonoworld.learn.walls import Reflected, placed_walls

B, RATE = len(OCTAVES_HZ), 48000
SIZE, EYE, PLACE = (5.0, 4.0, 3.0), (2.0, 1.5, 1.2), np.array([1.3, -0.4, 0.3])


def walls(alpha: float = 0.3) -> Walls:
    return shoebox(SIZE, EYE, np.full((6, B), alpha))


def response(room: Walls, samples: int = 4800, order: int = 2) -> np.ndarray:
    return early_part(Room(room, None, order), plain_emitter(), PLACE, np.zeros(3), Grid(samples, RATE, air=False))


def decaying(seconds: float = 1.0, t60: float = 0.5) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE
    return np.random.default_rng(0).standard_normal((4, len(t))) * 10 ** (-3 * t / t60)


def test_walls_are_put_where_they_are_heard() -> None:
    off = np.array([0.2, -0.1, 0.15, -0.2, 0.1, -0.15])
    guess = Walls(walls().normals, walls().offsets_m + off, walls().absorption, ("w",) * 6)
    d = float(np.linalg.norm(PLACE))
    h = response(walls(), 1600, order=1)  # second reflections can draw a wall to themselves
    rest = h.copy()
    rest[:, : round(d / 343.2 * RATE) + 60] = 0.0
    wavelet = np.zeros(200)
    wavelet[100] = 1.0
    emitter = plain_emitter()
    emitter = type(emitter)(emitter.gain_db, emitter.directivity, emitter.facing, wavelet, 100)
    heard = Reflected(rest, emitter, PLACE, np.zeros(3), RATE)
    placed = placed_walls(guess, heard, 0.3, 1700.0)
    np.testing.assert_allclose(placed.offsets_m, walls().offsets_m, atol=0.02)


def test_a_wall_that_gives_nothing_back_stays_in_the_residue() -> None:
    alpha = np.full((6, B), 0.2)
    alpha[1] = MOST_ABSORPTION
    true = shoebox(SIZE, EYE, alpha)
    h = response(true, 28800) + 1e-4 * decaying(0.6, 0.3)
    options = FitOptions(steps=60, early_s=0.02)
    fit = fit_room((Shot(h, RATE, PLACE, np.zeros(3)),), walls(0.4), options)
    assert (fit.room.walls.absorption[1, 1:7] == MOST_ABSORPTION).all()
    assert np.abs(fit.room.walls.absorption[[0, 2, 3, 4, 5]][:, 3:6] - 0.2).max() < 0.15


def test_free_decays_are_found() -> None:
    level = np.concatenate([np.zeros(20), -3.0 * np.arange(15), np.full(10, -45.0)])  # 3 dB in 10 ms: 0.2 s
    assert free_decay_times_s(level) == pytest.approx([0.2])
    assert free_decay_times_s(np.zeros(50)) == []


def test_a_place_is_told_by_ear() -> None:
    words = np.zeros(4 * RATE)
    for start in range(0, 3 * RATE, 38400):
        words[start : start + 9600] = np.random.default_rng(start).standard_normal(9600)
    n = 1 << 18
    heard = np.fft.irfft(np.fft.rfft(decaying(), n) * np.fft.rfft(words, n), n)[:, : 4 * RATE]
    late = heard_late_field(heard, 2.0, RATE)
    assert np.median(late.t60_s) == pytest.approx(0.5, rel=0.25)
    with pytest.raises(InputError, match="die away"):
        heard_late_field(np.random.default_rng(0).standard_normal((4, RATE)), 2.0, RATE)


def test_a_response_is_told_from_what_was_played() -> None:
    h = decaying(0.3, 0.2)
    dry = np.random.default_rng(5).standard_normal(RATE)
    n = 1 << 17
    wet = np.fft.irfft(np.fft.rfft(h, n) * np.fft.rfft(dry, n), n)[:, : RATE + h.shape[1]]
    told = response_between(wet, dry, 0.32, RATE)[:, round(0.02 * RATE) :]
    assert np.sum((told - h) ** 2) < 0.01 * np.sum(h**2)
    with pytest.raises(InputError, match="silence"):
        response_between(wet, 0 * dry, 0.3, RATE)


def test_axes_walls_and_rings() -> None:
    left = np.array([[1.0], [1.0], [0.0], [0.0]])  # from the left of a microphone that looks left: from behind
    np.testing.assert_allclose(in_world_axes(left, np.pi / 2)[:, 0], [1, 0, 0, -1], atol=1e-12)
    with pytest.raises(ShapeError, match="4 channels"):
        in_world_axes(left[:1], 0.0)
    wide, moved = walls_around(walls(), [np.array([3.5, 0, 0])])
    assert moved == (0,)
    assert wide.offsets_m[0] == pytest.approx(3.7)
    ringing = walls_that_ring(shoebox((10, 8, 3), (5, 4, 1.5), np.full((6, B), 0.5)), np.full(B, 0.646))
    assert ringing.absorption[0, 1] == pytest.approx(0.2, abs=0.01)  # see Eyring in test_acoustics_guess


def test_the_picture_shows_both() -> None:
    picture = fit_picture(decaying(), decaying(t60=0.3), RATE)
    assert picture.shape == (640, 1440, 3)
    assert t60_s(decaying()[0], RATE) == pytest.approx(0.5, rel=0.1)
    orange = (picture[..., 0] > 180) & (picture[..., 2] < 90)
    assert orange[:320, :480].sum() > 200
