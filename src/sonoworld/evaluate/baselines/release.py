"""The renderer of the published SonoWorld code, as it is, written anew from what it computes.

Letters: d distance, m; u unit direction in head axes. A point source is one random pixel of its mask at that pixel's
distance. An area is at most 1000 pixels of its mask, drawn evenly over panorama pixels, each with 1/max(d, 1e-6), and
their plain mean: the area weights that the code computes are not used. What surrounds goes to W. Clips are clamped to
±1 at their level, and so is the file (PCM16). No absorption, delay or occlusion; order 1.
"""

import numpy as np
from jaxtyping import Bool, Float32, Float64

from sonoworld import sphere
from sonoworld.evaluate.baselines.trivial import played
from sonoworld.evaluate.datasets.values import Anchors
from sonoworld.frames import Pose
from sonoworld.types import Geometry, Spread

AREA_PIXELS = 1000
LEAST_M = 1e-6


def release(anchors: Anchors, listener: Pose, samples: int, rng: np.random.Generator) -> Float32[np.ndarray, "4 t"]:
    """One draw of the release's renderer; it draws without a seed, so several are to be averaged."""
    out = np.zeros((4, samples), np.float32)
    for clip, sounding in zip(anchors.clips, anchors.soundings, strict=True):
        dry = np.clip(played(clip, sounding, samples), -1, 1)
        if sounding.spread is Spread.AMBIENT or sounding.mask is None or not sounding.mask.any():
            out[0] += dry
            continue
        many = AREA_PIXELS if sounding.spread is Spread.AREA else 1
        out += _gains(pixels(sounding.mask, anchors.geometry, many, rng), listener)[:, None] * dry
    return np.clip(out, -1, 1)


def pixels(
    mask: Bool[np.ndarray, "h w"], geometry: Geometry, many: int, rng: np.random.Generator
) -> Float64[np.ndarray, "m 3"]:
    """Places of at most `many` pixels of a mask, drawn evenly over pixels, m, world."""
    rows, columns = np.nonzero(mask)
    drawn = rng.choice(rows.size, min(many, rows.size), replace=False)
    rows, columns = rows[drawn], columns[drawn]
    directions = sphere.pixel_directions(mask.shape[0])[rows, columns]
    return directions * geometry.distance[rows, columns].astype(np.float64)[:, None]


def _gains(places: Float64[np.ndarray, "m 3"], listener: Pose) -> Float32[np.ndarray, "4"]:
    offset = (places - listener.origin) @ listener.rotation
    d = np.maximum(np.linalg.norm(offset, axis=1, keepdims=True), LEAST_M)
    u = offset / d
    y = np.concatenate([np.ones_like(d), u[:, [1, 2, 0]]], axis=1)
    return (y / d).mean(0).astype(np.float32)
