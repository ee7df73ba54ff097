"""Filters over a stream of blocks, and over a whole recording.

Letters: c channels in, e ears out, B block, L taps, S taps per partition, P = ⌈L/S⌉ partitions, F FFT size.
"""

import numpy as np
from jaxtyping import Complex64, Float32
from numpy.fft import irfft, rfft


class BlockConvolver:
    """Channels [c B] -> ears [e B], block by block: y_e = Σ_c h_ec * x_c, with no delay beyond the block.

    Uniformly partitioned overlap-save. For B >= L there is one partition and the FFT holds B + L − 1 samples.
    """

    def __init__(self, filters: Float32[np.ndarray, "e c taps"], block: int) -> None:
        ears, channels, taps = filters.shape
        size = taps if block >= taps else block
        parts = -(-taps // size)
        self._block = block
        self._fft = 1 << (block + size - 2).bit_length()
        padded = np.zeros((ears, channels, parts * size), np.float32)
        padded[..., :taps] = filters
        split = padded.reshape(ears, channels, parts, size)
        spectra = rfft(split, self._fft, axis=-1)
        # [f, e, p·c]: one small matrix product per frequency
        self._filters: Complex64[np.ndarray, "f e pc"] = np.ascontiguousarray(
            np.transpose(spectra, (3, 0, 2, 1)).reshape(spectra.shape[-1], ears, parts * channels), np.complex64
        )
        self._recent = np.zeros((channels, self._fft), np.float32)
        self._spectra = np.zeros((parts, spectra.shape[-1], channels), np.complex64)

    def process(self, x: Float32[np.ndarray, "c b"]) -> Float32[np.ndarray, "e b"]:
        """One block through the filters."""
        block = self._block
        self._recent[:, :-block] = self._recent[:, block:]
        self._recent[:, -block:] = x
        if len(self._spectra) > 1:
            self._spectra[1:] = self._spectra[:-1].copy()
        self._spectra[0] = rfft(self._recent, axis=-1).T
        parts, frequencies, channels = self._spectra.shape
        stacked = np.transpose(self._spectra, (1, 0, 2)).reshape(frequencies, parts * channels, 1)
        y = np.matmul(self._filters, stacked)[..., 0].T
        return np.asarray(irfft(y, self._fft, axis=-1)[:, -block:], np.float32)


def convolved(x: Float32[np.ndarray, "c t"], filters: Float32[np.ndarray, "e c taps"]) -> Float32[np.ndarray, "e t"]:
    """A whole recording through the filters, cut to its own length; the same result as the stream's."""
    t = x.shape[1]
    block = 8192
    stream = BlockConvolver(filters, block)
    out = np.empty((filters.shape[0], t), np.float32)
    for start in range(0, t, block):
        part = x[:, start : start + block]
        wide = part if part.shape[1] == block else np.pad(part, ((0, 0), (0, block - part.shape[1])))
        out[:, start : start + block] = stream.process(wide)[:, : part.shape[1]]
    return out
