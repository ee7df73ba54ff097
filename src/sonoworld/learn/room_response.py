"""Reading measured responses: an array of seven microphones as first-order Ambisonics by pressure gradients.

Letters: p pressures, [m f]; r places of microphones, m; k = 2πf/c wave number; u direction of arrival. A plane wave
p = e^(ik u·r) has the gradient ik u p, so u·W ≈ ∇p/(ik): right while k |r| < 1 or so.
"""

import math

import numpy as np
from jaxtyping import Float64

from sonoworld.acoustics.room import SPEED_OF_SOUND_M_S

LOWEST_HZ = 20.0

_SIDE = math.sqrt(0.5)
R3VIVAL_MICROPHONES_M = 0.05 * np.array(
    [[1, 0, 0], [-1, 0, 0], [0, -_SIDE, _SIDE], [0, _SIDE, _SIDE], [0, -_SIDE, -_SIDE], [0, _SIDE, -_SIDE], [0, 0, 0]]
)
"""Front, back, right top, left top, right bottom, left bottom, centre; x ahead, y left, z up."""


def gradient_foa(
    pressures: Float64[np.ndarray, "m t"], places_m: Float64[np.ndarray, "m 3"], centre: int, rate_hz: int
) -> Float64[np.ndarray, "4 t"]:
    """W Y Z X (SN3D): W the microphone `centre`, full band; the others the least-squares gradient of all."""
    t = pressures.shape[1]
    spectra = np.fft.rfft(pressures, 2 * t)
    hz = np.fft.rfftfreq(2 * t, 1 / rate_hz)
    k = 2 * np.pi * np.maximum(hz, LOWEST_HZ) / SPEED_OF_SOUND_M_S
    x, y, z = np.linalg.pinv(places_m - places_m.mean(0)) @ spectra / (1j * k)
    return np.fft.irfft(np.stack([spectra[centre], y, z, x]), 2 * t)[:, :t]
