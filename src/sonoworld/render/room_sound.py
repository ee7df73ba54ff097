"""What a room adds to a scene's sound field: first reflections of every source, and one late field for all. NumPy.

Letters: j images; k block boundaries; c channels; d_j way of an image, d_0 of the source itself, m; D delay, samples.
Reflections come from the centroid of a source, ambience gives none. Without `EncodeOptions.delay` the direct sound is
at once, and all else is later by what its way is longer. Who stands half a metre or more behind a wall is outside:
nothing is reflected, nothing lingers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64

from sonoworld.acoustics.filters import TAPS, reflection_filters
from sonoworld.acoustics.images import Images, all_images, heard_when
from sonoworld.acoustics.noise import late_taps
from sonoworld.acoustics.room import Emitter, Room, Walls
from sonoworld.encode.field import ramped_mix
from sonoworld.encode.harmonics import channel_count, harmonics
from sonoworld.encode.listener import Track
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.propagate import distance, fade
from sonoworld.encode.rotate import rotation_matrix
from sonoworld.encode.travel import LEAST_DELAY, SPEED_OF_SOUND_M_S
from sonoworld.encode.voices import Voices, make_voices
from sonoworld.encode.way import Way, aim, softening_m, way_between
from sonoworld.errors import ShapeError
from sonoworld.types import Source, Spread

SEGMENT_BLOCKS = 512
OUTSIDE_M = 0.5
"""Behind a wall a room fades over half a metre."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """All that stays the same along a walk."""

    room: Room
    images: Images
    filters: Float32[np.ndarray, "j taps"]
    late: Float32[np.ndarray, "l t"] | None
    options: EncodeOptions
    rate_hz: int


def room_field(
    sources: Sequence[Source],
    track: Track,
    room: tuple[Room, Emitter | None],
    options: EncodeOptions,
    samples: int,
    rate_hz: int = 48000,
) -> Float32[np.ndarray, "c t"]:
    """Reflections and late field at a head: to be added to `encode_scene` of the same arguments.

    Args:
        sources: with clips.
        track: the head over time.
        room: and, where it was measured, the loudspeaker of the measurement.
        options: laws; physical mode.
        samples: length.
        rate_hz: of the field.

    Raises:
        ShapeError: paper mode, which has no rooms, or no samples.
        InputError: a source without a clip, or a measured late field at another rate.
    """
    if options.mode == "paper" or samples < 1:
        raise ShapeError("room", expected="physical mode and samples >= 1", got=f"{options.mode}, {samples}")
    ready = _ready(*room, options, rate_hz)
    everyone = [make_voices(s, options, rate_hz) for s in sources if s.spread is not Spread.AMBIENT]
    signal = np.zeros((channel_count(options.order), samples), np.float32)
    blocks = -(-samples // track.block)
    for first in range(0, blocks, SEGMENT_BLOCKS):
        last = min(first + SEGMENT_BLOCKS, blocks)
        out = np.zeros((len(signal), (last - first) * track.block), np.float32)
        for voices in everyone:
            _add_reflections(out, voices, track, (first, last), ready)
        if ready.late is not None:
            _add_late(out, everyone, track, (first, last), ready)
        start = first * track.block
        signal[:, start : start + out.shape[1]] = out[:, : samples - start]
    return signal


def _ready(room: Room, emitter: Emitter | None, options: EncodeOptions, rate_hz: int) -> _Ready:
    images = all_images(room.walls, room.order)
    filters = reflection_filters(images.hits, room.walls.absorption, rate_hz)
    late = None if room.late is None else late_taps(room.late, emitter, rate_hz, order=max(1, options.order))
    return _Ready(room, images, filters, late, options, rate_hz)


def _add_reflections(
    out: Float32[np.ndarray, "c t"], voices: Voices, track: Track, span: tuple[int, int], ready: _Ready
) -> None:
    from sonoworld.render.room_delays import add_delayed  # noqa: PLC0415  numba takes its time to import

    way = way_between(voices.source, track, span, ready.options, ready.rate_hz)
    at, heads = _places(voices.source, way, track, span)
    heard = heard_when(ready.room.walls, ready.images, at, heads) & _within(ready.room.walls, at, heads)
    chosen = np.flatnonzero(heard.any(1) & (ready.images.hits.sum(1) > 0))
    if len(chosen) == 0:
        return
    turn, shift = ready.images.turn[chosen], ready.images.shift_m[chosen]
    offset = np.einsum("jxy,ky->jkx", turn, at) + shift[:, None] - heads
    gains = _gains(voices.source, way, turn, offset, ready.options) * heard[chosen][..., None]
    near_m = softening_m(ready.options)
    extra = distance(offset, near_m) - (0.0 if ready.options.delay else distance(at - heads, near_m))
    delays = np.maximum(extra * (ready.rate_hz / SPEED_OF_SOUND_M_S), LEAST_DELAY)
    past = int(delays.max()) + 16 + TAPS
    start = span[0] * track.block
    dry = voices.playing(start - past, start + out.shape[1])[0]
    for rows in _alike(ready.images.hits[chosen]):
        filtered = _convolved(dry, ready.filters[chosen[rows[0]]])
        for j in rows:
            add_delayed(out, filtered, delays[j], gains[j], track.block)


def _gains(
    source: Source,
    way: Way,
    turn: Float64[np.ndarray, "j 3 3"],
    offset: Float64[np.ndarray, "j k 3"],
    options: EncodeOptions,
) -> Float64[np.ndarray, "j k c"]:
    """Head axes; directivity is that of the way as it leaves the source itself."""
    leaving = np.einsum("jyx,jky->jkx", turn, offset)
    sigma = fade(offset, options) * aim(source, leaving, way.facing, softening_m(options))
    count = offset.shape[1]
    rotations = np.broadcast_to(way.rotations, (count, 3, 3))
    return sigma[..., None] * harmonics(np.einsum("kxy,jkx->jky", rotations, offset), options.order)


def _places(
    source: Source, way: Way, track: Track, span: tuple[int, int]
) -> tuple[Float64[np.ndarray, "k 3"], Float64[np.ndarray, "k 3"]]:
    """Of the source and of the head, at every boundary, m, world."""
    heads = track.every(*span).origins
    assert source.centroid is not None
    moved = heads - np.broadcast_to(way.origins, heads.shape)
    return source.centroid + moved, heads


def _within(walls: Walls, at: Float64[np.ndarray, "k 3"], heads: Float64[np.ndarray, "k 3"]) -> Bool[np.ndarray, "k"]:
    return (_depth(walls, at) > 0) & (_depth(walls, heads) > 0)


def _depth(walls: Walls, at: Float64[np.ndarray, "k 3"]) -> Float64[np.ndarray, "k"]:
    """Distance to the nearest wall, negative behind one; ∞ without walls."""
    if len(walls) == 0:
        return np.full(len(at), np.inf)
    return np.asarray((walls.offsets_m - at @ walls.normals.T).min(1))


def share_within(walls: Walls, at: Float64[np.ndarray, "k 3"]) -> Float64[np.ndarray, "k"]:
    """1 in the room, 0 from half a metre behind a wall on."""
    return np.clip(1 + _depth(walls, at) / OUTSIDE_M, 0.0, 1.0)


def _add_late(
    out: Float32[np.ndarray, "c t"], everyone: Sequence[Voices], track: Track, span: tuple[int, int], ready: _Ready
) -> None:
    """One bus of all sources, as much as they are in the room and as they radiate in all, through the late taps."""
    assert ready.late is not None
    taps = ready.late.shape[1]
    lead = -(-taps // track.block)
    early = (span[0] - lead, span[1])
    bus = np.zeros((1, (lead + span[1] - span[0]) * track.block), np.float32)
    for voices in everyone:
        way = way_between(voices.source, track, early, ready.options, ready.rate_hz)
        at, _ = _places(voices.source, way, track, early)
        gain = share_within(ready.room.walls, at) * radiated(voices.source)
        dry = voices.playing(early[0] * track.block, early[1] * track.block)[:1]
        bus += ramped_mix(dry, gain[:, None, None], track.block)
    field = np.stack([_convolved(bus[0], h) for h in ready.late])[:, lead * track.block :]
    part = track.every(*span)
    order = min(math.isqrt(len(field)) - 1, ready.options.order)
    turn = rotation_matrix(np.swapaxes(part.rotations, 1, 2), order)
    share = share_within(ready.room.walls, part.origins)
    channels = (order + 1) ** 2
    out[:channels] += ramped_mix(field[:channels], np.swapaxes(turn, 1, 2) * share[:, None, None], track.block)


def radiated(source: Source) -> float:
    """Amplitude of what a source gives to all sides together, re its axis: √ of the mean of its pattern squared."""
    if source.directivity is None:
        return 1.0
    cosine = (np.arange(2000) + 0.5) / 1000 - 1
    b = 1 - source.directivity.pattern + source.directivity.pattern * cosine
    return float(np.sqrt(np.mean(np.abs(b) ** (2 * source.directivity.sharpness))))


def _alike(hits: np.ndarray) -> list[list[int]]:
    """Rows with the same walls, and so the same filter."""
    groups: dict[bytes, list[int]] = {}
    for j, row in enumerate(hits):
        groups.setdefault(row.tobytes(), []).append(j)
    return list(groups.values())


def _convolved(x: Float32[np.ndarray, "n"], h: Float32[np.ndarray, "taps"]) -> Float32[np.ndarray, "n"]:
    """X through a filter, cut to its own length."""
    from scipy.fft import irfft, next_fast_len, rfft  # noqa: PLC0415  heavy

    n = next_fast_len(len(x) + len(h) - 1, real=True)
    X, H = (np.asarray(rfft(signal, n)) for signal in (x, h))
    return np.asarray(irfft(X * H, n))[: len(x)]
