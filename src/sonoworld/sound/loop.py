"""Loops: making one of any recording, and measuring whether its join can be heard."""

import numpy as np
from jaxtyping import Float64

from sonoworld.errors import InputError

FRAME = 1024
HOP = 256


def crossfaded(samples: Float64[np.ndarray, "t"], fade: int) -> Float64[np.ndarray, "u"]:
    """A loop from a longer recording: its last `fade` samples go over into its first, at equal power.

    Returns t − fade samples. Equal power suits sounds whose ends are unlike (noise); for events, cut in a silence.

    Raises:
        InputError: the recording is not longer than two fades.
    """
    if fade < 1 or samples.size <= 2 * fade:
        raise InputError(f"crossfade: expected more than twice the fade of {fade} samples, got {samples.size}")
    angle = 0.5 * np.pi * (np.arange(fade) + 0.5) / fade
    loop = samples[:-fade].copy()
    loop[:fade] = samples[:fade] * np.sin(angle) + samples[-fade:] * np.cos(angle)
    return loop


def flux(samples: Float64[np.ndarray, "t"]) -> Float64[np.ndarray, "m"]:
    """Spectral flux around a loop, one value per 256 samples: the rise of log magnitudes from frame to frame.

    Frame i begins at sample 256 i, around the end; value i compares frame i with the one before it.
    """
    count = samples.size // HOP
    at = (np.arange(count)[:, None] * HOP + np.arange(FRAME)) % samples.size
    spectra = np.abs(np.fft.rfft(samples[at] * np.hanning(FRAME), axis=1))
    logs = np.log(spectra + 1e-3 * float(spectra.mean()) + 1e-12)
    return np.maximum(logs - np.roll(logs, 1, axis=0), 0).mean(axis=1)


def join_ratio(samples: Float64[np.ndarray, "t"]) -> float:
    """Mean flux of the frames that hold the loop point, over the 95th percentile of equal means elsewhere.

    Up to 1, the join is no more of an event than the sound's own.
    """
    every = flux(samples)
    span = FRAME // HOP + 1
    means = np.convolve(np.concatenate([every, every[: span - 1]]), np.full(span, 1 / span), "valid")
    join = every.size - span + 1  # frames that begin up to 1024 samples before the end
    return float(means[join] / np.percentile(means, 95))


def quietest_join(samples: Float64[np.ndarray, "t"]) -> Float64[np.ndarray, "t"]:
    """The same loop, begun where the least happens, so that a player's own seam is least heard too."""
    every = flux(samples)
    span = FRAME // HOP + 1
    means = np.convolve(np.concatenate([every, every[: span - 1]]), np.full(span, 1 / span), "valid")
    return np.roll(samples, -(int(np.argmin(means)) + span - 1 - every.size) * HOP)
