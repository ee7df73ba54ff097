"""What stuff may be heard: from sky, leaves, water and roads to areas, birds and ambience."""

import cv2
import numpy as np
from jaxtyping import Bool, Float64, UInt8

from sonoworld.perceive.stuff import Stuff
from sonoworld.perceive.survey import Survey, extent
from sonoworld.sphere import pixel_directions, row_elevations
from sonoworld.types import Sounding, Spread
from sonoworld.understand.bodies_of_water import find_water
from sonoworld.understand.levels import LEVELS_DB
from sonoworld.understand.surroundings import Surroundings

BACKEND = "embedded"
LEAST_OF_SPHERE = 0.005
LEAST_OF_PHOTO = 0.06
"""An area covers at least this part of the sphere, or of the photo where the photo is small."""

TOWN_WATER = 0.06
BIRD_RAD = float(np.radians(2.5))
BIRD_SPACING_RAD = float(np.radians(40))
GRASS_SHARE = 0.12
GROUNDING = {"leaves": "trees and bushes", "grass": "grass"}
"""What to look for in the picture; all other stuff that is heard is water."""

GRASS_A, GRASS_B = -1.0, 8.0
"""CIELAB: not reddish, and clearly yellow-green."""


def from_stuff(rgb: UInt8[np.ndarray, "h w 3"], view: Survey, place: Surroundings) -> tuple[Sounding, ...]:
    """Soundings of stuff outdoors, most important first; none indoors."""
    if place.indoors:
        return ()
    return (*_water(rgb, view, place), *_leaves(view), *_birds(view, place), *_grass(rgb, view, place))


def seen_area(view: Survey, kind: Stuff) -> Bool[np.ndarray, "h w"]:
    """Pixels of a kind that the photo itself shows."""
    return (view.labels == kind) & view.known


def large_enough(view: Survey, mask: Bool[np.ndarray, "h w"]) -> bool:
    """Whether an area is worth a source of its own."""
    return extent(mask) >= min(LEAST_OF_SPHERE, LEAST_OF_PHOTO * extent(view.known))


def percent(view: Survey, mask: Bool[np.ndarray, "h w"]) -> str:
    """Its part of what the photo shows, for people."""
    return f"{100 * extent(mask) / max(extent(view.known), 1e-9):.0f} % of the picture"


def _area(label: str, prompt: str, mask: Bool[np.ndarray, "h w"], confidence: float, reason: str) -> Sounding:
    return Sounding(
        label, prompt, Spread.AREA, LEVELS_DB[label], confidence, BACKEND,
        mask=mask, reason=reason, grounding=GROUNDING.get(label, "water"), visible=True,
    )  # fmt: skip


def _water(rgb: UInt8[np.ndarray, "h w 3"], view: Survey, place: Surroundings) -> list[Sounding]:
    """The water, if any; in towns a little of it is more often a blue car."""
    water = find_water(rgb, view)
    if water is None or (place.town > 0.6 and extent(water.mask) < TOWN_WATER * extent(view.known)):
        return []
    prompts = {
        "sea waves": "sea waves breaking on the shore",
        "river": "a shallow river flowing over stones",
        "stream": "a small stream babbling over stones",
        "lapping lake": "a still lake, small waves lapping at the shore",
    }
    reason = f"{water.why}: water is {percent(view, water.mask)}"
    return [_area(water.label, prompts[water.label], water.mask, water.confidence, reason)]


def _leaves(view: Survey) -> list[Sounding]:
    mask = seen_area(view, Stuff.VEGETATION)
    if not large_enough(view, mask):
        return []
    reason = f"trees and bushes are {percent(view, mask)}"
    confidence = min(0.9, float(view.strongest[Stuff.VEGETATION]))
    return [_area("leaves", "wind rustling in the leaves of trees", mask, confidence, reason)]


def _grass(rgb: UInt8[np.ndarray, "h w 3"], view: Survey, place: Surroundings) -> list[Sounding]:
    """Ground counts as grass only where it is green or straw-coloured."""
    lab = cv2.cvtColor(rgb.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    soft = cv2.blur(lab, (15, 15))
    mask = seen_area(view, Stuff.GROUND) & (soft[..., 1] < GRASS_A) & (soft[..., 2] > GRASS_B)
    if place.town > 0.5 or extent(mask) < GRASS_SHARE * extent(view.known) or not large_enough(view, mask):
        return []
    confidence = 0.7 * float(view.strongest[Stuff.GROUND])
    return [_area("grass", "wind in dry grass", mask, confidence, f"green ground is {percent(view, mask)}")]


def _birds(view: Survey, place: Surroundings) -> list[Sounding]:
    """One or two birds deep inside known trees, else birds somewhere around."""
    crowns = seen_area(view, Stuff.VEGETATION) & (row_elevations(len(view.labels)) > -np.radians(2))[:, None]
    spots = _deep_spots(crowns)
    found = [
        Sounding(
            "birds",
            "songbirds singing in a tree" if i == 0 else "a single bird chirping in a bush",
            Spread.POINT,
            LEVELS_DB["birds"] - 6.0 * i,
            (0.55 if i == 0 else 0.4) * (1 - 0.3 * place.town),
            BACKEND,
            direction=spot,
            reason="birds are likely in these trees (none is seen)",
            visible=False,
        )
        for i, spot in enumerate(spots)
    ]
    return found or [
        Sounding(
            "birds",
            "distant birds",
            Spread.AMBIENT,
            38.0,
            0.3,
            BACKEND,
            reason="outdoors, birds are likely somewhere (none is seen)",
            visible=False,
        )
    ]


def _deep_spots(mask: Bool[np.ndarray, "h w"]) -> list[Float64[np.ndarray, "3"]]:
    """Up to two unit directions deepest inside a mask, well apart."""
    height = mask.shape[0]
    padded = np.pad(mask.astype(np.uint8), ((1, 1), (height // 8, height // 8)), mode="wrap")
    padded[0] = padded[-1] = 0
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, height // 8 : -height // 8].copy()
    directions = pixel_directions(height)
    spots: list[np.ndarray] = []
    while len(spots) < 2:
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        if depth[row, column] < BIRD_RAD * height / np.pi:
            break
        spots.append(directions[row, column].copy())
        depth[directions @ spots[-1] > np.cos(BIRD_SPACING_RAD)] = 0
    return spots
