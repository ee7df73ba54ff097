"""Signals on a ring: every noise, filter and echo here closes on itself, so that a clip loops without a seam.

Letters: n samples on the ring; f Hz; x y signals [n]. Filters and echoes are circular convolutions through the FFT.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float64
from scipy.fft import next_fast_len
from scipy.signal import butter, sosfreqz

RATE_HZ = 48_000
CONTROL_RATE_HZ = 200

Signal = Float64[np.ndarray, "n"]


def frequencies(n: int) -> Float64[np.ndarray, "k"]:
    """Frequencies of the FFT of a ring, Hz; the first stands for DC and is raised to the second."""
    f = np.fft.rfftfreq(n, 1 / RATE_HZ)
    f[0] = f[1]
    return f


def noise(n: int, level_db_at_hz: Mapping[float, float], rng: np.random.Generator) -> Signal:
    """Gaussian noise of RMS 1 with a spectrum drawn through (Hz, dB) points, straight on a log frequency axis."""
    f = frequencies(n)
    points = sorted(level_db_at_hz)
    gain = 10 ** (np.interp(np.log(f), np.log(points), [level_db_at_hz[p] for p in points]) / 20)
    gain[0] = 0
    y = np.fft.irfft(gain * (rng.standard_normal(f.size) + 1j * rng.standard_normal(f.size)), n)
    return unit(y)


def control(n: int, rng: np.random.Generator, beta: float, low_hz: float, high_hz: float) -> Signal:
    """A slow 1/f^β signal of mean 0 and RMS 1 within a band, for gusts, activity and drift."""
    m = max(8, round(n / RATE_HZ * CONTROL_RATE_HZ))
    f = np.fft.rfftfreq(m, 1 / CONTROL_RATE_HZ)
    f[0] = f[1]
    gain = f ** (-beta / 2) * (f > low_hz / 2) / np.sqrt(1 + (f / high_hz) ** 4)
    gain[0] = 0
    if not gain.any():
        gain[1] = 1.0
    slow = unit(np.fft.irfft(gain * np.exp(2j * np.pi * rng.random(f.size)) * rng.rayleigh(1, f.size), m))
    return np.interp(np.arange(n) * (m / n), np.arange(m + 1), np.r_[slow, slow[0]])


def unit(x: Signal) -> Signal:
    """Scaled to RMS 1; silence stays silent."""
    rms = float(np.sqrt(np.mean(x * x)))
    return x / rms if rms > 0 else x


def _filtered(x: Signal, kind: str, edges_hz: float | list[float], order: int) -> Signal:
    sos = butter(order, edges_hz, kind, fs=RATE_HZ, output="sos")
    _, response = sosfreqz(sos, worN=np.fft.rfftfreq(x.size, 1 / RATE_HZ), fs=RATE_HZ)
    return np.fft.irfft(np.fft.rfft(x) * response, x.size)


def low_pass(x: Signal, edge_hz: float, order: int = 2) -> Signal:
    """Butterworth low-pass around the ring."""
    return _filtered(x, "low", min(edge_hz, 0.49 * RATE_HZ), order)


def high_pass(x: Signal, edge_hz: float, order: int = 2) -> Signal:
    """Butterworth high-pass around the ring."""
    return _filtered(x, "high", edge_hz, order)


def band_pass(x: Signal, low_hz: float, high_hz: float, order: int = 2) -> Signal:
    """Butterworth band-pass around the ring."""
    return _filtered(x, "band", [low_hz, min(high_hz, 0.49 * RATE_HZ)], order)


def resonate(x: Signal, modes: Mapping[float, tuple[float, float]]) -> Signal:
    """Parallel two-pole resonators {f Hz: (bandwidth Hz, gain at f)}."""
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(x.size, 1 / RATE_HZ) / RATE_HZ)
    response = np.zeros(z.size, complex)
    for f, (bandwidth, gain) in modes.items():
        r, w = np.exp(-np.pi * bandwidth / RATE_HZ), 2 * np.pi * f / RATE_HZ
        top = np.exp(-1j * w)
        peak = abs(1 - 2 * r * np.cos(w) * top + r * r * top * top)
        response += gain * peak / (1 - 2 * r * np.cos(w) * z + r * r * z * z)
    return np.fft.irfft(np.fft.rfft(x) * response, x.size)


def echo(x: Signal, t60_s: float, wet: float, rng: np.random.Generator, damp_hz: float = 5000.0) -> Signal:
    """Adds a diffuse tail: decaying noise, darker above `damp_hz`, its energy `wet`² of the direct sound's."""
    n = x.size
    m = min(n, int(t60_s * RATE_HZ))
    start = min(n - 1, int(0.012 * RATE_HZ))
    tail = np.zeros(n)
    length = min(m, n - start)
    tail[start : start + length] = rng.standard_normal(length) * 10 ** (-3 * np.arange(length) / max(m, 1))
    tail = low_pass(tail, damp_hz, 1)
    tail /= np.sqrt(np.sum(tail**2)) + 1e-12
    return x + wet * np.fft.irfft(np.fft.rfft(x) * np.fft.rfft(tail), n)


def phase(f: Signal) -> Signal:
    """Cycles (not radians) of an oscillator of frequency f(t), bent by a hair so that the ring holds whole cycles."""
    cycles = np.cumsum(f) / RATE_HZ
    total = cycles[-1]
    whole = max(1.0, np.round(total))
    return cycles * (whole / total)


def place(ring: Signal, event: Signal, start: int, gain: float = 1.0) -> None:
    """Add an event to the ring in place; what runs over the end goes on at the start."""
    n = ring.size
    event = event[:n]
    start %= n
    head = min(event.size, n - start)
    ring[start : start + head] += gain * event[:head]
    ring[: event.size - head] += gain * event[head:]


def ring_length(seconds: float) -> int:
    """Samples of a ring of about this length that the FFT likes."""
    found = next_fast_len(round(seconds * RATE_HZ), real=True)
    assert found is not None  # a positive length always has one
    return found
