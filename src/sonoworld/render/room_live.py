"""A room in the real-time engine, as more inputs: one per source and wall, and six around the head for the late field.

Letters: s sources with a place; w images of first order; R = s·w rows; B block; P partitions of the late taps; x dry
block; D delay, samples; W Y Z X the late field in world axes, played from six sides: (W ± 3 X)/6, .. add up to it.
Its offline twin is `room_sound`, which follows what bounces more often too.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float32, Float64

from sonoworld.acoustics.filters import TAPS, reflection_filters
from sonoworld.acoustics.images import Images, all_images, heard_when
from sonoworld.acoustics.noise import late_taps
from sonoworld.acoustics.room import Emitter, Room
from sonoworld.encode.listener import Track
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.propagate import distance, fade
from sonoworld.encode.travel import LEAST_DELAY, SPEED_OF_SOUND_M_S
from sonoworld.encode.voices import Voices
from sonoworld.encode.way import moving_way, softening_m
from sonoworld.frames import Pose
from sonoworld.render.engine import Engine
from sonoworld.render.room_sound import radiated, share_within
from sonoworld.types import FULL_SCALE_DB, Source, Spread

SIDES = np.concatenate([np.eye(3), -np.eye(3)])
LONGEST_M = 60.0
"""Reflections that come more than so much later than the direct sound are late field."""


def room_inputs(everyone: Sequence[Voices], room: Room) -> int:
    """Rows that a room needs in an engine."""
    placed = sum(voices.source.spread is not Spread.AMBIENT for voices in everyone)
    return placed * _per_source(room) + (0 if room.late is None else len(SIDES))


def _per_source(room: Room) -> int:
    return len(room.walls) if room.order else 0


class LiveRoom:
    """Feeds an engine what a room gives back of the blocks that it is fed.

    Args:
        engine: with `room_inputs` rows from `first` on.
        everyone: all voices.
        rows: inputs of each source's voices, as in `placement.input_rows`.
        room: and, where it was measured, the loudspeaker of the measurement.
        law: the engine's.
        first: row of the engine from which on rows are free.
    """

    def __init__(
        self,
        engine: Engine,
        everyone: Sequence[Voices],
        rows: Sequence[slice],
        room: tuple[Room, Emitter | None],
        law: EncodeOptions,
        first: int,
    ) -> None:
        self._engine, self._law, self._room = engine, law, room[0]
        self._block, self._rate_hz = engine.block, engine.rate_hz
        placed = zip(everyone, rows, strict=True)
        self._placed = [(v.source, r.start) for v, r in placed if v.source.spread is not Spread.AMBIENT]
        self._loudness = [radiated(source) for source, _ in self._placed]
        order = min(1, room[0].order)
        images = all_images(room[0].walls, order)
        self._images: Images = images
        self._chosen = np.flatnonzero(images.hits.sum(1) > 0)
        self._first, self._sides = first, first + len(self._placed) * len(self._chosen)
        past = int(LONGEST_M / SPEED_OF_SOUND_M_S * self._rate_hz) + 32
        self._history = np.zeros((len(self._placed), past + self._block), np.float32)
        count = len(self._placed) * len(self._chosen)
        filters = reflection_filters(images.hits[self._chosen], room[0].walls.absorption, self._rate_hz)
        self._filters = _Filters(np.tile(filters, (len(self._placed), 1)), self._block) if count else None
        self._late = None
        if room[0].late is not None:
            self._late = _Partitioned(late_taps(room[0].late, room[1], self._rate_hz), self._block)
        self._delay = np.full(count, LEAST_DELAY)
        self._gain = np.zeros(count)
        self._at = np.full((len(self._placed), 3), np.nan)
        self._begun = False

    def step(self, inputs: Float32[np.ndarray, "q b"], head: Pose, time_s: float) -> None:
        """Fill the room's rows of a block whose dry rows are filled; the head is where it will be at its end."""
        at = np.stack([self._place(source, head, time_s) for source, _ in self._placed]) if self._placed else self._at
        dry = np.stack([inputs[row] for _, row in self._placed]) if self._placed else np.zeros((0, self._block))
        self._history = np.concatenate([self._history[:, self._block :], dry.astype(np.float32)], axis=1)
        if self._filters is not None:
            inputs[self._first : self._sides] = self._filters.process(self._reflected(at, head))
            self._put(at)
        if self._late is not None:
            inputs[self._sides : self._sides + len(SIDES)] = self._lingering(dry, at, head)
        self._begun = True

    def _reflected(self, at: Float64[np.ndarray, "s 3"], head: Pose) -> Float32[np.ndarray, "r b"]:
        """Delayed blocks of all images of all sources, silent where there is no way."""
        images = self._images
        heads = np.tile(head.origin, (len(at), 1))
        inside = (share_within(self._room.walls, at) >= 1) & (share_within(self._room.walls, heads) >= 1)
        heard: Bool[np.ndarray, "j s"] = heard_when(self._room.walls, images, at, heads) & inside
        near_m = softening_m(self._law)
        turn, shift = images.turn[self._chosen], images.shift_m[self._chosen]
        ways = np.einsum("jxy,sy->sjx", turn, at) + shift - head.origin
        extra = distance(ways, near_m) - distance(at - head.origin, near_m)[:, None]
        gain = (heard[self._chosen].T & (extra < LONGEST_M)).astype(np.float64).ravel()
        samples = np.zeros(len(gain)) if self._law.delay else extra.ravel() * (self._rate_hz / SPEED_OF_SOUND_M_S)
        delay = np.maximum(np.minimum(samples, self._history.shape[1] - self._block - 16), LEAST_DELAY)
        before = (self._delay, self._gain) if self._begun else (delay, gain)
        from sonoworld.render.room_delays import delayed_rows  # noqa: PLC0415  numba takes its time to import

        self._delay, self._gain = delay, gain
        pairs = np.stack([before[0], delay]), np.stack([before[1], gain])
        return delayed_rows(self._history, *pairs, self._block)

    def _put(self, at: Float64[np.ndarray, "s 3"]) -> None:
        """Images where they belong; only those of sources that moved."""
        count = len(self._chosen)
        for s, (source, _) in enumerate(self._placed):
            if np.array_equal(at[s], self._at[s]):
                continue
            for k, j in enumerate(self._chosen):
                turn = self._images.turn[j]
                aim = source.directivity
                if aim is not None:
                    aim = replace(aim, facing=turn @ aim.facing)
                place = turn @ at[s] + self._images.shift_m[j]
                self._engine.set_source(self._first + s * count + k, place, directivity=aim)
        self._at = at

    def _lingering(
        self, dry: Float32[np.ndarray, "s b"], at: Float64[np.ndarray, "s 3"], head: Pose
    ) -> Float32[np.ndarray, "6 b"]:
        """The late field for the six sides, which go with the head but do not turn with it."""
        assert self._late is not None
        send = share_within(self._room.walls, at) * np.array(self._loudness)
        w, y, z, x = self._late.process((send @ dry).astype(np.float32))
        share = np.float32(share_within(self._room.walls, head.origin[None])[0])
        level_db = FULL_SCALE_DB - 20 * float(np.log10(fade(SIDES[0], self._law)))
        for i, side in enumerate(SIDES):
            self._engine.set_source(self._sides + i, head.origin + side, level_db)
        axes = 3 * np.stack([x, y, z])
        return np.concatenate([w + axes, w - axes]) * (share / 6)

    def _place(self, source: Source, head: Pose, time_s: float) -> Float64[np.ndarray, "3"]:
        assert source.centroid is not None
        if source.path is None:
            return source.centroid
        way = moving_way(source, Track.still(head), np.array([time_s]), self._law)
        return source.centroid + head.origin - way.origins[0]


