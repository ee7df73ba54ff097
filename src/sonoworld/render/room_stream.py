"""What a room adds, block by block in NumPy: the plain version of `native/room.hpp`.

Letters: s sources that take part, at p, the head at o; w walls (n·x = q); r = s·w ways; B block, t sample; D delay,
samples, N = floor(D) + 1; u = 2 (N − D) − 1; m branches (`travel.branch_filters`).
"""

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64

from sonoworld.encode.directivity import directivity_gain
from sonoworld.encode.harmonics import harmonics
from sonoworld.encode.propagate import distance, fade
from sonoworld.encode.travel import BRANCHES, LEAST_DELAY, SPEED_OF_SOUND_M_S, TAPS, branch_filters
from sonoworld.render.convolve import BlockConvolver
from sonoworld.render.engine_room import LONGEST_M, EngineRoom
from sonoworld.render.executor import Plan
from sonoworld.render.room_sound import OUTSIDE_M
from sonoworld.types import Directivity

_AHEAD = 8
_EPSILON = 1e-9


class RoomStream:
    """Reflections and late field of an engine's inputs, in world axes.

    Args:
        plan: sizes and laws.
        room: with a send for every input.
    """

    def __init__(self, plan: Plan, room: EngineRoom) -> None:
        self._plan, self._room = plan, room
        self.rows = np.flatnonzero(room.sends > 0)
        """Inputs that take part."""
        count, walls = len(self.rows), len(room.offsets_m)
        past_s = 1.0 if plan.law.delay else LONGEST_M / SPEED_OF_SOUND_M_S
        length = 64
        while length < past_s * plan.rate_hz + 2 * plan.block + 4 * TAPS:
            length *= 2
        self._length = length
        self._past = np.zeros((count, length + TAPS), np.float32)
        self._late = None if room.late is None else BlockConvolver(room.late[:, None], plan.block)
        self._state = np.zeros((walls, room.filters.shape[1], 4, 2))
        self._delay = np.full((count, walls), LEAST_DELAY)
        self._gain = np.zeros((count, walls, 4), np.float32)
        self._sent = np.zeros(count, np.float32)
        self._share = 1.0
        self._begun = False
        self._r = (np.arange(plan.block) + 1) / plan.block

    def process(
        self,
        dry: Float32[np.ndarray, "s b"],
        at: Float64[np.ndarray, "s 3"],
        gains: Float64[np.ndarray, "s"],
        aims: list[Directivity | None],
        origin: Float64[np.ndarray, "3"],
    ) -> Float32[np.ndarray, "4 b"]:
        """A block of `rows`, for places at its end.

        Args:
            dry: inputs.
            at: places, m, world.
            gains: level at 1 m; 0 where a source is not placed.
            aims: where each radiates to.
            origin: the head's place, m, world.
        """
        self._past = np.concatenate([self._past[:, self._plan.block :], dry], axis=1)
        depth = self._depth(at)
        head_depth = float(self._depth(origin[None])[0])
        delay, gain = self._ways(at, gains, aims, origin, (depth > 0) & (head_depth > 0))
        sent = (_within(depth) * gains).astype(np.float32) * self._room.sends[self.rows]
        share = float(_within(np.array([head_depth]))[0])
        if not self._begun:
            self._delay, self._gain, self._sent, self._share, self._begun = delay, gain, sent, share, True
        out = self._reflected(delay, gain) + self._lingering(dry, sent, share)
        self._delay, self._gain, self._sent, self._share = delay, gain, sent, share
        return out

    def _ways(
        self,
        at: Float64[np.ndarray, "s 3"],
        gains: Float64[np.ndarray, "s"],
        aims: list[Directivity | None],
        origin: Float64[np.ndarray, "3"],
        inside: Bool[np.ndarray, "s"],
    ) -> tuple[Float64[np.ndarray, "s w"], Float32[np.ndarray, "s w 4"]]:
        """Delays and first-order gains of all ways, in world axes."""
        room, law = self._room, self._plan.law
        behind = at @ room.normals.T - room.offsets_m
        offset = at[:, None] - 2 * behind[..., None] * room.normals - origin
        d = distance(offset, law.near_m)
        extra = d - distance(at - origin, law.near_m)[:, None]
        samples = (d if law.delay else extra) * (self._plan.rate_hz / SPEED_OF_SOUND_M_S)
        delay = np.clip(samples, LEAST_DELAY, self._length - self._plan.block - 2.0 * TAPS)
        heard = inside[:, None] & (extra < LONGEST_M) & self._exists(offset, origin)
        level = fade(offset, law) * gains[:, None] * heard
        for s, aim in enumerate(aims):
            for w, n in enumerate(room.normals if aim is not None else ()):
                assert aim is not None
                facing = aim.facing - 2 * (n @ aim.facing) * n
                level[s, w] *= directivity_gain(offset[s, w][None], facing, aim.pattern, aim.sharpness, law.near_m)[0]
        return delay, (level[..., None] * harmonics(offset, 1)).astype(np.float32)

    def _exists(
        self, offset: Float64[np.ndarray, "s w 3"], origin: Float64[np.ndarray, "3"]
    ) -> Bool[np.ndarray, "s w"]:
        """Whether the way to an image meets its wall where that is part of the space."""
        normals, offsets = self._room.normals, self._room.offsets_m
        towards = np.einsum("swx,wx->sw", offset, normals)
        way = (offsets - normals @ origin) / np.where(towards > 0, towards, 1.0)
        hit = origin + way[..., None] * offset
        outside = hit @ normals.T - offsets
        outside[:, np.arange(len(offsets)), np.arange(len(offsets))] = 0.0
        return (towards > 0) & (outside.max(-1, initial=-np.inf) <= _EPSILON)

    def _depth(self, at: Float64[np.ndarray, "k 3"]) -> Float64[np.ndarray, "k"]:
        return (self._room.offsets_m - at @ self._room.normals.T).min(1, initial=np.inf)

    def _reflected(
        self, delay: Float64[np.ndarray, "s w"], gain: Float32[np.ndarray, "s w 4"]
    ) -> Float32[np.ndarray, "4 b"]:
        from scipy.signal import sosfilt  # noqa: PLC0415  heavy

        out = np.zeros((4, self._plan.block), np.float32)
        ramp = self._r.astype(np.float32)
        for w, sections in enumerate(self._room.filters):
            total = np.zeros_like(out)
            for s in range(len(self.rows)):
                old, new = self._gain[s, w], gain[s, w]
                if old.any() or new.any():
                    total += (old[:, None] + (new - old)[:, None] * ramp) * self._delayed(
                        s, self._delay[s, w], delay[s, w]
                    )
            sos = np.insert(sections.astype(np.float64), 3, 1.0, axis=1)
            filtered, self._state[w] = sosfilt(sos, total.astype(np.float64), zi=self._state[w])
            out += filtered.astype(np.float32)
        return out

    def _delayed(self, s: int, old: float, new: float) -> Float32[np.ndarray, "b"]:
        if abs(new - old) > self._plan.block / 2:  # a jump, not a motion
            r = self._r.astype(np.float32)
            before, after = self._read(s, np.full(len(r), old)), self._read(s, np.full(len(r), new))
            return before + (after - before) * r
        return self._read(s, old + (new - old) * self._r)

    def _read(self, s: int, delay: Float[np.ndarray, "b"]) -> Float32[np.ndarray, "b"]:
        whole = np.floor(delay) + 1
        u = (2 * (whole - delay) - 1).astype(np.float32)
        first = self._past.shape[1] - self._plan.block + np.arange(self._plan.block) - whole.astype(np.int64)
        x = self._past[s][(first + _AHEAD - TAPS + 1)[:, None] + np.arange(TAPS)]
        branches = x @ branch_filters().T
        y = branches[:, BRANCHES - 1]
        for m in range(BRANCHES - 2, -1, -1):
            y = y * u + branches[:, m]
        return y

    def _lingering(
        self, dry: Float32[np.ndarray, "s b"], sent: Float32[np.ndarray, "s"], share: float
    ) -> Float32[np.ndarray, "4 b"]:
        if self._late is None:
            return np.zeros((4, self._plan.block), np.float32)
        ramp = self._r.astype(np.float32)
        bus = (dry * (self._sent[:, None] + (sent - self._sent)[:, None] * ramp)).sum(0)
        return self._late.process(bus[None]) * (np.float32(self._share) + np.float32(share - self._share) * ramp)


def _within(depth: Float64[np.ndarray, "k"]) -> Float64[np.ndarray, "k"]:
    """1 in the room, 0 from half a metre behind a wall on."""
    return np.clip(1 + depth / OUTSIDE_M, 0.0, 1.0)
