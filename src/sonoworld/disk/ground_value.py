"""The walk surface as files of a scene folder: a grid for us, a collider for physics engines."""

from pathlib import Path

import numpy as np

from sonoworld.disk.arrays import read_arrays, write_arrays
from sonoworld.disk.codec import Codec
from sonoworld.disk.glb_collider import write_glb_collider
from sonoworld.errors import UnsafeFileError
from sonoworld.terrain import collider
from sonoworld.types import WalkSurface

GROUND_FILE, COLLIDER_FILE = "ground.npz", "collider.glb"
_GRIDS = {"floor_m": "f4", "height_m": "f4", "blocked": "b1", "walkable": "b1", "seen": "b1"}
_NUMBERS = ("cell_m", "nearest_m")


def _save(folder: Path, ground: WalkSurface) -> tuple[str, ...]:
    arrays = {name: getattr(ground, name) for name in _GRIDS}
    write_arrays(folder / GROUND_FILE, arrays | {name: np.array(getattr(ground, name)) for name in _NUMBERS})
    write_glb_collider(folder / COLLIDER_FILE, *collider(ground))
    return GROUND_FILE, COLLIDER_FILE


def _load(folder: Path) -> WalkSurface:
    where = folder / GROUND_FILE
    arrays = read_arrays(where, (*_GRIDS, *_NUMBERS))
    shape = arrays["floor_m"].shape
    for name, dtype in _GRIDS.items():
        a = arrays[name]
        if a.shape != shape or a.ndim != 2 or a.dtype != np.dtype(dtype):
            raise UnsafeFileError(f"{where}: {name}: expected {np.dtype(dtype)} of {shape}, got {a.dtype} of {a.shape}")
    numbers: dict[str, float] = {}
    for name in _NUMBERS:
        a = arrays[name]
        if a.size != 1 or a.dtype.kind != "f":
            raise UnsafeFileError(f"{where}: {name}: expected one number, got {a.dtype} of {a.shape}")
        numbers[name] = float(a.reshape(-1)[0])
    return WalkSurface(
        floor_m=arrays["floor_m"],
        height_m=arrays["height_m"],
        blocked=arrays["blocked"],
        walkable=arrays["walkable"],
        seen=arrays["seen"],
        cell_m=numbers["cell_m"],
        nearest_m=numbers["nearest_m"],
    )


GROUND = Codec(_save, _load)
