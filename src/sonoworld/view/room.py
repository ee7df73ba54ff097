"""A room as the page hears it: first reflections through short filters in its engine, the late field in a convolver."""

from pathlib import Path

import numpy as np

from sonoworld.acoustics.filters import reflection_filters
from sonoworld.acoustics.noise import late_taps
from sonoworld.render.convolve import convolved
from sonoworld.render.hrtf import hrir
from sonoworld.render.walk_audio import FittedRoom
from sonoworld.view.document import RoomPart

RATE_HZ = 48000
TAPS = 64
"""In the page every sample costs: what walls do below 700 Hz is only their mean there."""
WALLS_FILE, LATE_FILE = "walls.bin", "late.bin"


def write_room_files(folder: Path, fitted: FittedRoom) -> RoomPart:
    """Write a room's filters into `folder`, and say what they are.

    Raises:
        InputError: a measured late field at another rate than 48 kHz.
    """
    room, emitter = fitted
    walls = room.walls if room.order else None
    count = 0 if walls is None else len(walls)
    taps = np.zeros((count, TAPS), np.float32)
    if walls is not None:
        taps = reflection_filters(np.eye(count, dtype=np.int64), walls.absorption, RATE_HZ)[:, :TAPS]
    (folder / WALLS_FILE).write_bytes(np.ascontiguousarray(taps, "<f4").tobytes())
    late = None if room.late is None else late_taps(room.late, emitter, RATE_HZ)
    if late is not None:
        ears = hrir("kemar", 1, RATE_HZ)
        late = convolved(np.pad(late, ((0, 0), (0, ears.shape[2] - 1))), ears)
        (folder / LATE_FILE).write_bytes(np.ascontiguousarray(late, "<f4").tobytes())
    return RoomPart(
        normals=() if walls is None else tuple(float(x) for x in walls.normals.ravel()),
        offsets_m=() if walls is None else tuple(float(x) for x in walls.offsets_m),
        filters=WALLS_FILE,
        taps=TAPS,
        late=None if late is None else LATE_FILE,
        late_taps=1 if late is None else late.shape[1],
        rate_hz=RATE_HZ,
    )
