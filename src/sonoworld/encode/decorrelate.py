"""Copies of one sound that do not fuse: all-pass filters with random phase (after ITU-R BS.2127-1, section 7.4)."""

import zlib

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.encode.seam import filtered

_SECONDS = 512 / 48000
KEEP_BELOW_HZ, FREE_ABOVE_HZ = 200.0, 500.0
"""Below the first, copies stay in phase (bass keeps its body); above the second their phases are free."""


def decorrelator(name: str, copy: int, rate_hz: int) -> Float64[np.ndarray, "t"]:
    """Filter of unit magnitude at the bins of its own length and random phase; its centre is at half its length.

    The phases depend on `name` and `copy` alone: the same source always gets the same filter.
    """
    size = 2 * round(_SECONDS * rate_hz / 2)
    rng = np.random.default_rng([zlib.crc32(name.encode()), copy])
    frequency = np.fft.rfftfreq(size, 1 / rate_hz)
    free = np.clip((frequency - KEEP_BELOW_HZ) / (FREE_ABOVE_HZ - KEEP_BELOW_HZ), 0.0, 1.0)
    phase = free * rng.uniform(-np.pi, np.pi, len(frequency))
    phase[-1] = 0.0
    return np.fft.fftshift(np.fft.irfft(np.exp(1j * phase), size))


def decorrelated(
    samples: Float32[np.ndarray, "t"], name: str, copies: int, rate_hz: int, loops: bool
) -> Float32[np.ndarray, "v t"]:
    """Copies of a clip, not delayed, of the same length; a loop is filtered around its seam."""
    return filtered(samples, np.stack([decorrelator(name, copy, rate_hz) for copy in range(copies)]), loops)
