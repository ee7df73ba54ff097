"""The engine in NumPy: the plain version of the compiled kernel, and the one that needs nothing but NumPy.

Letters: q sources, c channels, B samples per block. Sound field of a block: Σ_q g_q(t)·x_q(t), g on a straight line
per sample from the last block's gains to this one's; then uniformly partitioned overlap-save (`BlockConvolver`).
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from sonoworld.encode.area import area_gains, point_gains, split_gains
from sonoworld.encode.directivity import directivity_gain
from sonoworld.encode.harmonics import channel_degrees
from sonoworld.encode.propagate import fade
from sonoworld.encode.rotate import rotation_matrix
from sonoworld.errors import ShapeError
from sonoworld.frames import world_from_head_rotation
from sonoworld.render.convolve import BlockConvolver
from sonoworld.render.executor import Plan, Shape
from sonoworld.render.near_stream import NearField
from sonoworld.render.room_stream import RoomStream
from sonoworld.render.travel_stream import Travel, distances
from sonoworld.types import Directivity


@dataclass(frozen=True, slots=True)
class _Bed:
    signal: Float32[np.ndarray, "c t"]
    order: int
    loops: bool


class NumpyExecutor:
    """See `Executor`."""

    name = "NumPy"

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._ears = BlockConvolver(plan.filters, plan.block)
        self._placed = np.zeros(plan.sources, bool)
        self._positions = np.zeros((plan.sources, 3))
        self._levels = np.zeros(plan.sources)
        self._owners = np.full(plan.sources, -1)  # of rows that carry a surface's copies
        self._shapes = [Shape()] * plan.sources
        self._aims: list[Directivity | None] = [None] * plan.sources
        self._origin, self._rotation = np.zeros(3), np.eye(3)
        self._travel = Travel(plan) if plan.law.delay or plan.law.air == "iso9613" else None
        self._near = NearField(plan) if plan.law.near_field else None
        self._last_m = np.full(plan.sources, np.nan)
        self._room = None if plan.room is None else RoomStream(plan, plan.room)
        self._bed: _Bed | None = None
        self._bed_at = 0
        self._turn: Float32[np.ndarray, "c c"] | None = None
        self._gains: Float32[np.ndarray, "c q"] | None = None
        self._target = np.zeros((plan.filters.shape[1], plan.sources), np.float32)
        self._changed = True
        self._degrees = np.array(channel_degrees(plan.order))
        self._ramp = ((np.arange(plan.block, dtype=np.float32) + 1) / np.float32(plan.block))[None]

    def place(
        self, i: int, position: Float64[np.ndarray, "3"], gain: float, shape: Shape, aim: Directivity | None
    ) -> bool:
        """See `Executor.place`."""
        rows = range(i + 1, i + 1 + shape.parts)
        taken = any(row >= len(self._placed) or (self._placed[row] and self._owners[row] != i) for row in rows)
        if self._owners[i] >= 0 or taken:
            return False
        self._drop_copies(i)
        self._positions[i], self._levels[i] = position, gain
        if shape.points is not None and shape.weights is not None:
            self._positions[i] = shape.weights @ shape.points / shape.weights.sum()
        self._shapes[i], self._aims[i] = shape, aim
        for row in rows:
            self._owners[row], self._positions[row], self._levels[row] = i, self._positions[i], gain
        self._placed[[i, *rows]] = True
        self._changed = True
        return True

    def _drop_copies(self, i: int) -> None:
        copies = self._owners == i
        self._placed[copies] = False
        self._owners[copies] = -1

    def remove(self, i: int) -> bool:
        """See `Executor.remove`."""
        if self._owners[i] >= 0:
            return False
        self._drop_copies(i)
        self._shapes[i] = Shape()
        self._placed[i] = False
        self._changed = True
        return True

    def move(self, positions: Float64[np.ndarray, "q 3"], level_db: Float64[np.ndarray, "q"]) -> bool:
        """See `Executor.move`."""
        places, levels = np.asarray(positions, np.float64), np.asarray(level_db, np.float64)
        q = len(places)
        fits = places.shape == (q, 3) and levels.shape == (q,) and q <= self._plan.sources
        if not fits or not (np.isfinite(places).all() and np.isfinite(levels).all()):
            return False
        for i in range(q):
            if self._shapes[i].points is not None:
                self._drop_copies(i)
                self._shapes[i] = Shape()
        self._owners[:q] = -1
        self._positions[:q] = places
        self._levels[:q] = 10.0 ** ((levels - 100.0) / 20)
        self._placed[:q] = True
        self._changed = True
        return True

    def listener(self, position: Float64[np.ndarray, "3"], yaw: float, pitch: float, roll: float) -> bool:
        """See `Executor.listener`."""
        origin = np.array(position, np.float64)
        if origin.shape != (3,) or not np.isfinite(origin).all():
            return False
        self._origin = origin
        self._rotation = world_from_head_rotation(yaw, pitch, roll)
        self._changed = True
        return True

    def bed(self, signal: Float32[np.ndarray, "c t"] | None, order: int, loops: bool) -> bool:
        """See `Executor.bed`."""
        self._bed = None if signal is None else _Bed(signal, order, loops)
        self._bed_at, self._turn = 0, None
        return True

    def process(self, inputs: Float32[np.ndarray, "q b"], out: Float32[np.ndarray, "2 b"]) -> bool:
        """See `Executor.process`."""
        try:
            new = self._current_gains()
        except ShapeError:
            return False
        old = new if self._gains is None else self._gains
        live = np.flatnonzero(old.any(0) | new.any(0))
        heard = inputs
        if self._travel is not None:
            offset = self._positions - self._origin
            heard = self._travel.process(inputs, distances(offset, self._plan.law), live)
        field = np.zeros((len(self._degrees), self._plan.block), np.float32)
        if self._near is not None:
            live = self._add_near(self._near, heard, live, (old, new), field)
        x = heard[live]
        field += old[:, live] @ x
        if old is not new:
            field += (new - old)[:, live] @ (x * self._ramp)
        self._gains = new
        self._turn_field(field, inputs)
        self._changed = False
        out[:] = self._ears.process(field)
        return True

    def _current_gains(self) -> Float32[np.ndarray, "c q"]:
        if not self._changed:
            return self._target
        law, order = self._plan.law, self._plan.order
        gains = np.zeros((self._plan.sources, len(self._degrees)))
        placed = [int(i) for i in np.flatnonzero(self._placed & (self._owners < 0))]
        points = [i for i in placed if self._shapes[i].points is None]
        offset = (self._positions[points] - self._origin) @ self._rotation
        sigma = fade(offset, law) if points else np.zeros(0)
        for row, i in enumerate(points):
            sigma[row] *= self._aim(i, offset[row : row + 1])[0]
        gains[points] = point_gains(offset, sigma, order)
        for i in placed:
            shape = self._shapes[i]
            if shape.cap is not None:
                gains[i] *= shape.cap[self._degrees]
            if shape.points is not None and shape.weights is not None:
                seen = (shape.points - self._origin) @ self._rotation
                sigma = fade(seen, law) * self._aim(i, seen)
                if shape.labels is None:
                    gains[i] = area_gains(seen, shape.weights, sigma, order)
                else:
                    labels = shape.labels.astype(np.int64)
                    gains[i : i + 1 + shape.parts] = split_gains(seen, shape.weights, sigma, labels, order)
        self._target = np.ascontiguousarray((gains * self._levels[:, None]).T, np.float32)
        return self._target

    def _aim(self, i: int, offset: Float64[np.ndarray, "m 3"]) -> Float64[np.ndarray, "m"]:
        aim = self._aims[i]
        if aim is None:
            return np.ones(len(offset))
        near_m = 0.0 if self._plan.law.mode == "paper" else self._plan.law.near_m
        return directivity_gain(offset, aim.facing @ self._rotation, aim.pattern, aim.sharpness, near_m)

    def _add_near(
        self,
        near: NearField,
        heard: Float32[np.ndarray, "q b"],
        live: Int64[np.ndarray, "n"],
        gains: tuple[Float32[np.ndarray, "c q"], Float32[np.ndarray, "c q"]],
        field: Float32[np.ndarray, "c b"],
    ) -> Int64[np.ndarray, "m"]:
        """Adds the point sources that are near, degree by degree; returns the live sources that remain."""
        now_m = distances(self._positions - self._origin, self._plan.law)
        last_m = np.where(np.isnan(self._last_m), now_m, self._last_m)
        self._last_m[:] = np.nan
        self._last_m[live] = now_m[live]
        old, new = gains
        remain: list[int] = []
        for q in (int(q) for q in live):
            point = self._shapes[q].points is None and self._owners[q] < 0
            if not (near.hears(q, float(last_m[q]), float(now_m[q])) and point):
                remain.append(q)
                continue
            rows = near.process(q, heard[q], float(last_m[q]), float(now_m[q]))[self._degrees]
            field += (old[:, q, None] + (new - old)[:, q, None] * self._ramp) * rows
        return np.array(remain, np.int64)

    def _turn_field(self, field: Float32[np.ndarray, "c b"], inputs: Float32[np.ndarray, "q b"]) -> None:
        """Add what is given in world axes, bed and room, turned with the head."""
        parts = [] if self._bed is None else [self._play(self._bed)]
        if self._room is not None:
            parts.append(self._in_room(self._room, inputs))
        if not parts:
            return
        x = np.zeros((max(map(len, parts)), self._plan.block), np.float32)
        for part in parts:
            x[: len(part)] += part
        if self._changed or self._turn is None:
            new = rotation_matrix(self._rotation.T, math.isqrt(len(x)) - 1).astype(np.float32)
        else:
            new = self._turn
        old = new if self._turn is None else self._turn
        self._turn = new
        field[: len(new)] += old @ x
        if old is not new:
            field[: len(new)] += (new - old) @ (x * self._ramp)

    def _play(self, bed: _Bed) -> Float32[np.ndarray, "c b"]:
        block, length = self._plan.block, bed.signal.shape[1]
        at = self._bed_at + np.arange(block)
        self._bed_at = int(at[-1] + 1) % length if bed.loops else min(int(at[-1] + 1), length)
        return bed.signal[:, at % length] if bed.loops else bed.signal[:, np.minimum(at, length - 1)] * (at < length)

    def _in_room(self, room: RoomStream, inputs: Float32[np.ndarray, "q b"]) -> Float32[np.ndarray, "4 b"]:
        rows = room.rows
        levels = self._levels[rows] * self._placed[rows]
        aims = [self._aims[int(q)] for q in rows]
        return room.process(inputs[rows], self._positions[rows], levels, aims, self._origin)
