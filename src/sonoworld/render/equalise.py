"""Flat in a diffuse field: takes the loudspeaker and the ear canal out of a measured set.

Letters: f frequency; P diffuse-field power; E the equaliser, minimum phase, |E|² = 1 / P.
"""

import numpy as np
from jaxtyping import Float64

from sonoworld.render.hrirs import HrirSet, diffuse_power

_SIZE = 2048
TRUST_HZ = (90.0, 17000.0)
"""Outside, the measurement says nothing and the equaliser keeps its edge value."""
EXTEND_BELOW_HZ = 220.0
"""Below, every response becomes its own magnitude and delay at this frequency: a head is small there."""


def diffuse_equalised(hrirs: HrirSet) -> HrirSet:
    """The set with a flat diffuse-field power response (third-octave smooth) and its low end continued to 0 Hz."""
    frequency = np.fft.rfftfreq(_SIZE, 1 / hrirs.rate_hz)
    power = _third_octave(diffuse_power(hrirs, _SIZE), frequency)
    edge = [int(np.searchsorted(frequency, hz)) for hz in TRUST_HZ]
    power[: edge[0]], power[edge[1] :] = power[edge[0]], power[edge[1]]
    spectrum = np.fft.rfft(hrirs.taps, _SIZE) * minimum_phase(1 / np.sqrt(power))
    spectrum = _continued_down(spectrum, frequency)
    taps = np.fft.irfft(spectrum, _SIZE)[..., : hrirs.taps.shape[-1]]
    return HrirSet(np.ascontiguousarray(taps), hrirs.directions, hrirs.rate_hz)


def minimum_phase(magnitude: Float64[np.ndarray, "f"]) -> np.ndarray:
    """Complex response of the minimum-phase filter with this magnitude (Oppenheim and Schafer 1975, real cepstrum)."""
    size = 2 * (len(magnitude) - 1)
    cepstrum = np.fft.irfft(np.log(magnitude), size)
    fold = np.zeros(size)
    fold[0] = fold[size // 2] = 1.0
    fold[1 : size // 2] = 2.0
    return np.exp(np.fft.rfft(cepstrum * fold, size))


def _third_octave(power: Float64[np.ndarray, "f"], frequency: Float64[np.ndarray, "f"]) -> Float64[np.ndarray, "f"]:
    low = np.searchsorted(frequency, frequency * 2 ** (-1 / 6))
    high = np.searchsorted(frequency, frequency * 2 ** (1 / 6), side="right")
    running = np.concatenate([[0.0], np.cumsum(power)])
    return (running[high] - running[low]) / np.maximum(high - low, 1)


def _continued_down(spectrum: np.ndarray, frequency: Float64[np.ndarray, "f"]) -> np.ndarray:
    edge = int(np.searchsorted(frequency, EXTEND_BELOW_HZ))
    above = slice(edge, 3 * edge)
    phase = np.unwrap(np.angle(spectrum[..., above]), axis=-1)
    slope = np.polyfit(frequency[above], phase.reshape(-1, phase.shape[-1]).T, 1)[0].reshape(phase.shape[:-1])
    magnitude = np.abs(spectrum[..., edge : edge + 1])
    low = magnitude * np.exp(1j * slope[..., None] * frequency[:edge])
    # the rest keeps its phase, turned by what makes the seam continuous
    turn = np.angle(spectrum[..., edge]) - slope * frequency[edge]
    joined = spectrum * np.exp(-1j * turn[..., None])
    joined[..., :edge] = low
    joined[..., -1] = joined[..., -1].real
    return joined
