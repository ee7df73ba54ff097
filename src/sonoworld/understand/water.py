"""Which water is water, and what it does: lies, runs or breaks.

Letters: b Lab blue (negative) to yellow; e elevation.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from sonoworld.perceive.stuff import Stuff
from sonoworld.perceive.survey import Survey, extent, joined_patches, region
from sonoworld.sphere import row_elevations

LEAST_EXTENT = 0.0006
"""Smallest patch of water believed, as part of the sphere (about 1° × 25°: a lake far below)."""

BLUE_B = -4.0
SMOOTH_DEVIATION = 2.2
LEAST_POSTERIOR = 0.5
FAR_RAD = np.radians(4.0)
WHITE_CHROMA = 10.0
WHITE_ABOVE = 22.0
RUNNING_SHARE = 0.008
SEA_EXTENT = 0.06
SEA_TOUCH = 0.6


@dataclass(frozen=True, slots=True)
class Water:
    """Water of a panorama: its pixels, part of the sphere, share of white crests, share of its top edge at the sky."""

    mask: Bool[np.ndarray, "h w"]
    extent: float
    white: float
    meets_sky: float
    belief: float


def find_water(rgb: UInt8[np.ndarray, "h w 3"], view: Survey) -> Water | None:
    """Patches that are blue, or as smooth as only water is; None where there is none."""
    found = region(view, Stuff.WATER, least=LEAST_EXTENT)
    if not found.any():
        return None
    lab = cv2.cvtColor(rgb.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    L = lab[..., 0]
    mean = cv2.blur(L, (7, 7))
    deviation = np.sqrt(np.maximum(cv2.blur(L * L, (7, 7)) - mean * mean, 0))
    patches = joined_patches(found.astype(np.uint8))
    kept = np.zeros_like(found)
    for number in np.unique(patches[found]):
        patch = (patches == number) & view.known
        blue, rough = float(np.median(lab[patch][:, 2])), float(np.median(deviation[patch]))
        sure = float(view.stuff.probability[patch][:, Stuff.WATER].mean())
        if sure >= LEAST_POSTERIOR and (blue < BLUE_B or rough < SMOOTH_DEVIATION):
            kept |= patches == number
    if not kept.any():
        return None
    seen = kept & view.known
    bright = float(np.median(L[seen])) + WHITE_ABOVE < L
    white = bright & (np.hypot(lab[..., 1], lab[..., 2]) < WHITE_CHROMA)
    belief = float(view.stuff.probability[seen][:, Stuff.WATER].mean())
    return Water(kept, extent(kept), float(white[seen].mean()), _meets_sky(seen, view), belief)


def _meets_sky(water: Bool[np.ndarray, "h w"], view: Survey) -> float:
    """Share of the columns with water in which it reaches the horizon with sky right above."""
    columns = np.flatnonzero(water.any(0))
    top = water[:, columns].argmax(0)
    height = water.shape[0]
    above = np.maximum(top - max(2, height // 100), 0)
    near = np.abs(row_elevations(height)[top]) < FAR_RAD
    return float((near & (view.labels[above, columns] == Stuff.SKY)).mean())


def kind_of(water: Water) -> tuple[str, str, float, str]:
    """(label, prompt, dB SPL at 1 m, why) of a body of water."""
    if water.extent > SEA_EXTENT and water.meets_sky > SEA_TOUCH:
        return "sea waves", "sea waves breaking on a shore", 80.0, "wide water that meets the sky"
    if water.white > RUNNING_SHARE:
        return "river", "a river running over stones", 66.0, "water with white crests"
    return "lapping lake", "small waves lapping at a lake shore", 56.0, "still water with land beyond"
