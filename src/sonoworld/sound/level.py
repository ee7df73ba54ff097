"""Loudness of dry clips: all are stored at −23 LUFS, so that a source's level is decided in one place only.

A clip's signal at RMS 1 stands for 0 dBFS RMS = 100 dB SPL; at −23 LUFS it needs `clip_gain_db` = +23 to come near
that. Meter: ITU-R BS.1770-4 by pyloudnorm. Sparse clips (a bark in silence) are set by their loudest 400 ms.
"""

import numpy as np
from jaxtyping import Float, Float32

from sonoworld.errors import InputError
from sonoworld.types import CLIP_LOUDNESS_LUFS

CLIP_GAIN_DB = -CLIP_LOUDNESS_LUFS
BLOCK_S = 0.4
SPARSE_LU = 8.0
"""A clip whose loudest block stands this far above its integrated loudness is sparse."""


def loudness_lufs(samples: Float[np.ndarray, "t"], rate_hz: int) -> float:
    """Loudness that decides a clip's level: integrated, or the loudest 400 ms less 3 LU where sounds are sparse.

    Raises:
        InputError: silence, or samples that are not finite.
    """
    if not np.isfinite(samples).all():
        raise InputError("a clip must be finite, got NaN or infinity")
    x = np.asarray(samples, np.float64)
    shortest = int(np.ceil(BLOCK_S * rate_hz)) + 1
    if x.size < shortest:
        x = np.tile(x, -(-shortest // max(1, x.size)))
    integrated = _integrated(x, rate_hz)
    hop, block = int(0.1 * rate_hz), int(BLOCK_S * rate_hz)
    starts = range(0, max(1, x.size - block), hop)
    loudest = max(starts, key=lambda i: float(np.sum(x[i : i + block] ** 2)))
    momentary = _integrated(x[loudest : loudest + shortest], rate_hz)
    if not np.isfinite(momentary):
        raise InputError("a clip must be heard, got silence")
    return max(integrated, momentary - 3.0) if momentary - integrated > SPARSE_LU else integrated


def _integrated(x: np.ndarray, rate_hz: int) -> float:
    import pyloudnorm  # noqa: PLC0415  half a second to import

    with np.errstate(divide="ignore"):
        return float(pyloudnorm.Meter(rate_hz).integrated_loudness(x))


def at_clip_loudness(samples: Float[np.ndarray, "t"], rate_hz: int) -> Float32[np.ndarray, "t"]:
    """The clip at −23 LUFS, mean removed, not limited."""
    x = np.asarray(samples, np.float64) - np.mean(samples, dtype=np.float64)
    gain = 10 ** ((CLIP_LOUDNESS_LUFS - loudness_lufs(x, rate_hz)) / 20)
    return (x * gain).astype(np.float32)
