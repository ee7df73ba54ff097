"""The bank of air: its filters against ISO 9613-1, between them too, and the blend over a block."""

import array_api_strict as strict
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sonoworld.encode.air import WAYS_M, air_bank, air_blend, through_air
from sonoworld.encode.propagate import air_absorption_db_m

RATE = 48000
FREQUENCY = np.fft.rfftfreq(16384, 1 / RATE)
AUDIBLE = (FREQUENCY >= 20) & (FREQUENCY <= 20000)


def filter_of(way_m: float, rate_hz: int = RATE) -> np.ndarray:
    bank = air_bank(rate_hz)
    index, share = air_blend(np.array([way_m]))
    return bank[index[0]] * (1 - share[0]) + bank[index[0] + 1] * share[0]


def error_db(way_m: float, down_to_db: float) -> float:
    got_db = 20 * np.log10(np.abs(np.fft.rfft(filter_of(way_m), 16384)) + 1e-12)
    wanted_db = -way_m * air_absorption_db_m(FREQUENCY)
    here = AUDIBLE & (wanted_db >= -down_to_db)
    return float(np.abs(got_db - wanted_db)[here].max())


@pytest.mark.parametrize(("down_to_db", "bound_db"), [(30.0, 0.8), (40.0, 1.6)])
def test_every_way_is_the_standards_curve(down_to_db: float, bound_db: float) -> None:
    ways = np.unique(np.concatenate([np.interp(np.arange(0, 19.01, 0.25), np.arange(20), WAYS_M)]))
    assert max(error_db(float(way), down_to_db) for way in ways) <= bound_db


def test_four_kilohertz_at_two_hundred_metres() -> None:
    # ISO 9613-1, 20 °C, 50 %: 29.7 dB/km at 4 kHz
    response = np.abs(np.fft.rfft(filter_of(200.0), 48000))[4000]
    assert 20 * np.log10(response) == pytest.approx(-5.93, abs=0.1)


def test_near_by_there_is_no_air() -> None:
    bank = air_bank(RATE)
    assert bank.dtype == np.float32
    assert bank.shape == (len(WAYS_M), 64)
    np.testing.assert_allclose(bank[0], np.eye(64)[0], atol=1e-7)
    assert np.all(np.diff(WAYS_M) > 0)


@pytest.mark.parametrize("rate", [8000, 44100, 48000, 96000])
def test_filters_have_minimum_phase(rate: int) -> None:
    # all zeros within the unit circle, so no filter that takes as much starts earlier
    bank = air_bank(rate)
    assert bank.shape[1] == max(8, round(64 * rate / 48000))
    for taps in bank[[1, 8, -1]]:
        zeros = np.roots(np.trim_zeros(taps.astype(np.float64), "b"))
        assert len(zeros) == 0 or np.abs(zeros).max() < 1.0


@given(st.floats(-5, 1500))
def test_blend_is_linear_between_neighbours(way_m: float) -> None:
    index, share = air_blend(np.array([way_m]))
    i, s = int(index[0]), float(share[0])
    assert 0 <= i <= len(WAYS_M) - 2
    assert WAYS_M[i] * (1 - s) + WAYS_M[i + 1] * s == pytest.approx(np.clip(way_m, 0, WAYS_M[-1]), abs=1e-9)


def test_any_array_library() -> None:
    ways = np.array([[-1.0, 0.0, 9.0], [10.0, 500.0, 2000.0]])
    index, share = air_blend(ways)
    assert index.shape == share.shape == (2, 3)
    their_index, their_share = air_blend(strict.asarray(ways))
    np.testing.assert_array_equal(np.asarray(their_index), index)
    np.testing.assert_allclose(np.asarray(their_share), share, atol=1e-15)
    way = torch.tensor([5.0, 700.0], dtype=torch.float64, requires_grad=True)
    air_blend(way)[1].sum().backward()
    np.testing.assert_allclose(way.grad, [1 / 8, 1 / (764 - 597)])


def test_a_changing_way_fades_between_two_filters() -> None:
    rng = np.random.default_rng(0)
    block, taps = 50, air_bank(RATE).shape[1]
    x = rng.standard_normal((2, taps - 1 + 3 * block)).astype(np.float32)
    ways = np.array([3.0, 3.0, 44.0, 700.0])
    got = through_air(x, ways, block, RATE)
    r = (np.arange(block) + 1) / block
    for row, signal in enumerate(x):
        each = [np.convolve(signal, filter_of(way), "valid") for way in ways]
        for b in range(3):
            here = slice(b * block, (b + 1) * block)
            expected = (1 - r) * each[b][here] + r * each[b + 1][here]
            np.testing.assert_allclose(got[row, here], expected, atol=2e-6)
    np.testing.assert_allclose(
        through_air(x, ways[2:3], block, RATE)[0], np.convolve(x[0], filter_of(44.0), "valid"), atol=2e-6
    )
