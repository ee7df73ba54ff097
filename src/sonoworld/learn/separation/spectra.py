"""Short-time spectra and back: square-root Hann windows, a quarter apart, exact where nothing is changed.

Letters: c channels; t samples; n window length; h = n/4 hop; f frequencies 0..n/2; m frames.
"""

import numpy as np
from jaxtyping import Complex64, Float, Float32, Float64

from sonoworld.errors import ShapeError

OVERLAP = 4


def window(size: int) -> Float64[np.ndarray, "n"]:
    """√Hann, scaled so that its squares at hop n/4 add up to 1: Σ_j sin²(π(i + jh)/n) = 2."""
    return np.sin(np.pi * np.arange(size) / size) / np.sqrt(OVERLAP / 2)


def frame_count(samples: int, size: int) -> int:
    """Frames that cover `samples` wholly: the first begins 3h before sample 0, the last ends after the last sample."""
    hop = size // OVERLAP
    return -(-samples // hop) + OVERLAP - 1


def spectra(signal: Float[np.ndarray, "*b t"], size: int) -> Complex64[np.ndarray, "*b f m"]:
    """Short-time Fourier transform of whole signals.

    Args:
        signal: any leading axes; silence is assumed before and after.
        size: window length in samples, a multiple of 4.

    Raises:
        ShapeError: a window that is no positive multiple of 4, or an empty signal.
    """
    samples = signal.shape[-1]
    if size < OVERLAP or size % OVERLAP or samples == 0:
        raise ShapeError("window", expected="a positive multiple of 4, and samples", got=f"{size}, {samples}")
    hop, frames = size // OVERLAP, frame_count(samples, size)
    before = (OVERLAP - 1) * hop
    after = (frames - 1) * hop + size - before - samples
    padded = np.pad(signal, [(0, 0)] * (signal.ndim - 1) + [(before, after)])
    cut = np.lib.stride_tricks.sliding_window_view(padded, size, axis=-1)[..., ::hop, :]
    turned = np.fft.rfft(cut * window(size).astype(np.float32), axis=-1)
    return np.ascontiguousarray(np.swapaxes(turned, -1, -2), dtype=np.complex64)


def signals(spectrum: Complex64[np.ndarray, "*b f m"], samples: int) -> Float32[np.ndarray, "*b t"]:
    """Inverse of `spectra`, cut to `samples`: the same window again, frames added.

    Raises:
        ShapeError: a number of frames that `spectra` would not have made.
    """
    size = 2 * (spectrum.shape[-2] - 1)
    hop, frames = size // OVERLAP, spectrum.shape[-1]
    if frames != frame_count(samples, size):
        raise ShapeError("frames", expected=str(frame_count(samples, size)), got=str(frames))
    pieces = np.fft.irfft(np.swapaxes(spectrum, -1, -2), axis=-1) * window(size)
    out = np.zeros((*spectrum.shape[:-2], (frames + OVERLAP - 1) * hop))
    for j in range(OVERLAP):
        part = pieces[..., j * hop : (j + 1) * hop]
        out[..., j * hop : (j + frames) * hop] += part.reshape(*part.shape[:-2], frames * hop)
    before = (OVERLAP - 1) * hop
    return np.ascontiguousarray(out[..., before : before + samples], dtype=np.float32)
