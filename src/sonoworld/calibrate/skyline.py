"""Where the sky ends: a one-sided hint of the horizon (land rises above it, hardly anything sinks below it).

Letters: up the world's up axis in camera axes [k 3]; f focal length in px [k]; k hypotheses, p skyline points.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

from sonoworld.calibrate.segments import shrink
from sonoworld.perceive.stuff import Stuff, parse

PARSE_PX = 420
"""Longer side at which sky is looked for."""

BLIND_FOV, BLIND_SIGMA = np.radians(65), np.radians(14)
"""The level camera assumed while nothing is known, and how far its elevations may be off, radians."""

COLUMN_STEP_PX = 8


@dataclass(frozen=True, slots=True)
class Skyline:
    """`points` of the sky's lower edge [p 2] in px of the photo, centred (x right, y down).

    `share` of the photo that is sky; `coverage` share of columns that have an edge; `man_made` 0..1.
    """

    points: Float64[np.ndarray, "p 2"]
    share: float
    coverage: float
    man_made: float


def find_skyline(rgb: UInt8[np.ndarray, "h w 3"]) -> Skyline:
    """Parse the photo without knowing the camera and keep the lowest sky pixel of every few columns."""
    small = shrink(rgb, PARSE_PX)
    height, width = small.shape[:2]
    focal = width / (2 * np.tan(BLIND_FOV / 2))
    rows = np.arctan((height / 2 - np.arange(height) - 0.5) / focal) + np.radians(8)
    elevation = np.repeat(rows[:, None], width, 1).astype(np.float32)
    seen = parse(small, elevation, elevation_sigma=float(BLIND_SIGMA))
    sky = seen.labels == Stuff.SKY
    columns = np.arange(2, width, COLUMN_STEP_PX)
    lowest = height - 1 - np.argmax(sky[::-1, columns], axis=0)
    good = sky[:, columns].any(0) & (lowest < height - 4)
    pixels = np.stack([columns[good] + 0.5 - width / 2, lowest[good] + 1.0 - height / 2], -1)
    return Skyline(
        points=pixels * (rgb.shape[1] / width),
        share=float(sky.mean()),
        coverage=float(good.mean()),
        man_made=seen.man_made,
    )


def log_likelihood(
    skyline: Skyline, up: Float64[np.ndarray, "k 3"], focal_px: Float64[np.ndarray, "k"], man_made: float
) -> Float64[np.ndarray, "k"]:
    """Log-likelihood of the skyline: its low 15 % lie about 1.5° above the horizon, much more loosely in towns.

    A photo with hardly any sky was probably tilted down, one of almost only sky up. Constants are hand-set.
    """
    pitch = np.degrees(np.arcsin(np.clip(up[:, 2], -1, 1)))
    if skyline.coverage > 0.25:
        rays = np.concatenate([skyline.points, np.zeros((len(skyline.points), 1))], -1)
        height = up @ rays.T + (up[:, 2] * focal_px)[:, None]
        length = np.sqrt((skyline.points**2).sum(-1)[None] + focal_px[:, None] ** 2)
        elevation = np.degrees(np.arcsin(np.clip(height / length, -1, 1)))
        low, middle = np.quantile(elevation, [0.15, 0.5], axis=1)
        spread = np.abs(elevation - middle[:, None]).mean(1)
        sigma = np.where(low < 1.5, 2.0, 3.5 + 10 * man_made)
        return -0.5 * ((low - 1.5) / sigma) ** 2 - 1.2 * (1 - man_made) * spread
    if skyline.share < 0.02:
        return -0.5 * ((pitch + 10) / 12) ** 2
    if skyline.share > 0.85:
        return -0.5 * ((pitch - 22) / 8) ** 2
    return np.zeros(len(up))
