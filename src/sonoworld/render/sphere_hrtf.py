"""The rigid-sphere head: an exact HRTF that needs no data.

Letters: k = 2πf/c wavenumber, a radius, x = ka; γ angle between a direction and an ear; n degree.
Plane wave from u, time e^{+iωt}: p(γ) = Σ_n (2n + 1) i^{n−1} P_n(cos γ) / (x² h_n'(x)), h_n spherical Hankel of the
second kind (Duda and Martens, J. Acoust. Soc. Am. 104 (1998) 3048, eq. 1 for r → ∞, conjugated), relative to the
pressure at the centre without the head.
"""

import numpy as np
from jaxtyping import Complex128, Float64
from numpy.polynomial.legendre import legvander
from scipy.special import spherical_jn, spherical_yn

from sonoworld.render.hrirs import HEAD_RADIUS_M, SPEED_OF_SOUND_M_S, HrirSet, fibonacci_sphere

_DEGREES = 70
_SIZE = 512
_CENTRE_S = 1.5e-3
_FULL = 0.85
"""Share of the band, up to 20.4 kHz at 48 kHz, in which the responses are the series exactly."""


def sphere_response(
    cos_ear: Float64[np.ndarray, "m"], frequency_hz: Float64[np.ndarray, "f"]
) -> Complex128[np.ndarray, "f m"]:
    """Pressure on a rigid sphere at the ear, for plane waves whose direction makes an angle γ with it.

    Args:
        cos_ear: cos γ = u · ear.
        frequency_hz: >= 0; at 0 Hz the response is 1.
    """
    n = np.arange(_DEGREES)
    x = 2 * np.pi * np.maximum(frequency_hz, 1.0)[:, None] * HEAD_RADIUS_M / SPEED_OF_SOUND_M_S
    with np.errstate(over="ignore", invalid="ignore"):
        slope = spherical_jn(n, x, derivative=True) - 1j * spherical_yn(n, x, derivative=True)
        term = (2 * n + 1) * 1j ** ((n - 1) % 4) / (x * x * slope)
    # Far beyond degree x the Hankel function overflows and the term is 0.
    term = np.where(np.isfinite(term), term, 0.0)
    return np.asarray(term @ legvander(cos_ear, _DEGREES - 1).T)


def sphere_hrirs(rate_hz: int) -> HrirSet:
    """Impulse responses of the rigid sphere, ears at ±90°, on 900 even directions."""
    directions = fibonacci_sphere(900)
    frequency = np.fft.rfftfreq(_SIZE, 1 / rate_hz)
    H = np.stack([sphere_response(side * directions[:, 1], frequency) for side in (1.0, -1.0)], -1)
    # to nothing at half the rate: an edge there would ring through all of the response
    fade = np.cos(np.pi / 2 * np.clip((2 * frequency / rate_hz - _FULL) / (1 - _FULL), 0, 1)) ** 2
    later = H * (fade * np.exp(-2j * np.pi * frequency * _CENTRE_S))[:, None, None]
    later[-1] = 0
    taps = np.moveaxis(np.fft.irfft(later, _SIZE, axis=0), 0, -1)
    return HrirSet(np.ascontiguousarray(taps), directions, float(rate_hz))
