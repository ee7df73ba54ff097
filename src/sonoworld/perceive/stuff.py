"""Parsing a picture into stuff: sky, vegetation, water, ground, road, building, other.

Superpixels, hand-set log-likelihoods, one smoothing that knows what may stand above what, one edge-aware upsampling.
What was learnt (`learned.py`), where it is given, is heard with more weight than the rules.
"""

from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np
import scipy.sparse as sp
from jaxtyping import Float32, Float64, UInt8

from sonoworld.perceive.features import Regions, measure
from sonoworld.perceive.likelihoods import colour_difference, cues, log_likelihoods, man_made, openness

WORK_PX = 640
SUPERPIXELS = 900
SMOOTHING_ROUNDS = 4
TEMPERATURE = 1.8
"""The raw posterior is over-confident (of pixels above 0.97, 87 % are right); this flattens it."""

CEILING = 0.5
LEARNED_WEIGHT, RULES_WEIGHT = 1.0, 0.5
"""Of the log-probabilities, where both speak (bench/parsing.py: best on photos that were left out of the fit)."""


class Stuff(IntEnum):
    """What a pixel shows. `OTHER` is what these features cannot name: people, vehicles, animals."""

    SKY = 0
    VEGETATION = 1
    WATER = 2
    GROUND = 3
    ROAD = 4
    BUILDING = 5
    OTHER = 6


@dataclass(frozen=True, slots=True)
class Parse:
    """Probability of each kind of stuff per pixel, in the order of `Stuff`; `man_made` 0 (nature) .. 1 (town).

    `open_sky`: probability that what looks like sky is one; a ceiling has been handed to `BUILDING` accordingly.
    """

    probability: Float32[np.ndarray, "h w 7"]
    man_made: float
    open_sky: float = 1.0

    @property
    def labels(self) -> UInt8[np.ndarray, "h w"]:
        """The most probable kind of every pixel."""
        return self.probability.argmax(-1).astype(np.uint8)


