"""Slow change: drifting controls, gusts, times at which things happen, phases that close.

Letters: n samples of one loop; k events; beta exponent of the 1/f^beta power spectrum.
"""

import numpy as np
from jaxtyping import Float64
from scipy import fft

from sonoworld.sound.noise import CONTROL_HZ, RATE_HZ, STEP, Wave

Times = Float64[np.ndarray, "k"]


def drift(n: int, rng: np.random.Generator, beta: float, low_hz: float, high_hz: float) -> Wave:
    """A control that wanders: power ~ 1/f^beta between two frequencies, mean 0, RMS 1, periodic over the loop."""
    m = n // STEP
    f = np.fft.rfftfreq(m, 1 / CONTROL_HZ)
    f[0] = f[1]
    gain = f ** (-beta / 2) * (f > 0.5 * low_hz) / np.sqrt(1 + (f / high_hz) ** 4)
    gain[0] = 0
    spectrum = gain * (rng.standard_normal(f.size) + 1j * rng.standard_normal(f.size))
    slow = fft.irfft(spectrum, m)
    slow = slow / (np.sqrt(np.mean(slow**2)) + 1e-30)
    return stretched(np.asarray(slow, np.float64), n)


def stretched(slow: Float64[np.ndarray, "m"], n: int) -> Wave:
    """A periodic control at control rate, drawn out to n samples by straight lines; n is a whole number of steps."""
    rise = np.roll(slow, -1) - slow
    return (slow[:, None] + rise[:, None] * (np.arange(n // slow.size) * (slow.size / n))).reshape(-1)


def gusts(n: int, rng: np.random.Generator, turbulence: float) -> Wave:
    """Wind speed over its mean: log-normal, spectrum 1/f^(5/3) (Kolmogorov's inertial range)."""
    speed = np.exp(turbulence * drift(n, rng, 5 / 3, 0.05, 4.0))
    return speed / speed.mean()


def poisson(rate_per_s: float, n: int, rng: np.random.Generator) -> Times:
    """Times, s, of independent events over the loop, sorted."""
    seconds = n / RATE_HZ
    return np.sort(rng.random(rng.poisson(rate_per_s * seconds)) * seconds)


def thinned(times: Times, density: Wave, rng: np.random.Generator) -> Float64[np.ndarray, "kept"]:
    """Keep each event with the probability that `density` (0..1) has at its time."""
    at = (times * RATE_HZ).astype(np.int64) % density.size
    return times[rng.random(times.size) < density[at]]


def spaced(period_s: float, jitter: float, n: int, rng: np.random.Generator) -> Times:
    """Times, s, of a beat that fits the loop a whole number of times; each moved by ±jitter (fraction, sigma)."""
    seconds = n / RATE_HZ
    count = max(1, round(seconds / period_s))
    beat = seconds / count
    return np.mod((np.arange(count) + rng.random() + jitter * rng.standard_normal(count)) * beat, seconds)


def cycles(hz: Wave) -> Wave:
    """Phase in cycles of a tone with frequency `hz`, bent by a hair so that the loop holds whole cycles."""
    total = np.cumsum(hz) / RATE_HZ
    whole = max(1.0, round(float(total[-1])))
    return total * (whole / total[-1])


def pulses(phase: Wave) -> Wave:
    """1 at each sample in which a phase (cycles) passes a half, else 0."""
    return np.diff(np.floor(phase + 0.5), prepend=0.0)


def tone(phase: Wave, partials: tuple[float, ...]) -> Wave:
    """Harmonics 1, 2, 3 ... of a phase (cycles) with the given amplitudes, starting apart so that they do not peak."""
    turn = np.exp(2j * np.pi * phase)
    wheel = np.ones(phase.size, np.complex128)
    total = np.zeros_like(phase)
    for order, amplitude in enumerate(partials, 1):
        wheel *= turn
        total += amplitude * (np.cos(order * order) * np.imag(wheel) + np.sin(order * order) * np.real(wheel))
    return total


def around(n: int, at_s: float) -> Wave:
    """Seconds after `at_s`, the short way round the loop: from −half to +half a loop."""
    seconds = n / RATE_HZ
    return np.mod(np.arange(n) / RATE_HZ - at_s + seconds / 2, seconds) - seconds / 2
