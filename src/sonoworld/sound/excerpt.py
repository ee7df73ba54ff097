"""The best part of a recording: one channel, 48 kHz, without silence around it, where most is heard and least changes.

Letters: c channels; t samples; m frames of 50 ms.
"""

from fractions import Fraction

import numpy as np
from jaxtyping import Float32, Float64
from scipy import signal

from sonoworld.sound.noise import RATE_HZ

FRAME_S = 0.05
SILENCE_DB = -55.0
"""Frames so far below the loudest are silence around the sound."""
REST_DB = -26.0
"""Frames so far below the loudest are rests between events."""
AS_GOOD = 0.03
"""Parts of a recording whose worth differs by less are equally good."""

Mono = Float64[np.ndarray, "t"]
Part = Float64[np.ndarray, "u"]


def one_channel(samples: Float32[np.ndarray, "c t"]) -> Mono:
    """The mean of all channels; where that cancels more than 6 dB of their power, the strongest channel alone."""
    every = samples.astype(np.float64)
    every -= every.mean(axis=1, keepdims=True)
    power = np.mean(every**2, axis=1)
    mixed = every.mean(axis=0)
    strangers = float(power.mean()) / len(every)  # power of a mean of signals that have nothing in common
    return mixed if float(np.mean(mixed**2)) >= 0.25 * strangers else every[int(np.argmax(power))]


def at_rate(samples: Mono, rate_hz: int) -> Part:
    """The same sound at 48 kHz, by SciPy's polyphase filter (Kaiser, β = 5)."""
    ratio = Fraction(RATE_HZ, rate_hz)
    if ratio == 1:
        return samples
    return np.asarray(signal.resample_poly(samples, ratio.numerator, ratio.denominator), np.float64)


def frame_levels(samples: Mono) -> Float64[np.ndarray, "m"]:
    """Level of every 50 ms in dB, relative to the loudest; the last frame may be shorter."""
    step = int(FRAME_S * RATE_HZ)
    count = -(-samples.size // step)
    energy = np.add.reduceat(np.square(samples), np.arange(count) * step)
    power = energy / np.minimum(step, samples.size - np.arange(count) * step)
    return 10 * np.log10(power / max(float(power.max()), 1e-30) + 1e-12)


def trimmed(samples: Mono) -> Part:
    """Without the silence before and after (50 ms of it stay)."""
    step = int(FRAME_S * RATE_HZ)
    heard = np.flatnonzero(frame_levels(samples) > SILENCE_DB)
    return samples[max(0, int(heard[0]) - 1) * step : (int(heard[-1]) + 2) * step]


def is_event(samples: Mono) -> bool:
    """Whether a recording is of events with rests between or after them, rather than of something that goes on."""
    return float(np.mean(frame_levels(samples) > REST_DB)) < 0.5


def is_one_shot(samples: Mono) -> bool:
    """Whether a recording of less than 6 s ends near silence, so that it can stand alone: a bark, a toll."""
    return bool(frame_levels(samples)[-1] < REST_DB and samples.size < 6 * RATE_HZ)


def best_part(samples: Mono, seconds: float, rng: np.random.Generator) -> Part:
    """Of a longer recording, the stretch of `seconds` where most is heard and the level drifts least.

    Worth = mean activity (levels between the recording's 10th and 90th percentile, as 0..1) − half the change of
    activity from its first to its last third − the share of samples at full scale. Among equally good stretches
    (within 0.03) the seed chooses, so that two sources with one recording do not sound at once alike.
    """
    step = int(FRAME_S * RATE_HZ)
    levels = frame_levels(samples)
    span = round(seconds / FRAME_S)
    if span >= levels.size:
        return samples
    low, high = np.percentile(levels, [10, 90])
    active = np.clip((levels - low) / max(float(high - low), 1.0), 0, 1)
    third = span // 3
    total = np.concatenate([[0.0], np.cumsum(active)])
    begins = np.arange(levels.size - span)
    change = (total[begins + third] - total[begins] - total[begins + span] + total[begins + span - third]) / third
    worth = (total[begins + span] - total[begins]) / span - 0.5 * np.abs(change) - _clipped(samples, begins, span)
    good = np.flatnonzero(worth >= worth.max() - AS_GOOD)
    begin = int(begins[good[rng.integers(good.size)]]) * step
    return samples[begin : begin + span * step]


def _clipped(samples: Mono, begins: np.ndarray, span: int) -> Float64[np.ndarray, "k"]:
    """Share of frames that touch the recording's highest peak twice or more, as clipped ones do."""
    step = int(FRAME_S * RATE_HZ)
    peak = float(np.abs(samples).max())
    at_peak = np.abs(samples) >= 0.999 * peak
    count = np.add.reduceat(at_peak.astype(np.int64), np.arange(-(-samples.size // step)) * step)
    total = np.concatenate([[0], np.cumsum(count > 2)])
    return (total[begins + span] - total[begins]) / span
