"""Impulse responses moved by whole and broken numbers of samples.

Letters: m directions, t taps; d delay in samples = whole number + fraction in [0, 1).
"""

import numpy as np
from jaxtyping import Float64

HALF_WIDTH = 32
_BETA = 8.0
"""Kaiser window of 64 samples: stop band −80 dB, flat to 0.92 of the Nyquist frequency (Kaiser 1974)."""


def delayed(taps: Float64[np.ndarray, "m 2 t"], delay: Float64[np.ndarray, "k 2"]) -> Float64[np.ndarray, "m 2 u"]:
    """Every response moved by its delay (k = 1 or m), and all by `HALF_WIDTH` more where any delay is broken.

    Whole delays keep the samples as they are; broken ones go through a windowed sinc.
    """
    wide = np.broadcast_to(delay, (len(taps), 2))
    whole = np.floor(wide).astype(np.int64)
    part = wide - whole
    if not whole.any() and not part.any():
        return taps
    if part.any():
        taps = _between_samples(taps, part)
    out = np.zeros((len(taps), 2, taps.shape[-1] + int(whole.max())))
    for shift in np.unique(whole):
        moved = whole == shift
        out[moved, shift : shift + taps.shape[-1]] = taps[moved]
    return out


def _between_samples(
    taps: Float64[np.ndarray, "m 2 t"], part: Float64[np.ndarray, "m 2"]
) -> Float64[np.ndarray, "m 2 u"]:
    """Moved by `HALF_WIDTH` + part: sinc(n − H − part) under a Kaiser window about its own centre."""
    at = np.arange(2 * HALF_WIDTH + 1) - HALF_WIDTH - part[..., None]
    window = np.i0(_BETA * np.sqrt(np.clip(1 - (at / (HALF_WIDTH + 1)) ** 2, 0, 1))) / np.i0(_BETA)
    kernel = np.sinc(at) * window
    length = taps.shape[-1] + 2 * HALF_WIDTH
    size = 1 << (length - 1).bit_length()
    return np.fft.irfft(np.fft.rfft(taps, size) * np.fft.rfft(kernel, size), size)[..., :length]
