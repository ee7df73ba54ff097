"""Filters, resonances and rooms, all circular: what rings past the end of a loop rings on at its start.

Letters: n samples; H complex response; f frequency, Hz. Responses are those of analogue prototypes, causal.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Complex128, Float64
from scipy import fft

from sonoworld.sound.noise import RATE_HZ, Wave, frequencies

Modes = tuple[tuple[float, float, float], ...]
"""(frequency Hz, bandwidth Hz, gain at the peak) of each resonance."""


def filtered(wave: Wave, response: Complex128[np.ndarray, "f"]) -> Wave:
    """The wave through a response given at the bins of its spectrum."""
    return np.asarray(fft.irfft(fft.rfft(wave) * response, wave.size), np.float64)


def lowpass(wave: Wave, hz: float, order: int = 1) -> Wave:
    """`order` equal first-order sections, each −3 dB at `hz`."""
    return filtered(wave, (1 / (1 + 1j * frequencies(wave.size) / hz)) ** order)


def highpass(wave: Wave, hz: float, order: int = 1) -> Wave:
    """`order` equal first-order sections, each −3 dB at `hz`."""
    s = 1j * frequencies(wave.size) / hz
    return filtered(wave, (s / (1 + s)) ** order)


def band(wave: Wave, low_hz: float, high_hz: float, order: int = 1) -> Wave:
    """High-pass at `low_hz`, then low-pass at `high_hz`."""
    f = frequencies(wave.size)
    s = 1j * f / low_hz
    return filtered(wave, (s / (1 + s) / (1 + 1j * f / high_hz)) ** order)


def resonant(wave: Wave, modes: Modes, direct: float = 0.0) -> Wave:
    """Two-pole resonances side by side, plus some of the wave itself."""
    return filtered(wave, direct + _peaks(wave.size, modes))


def resonant_each(wave: Wave, bodies: Sequence[Modes]) -> Float64[np.ndarray, "q n"]:
    """The same wave through each of q sets of resonances."""
    spectrum = np.asarray(fft.rfft(wave))
    return np.stack([np.asarray(fft.irfft(spectrum * _peaks(wave.size, modes), wave.size)) for modes in bodies])


def _peaks(n: int, modes: Modes) -> Complex128[np.ndarray, "f"]:
    f = frequencies(n)
    inverse = 1 / np.maximum(f, 1e-9)
    response = np.zeros(f.size, np.complex128)
    for hz, bandwidth_hz, gain in modes:
        # H = g / (1 + j x), x = (f² − f0²) / (f B): unit gain at f0, −3 dB width B
        x = (f - hz * hz * inverse) / bandwidth_hz
        real = gain / (1 + x * x)
        response.real += real
        response.imag -= x * real
    return response


def comb(wave: Wave, delay_s: float, feedback: float) -> Wave:
    """A pipe: echoes at multiples of `delay_s`, each `feedback` times the one before (|feedback| < 1)."""
    turns = np.exp(-2j * np.pi * frequencies(wave.size) * delay_s)
    return filtered(wave, 1 / (1 - feedback * turns))


def room(wave: Wave, t60_s: float, wet: float, rng: np.random.Generator, damping_hz: float = 5000.0) -> Wave:
    """The wave with a diffuse tail: exponentially decaying noise, −60 dB after `t60_s`, folded into the loop."""
    length = int(t60_s * RATE_HZ)
    tail = rng.standard_normal(length) * 10 ** (-3 * np.arange(length) / length)
    folded = np.zeros(-(-max(length, wave.size) // wave.size) * wave.size)
    folded[:length] = tail / np.sqrt(np.sum(tail**2))
    f = frequencies(wave.size)
    response = np.asarray(fft.rfft(folded.reshape(-1, wave.size).sum(axis=0)))
    late = response * np.exp(-2j * np.pi * f * 0.012) / (1 + 1j * f / damping_hz)  # first reflection after 4 m of path
    return filtered(wave, 1 + wet * late)


def far_away(wave: Wave, amount: float, rng: np.random.Generator) -> Wave:
    """What distance does to a sound besides making it weaker: `amount` 0 near, 1 far. Highs go, echoes come."""
    if amount <= 0:
        return wave
    return lowpass(room(wave, 0.5 + amount, 0.5 * amount, rng, 2500.0), 9000.0 * 0.18**amount)
