"""A room as values: walls, air, the late field. The same numbers are learned, written, and walked through.

Letters: w walls; b octave bands (`bands.OCTAVES_HZ`); c Ambisonic channels; t samples.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.acoustics.bands import BANDS
from sonoworld.checked import freeze, require

SPEED_OF_SOUND_M_S = 343.2
"""At 20 °C (CONVENTIONS.md, Delay)."""

LEAST_ABSORPTION, MOST_ABSORPTION = 0.001, 0.999


@dataclass(frozen=True, slots=True)
class Walls:
    """Flat walls of a convex space, each the half space `normal · x <= offset_m`, and what they swallow.

    `normals` unit, outwards (away from the listener), world axes; `absorption` energy coefficient per octave band;
    `materials` names for people. No walls at all: the free field. Few walls: ground alone, a street.
    """

    normals: Float64[np.ndarray, "w 3"]
    offsets_m: Float64[np.ndarray, "w"]
    absorption: Float64[np.ndarray, "w b"]
    materials: tuple[str, ...]

    def __post_init__(self) -> None:
        w = len(self.offsets_m)
        shapes = (self.normals.shape, self.absorption.shape, len(self.materials))
        require(shapes == ((w, 3), (w, BANDS), w), "Walls", f"{w} normals, absorptions and materials", shapes)
        length = np.linalg.norm(self.normals, axis=1)
        require(bool((np.abs(length - 1) < 1e-6).all()), "Walls.normals", "unit vectors", length)
        low, high = float(self.absorption.min(initial=0.5)), float(self.absorption.max(initial=0.5))
        require(low >= 0 and high <= 1, "Walls.absorption", "0..1", f"{low}..{high}")
        freeze(self)

    def __len__(self) -> int:
        return len(self.offsets_m)


@dataclass(frozen=True, slots=True)
class LateField:
    """What is left of a sound when single reflections no longer count: noise that dies away, band by band.

    `t60_s` time for 60 dB; `level_db` its energy on W from `mixing_s` on, re the energy of the direct sound at 1 m;
    `mixing_s` when it has risen, after the sound was sent; `covariance` of the channels W Y Z X (SN3D) per band, W is
    1: diag(1, ⅓, ⅓, ⅓) where it comes from all sides alike. `measured` is the residue of a measured
    response that the early part does not explain, at the rate it was measured at; it begins as the direct sound arrives
    (`Emitter.onset` samples before), and where there is one it is the late field.
    """

    t60_s: Float64[np.ndarray, "b"]
    level_db: Float64[np.ndarray, "b"]
    mixing_s: float
    covariance: Float64[np.ndarray, "b 4 4"]
    measured: Float32[np.ndarray, "c t"] | None = None
    measured_rate_hz: int = 48000

    def __post_init__(self) -> None:
        require(self.t60_s.shape == self.level_db.shape == (BANDS,), "LateField", f"{BANDS} bands", self.t60_s.shape)
        require(bool((self.t60_s > 0).all()), "LateField.t60_s", "> 0 s", self.t60_s)
        finite = bool(np.isfinite(self.t60_s).all() and np.isfinite(self.level_db).all())
        require(finite and self.mixing_s >= 0, "LateField", "finite numbers, mixing_s >= 0", self.mixing_s)
        require(bool((np.linalg.eigvalsh(self.covariance) > -1e-9).all()), "LateField.covariance", "no negative", "one")
        freeze(self)


@dataclass(frozen=True, slots=True)
class Room:
    """Everything that a place adds to a sound. `late` None: no late field, as outdoors."""

    walls: Walls
    late: LateField | None
    order: int
    """Reflections up to this many bounces are single; what comes after is the late field."""
    guessed: bool = False
    """True where nobody measured: size and materials were told from the picture."""

    def __post_init__(self) -> None:
        require(0 <= self.order <= 6, "Room.order", "0..6", self.order)


@dataclass(frozen=True, slots=True)
class Emitter:
    """How a source radiates: gain per band on its axis, directivity per band, and where its axis points.

    Directivity a: (1 − a) + a·cos θ (CONVENTIONS.md, Directivity), 0 to all sides, ½ a cardioid; at most ½ here.
    `wavelet` its measured waveform at 1 m instead of a gain (a loudspeaker's response), `onset` its first arrival.
    """

    gain_db: Float64[np.ndarray, "b"]
    directivity: Float64[np.ndarray, "b"]
    facing: Float64[np.ndarray, "3"]
    wavelet: Float64[np.ndarray, "t"] | None = None
    onset: int = 0

    def __post_init__(self) -> None:
        require(self.gain_db.shape == self.directivity.shape == (BANDS,), "Emitter", f"{BANDS} bands", "others")
        fits = bool(((self.directivity >= 0) & (self.directivity <= 0.5)).all())
        require(fits, "Emitter.directivity", "0..0.5", self.directivity)
        freeze(self)


def plain_emitter() -> Emitter:
    """Flat, and alike to all sides."""
    return Emitter(np.zeros(BANDS), np.zeros(BANDS), np.array([1.0, 0.0, 0.0]))


def diffuse_covariance() -> Float64[np.ndarray, "b 4 4"]:
    """Alike from all sides in every band: diag(1, ⅓, ⅓, ⅓) (SN3D)."""
    return np.tile(np.diag([1.0, 1 / 3, 1 / 3, 1 / 3]), (BANDS, 1, 1))


def shoebox(
    size_m: tuple[float, float, float],
    eye_m: tuple[float, float, float],
    absorption: Float64[np.ndarray, "6 b"],
    materials: tuple[str, ...] = ("wall",) * 6,
) -> Walls:
    """The six walls of a box, world axes: front, back, left, right, ceiling, floor.

    Args:
        size_m: length along x, width along y, height, m.
        eye_m: the world's origin in the box, from its back right lower corner, m.
        absorption: per wall and band.
        materials: per wall.
    """
    normals = np.repeat(np.eye(3), 2, 0) * np.tile([[1.0], [-1.0]], (3, 1))
    offsets = np.array([part for s, e in zip(size_m, eye_m, strict=True) for part in (s - e, e)])
    require(bool((offsets > 0).all()), "eye_m", "inside the box", (size_m, eye_m))
    return Walls(normals, offsets, np.asarray(absorption, np.float64), materials)
