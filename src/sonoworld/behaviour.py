"""How a source radiates and how it moves."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Float64

from sonoworld.checked import freeze, require


class Movement(StrEnum):
    """How a source is said to move; its path, where it has one, is a `Motion`."""

    UNSAID = ""
    STILL = "still"
    PASSING = "passing"
    ROAMING = "roaming"


@dataclass(frozen=True, slots=True)
class Directivity:
    """Where a source radiates to: b·|b|^(sharpness − 1) with b = (1 − pattern) + pattern·cos θ off its axis.

    `pattern` 0 radiates alike to all sides, 0.5 is a cardioid, 1 a figure of eight; `facing` is a unit vector, world.
    """

    pattern: float
    sharpness: float
    facing: Float64[np.ndarray, "3"]

    def __post_init__(self) -> None:
        require(0 <= self.pattern <= 1, "Directivity.pattern", "0..1", self.pattern)
        require(1 <= self.sharpness <= 100, "Directivity.sharpness", "1..100", self.sharpness)
        norm = float(np.linalg.norm(self.facing))
        require(abs(norm - 1) < 1e-6, "Directivity.facing", "a unit vector", f"norm {norm}")
        freeze(self)


@dataclass(frozen=True, slots=True)
class Motion:
    """Where a source goes: places of its centroid (m, world) at rising times (s, from 0 on), straight and even between.

    Before the first and after the last time it stays; one that `loops` goes round between them instead, without end or
    beginning. Its surface moves along and does not turn. `faces_ahead`: what radiates in a direction faces where it
    goes, and keeps that while it rests.
    """

    times_s: Float64[np.ndarray, "k"]
    positions: Float64[np.ndarray, "k 3"]
    loops: bool = False
    faces_ahead: bool = False

    def __post_init__(self) -> None:
        k, least = len(self.times_s), 2 if self.loops else 1
        require(k >= least, "Motion.times_s", f"at least {least} of them", k)
        require(self.positions.shape == (k, 3), "Motion.positions", f"({k}, 3)", self.positions.shape)
        finite = bool(np.isfinite(self.times_s).all() and np.isfinite(self.positions).all())
        require(finite, "Motion", "finite numbers", "NaN or infinity")
        rises = float(self.times_s[0]) >= 0 and bool((np.diff(self.times_s) > 0).all())
        require(rises, "Motion.times_s", "times that rise, from 0 s on", "others")
        freeze(self)
