"""The real-time engine: blocks of mono inputs in, blocks for two ears out, nothing later than it must be.

Letters: q sources, c channels, B samples per block, L filter taps, P partitions of S taps, F FFT size.
Sound field of the block: Σ_q g_q(t)·x_q(t), g ramped per sample from the last block's gains to this one's; then
uniformly partitioned overlap-save (Gardner 1995; Wefers 2015, section 5.2) with F >= B + S − 1: no added delay.
"""

from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float, Float32, Float64

from sonoworld.encode.area import area_gains, cap_gains, point_gains
from sonoworld.encode.level import source_gain
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.propagate import fade
from sonoworld.encode.rotate import rotation_matrix
from sonoworld.errors import BackendMissingError, ShapeError
from sonoworld.frames import world_from_head_rotation
from sonoworld.render.convolve import BlockConvolver
from sonoworld.render.hrtf import hrir

Surface = tuple[np.ndarray, np.ndarray]
"""Points [m 3] in m, world, and weights [m] with sum 1."""

_MOST_SOURCES = 4096


class Engine:
    """Renders up to `max_sources` moving sources and one Ambisonic bed to two ears, block by block.

    Setters take effect over the next block by a linear ramp per sample; before the first block they hold at once.
    A source that was never set is silent, whatever its input.
    """

    def __init__(
        self,
        order: int = 3,
        rate_hz: int = 48000,
        block: int = 256,
        hrtf: str | Path = "kemar",
        max_sources: int = 32,
        executor: Literal["numpy", "native"] = "numpy",
    ) -> None:
        if executor == "native":
            raise BackendMissingError("executor 'native' is not in this build; use executor='numpy'")
        if executor != "numpy":
            raise ShapeError("executor", expected="'numpy' or 'native'", got=repr(executor))
        if not (1 <= block <= 65536 and 1 <= max_sources <= _MOST_SOURCES):
            raise ShapeError("block, max_sources", expected="1..65536, 1..4096", got=f"{block}, {max_sources}")
        filters = hrir(hrtf, order, rate_hz)
        self.order, self.rate_hz, self.block, self.max_sources = order, rate_hz, block, max_sources
        self._law = EncodeOptions(order=order)
        self._ears = BlockConvolver(filters, block)
        self._placed = np.zeros(max_sources, bool)
        self._positions = np.zeros((max_sources, 3))
        self._levels = np.zeros(max_sources)
        self._caps: dict[int, np.ndarray] = {}
        self._surfaces: dict[int, Surface] = {}
        self._origin, self._rotation = np.zeros(3), np.eye(3)
        self._bed: Float32[np.ndarray, "c t"] | None = None
        self._bed_loops, self._bed_at = True, 0
        self._gains: Float32[np.ndarray, "c q"] | None = None
        self._turn: Float32[np.ndarray, "c c"] | None = None
        self._changed = True
        self._target = np.zeros((filters.shape[1], max_sources), np.float32)
        self._ramp = ((np.arange(block, dtype=np.float32) + 1) / np.float32(block))[None]

    @property
    def added_samples(self) -> int:
        """Delay of the engine beyond the block and the filters themselves, in samples."""
        return 0

    def set_source(
        self,
        i: int,
        position: Float[np.ndarray, "3"] | list[float] | tuple[float, float, float],
        level_db: float = 100.0,
        spread: float | Surface | None = None,
    ) -> None:
        """Place source `i`.

        Args:
            i: 0..max_sources − 1.
            position: m, world.
            level_db: dB SPL at 1 m of an input of RMS 1.
            spread: None for a point; a number for the half angle (rad) of an even cap around the direction; points
                [m 3] (m, world) with weights [m] (sum 1) for a surface, whose points then rule over `position`.

        Raises:
            ShapeError: no such source, or values that are not finite or not of these shapes.
        """
        if not 0 <= i < self.max_sources:
            raise ShapeError("source", expected=f"0..{self.max_sources - 1}", got=str(i))
        self._positions[i] = _finite(position, (3,), "position")
        self._levels[i] = source_gain(float(_finite(level_db, (), "level_db")), 0.0)
        self._caps.pop(i, None)
        self._surfaces.pop(i, None)
        if isinstance(spread, tuple):
            self._surfaces[i] = _surface(spread)
        elif spread is not None:
            self._caps[i] = cap_gains(float(spread), self.order)
        self._placed[i] = self._changed = True

    def set_sources(self, positions: Float[np.ndarray, "q 3"], level_db: Float[np.ndarray, "q"]) -> None:
        """Move the first q sources at once; their spreads stay, except that surfaces become points.

        Raises:
            ShapeError: more sources than `max_sources`, or values that are not finite or not of these shapes.
        """
        q = len(positions)
        if q > self.max_sources:
            raise ShapeError("sources", expected=f"at most {self.max_sources}", got=str(q))
        self._positions[:q] = _finite(positions, (q, 3), "positions")
        self._levels[:q] = 10.0 ** ((_finite(level_db, (q,), "level_db") - 100.0) / 20)
        self._surfaces = {i: surface for i, surface in self._surfaces.items() if i >= q}
        self._placed[:q] = True
        self._changed = True

    def remove_source(self, i: int) -> None:
        """Fade source `i` out over the next block."""
        if not 0 <= i < self.max_sources:
            raise ShapeError("source", expected=f"0..{self.max_sources - 1}", got=str(i))
        self._placed[i] = False
        self._changed = True

    def set_listener(
        self,
        position: Float[np.ndarray, "3"] | list[float] | tuple[float, float, float],
        yaw: float,
        pitch: float,
        roll: float = 0.0,
    ) -> None:
        """Head at `position` (m, world): yaw + left, pitch + up, roll + right ear down, radians."""
        angles = _finite([yaw, pitch, roll], (3,), "yaw, pitch, roll")
        self._origin = _finite(position, (3,), "position")
        self._rotation = world_from_head_rotation(*(float(a) for a in angles))
        self._changed = True

    def set_bed(self, signal: Float[np.ndarray, "c t"] | None, loop: bool = True) -> None:
        """A sound field in world axes (ACN, SN3D, of any order up to the engine's) from its first sample; None ends it.

        It turns with the head and does not move with the listener.

        Raises:
            ShapeError: not (N + 1)² channels with N up to the engine's order, or not finite.
        """
        if signal is None:
            self._bed = None
            return
        channels = signal.shape[0]
        fits = signal.ndim == 2 and channels in {(n + 1) ** 2 for n in range(self.order + 1)} and signal.shape[1] > 0
        if not fits or not np.isfinite(signal).all():
            expected = f"[(N + 1)², t >= 1], N <= {self.order}, finite"
            raise ShapeError("bed", expected=expected, got=str(signal.shape))
        self._bed = np.array(signal, np.float32)
        self._bed_loops, self._bed_at = loop, 0
        self._changed = True

    def process(self, inputs: Float32[np.ndarray, "q b"]) -> Float32[np.ndarray, "2 b"]:
        """One block: inputs [max_sources, block] -> [2, block], left then right.

        Raises:
            ShapeError: the inputs are not [max_sources, block].
        """
        if inputs.shape != (self.max_sources, self.block):
            raise ShapeError("inputs", expected=f"[{self.max_sources}, {self.block}]", got=str(inputs.shape))
        new = self._current_gains()
        old = new if self._gains is None else self._gains
        live = np.flatnonzero(old.any(0) | new.any(0))
        x = inputs[live]
        field = old[:, live] @ x
        if old is not new:
            field += (new - old)[:, live] @ (x * self._ramp)
        self._gains = new
        if self._bed is not None:
            field += self._bed_block(self._bed)
        self._changed = False
        return self._ears.process(field)

    def _current_gains(self) -> Float32[np.ndarray, "c q"]:
        if not self._changed:
            return self._target
        offset = (self._positions - self._origin) @ self._rotation
        gains = point_gains(offset, fade(offset, self._law), self.order)
        for i, cap in self._caps.items():
            gains[i] *= cap
        for i, (points, weights) in self._surfaces.items():
            seen = (points - self._origin) @ self._rotation
            gains[i] = area_gains(seen, weights, fade(seen, self._law), self.order)
        loud = np.where(self._placed, self._levels, 0.0)
        self._target = np.ascontiguousarray((gains * loud[:, None]).T, np.float32)
        return self._target

    def _bed_block(self, bed: Float32[np.ndarray, "a t"]) -> Float32[np.ndarray, "c b"]:
        length = bed.shape[1]
        at = self._bed_at + np.arange(self.block)
        x = bed[:, at % length] if self._bed_loops else bed[:, np.minimum(at, length - 1)] * (at < length)
        self._bed_at = int(at[-1] + 1) % length if self._bed_loops else int(at[-1] + 1)
        order = round(np.sqrt(bed.shape[0])) - 1
        if self._changed or self._turn is None:
            new = rotation_matrix(self._rotation.T, order).astype(np.float32)
        else:
            new = self._turn
        old = new if self._turn is None or self._turn.shape != new.shape else self._turn
        self._turn = new
        turned = np.zeros((self._target.shape[0], self.block), np.float32)
        turned[: len(new)] = old @ x
        if old is not new:
            turned[: len(new)] += (new - old) @ (x * self._ramp)
        return turned


def _finite(value: object, shape: tuple[int, ...], what: str) -> Float64[np.ndarray, "..."]:
    array = np.asarray(value, np.float64)
    if array.shape != shape or not np.isfinite(array).all():
        raise ShapeError(what, expected=f"finite numbers of shape {shape}", got=str(array.shape))
    return array.copy()


def _surface(spread: Surface) -> Surface:
    points, weights = (np.asarray(part, np.float64) for part in spread)
    m = len(points)
    _finite(points, (m, 3), "spread points")
    _finite(weights, (m,), "spread weights")
    if m == 0 or (weights < 0).any() or abs(weights.sum() - 1) > 1e-4:
        raise ShapeError("spread weights", expected="weights >= 0 with sum 1", got=str(float(weights.sum())))
    return points.copy(), weights.copy()
