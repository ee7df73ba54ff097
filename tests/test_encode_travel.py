"""Delay and Doppler: impulses to a fraction of a sample, tones at the pitch of physics, jumps without a click."""

import array_api_strict as strict
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sonoworld.encode.travel import (
    LEAST_DELAY,
    PHASES,
    SPEED_OF_SOUND_M_S,
    TAPS,
    delay_samples,
    delayed,
    interpolation_table,
)
from sonoworld.errors import ShapeError

RATE = 48000


def tone(hz: float, samples: int) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(samples) / RATE)


def test_the_speed_of_sound_is_that_of_its_temperature() -> None:
    # √(γ R T / M) of dry air at 293.15 K
    assert pytest.approx(np.sqrt(1.4 * 8.314462 * 293.15 / 0.0289647), abs=0.15) == SPEED_OF_SOUND_M_S


def test_table_has_the_ends_of_an_interpolator() -> None:
    table = interpolation_table()
    assert table.shape == (PHASES + 1, TAPS)
    assert table.dtype == np.float32
    np.testing.assert_allclose(table[0], np.eye(TAPS)[7], atol=1e-7)
    np.testing.assert_allclose(table[-1], np.eye(TAPS)[8], atol=1e-7)
    np.testing.assert_allclose(table[::-1, ::-1], table, atol=1e-7)  # f and 1 − f are mirror images


@pytest.mark.parametrize("hz", [50.0, 1000.0, 8000.0, 15000.0])
def test_a_tone_is_delayed_to_a_fraction_of_a_sample(hz: float) -> None:
    n, block = 4096, 256
    for delay in (8.0, 20.25, 100.9999, 317.123):
        y = delayed(tone(hz, n), np.full(n // block + 1, delay), block)
        expected = np.sin(2 * np.pi * hz * (np.arange(n) - delay) / RATE)
        settled = slice(int(delay) + TAPS, None)
        assert np.abs(y - expected)[settled].max() < 10 ** (-80 / 20)


def test_an_impulse_arrives_when_it_should() -> None:
    # time of arrival by the slope of the phase, up to 8 kHz
    x = np.zeros(2048, np.float32)
    x[100] = 1.0
    for delay in (8.0, 33.3, 500.75):
        y = delayed(x, np.array([delay, delay]), len(x)).astype(np.float64)
        k = np.arange(1, 340)
        phase = np.unwrap(np.angle(np.fft.rfft(y)[k]))
        arrival = -np.polyfit(2 * np.pi * k / len(x), phase, 1)[0]
        assert arrival == pytest.approx(100 + delay, abs=1e-3)
        assert np.abs(np.fft.rfft(y))[k] == pytest.approx(np.ones(len(k)), abs=1e-3)


@pytest.mark.parametrize("speed", [-60.0, -20.0, -1.4, 1.4, 20.0, 60.0])
def test_pitch_of_a_listener_who_walks_away(speed: float) -> None:
    # a listener leaving at v hears f·(c − v)/c
    n, block, hz = RATE, 256, 1000.0
    t = np.arange(n // block + 1) * block / RATE
    y = delayed(tone(hz, n), delay_samples(80.0 + speed * t, RATE), block)
    settled = y[12000 : n // block * block]
    spectrum = np.abs(np.fft.rfft(settled * np.blackman(len(settled)), 1 << 20))
    heard = float(np.argmax(spectrum)) * RATE / (1 << 20)
    assert heard == pytest.approx(hz * (1 - speed / SPEED_OF_SOUND_M_S), abs=0.1)


def test_a_moving_tone_stays_clean() -> None:
    # nothing but the tone above −80 dB
    n, block = 1 << 16, 256
    t = np.arange(n // block + 1) * block / RATE
    y = delayed(tone(3000.0, n).astype(np.float32), delay_samples(5 + 15 * t, RATE), block)[4096:].astype(np.float64)
    power = np.abs(np.fft.rfft(y * np.blackman(len(y)))) ** 2
    f = np.fft.rfftfreq(len(y), 1 / RATE)
    expected = 3000 * (1 - 15 / SPEED_OF_SOUND_M_S)
    assert 10 * np.log10(power[np.abs(f - expected) > 20].sum() / power.sum()) < -80


def test_a_jump_is_a_fade_and_not_a_glide() -> None:
    block = 64
    x = np.random.default_rng(0).standard_normal(5 * block)
    delay = np.array([20.0, 20.0, 60.5, 60.5])
    y = delayed(x, delay, block)
    r = np.arange(1, block + 1) / block
    old, new = (delayed(x, np.full(4, d), block) for d in (20.0, 60.5))
    middle = slice(block, 2 * block)
    np.testing.assert_allclose(y[middle], (1 - r) * old[middle] + r * new[middle], atol=1e-12)
    np.testing.assert_allclose(y[:block], old[:block], atol=1e-12)
    np.testing.assert_allclose(y[2 * block :], new[2 * block :], atol=1e-12)


@given(st.lists(st.floats(8, 90), min_size=4, max_size=4), st.integers(0, 20), st.sampled_from([16, 48, 96]))
def test_cut_anywhere_and_put_together_is_the_same(delays: list[float], unheard: int, block: int) -> None:
    past = 120
    x = np.random.default_rng(1).standard_normal((2, past + 3 * block)).astype(np.float32)
    whole = delayed(x, np.array(delays), block)
    second = delayed(x[:, unheard:], np.array(delays[1:]), block)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(second, whole[:, block:], atol=2e-6)


def test_before_the_past_there_is_silence() -> None:
    y = delayed(np.ones(32), np.array([40.0, 40.0]), 32)
    np.testing.assert_array_equal(y, 0)


def test_near_by_sound_comes_after_the_least_delay() -> None:
    assert delay_samples(np.array([0.0]), RATE)[0] == LEAST_DELAY
    assert delay_samples(np.array([34.32]), RATE)[0] == pytest.approx(4800)


def test_any_array_library() -> None:
    rng = np.random.default_rng(4)
    x, delay = rng.standard_normal((2, 300)), np.array([10.3, 12.2, 90.1])
    ours = delayed(x, delay, 100)
    theirs = delayed(strict.asarray(x), strict.asarray(delay), 100)
    np.testing.assert_allclose(np.asarray(theirs), ours, atol=1e-14)
    torchs = delayed(torch.from_numpy(x), torch.from_numpy(delay), 100)
    np.testing.assert_allclose(torchs.numpy(), ours, atol=1e-14)


def test_gradients_in_signal_and_way() -> None:
    rng = np.random.default_rng(5)
    x = torch.from_numpy(rng.standard_normal((2, 90))).requires_grad_()
    for way in ([3.01313, 3.15771, 3.2779], [3.01313, 3.57713, 3.2371]):  # m: a motion, a jump
        distance = torch.tensor(way, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(
            lambda x, d: delayed(x, delay_samples(d, 8000), 16), (x, distance), eps=1e-7, atol=2e-4
        )


@pytest.mark.parametrize(
    ("delay", "samples"), [([9.0], 64), ([9.0, 7.9], 64), ([9.0, float("nan")], 64), ([9.0, 9.0], 31)]
)
def test_nonsense_is_refused(delay: list[float], samples: int) -> None:
    with pytest.raises(ShapeError):
        delayed(np.zeros(samples), np.array(delay), 32)
