"""How loud every source is at a head, and where it is from there: for people to read, not for sound."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sonoworld.encode.gains import source_gains
from sonoworld.encode.listener import Track
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.way import moving_way
from sonoworld.frames import Pose, angles_from_direction
from sonoworld.types import Source


@dataclass(frozen=True, slots=True)
class Audible:
    """One source at a head: dB SPL there; azimuth and elevation (rad, head axes) and distance (m) of its centroid.

    Ambience has no place: None.
    """

    level_db: float
    azimuth: float | None
    elevation: float | None
    distance_m: float | None


def audible(sources: Sequence[Source], head: Pose, law: EncodeOptions, time_s: float = 0.0) -> tuple[Audible, ...]:
    """Every source at a head (`world_from_head`) and at a time, in their order."""
    first = EncodeOptions.model_validate({**law.model_dump(), "order": 1})
    return tuple(_at(source, head, first, time_s) for source in sources)


def _at(source: Source, head: Pose, law: EncodeOptions, time_s: float) -> Audible:
    track = Track.still(head)
    w = float(source_gains(source, track, law, time_s)[0, 0])
    level_db = source.level_db + 20 * float(np.log10(max(w, 1e-10)))
    centroid = source.centroid
    if centroid is None:
        return Audible(level_db, None, None, None)
    way = moving_way(source, track, np.array([time_s]), law)
    offset = (centroid - way.origins[0]) @ head.rotation
    azimuth, elevation = angles_from_direction(offset)
    return Audible(level_db, float(azimuth), float(elevation), float(np.linalg.norm(offset)))