def parse(
    rgb: UInt8[np.ndarray, "h w 3"],
    elevation: Float32[np.ndarray, "h w"],
    *,
    elevation_sigma: float,
    wraps: bool = False,
    learned: Float32[np.ndarray, "h w 7"] | None = None,
    outdoors: bool = False,
) -> Parse:
    """Parse a photo, or a panorama when `wraps`.

    `elevation` is each pixel's angle above the horizon, rad; `elevation_sigma` how unsure that is, rad. `learned`:
    log-probabilities of `learned.py`; without, the rules decide alone. `outdoors`: it is known to be no room, so
    nothing in it is a ceiling.
    """
    height, width = rgb.shape[:2]
    scale = min(1.0, WORK_PX * (2 if wraps else 1) / max(height, width))
    size = (max(16, round(width * scale)), max(16, round(height * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    regions = measure(small, wraps=wraps, segments=SUPERPIXELS * (2 if wraps else 1))
    e = np.degrees(regions.average(cv2.resize(elevation, size, interpolation=cv2.INTER_AREA)))
    M = man_made(regions.upright_length)
    unary = log_likelihoods(regions, cues(regions, e, float(np.degrees(elevation_sigma))), M)
    if learned is not None:
        unary = LEARNED_WEIGHT * _of_regions(learned, regions, size) + RULES_WEIGHT * np.log(_softmax(unary) + 1e-12)
    belief = _smoothed(regions, unary) ** (1 / TEMPERATURE)
    belief /= belief.sum(1, keepdims=True)
    open_sky = 1.0 if outdoors else openness(regions, belief[:, Stuff.SKY])
    belief = _without_ceiling(belief, M * (1 - open_sky))
    fine = _edge_aware(belief[regions.index].astype(np.float32), small, wraps=wraps)
    up = np.maximum(cv2.resize(fine, (width, height), interpolation=cv2.INTER_LINEAR), np.float32(1e-4))
    return Parse(up / up.sum(-1, keepdims=True), M, open_sky)


def _of_regions(
    learned: Float32[np.ndarray, "h w 7"], regions: Regions, size: tuple[int, int]
) -> Float64[np.ndarray, "s 7"]:
    """Log-probabilities of each superpixel: the mean of its pixels'."""
    small = cv2.resize(learned, size, interpolation=cv2.INTER_LINEAR)
    return np.stack([regions.average(small[..., k]) for k in range(small.shape[2])], -1)


def _without_ceiling(belief: Float64[np.ndarray, "s 7"], ceiling: float) -> Float64[np.ndarray, "s 7"]:
    """Hand the sky's belief to buildings where the sky is probably a ceiling (`ceiling` 0..1; below 0.5 nothing)."""
    if ceiling < CEILING:
        return belief
    moved = belief.copy()
    moved[:, Stuff.BUILDING] += ceiling * belief[:, Stuff.SKY]
    moved[:, Stuff.SKY] *= 1 - ceiling
    return moved


def _may_stand_above() -> Float64[np.ndarray, "7 7"]:
    """Cost of row kind directly above column kind: ground, water and roads are not found above the sky."""
    cost = np.zeros((7, 7))
    cost[[Stuff.WATER, Stuff.GROUND, Stuff.ROAD], Stuff.SKY] = 3.0
    cost[[Stuff.WATER, Stuff.ROAD], Stuff.BUILDING] = 0.5
    cost[Stuff.BUILDING, Stuff.SKY] = 1.2
    cost[Stuff.GROUND, Stuff.BUILDING] = 0.3
    cost[Stuff.VEGETATION, Stuff.SKY] = 0.15
    return cost


def _smoothed(regions: Regions, unary: Float64[np.ndarray, "s 7"]) -> Float64[np.ndarray, "s 7"]:
    """Mean field over superpixels: alike neighbours agree (contrast-sensitive Potts), and things stand in order."""
    n, unit = len(regions.count), np.sqrt(regions.count.mean())
    i, j = regions.neighbours
    weight = regions.border / unit * (0.25 + 1.6 * np.exp(-((colour_difference(regions) / 11) ** 2)))
    agree = sp.csr_matrix((np.r_[weight, weight], (np.r_[i, j], np.r_[j, i])), (n, n))
    above = sp.csr_matrix((regions.above_border / unit, tuple(regions.above)), (n, n))
    cost = _may_stand_above()
    belief = _softmax(unary)
    for _ in range(SMOOTHING_ROUNDS):
        belief = _softmax(unary + agree @ belief - above.T @ (belief @ cost) - above @ (belief @ cost.T))
    return belief


def _softmax(x: np.ndarray) -> np.ndarray:
    y = np.exp(x - x.max(1, keepdims=True))
    return y / y.sum(1, keepdims=True)


def _edge_aware(
    values: Float32[np.ndarray, "h w k"], rgb: UInt8[np.ndarray, "h w 3"], *, wraps: bool, radius: int = 6
) -> Float32[np.ndarray, "h w k"]:
    """Guided filter with the luminance as guide (He, Sun, Tang, PAMI 2013, eq. 5-8)."""
    gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255)
    pad = 2 * radius if wraps else 0
    guide = np.pad(gray, ((0, 0), (pad, pad)), mode="wrap") if pad else gray
    side = (2 * radius + 1, 2 * radius + 1)
    mean = cv2.blur(guide, side)
    variance = cv2.blur(guide * guide, side) - mean * mean + np.float32(1e-3)
    out = np.empty_like(values)
    for k in range(values.shape[2]):
        p = np.pad(values[..., k], ((0, 0), (pad, pad)), mode="wrap") if pad else values[..., k]
        mean_p = cv2.blur(p, side)
        slope = (cv2.blur(guide * p, side) - mean * mean_p) / variance
        filtered = cv2.blur(slope, side) * guide + cv2.blur(mean_p - slope * mean, side)
        out[..., k] = filtered[:, pad : filtered.shape[1] - pad]
    return np.clip(out, 0, 1)
