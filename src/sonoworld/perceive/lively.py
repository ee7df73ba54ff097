"""People, vehicles and animals in one photo, as pixels: what nobody should mirror, smear or take for a wall."""

import numpy as np
from jaxtyping import Bool, UInt8

from sonoworld.perceive.coco import ANIMALS, VEHICLES
from sonoworld.perceive.objects import detect
from sonoworld.perceive.outline import outline

LIVELY = frozenset({"person"}) | VEHICLES | ANIMALS
LIVELY_SCORE = 0.4
CROP = 0.6
"""Besides the whole photo, crops of this part of it are looked at: one in each corner."""


def lively_pixels(rgb: UInt8[np.ndarray, "h w 3"], *, min_score: float = LIVELY_SCORE) -> Bool[np.ndarray, "h w"]:
    """Pixels of people, vehicles and animals (five looks of the detector, about 0.2 s).

    Raises:
        BackendMissingError: the install lacks the detector.
    """
    height, width = rgb.shape[:2]
    h, w = max(1, round(height * CROP)), max(1, round(width * CROP))
    found = np.zeros((height, width), np.bool_)
    for top, left, tall, wide in (
        (0, 0, height, width),
        *((top, left, h, w) for top in (0, height - h) for left in (0, width - w)),
    ):
        crop = np.ascontiguousarray(rgb[top : top + tall, left : left + wide])
        for one in detect(crop, min_score=min_score):
            if one.label in LIVELY:
                found[top : top + tall, left : left + wide] |= outline(crop, one.box_px)
    return found
