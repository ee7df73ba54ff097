"""Octave bands: how a number per band becomes a causal filter, and how a signal is cut into bands.

Letters: b bands; f FFT bins; g linear gain per band; M complex basis; n FFT size; w_b power-complementary weights.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Complex128, Float64

from sonoworld.errors import ShapeError

OCTAVES_HZ = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16000.0)
"""Centres of the bands in which a room is described (IEC 61260 base 2, nominal)."""
BANDS = len(OCTAVES_HZ)


def octave_position(frequency_hz: Float64[np.ndarray, "f"]) -> Float64[np.ndarray, "f"]:
    """Place on the row of bands, 0 at the lowest centre and b − 1 at the highest; beyond them it stays there."""
    octaves = np.log2(np.maximum(frequency_hz, 1.0) / OCTAVES_HZ[0])
    return np.clip(octaves, 0.0, BANDS - 1.0)


@lru_cache(maxsize=8)
def minimum_phase_basis(n: int, rate_hz: int) -> Complex128[np.ndarray, "f b"]:
    """M of exp(M·ln g): spectrum of the minimum-phase filter whose gain is g_b at the centres, log-linear between.

    ln|H| is linear in ln g, and so is the minimum phase (Hilbert transform of ln|H|; Oppenheim & Schafer, eq. 12.67):
    filters in a row are sums of ln g, and gradients are exact.

    Args:
        n: FFT size, even.
        rate_hz: samples per second.

    Raises:
        ShapeError: an odd or tiny size.
    """
    if n < 64 or n % 2:
        raise ShapeError("FFT size", expected="even, at least 64", got=str(n))
    where = octave_position(np.fft.rfftfreq(n, 1.0 / rate_hz))
    tent = np.maximum(0.0, 1.0 - np.abs(where[:, None] - np.arange(BANDS)))
    cepstrum = np.fft.irfft(tent, n, axis=0)
    fold = np.zeros((n, 1))  # causal part of the real cepstrum (ibid., eq. 12.68)
    fold[0] = fold[n // 2] = 1.0
    fold[1 : n // 2] = 2.0
    basis = np.fft.rfft(cepstrum * fold, axis=0)
    basis.flags.writeable = False
    return basis


@lru_cache(maxsize=8)
def band_weights(n: int, rate_hz: int) -> Float64[np.ndarray, "b f"]:
    """Zero-phase weights w_b with Σ w_b² = 1 at every frequency; each fades to its neighbours as sine and cosine."""
    where = octave_position(np.fft.rfftfreq(n, 1.0 / rate_hz))
    near = np.maximum(0.0, 1.0 - np.abs(where - np.arange(BANDS)[:, None]))
    weights = np.sin(0.5 * np.pi * near)
    weights.flags.writeable = False
    return weights


def in_bands(x: Float64[np.ndarray, "*c t"], rate_hz: int) -> Float64[np.ndarray, "*c b t"]:
    """A signal cut into octave bands whose energies add up to its own."""
    t = x.shape[-1]
    n = 1 << (2 * t - 1).bit_length()
    spectra = np.fft.rfft(x, n)[..., None, :] * band_weights(n, rate_hz)
    return np.fft.irfft(spectra, n)[..., :t]
