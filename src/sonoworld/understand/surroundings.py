"""Where are we: indoors or out, town or nature, paved or not, and what kind of water that is.

Letters: e elevation; shares are parts of the solid angle of what the photo itself shows.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from sonoworld.perceive.around import Thing
from sonoworld.perceive.coco import ANIMALS, INDOOR, VEHICLES
from sonoworld.perceive.seen import Seen
from sonoworld.perceive.stuff import Stuff
from sonoworld.perceive.survey import Survey, largest_part
from sonoworld.sphere import pixel_solid_angles, row_elevations

INDOOR_THRESHOLD = 0.5
OPEN_HORIZON_RAD = float(np.radians(25))
STREAM_ROUGHNESS = 6.0
"""Local deviation of lightness (CIELAB L, about 1° around) above which near water moves fast."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Probabilities 0..1 of `indoors`, and of `town` given outdoors; `paved` underfoot."""

    indoors_probability: float
    town: float
    paved: bool

    @property
    def indoors(self) -> bool:
        """Whether it is taken for a room."""
        return self.indoors_probability > INDOOR_THRESHOLD


def surroundings(seen: Seen) -> Surroundings:
    """Weigh the evidence of stuff and things."""
    view, things = seen.view, seen.things
    share = view.share
    vehicles = sum(t.score for t in things if t.label in VEHICLES)
    town = float(np.clip(view.man_made + 0.15 * vehicles + share[Stuff.ROAD] * 0.5 - 0.8 * _green(view), 0, 1))
    paved = bool(share[Stuff.ROAD] > max(share[Stuff.GROUND], 0.04))
    return Surroundings(_indoors(view, things), town, paved)


def _green(view: Survey) -> float:
    return float(view.share[Stuff.VEGETATION])


def _indoors(view: Survey, things: tuple[Thing, ...]) -> float:
    """Logistic sum of hand-set evidence: furniture and missing sky against vehicles, leaves and open sky."""
    furniture = sum(t.score for t in things if t.label in INDOOR)
    outdoors = sum(t.score for t in things if t.label in VEHICLES | (ANIMALS - {"dog", "cat"}) | {"traffic light"})
    sky = view.sky_overhead
    no_sky = 0.0 if sky is None else float(np.clip(1 - sky / 0.15, 0, 1))
    open_sky = float(np.clip(view.share[Stuff.SKY] / 0.10, 0, 1))
    leaves = float(np.clip(_green(view) / 0.15, 0, 1))
    log_odds = (
        -1.6
        + 2.0 * min(furniture, 2.0)
        - 2.0 * min(outdoors, 2.0)
        + 2.2 * (view.man_made - 0.5)
        + 1.6 * no_sky
        - 2.2 * open_sky
        - 2.5 * leaves
    )
    return float(1 / (1 + np.exp(-log_odds)))


@dataclass(frozen=True, slots=True)
class Water:
    """What the water is ("sea waves", "river", "stream" or "lapping lake"), how sure (0..1), and why."""

    label: str
    confidence: float
    why: str


def judge_water(rgb: UInt8[np.ndarray, "h w 3"], view: Survey, mask: Bool[np.ndarray, "h w"]) -> Water | None:
    """Name the water in a mask, or None where the evidence is too weak to speak of water at all.

    Sea: it reaches an open horizon over 25° of azimuth. River or stream: near and rough. Otherwise a still lake.
    """
    belief = float(view.strongest[Stuff.WATER])
    whole = largest_part(mask)
    if belief < 0.5 or whole < 0.5:
        return None
    confidence = min(0.85, belief * (0.5 + 0.5 * whole))
    open_rad = _open_horizon(view, mask)
    if open_rad > OPEN_HORIZON_RAD and view.share[Stuff.WATER] > 0.15:
        return Water("sea waves", confidence, f"water meets the sky over {np.degrees(open_rad):.0f}° of the horizon")
    near = _nearness(mask)
    if _roughness(rgb, mask) > STREAM_ROUGHNESS and near > 0.3:
        large = float(view.share[Stuff.WATER]) > 0.12
        return Water("river" if large else "stream", confidence, "rough water close by")
    return Water("lapping lake", confidence, "calm water")


def _open_horizon(view: Survey, mask: Bool[np.ndarray, "h w"]) -> float:
    """Azimuth, rad, over which the uppermost water pixel lies within 2.5° of the horizon with sky directly above."""
    height, width = mask.shape
    e = row_elevations(height)
    top = mask.argmax(0)
    columns = np.arange(width)
    above = np.maximum(top - max(2, round(height / 180)), 0)
    good = mask.any(0) & (np.abs(e[top]) < np.radians(2.5)) & (view.labels[above, columns] == Stuff.SKY)
    return float(good.sum() * 2 * np.pi / width)


def _nearness(mask: Bool[np.ndarray, "h w"]) -> float:
    """Part of the water more than 8° below the horizon (nearer than about 11 m for a standing person)."""
    weight = mask.sum(1) * pixel_solid_angles(mask.shape[0])
    return float(weight[row_elevations(mask.shape[0]) < -np.radians(8)].sum() / weight.sum())


def _roughness(rgb: UInt8[np.ndarray, "h w 3"], mask: Bool[np.ndarray, "h w"]) -> float:
    """Median local deviation of L in the mask, at a fixed angular scale."""
    height = 512
    small = cv2.resize(rgb, (2 * height, height), interpolation=cv2.INTER_AREA)
    where = cv2.resize(mask.astype(np.uint8), (2 * height, height), interpolation=cv2.INTER_NEAREST) > 0
    if not where.any():
        return 0.0
    L = cv2.cvtColor(small.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)[..., 0]
    mean, square = (cv2.GaussianBlur(x, (0, 0), 3) for x in (L, L * L))
    return float(np.median(np.sqrt(np.maximum(square - mean * mean, 0))[where]))
