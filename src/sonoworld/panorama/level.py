"""A strip of landscape levelled: its skyline and ground line made straight, so that equal rows hold equal things.

Letters: level rows 0..a are air over the skyline, a..a+p upright things, a+p..a+p+q ground. Within each part heights
are stretched evenly; air is only shifted.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from sonoworld.panorama.skyline import Lines


@dataclass(frozen=True, slots=True)
class Level:
    """How many rows there are of air, upright things and ground."""

    a: int
    p: int
    q: int

    @property
    def rows(self) -> int:
        """All of them."""
        return self.a + self.p + self.q


def level_for(lines: Lines, rows: int, air: int) -> Level:
    """The usual heights of the parts in a strip of so many rows; of upright things that of the tallest."""
    p = max(2, round(float(np.quantile(lines.g - lines.s, 0.95))))
    q = max(2, round(float(rows - np.median(lines.g))))
    return Level(air, p, q)


def _look(image: Float32[np.ndarray, "k n c"], rows: Float32[np.ndarray, "r n"]) -> Float32[np.ndarray, "r n c"]:
    """The image's columns, each seen at its own rows (between pixels linear, beyond its end the last one)."""
    columns = np.broadcast_to(np.arange(rows.shape[1], dtype=np.float32)[None], rows.shape)
    x, y = np.ascontiguousarray(columns), np.ascontiguousarray(rows, np.float32)
    seen = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, np.float32).reshape(*rows.shape, image.shape[2])


def levelled(strip: Float32[np.ndarray, "k n c"], lines: Lines, level: Level) -> Float32[np.ndarray, "r n c"]:
    """The strip's columns with their lines moved to the level rows."""
    k = strip.shape[0]
    y = np.arange(level.rows, dtype=np.float32)[:, None]
    air = lines.s + (y - level.a)
    upright = lines.s + (y - level.a) / level.p * (lines.g - lines.s)
    ground = lines.g + (y - level.a - level.p) / level.q * (k - lines.g)
    rows = np.where(y < level.a, air, np.where(y < level.a + level.p, upright, ground))
    return _look(strip, np.clip(rows, 0, k - 1))


def restored(flat: Float32[np.ndarray, "r n c"], lines: Lines, level: Level, rows: int) -> Float32[np.ndarray, "k n c"]:
    """Level columns drawn between the lines of a strip of so many rows: what `levelled` did, undone."""
    y = np.arange(rows, dtype=np.float32)[:, None]
    tall, deep = np.maximum(lines.g - lines.s, 1e-3), np.maximum(rows - lines.g, 1e-3)
    air = y - lines.s + level.a
    upright = level.a + (y - lines.s) / tall * level.p
    ground = level.a + level.p + (y - lines.g) / deep * level.q
    at = np.where(y < lines.s, air, np.where(y < lines.g, upright, ground))
    return _look(flat, np.clip(at, 0, level.rows - 1))
