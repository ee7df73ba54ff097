"""People, vehicles and animals in one photo, as pixels: what nobody should mirror, smear or take for a wall."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8

from sonoworld.perceive.coco import ANIMALS, STREET_AND_FIELD, VEHICLES
from sonoworld.perceive.objects import detect
from sonoworld.perceive.outline import outline

LIVELY = frozenset({"person"}) | VEHICLES | ANIMALS
LIVELY_SCORE = 0.4
FRAME = 0.012
"""A box so near the frame (share of the longer side) is taken to be cut off by it."""

CROP = 0.6
"""Besides the whole photo, crops of this part of it are looked at: one in each corner."""


@dataclass(frozen=True, slots=True)
class Lively:
    """`there`: pixels of people, vehicles and animals. `outdoors`: some of them are not met in rooms."""

    there: Bool[np.ndarray, "h w"]
    outdoors: bool


def look_for_lively(rgb: UInt8[np.ndarray, "h w 3"], *, min_score: float = LIVELY_SCORE) -> Lively:
    """What lives and drives in a photo (five looks of the detector, about 0.2 s).

    Raises:
        BackendMissingError: the install lacks the detector.
    """
    height, width = rgb.shape[:2]
    h, w = max(1, round(height * CROP)), max(1, round(width * CROP))
    there = np.zeros((height, width), np.bool_)
    labels: set[str] = set()
    for top, left, tall, wide in (
        (0, 0, height, width),
        *((top, left, h, w) for top in (0, height - h) for left in (0, width - w)),
    ):
        crop = np.ascontiguousarray(rgb[top : top + tall, left : left + wide])
        for one in detect(crop, min_score=min_score):
            labels.add(one.label)
            if one.label in LIVELY:
                there[top : top + tall, left : left + wide] |= outline(crop, one.box_px)
                x0, y0, x1, y1 = one.box_px
                _cut_off(there, (x0 + left, y0 + top, x1 + left, y1 + top))
    return Lively(there, bool(labels & STREET_AND_FIELD))


def _cut_off(there: Bool[np.ndarray, "h w"], box: tuple[float, float, float, float]) -> None:
    """Add the whole box of a thing that the picture's frame cuts off: nothing tells its outline from the frame."""
    height, width = there.shape
    near = FRAME * max(height, width)
    x0, y0, x1, y1 = box
    if x0 > near and y0 > near and x1 < width - near and y1 < height - near:
        return
    left, right = (0 if x0 <= near else int(x0)), (width if x1 >= width - near else int(np.ceil(x1)))
    top, bottom = (0 if y0 <= near else int(y0)), (height if y1 >= height - near else int(np.ceil(y1)))
    there[top:bottom, left:right] = True
