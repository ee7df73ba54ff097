"""Dereverberation takes the late part away and leaves the sound."""

import sys

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from sonoworld.errors import BackendMissingError
from sonoworld.sound.dry import dried

RATE_HZ = 16000


def calls(seconds: float = 8.0) -> np.ndarray:
    """Syllables: buzzes of 80 ms at changing pitch, with silence between them in which a room would be heard."""
    rng = np.random.default_rng(1)
    x = np.zeros(int(seconds * RATE_HZ))
    n = int(0.08 * RATE_HZ)
    t = np.arange(n) / RATE_HZ
    for start in range(0, x.size - n, int(0.25 * RATE_HZ)):
        pitch_hz = rng.uniform(100, 250)
        buzz = np.sign(np.sin(2 * np.pi * pitch_hz * t * (1 + rng.uniform(-1, 1) * t))) + 0.3 * rng.standard_normal(n)
        formant = sosfilt(
            butter(2, rng.uniform(400, 900) * np.array([1, 4]), "bandpass", fs=RATE_HZ, output="sos"), buzz
        )
        x[start : start + n] += rng.uniform(0.5, 1) * np.hanning(n) * formant
    return x


def room(t60_s: float) -> tuple[np.ndarray, np.ndarray]:
    """An exponential tail with a direct sound, and only what comes after 50 ms."""
    n = int(t60_s * RATE_HZ)
    h = np.random.default_rng(2).standard_normal(n) * 10 ** (-3 * np.arange(n) / RATE_HZ / t60_s) * 0.05
    h[0] = 1
    late = h.copy()
    late[: RATE_HZ // 20] = 0
    return h, late


@pytest.mark.parametrize("t60_s", [0.4, 0.8])
def test_the_late_part_becomes_weaker(t60_s: float) -> None:
    x = calls()
    h, late = room(t60_s)
    wet, tail = np.convolve(x, h)[: x.size], np.convolve(x, late)[: x.size]
    left = dried(wet, RATE_HZ) - (wet - tail)
    assert left.shape == x.shape
    assert 10 * np.log10(np.mean(left**2) / np.mean(tail**2)) < -1.0


def test_a_dry_clip_stays_nearly_as_it_is() -> None:
    x = calls()
    assert np.mean((dried(x, RATE_HZ) - x) ** 2) < 0.05 * np.mean(x**2)


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nara_wpe.wpe", None)
    with pytest.raises(BackendMissingError, match=r"sonoworld\[dry\]"):
        dried(np.zeros(RATE_HZ), RATE_HZ)
