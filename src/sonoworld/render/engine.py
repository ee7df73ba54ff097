"""The real-time engine: blocks of mono inputs in, blocks for two ears out, nothing later than it must be.

Two executors compute the same blocks: the compiled kernel (`native/`, the default) and NumPy (`engine_numpy`, the
plain version it is held against). Which one runs was asked for, and is shown by `Engine.executor`.
"""

import math
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float, Float32, Float64, Int32

from sonoworld.encode.area import cap_gains
from sonoworld.encode.exchange import order_of
from sonoworld.encode.level import source_gain
from sonoworld.encode.options import EncodeOptions
from sonoworld.errors import ShapeError
from sonoworld.render.engine_room import EngineRoom
from sonoworld.render.executor import Executor, Plan, Shape
from sonoworld.render.hrtf import hrir
from sonoworld.types import Directivity

Surface = tuple[np.ndarray, np.ndarray] | tuple[np.ndarray, np.ndarray, np.ndarray]
"""Points [m 3] in m, world, weights [m] with sum 1, and perhaps labels [m] of parts (`encode.area.split_surface`)."""

_MOST_SOURCES, _MOST_PARTS = 4096, 16


class Engine:
    """Renders up to `max_sources` moving sources and one Ambisonic bed to two ears, block by block.

    Setters take effect over the next block by a linear ramp per sample; before the first block they hold at once.
    A source that was never set is silent, whatever its input. One thread may set while another processes.

    Args:
        order: Ambisonic order, 1..7.
        rate_hz: sample rate of inputs and output.
        block: samples per block, any number 1..65536 (a power of two is fastest).
        hrtf: "kemar", "sphere", or a SOFA file (see `hrir`).
        max_sources: rows of the input.
        executor: "native" (compiled) or "numpy".
        law: distance, air, delay (Doppler), near field; `order` rules over its order.
        limiter: holds the output under −1 dBFS, 255 samples later at 48 kHz.
        room: walls and late field around the inputs that take part.

    Raises:
        ShapeError: a number out of range.
        BackendMissingError: the compiled kernel is not in this install.
    """

    def __init__(  # noqa: PLR0913  names that are called from outside
        self,
        order: int = 3,
        rate_hz: int = 48000,
        block: int = 256,
        hrtf: str | Path = "kemar",
        max_sources: int = 32,
        executor: Literal["native", "numpy"] = "native",
        *,
        law: EncodeOptions | None = None,
        limiter: bool = False,
        room: EngineRoom | None = None,
    ) -> None:
        if not (1 <= block <= 65536 and 1 <= max_sources <= _MOST_SOURCES):
            raise ShapeError("block, max_sources", expected="1..65536, 1..4096", got=f"{block}, {max_sources}")
        laws = EncodeOptions.model_validate({**(law or EncodeOptions()).model_dump(), "order": order})
        self.order, self.rate_hz, self.block, self.max_sources = order, rate_hz, block, max_sources
        if room is not None:
            _require_room(room, max_sources, laws)
        plan = Plan(order, rate_hz, block, max_sources, hrir(hrtf, order, rate_hz), laws, room)
        self._run = _executor(executor, plan)
        self._limiter = None
        if limiter:
            from sonoworld.render.limiter import Limiter  # noqa: PLC0415

            self._limiter = Limiter(rate_hz)

    @property
    def executor(self) -> str:
        """What computes the blocks: executor, instruction set, width."""
        return self._run.name

    @property
    def added_samples(self) -> int:
        """Delay of the engine beyond the block and the filters themselves, in samples."""
        return 0 if self._limiter is None else self._limiter.added_samples

    def set_source(
        self,
        i: int,
        position: Float[np.ndarray, "3"] | list[float] | tuple[float, float, float],
        level_db: float = 100.0,
        spread: float | Surface | None = None,
        directivity: Directivity | None = None,
    ) -> None:
        """Place source `i`.

        Args:
            i: 0..max_sources − 1.
            position: m, world.
            level_db: dB SPL at 1 m (on its axis) of an input of RMS 1.
            spread: None for a point; a number for the half angle (rad) of an even cap around the direction; points
                [m 3] (m, world) with weights [m] (sum 1) for a surface, whose points then rule over `position`. With
                labels as well, a surface that looks wider than about 30° sounds through the inputs i + 1 + label, which
                must carry decorrelated copies (`encode.decorrelate`) and belong to it from then on.
            directivity: where it radiates to; None: alike to all sides.

        Raises:
            ShapeError: no such source, values that are not finite or not of these shapes, or rows of copies that are
                in use.
        """
        self._require_source(i)
        place = _finite(position, (3,), "position")
        gain = source_gain(float(_finite(level_db, (), "level_db")), 0.0)
        shape = _shape(spread, self.order)
        if not self._run.place(i, place, gain, shape, directivity):
            raise ShapeError("source", expected=f"{shape.parts} free inputs after {i}, and {i} no copy", got="taken")

    def set_sources(self, positions: Float[np.ndarray, "q 3"], level_db: Float[np.ndarray, "q"]) -> None:
        """Move the first q sources at once; their caps and directivities stay, surfaces become points.

        Raises:
            ShapeError: more sources than `max_sources`, or values that are not finite or not of these shapes.
        """
        try:
            if self._run.move(positions, level_db):
                return
        except TypeError:  # the kernel takes arrays only: lists are converted below
            pass
        q = len(positions)
        if q > self.max_sources:
            raise ShapeError("sources", expected=f"at most {self.max_sources}", got=str(q))
        self._run.move(_finite(positions, (q, 3), "positions"), _finite(level_db, (q,), "level_db"))

    def remove_source(self, i: int) -> None:
        """Fade source `i` out over the next block.

        Raises:
            ShapeError: no such source.
        """
        self._require_source(i)
        if not self._run.remove(i):
            raise ShapeError("source", expected="one that was set", got=f"{i}, a copy of the surface before it")

    def set_listener(
        self,
        position: Float[np.ndarray, "3"] | list[float] | tuple[float, float, float],
        yaw: float,
        pitch: float,
        roll: float = 0.0,
    ) -> None:
        """Head at `position` (m, world): yaw + left, pitch + up, roll + right ear down, radians.

        Raises:
            ShapeError: values that are not finite or not of these shapes.
        """
        try:
            if math.isfinite(yaw + pitch + roll) and self._run.listener(position, yaw, pitch, roll):  # type: ignore[arg-type]
                return
        except TypeError:
            pass
        angles = _finite([yaw, pitch, roll], (3,), "yaw, pitch, roll")
        self._run.listener(_finite(position, (3,), "position"), *(float(angle) for angle in angles))

    def set_bed(self, signal: Float[np.ndarray, "c t"] | None, loop: bool = True) -> None:
        """A sound field in world axes (ACN, SN3D, of any order up to the engine's) from its first sample; None ends it.

        It turns with the head and does not move with the listener.

        Raises:
            ShapeError: not (N + 1)² channels with N up to the engine's order, or not finite.
        """
        if signal is None:
            self._run.bed(None, 0, loop)
            return
        channels = signal.shape[0]
        fits = signal.ndim == 2 and channels in {(n + 1) ** 2 for n in range(self.order + 1)} and signal.shape[1] > 0
        if not fits or not np.isfinite(signal).all():
            expected = f"[(N + 1)², t >= 1], N <= {self.order}, finite"
            raise ShapeError("bed", expected=expected, got=str(signal.shape))
        self._run.bed(np.array(signal, np.float32, order="C"), order_of(channels), loop)

    def process(
        self, inputs: Float32[np.ndarray, "q b"], out: Float32[np.ndarray, "2 b"] | None = None
    ) -> Float32[np.ndarray, "2 b"]:
        """One block: inputs [max_sources, block] -> [2, block], left then right, into `out` where given.

        Raises:
            ShapeError: the inputs are not [max_sources, block], or (paper mode) a source is at the listener's place.
        """
        if inputs.shape != (self.max_sources, self.block):
            raise ShapeError("inputs", expected=f"[{self.max_sources}, {self.block}]", got=str(inputs.shape))
        ears = np.empty((2, self.block), np.float32) if out is None else out
        if not self._run.process(inputs, ears):
            raise ShapeError(
                "offset in paper mode", expected="a listener away from every source point; out [2, block]", got="0 m"
            )
        return ears if self._limiter is None else self._limiter.process(ears)

    def _require_source(self, i: int) -> None:
        if not 0 <= i < self.max_sources:
            raise ShapeError("source", expected=f"0..{self.max_sources - 1}", got=str(i))


