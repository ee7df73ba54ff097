"""Bands that come and go on their own, as they do through moving air, over ground and among moving parts.

What only swells as a whole sounds like one volume knob; real textures differ from noise most in how little their bands
move together (McDermott & Simoncelli, Neuron 71, 2011).

Letters: n samples; q bands; f frequency, Hz.
"""

import numpy as np
from jaxtyping import Float64
from scipy import fft

from sonoworld.sound.modulation import drift
from sonoworld.sound.noise import Wave, frequencies

CENTRES_HZ = (70.0, 150.0, 300.0, 550.0, 950.0, 1600.0, 2600.0, 4200.0, 7000.0, 12000.0)


def loosened(wave: Wave, depth: float, slow_hz: float, fast_hz: float, rng: np.random.Generator) -> Wave:
    """The wave with each of ten bands swelling on its own: log amplitude drifts with RMS `depth` between two rates."""
    spectrum = np.asarray(fft.rfft(wave))
    out = np.zeros(wave.size)
    for share in _shares(wave.size):
        part = np.asarray(fft.irfft(spectrum * share, wave.size), np.float64)
        out += part * np.exp(depth * drift(wave.size, rng, 0.4, slow_hz, fast_hz))
    return out


def _shares(n: int) -> Float64[np.ndarray, "q f"]:
    """What each band takes of every bin: triangles over log frequency that add up to one."""
    octave = np.log2(np.maximum(frequencies(n), 1.0))
    centres = np.log2(CENTRES_HZ)
    return np.stack([np.interp(octave, centres, one) for one in np.eye(len(CENTRES_HZ))])
