"""From files' numbers to what a fit wants: responses in world axes, a box that holds everybody, absorption from decay.

Letters: α absorption; V volume, S surface; T time for 60 dB; m absorption of air, per m (Eyring 1930, with air).
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float64

from sonoworld.acoustics.bands import OCTAVES_HZ
from sonoworld.acoustics.room import LEAST_ABSORPTION, MOST_ABSORPTION, SPEED_OF_SOUND_M_S, Walls
from sonoworld.encode.propagate import air_absorption_db_m
from sonoworld.encode.rotate import rotation_matrix
from sonoworld.errors import InputError, ShapeError
from sonoworld.frames import world_from_head_rotation

MARGIN_M = 0.2


def in_world_axes(recorded: Float64[np.ndarray, "c t"], yaw: float) -> Float64[np.ndarray, "4 t"]:
    """First order of a recording whose microphone looked `yaw` (rad, + left) from the world's x, as if it had along x.

    Raises:
        ShapeError: fewer than four channels.
    """
    if len(recorded) < 4:
        raise ShapeError("recording", expected="first-order Ambisonics or more: 4 channels", got=f"{len(recorded)}")
    return rotation_matrix(world_from_head_rotation(yaw, 0.0), 1) @ recorded[:4]


def walls_around(walls: Walls, places: Sequence[Float64[np.ndarray, "3"]]) -> tuple[Walls, tuple[int, ...]]:
    """Walls pushed out so that all places are 20 cm or more within them; numbers of those that were."""
    needed = np.max([walls.normals @ place for place in places], axis=0) + MARGIN_M
    moved = np.flatnonzero(needed > walls.offsets_m)
    return replace(walls, offsets_m=np.maximum(walls.offsets_m, needed)), tuple(int(i) for i in moved)


def walls_that_ring(walls: Walls, t60_s: Float64[np.ndarray, "b"]) -> Walls:
    """A box whose walls all swallow what makes it ring for T: α = 1 − exp(−(24 ln 10·V/(cT) − 4mV)/S).

    Raises:
        InputError: not a box of six walls.
    """
    if len(walls) != 6:
        raise InputError(f"walls: expected the six of a box, got {len(walls)}")
    a, b, c = (float(walls.offsets_m[2 * i] + walls.offsets_m[2 * i + 1]) for i in range(3))
    volume, surface = a * b * c, 2 * (a * b + b * c + a * c)
    air = air_absorption_db_m(np.array(OCTAVES_HZ)) / (10 / math.log(10))
    nepers = (24 * math.log(10) * volume / (SPEED_OF_SOUND_M_S * t60_s) - 4 * air * volume) / surface
    alpha = np.clip(1 - np.exp(-nepers), LEAST_ABSORPTION, MOST_ABSORPTION)
    return replace(walls, absorption=np.tile(alpha, (6, 1)))
