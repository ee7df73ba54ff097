"""A room as the page hears it: first reflections and late field, both made by the audio kernel."""

from pathlib import Path

import numpy as np

from sonoworld.acoustics.biquads import wall_biquads
from sonoworld.acoustics.noise import late_taps
from sonoworld.encode.travel import branch_filters
from sonoworld.render.engine_room import LONGEST_M
from sonoworld.render.walk_audio import FittedRoom
from sonoworld.view.document import RoomPart, WallFiltersPart

RATE_HZ = 48000
RATES_HZ = (44100, 48000, 88200, 96000)
"""What sound devices run at; another takes the filters of the nearest."""
LATE_FILE = "late.bin"


def write_room_files(folder: Path, fitted: FittedRoom) -> RoomPart:
    """Write a room's late field into `folder`, and say what there is.

    Raises:
        InputError: a measured late field at another rate than 48 kHz.
    """
    room, emitter = fitted
    walls, count = room.walls, len(room.walls) if room.order else 0
    absorption = walls.absorption[:count]
    filters = [WallFiltersPart(rate_hz=r, numbers=_numbers(wall_biquads(absorption, r))) for r in RATES_HZ]
    late = None if room.late is None else late_taps(room.late, emitter, RATE_HZ)
    if late is not None:
        (folder / LATE_FILE).write_bytes(np.ascontiguousarray(late, "<f4").tobytes())
    return RoomPart(
        normals=_numbers(walls.normals[:count]),
        offsets_m=_numbers(walls.offsets_m[:count]),
        filters=tuple(filters),
        branches=_numbers(branch_filters()),
        longest_m=LONGEST_M,
        late=None if late is None else LATE_FILE,
        late_taps=1 if late is None else late.shape[1],
        rate_hz=RATE_HZ,
    )


def _numbers(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(x) for x in values.ravel())
