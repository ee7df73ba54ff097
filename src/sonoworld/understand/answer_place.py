"""Where an answer says that a source is: a direction, or the middle of a box in the picture that was shown."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np

from sonoworld import sphere
from sonoworld.frames import Pose, angles_from_direction, world_from_camera_rotation
from sonoworld.understand.answer_clean import number

Fields = Mapping[str, object]
EDGES = ("x0", "y0", "x1", "y1")


@dataclass(frozen=True, slots=True)
class Shown:
    """The picture that boxes refer to: the panorama, or one square view to an azimuth on the horizon.

    Of a view only boxes count: a model that sees nothing else does not know where ahead is. With `thousandths`, boxes
    of a model that counts in 0..1000 of the picture are understood too (Qwen3-VL was trained so).
    """

    azimuth_deg: float = 0.0
    fov_deg: float = 360.0
    thousandths: bool = False

    @property
    def is_view(self) -> bool:
        """Whether it is a perspective view."""
        return self.fov_deg < 180


PANORAMA = Shown()


def direction_deg(fields: Fields, notes: list[str], shown: Shown) -> tuple[float, float] | None:
    """Azimuth and elevation in degrees, said as such or as the middle of a box; notes say what was no use."""
    where, box = fields.get("direction"), fields.get("box")
    if isinstance(where, dict) and not shown.is_view:
        said = cast("Fields", where)
        azimuth, elevation = number(said.get("azimuth_deg")), number(said.get("elevation_deg"))
        if azimuth is not None and elevation is not None and abs(azimuth) <= 360 and abs(elevation) <= 90:
            return azimuth, elevation
        notes.append("its direction is none and was left out")
    edges = _edges(box)
    if edges is None:
        return None
    known = [edge for edge in edges if edge is not None]
    if shown.thousandths and len(known) == 4 and max(known) > 1:
        notes.append("its box read as thousandths of the picture")
        known = [edge / 1000 for edge in known]
    if len(known) == 4 and all(0 <= edge <= 1 for edge in known) and known[1] <= known[3]:
        return _in_view(known, shown) if shown.is_view else _in_panorama(known)
    notes.append("its box is none (expected 0..1 of the panorama) and was left out")
    return None


def _edges(box: object) -> list[float | None] | None:
    if isinstance(box, dict):
        return [number(cast("Fields", box).get(edge)) for edge in EDGES]
    if isinstance(box, list) and len(cast("list[object]", box)) == 4:
        return [number(edge) for edge in cast("list[object]", box)]
    return None


def _in_panorama(box: list[float]) -> tuple[float, float]:
    """Middle of a box in the panorama: azimuth 180° − 360°·x, elevation 90° − 180°·y; x0 > x1 crosses ±180°."""
    x0, y0, x1, y1 = box
    x = (x0 + (x1 if x0 <= x1 else x1 + 1)) / 2 % 1.0
    return 180 - 360 * x, 90 - 90 * (y0 + y1)


def _in_view(box: list[float], shown: Shown) -> tuple[float, float]:
    """Middle of a box in a square view."""
    x0, y0, x1, y1 = box
    K = sphere.pinhole(math.radians(shown.fov_deg), (1, 1))  # of a picture one pixel wide: edges are its shares
    pose = Pose(world_from_camera_rotation(0.0, 0.0, math.radians(shown.azimuth_deg)), np.zeros(3))
    x, y = np.array((x0 + x1) / 2), np.array((y0 + y1) / 2)
    azimuth, elevation = angles_from_direction(sphere.camera_ray(x, y, K, pose))
    return math.degrees(float(azimuth)), math.degrees(float(elevation))