def _require_room(room: EngineRoom, inputs: int, law: EncodeOptions) -> None:
    if law.mode == "paper" or law.order < 1:
        raise ShapeError("room", expected="physical mode, order >= 1", got=f"{law.mode}, {law.order}")
    walls = len(room.offsets_m)
    fits = room.normals.shape == (walls, 3) and room.filters.shape == (walls, 2, 5) and room.sends.shape == (inputs,)
    if not fits or (room.late is not None and (len(room.late) != 4 or room.late.shape[1] < 1)):
        expected = f"walls [w 3], [w], [w 2 5], late [4 t] or None, sends [{inputs}]"
        raise ShapeError("room", expected=expected, got=f"{walls} walls, {len(room.sends)} sends")
    parts = (room.normals, room.offsets_m, room.filters, room.sends, *(() if room.late is None else (room.late,)))
    if not all(np.isfinite(part).all() for part in parts):
        raise ShapeError("room", expected="finite numbers", got="others")


def _executor(name: str, plan: Plan) -> Executor:
    if name == "native":
        from sonoworld.render.native import NativeExecutor  # noqa: PLC0415

        return NativeExecutor(plan)
    if name == "numpy":
        from sonoworld.render.engine_numpy import NumpyExecutor  # noqa: PLC0415

        return NumpyExecutor(plan)
    raise ShapeError("executor", expected="'native' or 'numpy'", got=repr(name))


