"""One gain per file: the loudness asked for, and no peak above the ceiling, between samples too."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoworld.render.loudness import file_gain, integrated_loudness, true_peak_db

RATE = 48000


def tone(hz: float, amplitude: float, seconds: float = 2.0, phase: float = 0.0) -> np.ndarray:
    t = np.arange(int(seconds * RATE)) / RATE
    return (amplitude * np.sin(2 * np.pi * hz * t + phase)).astype(np.float32)


def test_meter_is_calibrated() -> None:
    # EBU Tech 3341, test 1: stereo 1 kHz at −23 dBFS peak reads −23 LUFS
    x = tone(1000, 10 ** (-23 / 20), 20.0)
    assert integrated_loudness(np.stack([x, x]), RATE) == pytest.approx(-23, abs=0.1)


def test_peaks_between_samples_are_seen() -> None:
    # EBU Tech 3341, test 15: a quarter of the rate, 45°, amplitude 0.5: samples stay 3 dB below the true peak
    x = tone(RATE / 4, 0.5, phase=np.pi / 4)[None]
    assert 20 * np.log10(np.abs(x).max()) == pytest.approx(-9.03, abs=0.05)
    assert true_peak_db(x[:, 4800:-4800]) == pytest.approx(-6.02, abs=0.6)


@settings(max_examples=25)
@given(st.floats(-80, 20), st.integers(0, 100), st.floats(1, 40))
def test_gain_hits_the_target_or_the_ceiling(level_db: float, seed: int, crest: float) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((2, RATE // 2)).astype(np.float32) * np.float32(0.1 * 10 ** (level_db / 20))
    x[:, 20000] *= np.float32(crest)
    gain = file_gain(x, RATE)
    out = gain.apply(x)
    assert true_peak_db(out) <= -1.0
    assert np.abs(out).max() < 1
    if gain.loudness_lufs == -np.inf:  # all below the gate of −70 LUFS
        assert gain.gain_db == 0
    elif not gain.held_by_peak:
        assert integrated_loudness(out, RATE) == pytest.approx(-23, abs=0.1)


def test_silence_and_shorts() -> None:
    silence = file_gain(np.zeros((2, RATE), np.float32), RATE)
    assert silence.gain_db == 0
    assert silence.loudness_lufs == -np.inf
    short = file_gain(np.full((2, 100), 0.5, np.float32), RATE)
    assert short.gain_db <= 0
    loud = file_gain(np.full((2, 100), 3.0, np.float32), RATE)
    assert loud.held_by_peak
    assert np.abs(loud.apply(np.full((2, 100), 3.0, np.float32))).max() < 0.9
