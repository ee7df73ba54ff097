"""Loops from recordings: where a beginning and an end match best, by spectrum then by waveform, and the fade there.

Letters: t samples; m frames of 10 ms; q bands; F frames of the fade; r correlation of the two sides of the fade.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy import fft, signal

from sonoworld.errors import InputError
from sonoworld.sound.loop import join_ratio

FRAME_S = 0.01
BANDS = 24
LONGEST_FADE_S = 1.0
SEARCH = 0.25
"""Share of the recording, at either end, in which the loop may begin and end."""
TRIED = 6
"""Joins that are made and measured, the best by spectrum."""
UNHEARD = 0.8
"""`join_ratio` from which on down a join passes for nothing."""
ALIGN_S = 0.012
"""How far the end moves to bring the waveforms together: a period of 83 Hz."""


@dataclass(frozen=True, slots=True)
class Join:
    """A loop goes from `begin` to `end`; what follows `end` goes over into what follows `begin`, for `fade` samples."""

    begin: int
    end: int
    fade: int


def best_loop(samples: Float64[np.ndarray, "t"], rate_hz: int) -> Float64[np.ndarray, "u"]:
    """The longest-lasting part of a recording that loops best, joined by a fade that keeps its power.

    The join is looked for in the first and last quarter: pairs of places whose band levels agree over the whole fade,
    then the shift of up to 12 ms at which the waveforms agree. Of the six best, the longest whose join is no event
    (`join_ratio`), else the one whose join is heard least.

    Raises:
        InputError: less than half a second.
    """
    if samples.size < 0.5 * rate_hz:
        raise InputError(f"loop: expected at least 0.5 s, got {samples.size / rate_hz:.3f} s")
    joins = [_aligned(samples, join, rate_hz) for join in _alike(samples, rate_hz)]
    loops = [joined(samples, join) for join in joins]
    heard = [join_ratio(loop) for loop in loops]
    quiet = [loop for loop, ratio in zip(loops, heard, strict=True) if ratio <= UNHEARD]
    return max(quiet, key=len) if quiet else loops[int(np.argmin(heard))]


def joined(samples: Float64[np.ndarray, "t"], join: Join) -> Float64[np.ndarray, "u"]:
    """The loop of a join: `end − begin` samples.

    Raises:
        InputError: the fade does not fit between begin and end, or after the end.
    """
    begin, end, fade = join.begin, join.end, join.fade
    if not (begin >= 0 and fade > 0 and begin + fade <= end and end + fade <= samples.size):
        raise InputError(f"join: expected {join} to lie within {samples.size} samples")
    loop = samples[begin:end].copy()
    rising, falling = fade_gains(fade, correlation(samples[begin : begin + fade], samples[end : end + fade]))
    loop[:fade] = rising * loop[:fade] + falling * samples[end : end + fade]
    return loop


def fade_gains(fade: int, r: float) -> tuple[Float64[np.ndarray, "f"], Float64[np.ndarray, "f"]]:
    """Gains of what rises and what falls, so that two sides of equal power and correlation r keep it all the way.

    a² + b² + 2 r a b = 1 (power-complementary cross-fading matched to the signals: Fink, Holters, Zölzer, DAFx 2016):
    equal power for strangers (r = 0), equal gain for twins (r = 1).
    """
    angle = 0.5 * np.pi * (np.arange(fade) + 0.5) / fade
    rising, falling = np.sin(angle), np.cos(angle)
    power = np.sqrt(1 + 2 * max(r, 0.0) * rising * falling)
    return rising / power, falling / power


def correlation(a: Float64[np.ndarray, "f"], b: Float64[np.ndarray, "f"]) -> float:
    """Normalised correlation −1..1; 0 where a side is silent."""
    norm = float(np.sqrt(np.sum(a * a) * np.sum(b * b)))
    return float(np.sum(a * b)) / norm if norm > 0 else 0.0


def _alike(samples: Float64[np.ndarray, "t"], rate_hz: int) -> list[Join]:
    """The best joins by band levels, no two of them within a fifth of a fade of each other."""
    step = int(FRAME_S * rate_hz)
    levels = band_levels(samples, rate_hz)
    m = len(levels)
    fade = max(3, min(int(LONGEST_FADE_S / FRAME_S), m // 6))
    most = max(1, int(SEARCH * (m - 2 * fade)))
    ends = np.arange(m - fade - most, m - fade)
    begins = np.arange(min(most, int(ends[0]) - fade))
    # distance of two stretches = sum over the fade of distances of frames, along diagonals
    near, far = levels[begins[0] : begins[-1] + fade], levels[ends[0] : ends[-1] + fade]
    each = np.sum(near * near, 1)[:, None] + np.sum(far * far, 1)[None, :] - 2 * near @ far.T
    along = np.zeros((begins.size, ends.size))
    for i in range(fade):
        along += each[i : i + begins.size, i : i + ends.size]
    joins: list[Join] = []
    for flat in np.argsort(along, axis=None, kind="stable"):
        b, e = (int(i) for i in np.unravel_index(flat, along.shape))
        join = Join(int(begins[b]) * step, int(ends[e]) * step, fade * step)
        if all(abs(join.begin - o.begin) + abs(join.end - o.end) >= join.fade // 5 for o in joins):
            joins.append(join)
        if len(joins) == TRIED:
            break
    return joins


def _aligned(samples: Float64[np.ndarray, "t"], join: Join, rate_hz: int) -> Join:
    """The join with its end moved to where the waveforms of the fade agree best."""
    room = min(int(ALIGN_S * rate_hz), samples.size - join.end - join.fade, join.end - join.begin - join.fade)
    if room < 1:
        return join
    near = samples[join.begin : join.begin + join.fade]
    around = samples[join.end - room : join.end + join.fade + room]
    agreement = signal.correlate(around, near, "valid", "fft")
    total = np.concatenate([[0.0], np.cumsum(np.square(around))])
    norm = np.sqrt(np.maximum(total[join.fade :] - total[: -join.fade], 1e-20))
    return Join(join.begin, join.end - room + int(np.argmax(agreement / norm)), join.fade)


def band_levels(samples: Float64[np.ndarray, "t"], rate_hz: int) -> Float64[np.ndarray, "m q"]:
    """Levels in dB of 24 bands, evenly on a log axis from 80 Hz to 16 kHz, every 10 ms; floor 60 dB below the top."""
    step = int(FRAME_S * rate_hz)
    size = 4 * step
    m = samples.size // step
    padded = np.pad(samples, (size // 2, size))
    frames = padded[np.arange(m)[:, None] * step + np.arange(size)] * np.hanning(size)
    power = np.abs(np.asarray(fft.rfft(frames, axis=1))) ** 2
    f = np.fft.rfftfreq(size, 1 / rate_hz)
    edges = np.geomspace(80, min(16_000, 0.45 * rate_hz), BANDS + 1)
    which = np.digitize(f, edges) - 1
    bands = np.stack([power[:, which == q].sum(1) if (which == q).any() else np.zeros(m) for q in range(BANDS)], 1)
    return 10 * np.log10(bands + 1e-6 * float(bands.max()) + 1e-30)