class _Filters:
    """One short filter per row, block by block (overlap-add)."""

    def __init__(self, filters: Float32[np.ndarray, "r taps"], block: int) -> None:
        self._n = 1 << (block + TAPS - 1).bit_length()
        self._H = np.fft.rfft(filters, self._n).astype(np.complex64)
        self._tail = np.zeros((len(filters), self._n), np.float32)

    def process(self, x: Float32[np.ndarray, "r b"]) -> Float32[np.ndarray, "r b"]:
        block = x.shape[1]
        made = np.fft.irfft(np.fft.rfft(x, self._n) * self._H, self._n).astype(np.float32) + self._tail
        self._tail = np.pad(made[:, block:], ((0, 0), (0, block)))
        return made[:, :block]


class _Partitioned:
    """One signal through four long filters, block by block (uniform partitions, overlap-save; Wefers 2015, 5.2)."""

    def __init__(self, taps: Float32[np.ndarray, "4 t"], block: int) -> None:
        parts = -(-taps.shape[1] // block)
        padded = np.pad(taps, ((0, 0), (0, parts * block - taps.shape[1]))).reshape(4, parts, block)
        # bins first: a block is one small matrix product per bin
        self._H = np.ascontiguousarray(np.fft.rfft(padded, 2 * block).astype(np.complex64).transpose(2, 0, 1))
        self._spectra = np.zeros((block + 1, parts, 1), np.complex64)
        self._last = np.zeros(block, np.float32)

    def process(self, x: Float32[np.ndarray, "b"]) -> Float32[np.ndarray, "4 b"]:
        self._spectra = np.roll(self._spectra, 1, axis=1)
        self._spectra[:, 0, 0] = np.fft.rfft(np.concatenate([self._last, x]))
        self._last = x
        sums = (self._H @ self._spectra)[..., 0].T
        return np.fft.irfft(sums, 2 * len(x))[:, len(x) :].astype(np.float32)
