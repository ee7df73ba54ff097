"""Axes and rigid maps: the only module that names axes.

Letters: R rotation, o origin; yaw, pitch, roll in radians. World and head are FLU (x ahead, y left, z up), a camera
is RDF (x right, y down, z ahead), the browser is RUB (x right, y up, z back).
"""

import re
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from sonoworld.errors import InputError, ShapeError

FLU_FROM_RDF: Float64[np.ndarray, "3 3"] = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""Camera axes into level world axes when the camera looks straight ahead: z -> x, −x -> y, −y -> z."""

RUB_FROM_FLU: Float64[np.ndarray, "3 3"] = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]])
"""World axes into the browser's (three.js, PlayCanvas): −y -> x, z -> y, −x -> z."""

_TOWARDS = {
    "F": ("ahead", (1.0, 0.0, 0.0)),
    "B": ("back", (-1.0, 0.0, 0.0)),
    "L": ("left", (0.0, 1.0, 0.0)),
    "R": ("right", (0.0, -1.0, 0.0)),
    "U": ("up", (0.0, 0.0, 1.0)),
    "D": ("down", (0.0, 0.0, -1.0)),
}
_LETTERS = {word: letter for letter, (word, _) in _TOWARDS.items()}

ROTATION_TOLERANCE = 1e-9


def world_from_axes(axes: str) -> Float64[np.ndarray, "3 3"]:
    """Rotation from any right-handed axes to the world's: `world_from_axes("RDF") @ p_camera`.

    `axes` says where x, y and z point, a letter each: F ahead, B back, L left, R right, U up, D down. So the world is
    "FLU", a camera (OpenCV, COLMAP) "RDF", the browser (OpenGL, three.js) "RUB".

    Raises:
        InputError: not three such letters, or left-handed or flat axes, which no rotation can turn into the world's.
    """
    if len(axes) != 3 or not set(axes) <= set(_TOWARDS):
        raise InputError(f"axes: expected three letters out of {', '.join(_TOWARDS)}, such as 'RDF', got {axes!r}")
    rotation = np.array([_TOWARDS[letter][1] for letter in axes]).T
    if np.linalg.det(rotation) < 0.5:
        raise InputError(f"axes: expected right-handed axes, such as 'RDF', got {axes!r}")
    return rotation


def axes_in_words(axes: str) -> str:
    """`"RDF"` as people write it into files: "x right, y down, z ahead"."""
    return ", ".join(f"{name} {_TOWARDS[letter][0]}" for name, letter in zip("xyz", axes, strict=True))


def axes_from_words(text: str) -> str | None:
    """The axes that a text names as `axes_in_words` does, None where it names none."""
    word = "|".join(_LETTERS)
    found = re.search(rf"\bx ({word}), y ({word}), z ({word})\b", text)
    return "".join(_LETTERS[direction] for direction in found.groups()) if found else None


@dataclass(frozen=True, slots=True)
class Pose:
    """A rigid map. `world_from_camera @ p` takes camera coordinates (m) to world coordinates (m).

    Raises:
        ShapeError: if `rotation` is not a proper rotation (orthonormal to 1e-9, determinant +1).
    """

    rotation: Float64[np.ndarray, "3 3"]
    origin: Float64[np.ndarray, "3"]

    def __post_init__(self) -> None:
        residual = float(np.abs(self.rotation @ self.rotation.T - np.eye(3)).max())
        if not residual < ROTATION_TOLERANCE or np.linalg.det(self.rotation) < 0:
            raise ShapeError("Pose.rotation", expected="a proper rotation", got=f"|R Rᵀ − I| = {residual:.2g}")
        if not np.isfinite(self.origin).all():
            raise ShapeError("Pose.origin", expected="finite metres", got=str(self.origin))

    def __matmul__(self, p: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
        return p @ self.rotation.T + self.origin

    def then(self, outer: "Pose") -> "Pose":
        """The map that applies self first and `outer` next: `outer ∘ self`."""
        return Pose(outer.rotation @ self.rotation, outer.rotation @ self.origin + outer.origin)

    def inverse(self) -> "Pose":
        """The map back."""
        return Pose(self.rotation.T.copy(), -(self.rotation.T @ self.origin))

    @staticmethod
    def identity() -> "Pose":
        """The map that changes nothing."""
        return Pose(np.eye(3), np.zeros(3))


def world_from_head_rotation(yaw: float, pitch: float, roll: float = 0.0) -> Float64[np.ndarray, "3 3"]:
    """Rotation of a head: yaw + left, pitch + up, roll + right ear down; `Rz(yaw)·Ry(−pitch)·Rx(roll)`."""
    cy, sy = np.cos(yaw), np.sin(yaw)
    cp, sp = np.cos(pitch), np.sin(pitch)
    cr, sr = np.cos(roll), np.sin(roll)
    rz = np.array([[cy, -sy, 0.0], [sy, cy, 0.0], [0.0, 0.0, 1.0]])
    ry = np.array([[cp, 0.0, -sp], [0.0, 1.0, 0.0], [sp, 0.0, cp]])
    rx = np.array([[1.0, 0.0, 0.0], [0.0, cr, -sr], [0.0, sr, cr]])
    return rz @ ry @ rx


def head_angles(rotation: Float64[np.ndarray, "3 3"]) -> tuple[float, float, float]:
    """(yaw, pitch, roll) of `world_from_head_rotation`; yaw is 0 where the head looks straight up or down."""
    pitch = float(np.arcsin(np.clip(rotation[2, 0], -1.0, 1.0)))
    if abs(rotation[2, 0]) > 1 - 1e-12:
        return 0.0, pitch, float(np.arctan2(-rotation[1, 2], rotation[1, 1]))
    return (
        float(np.arctan2(rotation[1, 0], rotation[0, 0])),
        pitch,
        float(np.arctan2(rotation[2, 1], rotation[2, 2])),
    )


def world_from_camera_rotation(pitch: float, roll: float, yaw: float = 0.0) -> Float64[np.ndarray, "3 3"]:
    """A camera held like a head: pitch + up, roll + clockwise (its right side dips), yaw + left."""
    return world_from_head_rotation(yaw, pitch, roll) @ FLU_FROM_RDF


def camera_angles(rotation: Float64[np.ndarray, "3 3"]) -> tuple[float, float, float]:
    """(yaw, pitch, roll) of a camera, inverse of `world_from_camera_rotation`."""
    return head_angles(rotation @ FLU_FROM_RDF.T)


def direction_from_angles(
    azimuth: Float[np.ndarray, "*b"], elevation: Float[np.ndarray, "*b"]
) -> Float[np.ndarray, "*b 3"]:
    """Unit vectors, FLU: azimuth counter-clockwise from ahead, elevation up, radians."""
    c = np.cos(elevation)
    return np.stack(np.broadcast_arrays(c * np.cos(azimuth), c * np.sin(azimuth), np.sin(elevation)), -1)


def angles_from_direction(
    direction: Float[np.ndarray, "*b 3"],
) -> tuple[Float[np.ndarray, "*b"], Float[np.ndarray, "*b"]]:
    """(azimuth, elevation) in radians of vectors of any length > 0; exact to rounding at the poles."""
    x, y, z = direction[..., 0], direction[..., 1], direction[..., 2]
    return np.asarray(np.arctan2(y, x)), np.asarray(np.arctan2(z, np.hypot(x, y)))
