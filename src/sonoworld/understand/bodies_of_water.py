"""Which water is water, and what it does: lies, runs or breaks.

Letters: L b CIELAB lightness and blue (negative) to yellow; e elevation.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from sonoworld.perceive.stuff import Stuff
from sonoworld.perceive.survey import Survey, extent, joined_patches
from sonoworld.sphere import row_elevations

WORK_HEIGHT = 512
LEAST_OF_SPHERE = 0.0004
LEAST_OF_PHOTO = 0.015
"""A patch of water covers at least this much of the sphere and of the photo: a lake far below is small."""

LEAST_POSTERIOR = 0.5
BLUE_B = -3.5
SMOOTH_DEVIATION = 2.2
"""Water is blue, or as smooth as only water is (deviation of L)."""

HAZE_RAD = float(np.radians(3.0))
LEAST_BELOW_HAZE = 0.35
"""Far land under haze is blue and smooth, too, but lies wholly within 3° of the horizon."""

OPEN_HORIZON_RAD = float(np.radians(25))
SEA_SHARE = 0.15
NEAR_RAD = float(np.radians(8))
"""Further below the horizon than this, a standing person's water is nearer than about 11 m."""

RUNNING_DEVIATION = 5.0
RUNNING_CRESTS = 0.01
CREST_L, CREST_CHROMA = 22.0, 10.0
"""A crest is this much lighter than most of the water, and nearly white."""


@dataclass(frozen=True, slots=True)
class Water:
    """Its pixels; what it is ("sea waves", "river", "stream" or "lapping lake"), how sure (0..1), and why."""

    mask: Bool[np.ndarray, "h w"]
    label: str
    confidence: float
    why: str


@dataclass(frozen=True, slots=True)
class _Picture:
    """A smaller copy in which water is judged: Lab and local deviation of L, and the mask there."""

    lab: Float32[np.ndarray, "h w 3"]
    deviation: Float32[np.ndarray, "h w"]


def find_water(rgb: UInt8[np.ndarray, "h w 3"], view: Survey) -> Water | None:
    """The water that the photo shows, named, or None where the evidence is too weak to speak of water.

    Sea: it reaches an open horizon over 25° of azimuth. River or stream: near and rough, or with white crests.
    Otherwise a still lake.
    """
    found = (view.labels == Stuff.WATER) & view.known
    if not found.any():
        return None
    picture = _picture(rgb)
    patches = joined_patches(found.astype(np.uint8))
    mask = np.zeros_like(found)
    for number in np.unique(patches[found]):
        patch = patches == number
        if _is_water(patch, view, picture):
            mask |= patch
    if not mask.any():
        return None
    belief = float(view.stuff.probability[mask][:, Stuff.WATER].mean())
    return _named(mask, view, picture, min(0.85, belief))


def _picture(rgb: UInt8[np.ndarray, "h w 3"]) -> _Picture:
    small = cv2.resize(rgb, (2 * WORK_HEIGHT, WORK_HEIGHT), interpolation=cv2.INTER_AREA)
    lab = np.asarray(cv2.cvtColor(small.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB))
    L = np.ascontiguousarray(lab[..., 0])
    mean, square = (cv2.GaussianBlur(x, (0, 0), 3) for x in (L, L * L))
    return _Picture(lab, np.sqrt(np.maximum(square - mean * mean, 0)))


def _shrunk(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "k l"]:
    return cv2.resize(mask.astype(np.uint8), (2 * WORK_HEIGHT, WORK_HEIGHT), interpolation=cv2.INTER_AREA) > 0


def _inner(mask: Bool[np.ndarray, "k l"]) -> Bool[np.ndarray, "k l"]:
    """A mask without its border, where shores shine through; the mask itself where nothing else remains."""
    inside = cv2.erode(mask.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    return inside if inside.any() else mask


def _part_below(mask: Bool[np.ndarray, "h w"], angle: float) -> float:
    """Part of a mask's pixels more than `angle` below the horizon."""
    low = row_elevations(mask.shape[0]) < -angle
    return float(mask[low].sum() / mask.sum())


def _is_water(patch: Bool[np.ndarray, "h w"], view: Survey, picture: _Picture) -> bool:
    size = extent(patch)
    if size < LEAST_OF_SPHERE or size < LEAST_OF_PHOTO * extent(view.known):
        return False
    if _part_below(patch, HAZE_RAD) < LEAST_BELOW_HAZE:
        return False
    if float(view.stuff.probability[patch][:, Stuff.WATER].mean()) < LEAST_POSTERIOR:
        return False
    small = _shrunk(patch)
    blue, rough = float(np.median(picture.lab[small][:, 2])), float(np.median(picture.deviation[small]))
    return blue < BLUE_B or rough < SMOOTH_DEVIATION


def _named(mask: Bool[np.ndarray, "h w"], view: Survey, picture: _Picture, confidence: float) -> Water:
    share = extent(mask) / extent(view.known)
    open_rad = _open_horizon(view, mask)
    if open_rad > OPEN_HORIZON_RAD and share > SEA_SHARE:
        why = f"water meets the sky over {np.degrees(open_rad):.0f}° of the horizon"
        return Water(mask, "sea waves", confidence, why)
    small = _inner(_shrunk(mask))
    rough = float(np.median(picture.deviation[small])) > RUNNING_DEVIATION and _part_below(mask, NEAR_RAD) > 0.3
    crests = _crests(picture.lab[small]) > RUNNING_CRESTS
    if rough or crests:
        why = "water with white crests" if crests else "rough water close by"
        return Water(mask, "river" if share > 0.12 else "stream", confidence, why)
    return Water(mask, "lapping lake", confidence, "calm water")


def _crests(lab: Float32[np.ndarray, "k 3"]) -> float:
    """Share of pixels that are white crests."""
    white = (lab[:, 0] > np.median(lab[:, 0]) + CREST_L) & (np.hypot(lab[:, 1], lab[:, 2]) < CREST_CHROMA)
    return float(white.mean())


def _open_horizon(view: Survey, mask: Bool[np.ndarray, "h w"]) -> float:
    """Azimuth, rad, over which the uppermost water pixel lies within 2.5° of the horizon with sky directly above."""
    height, width = mask.shape
    e = row_elevations(height)
    top = mask.argmax(0)
    columns = np.arange(width)
    above = np.maximum(top - max(2, round(height / 180)), 0)
    good = mask.any(0) & (np.abs(e[top]) < np.radians(2.5)) & (view.labels[above, columns] == Stuff.SKY)
    return float(good.sum() * 2 * np.pi / width)
