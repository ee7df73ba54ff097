"""How loud every source is at a head, and where it is from there: for people to read, not for sound."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sonoworld.encode.listener import Track
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.gains import source_gains
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


def audible(sources: Sequence[Source], head: Pose, law: EncodeOptions) -> tuple[Audible, ...]:
    """Every source at a head (`world_from_head`), in their order."""
    first = EncodeOptions.model_validate({**law.model_dump(), "order": 1})
    return tuple(_at(source, head, first) for source in sources)


def _at(source: Source, head: Pose, law: EncodeOptions) -> Audible:
    w = float(source_gains(source, Track.still(head), law)[0, 0])
    level_db = source.level_db + 20 * float(np.log10(max(w, 1e-10)))
    centroid = source.centroid
    if centroid is None:
        return Audible(level_db, None, None, None)
    offset = head.inverse() @ centroid
    azimuth, elevation = angles_from_direction(offset)
    return Audible(level_db, float(azimuth), float(elevation), float(np.linalg.norm(offset)))
