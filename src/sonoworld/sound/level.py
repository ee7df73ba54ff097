"""Loudness by ITU-R BS.1770-4, and bringing a dry clip to the level at which clips are stored."""

import numpy as np
import pyloudnorm
from jaxtyping import Float32, Float64

from sonoworld.errors import InputError
from sonoworld.types import CLIP_LOUDNESS_LUFS

BLOCK_S = 0.4
"""Length of a momentary measurement (BS.1770-4, annex 1)."""

HOP_S = 0.1


def integrated_lufs(samples: Float64[np.ndarray, "t"], rate_hz: int) -> float:
    """Gated loudness of a mono clip in LUFS; −inf for silence. Clips shorter than 0.4 s are metered as they loop."""
    return float(pyloudnorm.Meter(rate_hz, block_size=BLOCK_S).integrated_loudness(_long_enough(samples, rate_hz)))


def momentary_max_lufs(samples: Float64[np.ndarray, "t"], rate_hz: int) -> float:
    """Largest loudness in LUFS of any 400 ms of a looping mono clip, in steps of 100 ms: how loud an event is."""
    long = _long_enough(samples, rate_hz)
    block, hop = int(BLOCK_S * rate_hz), int(HOP_S * rate_hz)
    around = np.concatenate([long, long[:block]])  # an event may lie across the loop point
    weighted = _k_weighted(around, rate_hz)
    energy = np.concatenate([[0.0], np.cumsum(weighted**2)])
    starts = np.arange(0, long.size, hop)
    loudest = float(np.max(energy[starts + block] - energy[starts])) / block
    return -0.691 + 10 * float(np.log10(loudest)) if loudest > 0 else float("-inf")  # BS.1770-4 eq. 2


def stored(samples: Float64[np.ndarray, "t"], rate_hz: int, *, sparse: bool) -> Float32[np.ndarray, "t"]:
    """The clip at −23 LUFS, without mean, float32; no limiter, peaks may pass 1.

    `sparse`: events with silence between them; the loudest event is at −23 LUFS (momentary) rather than the whole.

    Raises:
        InputError: the clip is silent.
    """
    centred = samples - samples.mean()
    measure = momentary_max_lufs if sparse else integrated_lufs
    loudness = measure(centred, rate_hz)
    if not np.isfinite(loudness):
        raise InputError(f"clip of {samples.size} samples: expected sound, got silence (below −70 LUFS throughout)")
    return np.asarray(centred * 10 ** ((CLIP_LOUDNESS_LUFS - loudness) / 20), np.float32)


def _long_enough(samples: Float64[np.ndarray, "t"], rate_hz: int) -> Float64[np.ndarray, "u"]:
    block = int(BLOCK_S * rate_hz) + 1
    return samples if samples.size >= block else np.tile(samples, -(-block // samples.size))


def _k_weighted(samples: Float64[np.ndarray, "u"], rate_hz: int) -> Float64[np.ndarray, "u"]:
    for stage in pyloudnorm.Meter(rate_hz)._filters.values():  # pyright: ignore[reportPrivateUsage]  # the meter's own two filters, which it does not offer by name
        samples = stage.apply_filter(samples)
    return samples
