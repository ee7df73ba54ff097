"""Stuff that sounds as a surface: leaves, grass, water, roads."""

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from sonoworld.perceive.stuff import Stuff
from sonoworld.perceive.survey import Survey, extent, region
from sonoworld.types import Sounding, Spread
from sonoworld.understand.setting import Setting
from sonoworld.understand.water import Water, kind_of

BACKEND = "embedded"
LEAST_EXTENT = 0.005
"""Smallest surface that is named, as part of the sphere."""

GREEN_A = -2.0
GREEN_B = 6.0
PROBABLY = 0.85
"""How far a rule of thumb is believed when its pixels are certain."""


def surfaces(
    rgb: UInt8[np.ndarray, "h w 3"], view: Survey, water: Water | None, setting: Setting
) -> tuple[Sounding, ...]:
    """Areas with masks; none in rooms."""
    if setting is Setting.ROOM:
        return ()
    found = [_leaves(view), _grass(rgb, view), _water(water), _traffic(view, setting)]
    return tuple(sounding for sounding in found if sounding is not None)


def _belief(view: Survey, mask: Bool[np.ndarray, "h w"], kind: Stuff) -> float:
    seen = mask & view.known
    if not seen.any():
        return 0.0
    return round(PROBABLY * float(view.stuff.probability[seen][:, kind].mean()), 3)


def _leaves(view: Survey) -> Sounding | None:
    mask = region(view, Stuff.VEGETATION, least=LEAST_EXTENT / 5)
    size = extent(mask)
    if size < LEAST_EXTENT:
        return None
    return Sounding(
        "wind in leaves", "wind in the leaves of trees", Spread.AREA, 54.0,
        _belief(view, mask, Stuff.VEGETATION), BACKEND, mask,
        reason=f"trees and bushes cover {size:.1%} of the view around",
    )  # fmt: skip


def _grass(rgb: UInt8[np.ndarray, "h w 3"], view: Survey) -> Sounding | None:
    """Ground counts as grass only where it is green."""
    lab = cv2.cvtColor(rgb.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    soft = cv2.blur(lab, (15, 15))
    ground = region(view, Stuff.GROUND, least=LEAST_EXTENT / 5)
    mask = ground & (soft[..., 1] < GREEN_A) & (soft[..., 2] > GREEN_B)
    mask = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)) > 0
    size = extent(mask)
    if size < LEAST_EXTENT or extent(mask & view.known) < LEAST_EXTENT / 5:
        return None
    return Sounding(
        "grass", "wind in grass", Spread.AREA, 44.0, _belief(view, mask, Stuff.GROUND), BACKEND, mask,
        reason=f"green ground covers {size:.1%} of the view around",
    )  # fmt: skip


def _water(water: Water | None) -> Sounding | None:
    if water is None:
        return None
    label, prompt, level_db, why = kind_of(water)
    return Sounding(
        label, prompt, Spread.AREA, level_db, round(0.7 * water.belief, 3), BACKEND, water.mask,
        reason=f"{why}; {water.extent:.1%} of the view around",
    )  # fmt: skip


def _traffic(view: Survey, setting: Setting) -> Sounding | None:
    """A street in a town carries traffic, seen or not."""
    mask = region(view, Stuff.ROAD, least=LEAST_EXTENT / 5)
    size = extent(mask)
    if setting is not Setting.TOWN or size < LEAST_EXTENT:
        return None
    return Sounding(
        "traffic", "distant street traffic", Spread.AREA, 62.0,
        round(0.7 * _belief(view, mask, Stuff.ROAD), 3), BACKEND, mask,
        reason=f"a paved street in a built-up place covers {size:.1%} of the view around; no traffic need be in sight",
    )  # fmt: skip
