"""A room as an engine hears it: walls with short filters, a late field, and who takes part.

Every source that takes part is reflected once by every wall, at first order, from its place (a surface: from its
centroid), and goes into one late field, which turns with the head. The air takes nothing from reflections beyond α.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.acoustics.biquads import wall_biquads
from sonoworld.acoustics.noise import late_taps
from sonoworld.acoustics.room import Emitter, Room
from sonoworld.encode.voices import Voices
from sonoworld.render.room_sound import radiated
from sonoworld.types import Spread

LONGEST_M = 60.0
"""Reflections that come more than so much later than the direct sound are late field."""


@dataclass(frozen=True, slots=True)
class EngineRoom:
    """`normals` [w 3] unit, out of the room; `offsets_m` [w] with n·x = offset; `filters` [w 2 5] `wall_biquads`.

    `late` [4 t]: response in world axes (ACN, SN3D), or None. `sends` [q]: for every input of the engine, how loud it
    is in the late field re its axis; 0 takes no part, not in reflections either.
    """

    normals: Float64[np.ndarray, "w 3"]
    offsets_m: Float64[np.ndarray, "w"]
    filters: Float32[np.ndarray, "w 2 5"]
    late: Float32[np.ndarray, "4 t"] | None
    sends: Float32[np.ndarray, "q"]


def engine_room(
    room: tuple[Room, Emitter | None], everyone: Sequence[Voices], rows: Sequence[slice], inputs: int, rate_hz: int
) -> EngineRoom:
    """A room around the sources of a scene; ambience takes no part.

    Args:
        room: and, where it was measured, the loudspeaker of the measurement.
        everyone: all voices.
        rows: inputs of each source's voices, as in `placement.input_rows`.
        inputs: of the engine.
        rate_hz: of the engine.

    Raises:
        InputError: a measured late field at another rate.
    """
    place, emitter = room
    sends = np.zeros(inputs, np.float32)
    for voices, row in zip(everyone, rows, strict=True):
        if voices.source.spread is not Spread.AMBIENT:
            sends[row.start] = radiated(voices.source)
    walls, count = place.walls, len(place.walls) if place.order else 0
    return EngineRoom(
        np.ascontiguousarray(walls.normals[:count], np.float64),
        np.ascontiguousarray(walls.offsets_m[:count], np.float64),
        wall_biquads(walls.absorption[:count], rate_hz),
        None if place.late is None else np.ascontiguousarray(late_taps(place.late, emitter, rate_hz)),
        sends,
    )
