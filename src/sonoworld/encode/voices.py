"""A source as voices: the mono signals that it sends out.

A point, an ambience and a compact area have one voice; a wide area has its own sound and decorrelated copies of it.
Letters: v voices; m surface points.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Float32, Int64

from sonoworld.encode.area import split_surface
from sonoworld.encode.decorrelate import decorrelated
from sonoworld.encode.level import gain_of
from sonoworld.encode.options import EncodeOptions
from sonoworld.errors import InputError
from sonoworld.types import Clip, Source, Spread


@dataclass(frozen=True, slots=True)
class Voices:
    """The signals of one source at the field's rate, level applied; `labels` says which part a surface point is."""

    source: Source
    signals: Float32[np.ndarray, "v t"]
    loops: bool
    labels: Int64[np.ndarray, "m"] | None

    def playing(self, start: int, stop: int) -> Float32[np.ndarray, "v n"]:
        """Samples start..stop of the endless timeline: loops always go round, others are silent before and after."""
        length = self.signals.shape[1]
        if self.loops:
            return self.signals[:, np.arange(start, stop) % length]
        out = np.zeros((self.signals.shape[0], stop - start), np.float32)
        first, last = max(start, 0), min(stop, length)
        if first < last:
            out[:, first - start : last - start] = self.signals[:, first:last]
        return out


def make_voices(source: Source, options: EncodeOptions, rate_hz: int) -> Voices:
    """Signals of a source, resampled to `rate_hz` and brought to their level at 1 m.

    Raises:
        InputError: the source has no clip.
    """
    if source.clip is None:
        raise InputError(f"source {source.id} ({source.label}) has no sound yet; expected a clip")
    policy = "paper" if options.mode == "paper" else "spl"
    dry = clip_at_rate(source.clip, rate_hz) * np.float32(gain_of(source, policy))
    signals, labels, loops = dry[None], None, source.clip.loops
    if _may_split(source, options):
        labels = split_surface(source.points, source.weights)
        copies = decorrelated(dry, source.id, int(labels.max()) + 1, rate_hz, loops)
        signals = np.concatenate([signals, copies])
    return Voices(source, signals, loops, labels)


def clip_at_rate(clip: Clip, rate_hz: int) -> Float32[np.ndarray, "t"]:
    """The clip at another rate; a loop is resampled around its seam."""
    ratio = Fraction(rate_hz, clip.rate_hz)
    if ratio == 1:
        return clip.samples
    length = max(1, round(len(clip.samples) * ratio))
    from scipy.signal import resample_poly  # noqa: PLC0415  half a second to import

    edge = 64 * ratio.denominator if clip.loops else 0
    before = np.resize(clip.samples[::-1], edge)[::-1]
    padded = np.concatenate([before, clip.samples, np.resize(clip.samples, edge)])
    moved = resample_poly(padded, ratio.numerator, ratio.denominator)
    start = edge * ratio.numerator // ratio.denominator
    return np.ascontiguousarray(moved[start : start + length], np.float32)


def _may_split(source: Source, options: EncodeOptions) -> bool:
    physical = options.mode == "physical" and options.area == "clusters"
    return physical and source.spread is Spread.AREA and len(source.points) > 1
