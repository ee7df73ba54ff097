"""What an engine asks of an executor: plain arrays in, blocks for two ears out. Checked values only; see `Engine`."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64, Int32

from sonoworld.encode.options import EncodeOptions
from sonoworld.render.engine_room import EngineRoom
from sonoworld.types import Directivity


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes and laws of an engine; `filters` [2 c taps], SN3D, left ear first."""

    order: int
    rate_hz: int
    block: int
    sources: int
    filters: Float32[np.ndarray, "2 c taps"]
    law: EncodeOptions
    room: EngineRoom | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """How a source fills space: `cap` factors per degree [n + 1], or `points` [m 3] with `weights` [m]; or neither.

    With `labels` [m] (0..parts − 1) a surface that looks wide sounds through the rows after its own (`split_gains`).
    """

    cap: Float64[np.ndarray, "n"] | None = None
    points: Float64[np.ndarray, "m 3"] | None = None
    weights: Float64[np.ndarray, "m"] | None = None
    labels: Int32[np.ndarray, "m"] | None = None

    @property
    def parts(self) -> int:
        """Rows with decorrelated copies that follow the source's own."""
        return 0 if self.labels is None else int(self.labels.max()) + 1


@runtime_checkable
class Executor(Protocol):
    """Setters return whether all numbers were finite and in range; where not, nothing changed."""

    @property
    def name(self) -> str:
        """Executor, instruction set and width, for people."""
        ...

    def place(
        self, i: int, position: Float64[np.ndarray, "3"], gain: float, shape: Shape, aim: Directivity | None
    ) -> bool:
        """Source `i` with its level at 1 m, its size and where it radiates to."""
        ...

    def remove(self, i: int) -> bool:
        """Silence for source `i`."""
        ...

    def move(self, positions: Float64[np.ndarray, "q 3"], level_db: Float64[np.ndarray, "q"]) -> bool:
        """The first q sources; surfaces become points."""
        ...

    def listener(self, position: Float64[np.ndarray, "3"], yaw: float, pitch: float, roll: float) -> bool:
        """The head."""
        ...

    def bed(self, signal: Float32[np.ndarray, "c t"] | None, order: int, loops: bool) -> bool:
        """A sound field in world axes."""
        ...

    def process(self, inputs: Float32[np.ndarray, "q b"], out: Float32[np.ndarray, "2 b"]) -> bool:
        """One block; False where a source is at the head under a law that has no answer there (paper mode)."""
        ...
