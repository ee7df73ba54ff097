"""Noise that closes on itself: the last sample leads into the first, so that every clip loops without a seam.

Letters: n samples of one loop; f frequency, Hz. A loop is periodic, so all filtering here is circular: spectra of
whole loops are multiplied, nothing rings out of the end.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float64
from scipy import fft

RATE_HZ = 48_000
CONTROL_HZ = 200
"""Rate of slow control signals; loops hold a whole number of control steps."""

STEP = RATE_HZ // CONTROL_HZ

Wave = Float64[np.ndarray, "n"]
Curve = Mapping[int, float] | Mapping[float, float]
"""Level in dB at frequencies in Hz; straight lines over log frequency between them, level beyond."""


def loop_samples(seconds: float) -> int:
    """Samples in a loop of about `seconds`: a whole number of control steps."""
    return max(1, round(seconds * CONTROL_HZ)) * STEP


def frequencies(n: int) -> Float64[np.ndarray, "f"]:
    """Hz of the bins of a loop's spectrum."""
    return np.fft.rfftfreq(n, 1 / RATE_HZ)


def curve_gain(n: int, curve: Curve) -> Float64[np.ndarray, "f"]:
    """Amplitude factor of every bin; the mean (0 Hz) is removed."""
    points = sorted(curve.items())
    f = np.maximum(frequencies(n), points[0][0])
    level = np.interp(np.log(f), np.log([hz for hz, _ in points]), [db for _, db in points])
    gain = 10 ** (level / 20)
    gain[0] = 0
    return gain


def shaped(n: int, curve: Curve, rng: np.random.Generator) -> Wave:
    """Gaussian noise of a given spectrum, RMS 1, one period."""
    gain = curve_gain(n, curve)
    spectrum = gain * (rng.standard_normal(gain.size) + 1j * rng.standard_normal(gain.size))
    return unit(np.asarray(fft.irfft(spectrum, n), np.float64))


def white(n: int, rng: np.random.Generator) -> Wave:
    """White Gaussian noise, RMS about 1."""
    return rng.standard_normal(n)


def unit(wave: Wave) -> Wave:
    """The wave at RMS 1 and without its mean; silence stays silence."""
    centred = wave - wave.mean()
    rms = float(np.sqrt(np.mean(centred**2)))
    return centred / rms if rms > 0 else centred


def tilt(curve: Curve, db: float, at_hz: float = 1000.0) -> dict[float, float]:
    """The curve leaning by `db` per octave above (+) and below (−) `at_hz`."""
    return {hz: level + db * float(np.log2(hz / at_hz)) for hz, level in curve.items()}
