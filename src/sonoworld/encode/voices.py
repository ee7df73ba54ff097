"""A source as voices: mono signals, and what each puts on every Ambisonic channel as the listener moves.

A point, an ambience and a compact area have one voice; a wide area has its own sound and decorrelated copies of it.
Letters: v voices; k listener poses; c channels; m surface points.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Float32, Float64, Int64

from sonoworld.encode.air import through_air, way_shares
from sonoworld.encode.area import ambient_gains, area_gains, point_gains, split_gains, split_surface
from sonoworld.encode.decorrelate import decorrelated
from sonoworld.encode.level import gain_of
from sonoworld.encode.listener import Track
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.propagate import distance, fade
from sonoworld.encode.rotate import rotation_matrix
from sonoworld.errors import InputError
from sonoworld.types import Clip, Source, Spread

_AREA_STRIDE = 4
"""Areas are summed at every fourth block boundary (about 20 ms) in world axes, and turned at each."""


@dataclass(frozen=True, slots=True)
class Voices:
    """The signals of one source at the field's rate, level applied; `labels` says which part a surface point is."""

    source: Source
    signals: Float32[np.ndarray, "v t"]
    loops: bool
    labels: Int64[np.ndarray, "m"] | None

    def playing(self, start: int, stop: int) -> Float32[np.ndarray, "v n"]:
        """Samples start..stop of the endless timeline: loops go round, others end in silence."""
        length = self.signals.shape[1]
        if self.loops:
            return self.signals[:, np.arange(start, stop) % length]
        out = np.zeros((self.signals.shape[0], stop - start), np.float32)
        heard = self.signals[:, start : min(stop, length)]
        out[:, : heard.shape[1]] = heard
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
    if _air_filters(source, options):
        signals = through_air(signals, rate_hz, loops)
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


def source_gains(source: Source, track: Track, options: EncodeOptions) -> Float64[np.ndarray, "k c"]:
    """Gains of a source's undivided sound in head axes at every pose, level at 1 m taken as 1."""
    return _gains(source, None, track, options)[:, 0]


def voice_gains(voices: Voices, track: Track, options: EncodeOptions) -> Float64[np.ndarray, "k v c"]:
    """Gains of every voice in head axes at every pose."""
    gains = _gains(voices.source, voices.labels, track, options)
    centroid = voices.source.centroid
    if centroid is None or not _air_filters(voices.source, options):
        return gains
    shares = way_shares(distance(centroid - track.origins, options.near_m))
    k, v, c = gains.shape
    return (gains[:, :, None] * shares[:, None, :, None]).reshape(k, v * shares.shape[1], c)


def _may_split(source: Source, options: EncodeOptions) -> bool:
    physical = options.mode == "physical" and options.area == "clusters"
    return physical and source.spread is Spread.AREA and len(source.points) > 1


def _air_filters(source: Source, options: EncodeOptions) -> bool:
    return options.air == "iso9613" and source.spread is not Spread.AMBIENT


def _gains(
    source: Source, labels: Int64[np.ndarray, "m"] | None, track: Track, options: EncodeOptions
) -> Float64[np.ndarray, "k v c"]:
    poses = len(track.origins)
    if source.spread is Spread.AMBIENT:
        return np.tile(ambient_gains(options.order), (poses, 1, 1))
    if source.spread is Spread.POINT:
        offset = np.einsum("kji,kj->ki", track.rotations, source.centroid - track.origins)
        return point_gains(offset, fade(offset, options), options.order)[:, None]
    world = _area_world(source, labels, track.origins, options)
    # Field in world axes into head axes: R = head_from_world.
    turn = rotation_matrix(np.swapaxes(track.rotations, 1, 2), options.order)
    return np.matmul(world, np.swapaxes(turn, 1, 2))


def _area_world(
    source: Source, labels: Int64[np.ndarray, "m"] | None, origins: Float64[np.ndarray, "k 3"], options: EncodeOptions
) -> Float64[np.ndarray, "k v c"]:
    """Gains of an area in world axes at every origin: summed at some, linear in between."""
    poses = len(origins)
    if np.all(origins == origins[0]):
        return np.repeat(_area_at(source, labels, origins[:1], options), poses, 0)
    at = np.unique(np.append(np.arange(0, poses, _AREA_STRIDE), poses - 1))
    known = _area_at(source, labels, origins[at], options)
    left = np.clip(np.searchsorted(at, np.arange(poses), side="right") - 1, 0, len(at) - 2)
    share = (np.arange(poses) - at[left]) / (at[left + 1] - at[left])
    return known[left] + share[:, None, None] * (known[left + 1] - known[left])


def _area_at(
    source: Source, labels: Int64[np.ndarray, "m"] | None, origins: Float64[np.ndarray, "k 3"], options: EncodeOptions
) -> Float64[np.ndarray, "k v c"]:
    weights = np.asarray(source.weights, np.float64)
    offset = np.asarray(source.points, np.float64)[None] - origins[:, None]
    sigma = fade(offset, options)
    if labels is None:
        return area_gains(offset, weights, sigma, options.order)[:, None]
    return split_gains(offset, weights, sigma, labels, options.order)
