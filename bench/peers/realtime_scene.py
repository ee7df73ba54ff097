"""The scene of bench/realtime.py: sources on their ways around a head that turns, one pose a block, in a cycle.

Letters: q sources, p poses (one a block), B samples a block. World and head axes: x ahead, y left, z up; angles in
radians, azimuth counter-clockwise, elevation up. Only NumPy is needed: peers read this file in their own environments.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATE_HZ = 48_000
BLOCK = 256
BUDGET_MS = 1e3 * BLOCK / RATE_HZ
SOURCES = 8
POSES = 720
SIGNAL_BLOCKS = 64
RATE_OF_256_TAPS_HZ = 22_050
"""The mannequin measured at 44.1 kHz with 512 taps has 256 of them at this rate."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Sources and head, pose by pose.

    `positions` [p q 3] and `heads` [p 3] m, world; `head_angles` [p 3]: yaw + left, pitch + up, roll + right ear
    down; `rotations` [p 3 3] world_from_head; `room` and `seen` [p q 2]: azimuth and elevation of every source from
    the head, in room axes and in head axes.
    """

    positions: np.ndarray
    heads: np.ndarray
    head_angles: np.ndarray
    rotations: np.ndarray
    room: np.ndarray
    seen: np.ndarray


def scene(sources: int = SOURCES) -> Scene:
    """Everything moves in every block: sources circle (every second the other way), rise, sink, come and go.

    The head turns 1 degree a block, nods, and walks on a small circle; after `POSES` blocks all is where it was.
    """
    turn = 2 * np.pi * np.arange(POSES) / POSES
    q = np.arange(sources)
    azimuth = 2 * np.pi * q / sources + 0.3 + turn[:, None] * (-1.0) ** q
    elevation = 0.6 * np.sin(q + turn[:, None])
    distance_m = 3 + np.sin(q + turn[:, None])
    positions = distance_m[..., None] * _directions(azimuth, elevation)
    heads = 0.2 * np.stack([np.cos(turn), np.sin(turn), 0 * turn], -1)
    # Never level: Euler angles of every kind stay defined.
    angles = np.stack([2 * turn, 0.1 + 0.05 * np.sin(3 * turn), 0.05 * np.sin(5 * turn)], -1)
    rotations = np.stack([world_from_head(*one) for one in angles])
    offsets = positions - heads[:, None]
    seen = _angles(np.einsum("pji,pqj->pqi", rotations, offsets))
    return Scene(positions, heads, angles, rotations, _angles(offsets), seen)


def signal(sources: int = SOURCES) -> np.ndarray:
    """White noise [64 q B] float32, RMS 0.1."""
    rng = np.random.default_rng(0)
    return (0.1 * rng.standard_normal((SIGNAL_BLOCKS, sources, BLOCK))).astype(np.float32)


def world_from_head(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rz(yaw)·Ry(−pitch)·Rx(roll) [3 3]."""
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    rz = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    ry = np.array([[cp, 0, -sp], [0, 1, 0], [sp, 0, cp]])
    return rz @ ry @ np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])


def zyz(rotation: np.ndarray) -> tuple[float, float, float]:
    """α, β, γ with rotation = Rz(α)·Ry(β)·Rz(γ), for a rotation that tips the z axis."""
    alpha = np.arctan2(rotation[1, 2], rotation[0, 2])
    gamma = np.arctan2(rotation[2, 1], -rotation[2, 0])
    return float(alpha), float(np.arccos(rotation[2, 2])), float(gamma)


def write(folder: Path) -> None:
    """For peers without NumPy: `angles.f64` [p 3 + 2q] (yaw, pitch, roll, then `room`) and `signal.f32` [64 q B]."""
    here = scene()
    rows = np.concatenate([here.head_angles, here.room.reshape(POSES, -1)], 1)
    (folder / "angles.f64").write_bytes(rows.astype("<f8").tobytes())
    (folder / "signal.f32").write_bytes(signal().astype("<f4").tobytes())


def _directions(azimuth: np.ndarray, elevation: np.ndarray) -> np.ndarray:
    level = np.cos(elevation)
    return np.stack([np.cos(azimuth) * level, np.sin(azimuth) * level, np.sin(elevation)], -1)


def _angles(offsets: np.ndarray) -> np.ndarray:
    x, y, z = np.moveaxis(offsets, -1, 0)
    return np.stack([np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))], -1)
