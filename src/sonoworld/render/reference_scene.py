"""What the torch reference renders, as tensors: every number in here may carry a gradient.

Letters: *b any leading batch axes, broadcast against each other; k blocks, or 1 for what stays as it is; q sources;
m surface points of a source; c Ambisonic channels. Row k holds at the END of block k, as the engine's setters do.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from sonoworld.errors import ShapeError


@dataclass(frozen=True, slots=True)
class Clock:
    """Samples per second and samples per block."""

    rate_hz: int = 48000
    block: int = 256

    def __post_init__(self) -> None:
        if self.rate_hz < 1 or self.block < 1:
            raise ShapeError("Clock", expected="rate_hz >= 1 and block >= 1", got=f"{self.rate_hz}, {self.block}")


@dataclass(frozen=True, slots=True)
class Aim:
    """Where sources radiate to (see `encode.directivity`).

    Args:
        facing: unit vectors, world.
        pattern: share of the dipole, 0..1.
        sharpness: >= 1.

    Raises:
        ShapeError: too few axes.
    """

    facing: Float[Tensor, "*#b #k #q 3"]
    pattern: Float[Tensor, "*#b #k #q"]
    sharpness: Float[Tensor, "*#b #k #q"]

    def __post_init__(self) -> None:
        _require("Aim.facing", self.facing, "[*b, k, q, 3]", self.facing.ndim >= 3 and self.facing.shape[-1] == 3)
        for name, value in (("Aim.pattern", self.pattern), ("Aim.sharpness", self.sharpness)):
            _require(name, value, "[*b, k, q]", value.ndim >= 2)


@dataclass(frozen=True, slots=True)
class Sources:
    """Weighted points that sound. A point source is one point of weight 1 (`Sources.at`).

    Args:
        points: m, world. Sources with fewer points than others are filled up with any points of weight 0.
        weights: sum 1 over a source.
        level_db: dB SPL at 1 m of an input of RMS 1; −inf is silence, as before `set_source` or after removal.
        half_angle: rad, 0..π: caps around each point's direction; None for none.
        aim: None radiates alike to all sides.

    Raises:
        ShapeError: shapes that do not fit.
    """

    points: Float[Tensor, "*#b #k q m 3"]
    weights: Float[Tensor, "*#b #q m"]
    level_db: Float[Tensor, "*#b #k #q"]
    half_angle: Float[Tensor, "*#b #k #q"] | None = None
    aim: Aim | None = None

    def __post_init__(self) -> None:
        places = self.points.ndim >= 4 and self.points.shape[-1] == 3
        _require("Sources.points", self.points, "[*b, k, q, m, 3]", places)
        q, m = self.points.shape[-3:-1]
        fits = self.weights.ndim >= 2 and self.weights.shape[-2] in (1, q) and self.weights.shape[-1] == m
        _require("Sources.weights", self.weights, f"[*b, {q}, {m}]", fits)
        for name, value in self.per_source().items():
            _require(name, value, f"[*b, k, {q}]", value.ndim >= 2 and value.shape[-1] in (1, q))

    def per_source(self) -> dict[str, Tensor]:
        """Everything [*b k q] that is given, by name (of `facing`, one component)."""
        named: dict[str, Tensor] = {"Sources.level_db": self.level_db}
        if self.half_angle is not None:
            named["Sources.half_angle"] = self.half_angle
        if self.aim is not None:
            named |= {"Aim.facing": self.aim.facing[..., 0], "Aim.pattern": self.aim.pattern}
            named["Aim.sharpness"] = self.aim.sharpness
        return named

    @staticmethod
    def at(
        positions: Float[Tensor, "*#b #k q 3"],
        level_db: Float[Tensor, "*#b #k #q"],
        half_angle: Float[Tensor, "*#b #k #q"] | None = None,
        aim: Aim | None = None,
    ) -> "Sources":
        """Point sources at `positions`, m, world.

        Raises:
            ShapeError: shapes that do not fit.
        """
        one = torch.ones(1, 1, dtype=positions.dtype, device=positions.device)
        return Sources(positions[..., None, :], one, level_db, half_angle, aim)


@dataclass(frozen=True, slots=True)
class Head:
    """The listener: `rotations` world_from_head, `origins` in m, world."""

    rotations: Float[Tensor, "*#b #k 3 3"]
    origins: Float[Tensor, "*#b #k 3"]

    def __post_init__(self) -> None:
        turns = self.rotations.ndim >= 3 and self.rotations.shape[-2:] == (3, 3)
        _require("Head.rotations", self.rotations, "[*b, k, 3, 3]", turns)
        _require("Head.origins", self.origins, "[*b, k, 3]", self.origins.ndim >= 2 and self.origins.shape[-1] == 3)

    @staticmethod
    def looking(origins: Float[Tensor, "*#b #k 3"], angles: Float[Tensor, "*#b #k 3"]) -> "Head":
        """From yaw (+ left), pitch (+ up), roll (+ right ear down), radians, in this order in `angles`."""
        return Head(head_rotations(angles), origins)


@dataclass(frozen=True, slots=True)
class Bed:
    """A sound field in world axes (ACN, SN3D), from its first sample on: around and around, or once."""

    signal: Float[Tensor, "*b c t"]
    loops: bool = True


@dataclass(frozen=True, slots=True)
class Around:
    """All that surrounds an input on its way to two ears; `alpha` (nepers per m) is learnt in place of the law's.

    Raises:
        ShapeError: parts with different numbers of blocks, none of them 1.
    """

    sources: Sources
    head: Head
    bed: Bed | None = None
    alpha: Float[Tensor, "*b"] | None = None

    def __post_init__(self) -> None:
        blocks = {name: value.shape[-2] for name, value in self.sources.per_source().items()}
        blocks |= {"Sources.points": self.sources.points.shape[-4], "Head.origins": self.head.origins.shape[-2]}
        blocks["Head.rotations"] = self.head.rotations.shape[-3]
        if len(set(blocks.values()) - {1}) > 1:
            raise ShapeError("blocks", expected="1, or one number for all", got=str(blocks))


def head_rotations(angles: Float[Tensor, "*b 3"]) -> Float[Tensor, "*b 3 3"]:
    """Twin of `frames.world_from_head_rotation`: Rz(yaw)·Ry(−pitch)·Rx(roll), multiplied out."""
    (cy, cp, cr), (sy, sp, sr) = torch.cos(angles).unbind(-1), torch.sin(angles).unbind(-1)
    rows = (
        (cy * cp, -sy * cr - cy * sp * sr, sy * sr - cy * sp * cr),
        (sy * cp, cy * cr - sy * sp * sr, -cy * sr - sy * sp * cr),
        (sp, cp * sr, cp * cr),
    )
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def _require(what: str, value: Tensor, expected: str, fits: bool) -> None:
    if not fits:
        raise ShapeError(what, expected=expected, got=str(tuple(value.shape)))