def _shape(spread: float | Surface | None, order: int) -> Shape:
    if spread is None:
        return Shape()
    if not isinstance(spread, tuple):
        per_channel = cap_gains(float(spread), order)
        return Shape(cap=per_channel[[n * n for n in range(order + 1)]])
    m = len(spread[0])
    points, weights = _finite(spread[0], (m, 3), "spread points"), _finite(spread[1], (m,), "spread weights")
    if m == 0 or (weights < 0).any() or abs(weights.sum() - 1) > 1e-4:
        raise ShapeError("spread weights", expected="weights >= 0 with sum 1", got=str(float(weights.sum())))
    return Shape(points=points, weights=weights, labels=_labels(spread[2], m) if len(spread) == 3 else None)


def _labels(given: object, m: int) -> Int32[np.ndarray, "m"]:
    labels = np.asarray(given)
    present = np.unique(labels)
    whole = np.issubdtype(labels.dtype, np.integer) and labels.shape == (m,)
    if not whole or len(present) > _MOST_PARTS or not np.array_equal(present, np.arange(len(present))):
        raise ShapeError(
            "spread labels", expected=f"[{m}] integers 0..parts − 1, at most 16 parts", got=str(present[:20])
        )
    return labels.astype(np.int32)


def _finite(value: object, shape: tuple[int, ...], what: str) -> Float64[np.ndarray, "..."]:
    array = np.asarray(value, np.float64)
    if array.shape != shape or not np.isfinite(array).all():
        raise ShapeError(what, expected=f"finite numbers of shape {shape}", got=str(array.shape))
    return np.array(array, order="C")
