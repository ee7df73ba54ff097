"""A parsed panorama as three kinds of surface: what lies (ground), what stands on it, and the sky."""

from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from sonoworld.perceive.stuff import Stuff

STEEPEST_FLOOR_RAD = np.radians(55.0)
"""Whatever lies below this depression is floor: feet, tripods and the camera's own shadow."""

HORIZON_RAD = np.radians(1.0)
"""Ground is a plane up to this far below the horizon; flat pixels above belong to rising land and stand."""

SMALLEST_HOLE = 2e-4
"""Holes of sky smaller than this part of the picture (gaps in leaves) stand with what surrounds them."""


class Kind(IntEnum):
    """What a pixel's surface does. Everything from LAND on stands."""

    FLOOR = 0
    SKY = 1
    LAND = 2
    PLANT = 3
    WALL = 4
    THING = 5


@dataclass(frozen=True, slots=True)
class Layers:
    """`kind`: one `Kind` per pixel."""

    kind: UInt8[np.ndarray, "h w"]

    @property
    def floor(self) -> Bool[np.ndarray, "h w"]:
        """What lies level under the eye."""
        return self.kind == Kind.FLOOR

    @property
    def sky(self) -> Bool[np.ndarray, "h w"]:
        """What is out of reach."""
        return self.kind == Kind.SKY

    @property
    def stands(self) -> Bool[np.ndarray, "h w"]:
        """What stands on the floor."""
        return self.kind >= Kind.LAND


def layers(labels: UInt8[np.ndarray, "h w"], elevation: Float32[np.ndarray, "h"], *, room: bool) -> Layers:
    """Clean layers from labels and each row's elevation (rad). In a `room` what seems sky is ceiling or window."""
    window = max(3, labels.shape[1] // 220) | 1
    flat_label = np.isin(labels, (Stuff.WATER, Stuff.GROUND, Stuff.ROAD))
    order = np.where(flat_label, 0, np.where(labels == Stuff.SKY, 2, 1)).astype(np.uint8)
    if room:
        order = np.minimum(order, 1).astype(np.uint8)
    order = _median(order, window)  # in the order in which they follow each other upwards
    plant, thing = (_median((labels == one).astype(np.uint8), window) > 0 for one in (Stuff.VEGETATION, Stuff.OTHER))
    rows = elevation[:, None]
    kind = np.full(labels.shape, Kind.WALL, np.uint8)
    kind[plant], kind[thing] = Kind.PLANT, Kind.THING
    kind[(order == 0) & (rows > -HORIZON_RAD)] = Kind.LAND
    kind[((order == 0) & (rows <= -HORIZON_RAD)) | (rows < -STEEPEST_FLOOR_RAD)] = Kind.FLOOR
    kind[_without_holes((order == 2) & (rows > -HORIZON_RAD))] = Kind.SKY
    return Layers(kind)


def _median(image: UInt8[np.ndarray, "h w"], window: int) -> UInt8[np.ndarray, "h w"]:
    pad = window // 2 + 1
    return cv2.medianBlur(np.pad(image, ((0, 0), (pad, pad)), mode="wrap"), window)[:, pad:-pad]


def _without_holes(sky: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Without patches below `SMALLEST_HOLE`; a patch cut by ±180° counts with both its halves."""
    width = sky.shape[1]
    twice = np.concatenate([sky, sky], 1).astype(np.uint8)
    _, label, stats, _ = cv2.connectedComponentsWithStats(twice, connectivity=4, ltype=cv2.CV_32S)
    large = stats[:, cv2.CC_STAT_AREA] >= SMALLEST_HOLE * sky.size
    large[0] = False
    kept = large[np.asarray(label, np.int64)]
    return kept[:, :width] | kept[:, width:]
