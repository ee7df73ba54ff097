"""Masks for soundings that have no place yet, by what their words mean."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from sonoworld.backend import Run, Segment
from sonoworld.perceive.stuff import Stuff
from sonoworld.perceive.survey import extent, region, survey
from sonoworld.segment.embedded import EmbeddedOptions
from sonoworld.segment.words import meaning
from sonoworld.types import Panorama, Sounding, Spread

LEAST_PATCH = 0.0006
LEAST_FOUND = 0.001
"""Smallest stuff that counts as found, as part of the sphere."""


def segmenter(options: EmbeddedOptions) -> Segment:
    """The stage function with its options. Order, count and labels of the soundings are kept."""

    def segment(panorama: Panorama, soundings: tuple[Sounding, ...], run: Run) -> tuple[Sounding, ...]:
        wanted = {
            i: meant for i, s in enumerate(soundings) if _lost(s) and (meant := meaning(s.label, s.prompt)) is not None
        }
        masks = _stuff_masks(panorama, {meant for meant in wanted.values() if isinstance(meant, Stuff)})
        run.tell(0.5, "stuff")
        return tuple(
            replace(s, mask=masks[wanted[i]]) if i in wanted and wanted[i] in masks else s
            for i, s in enumerate(soundings)
        )

    return segment


def _lost(sounding: Sounding) -> bool:
    return sounding.spread is not Spread.AMBIENT and sounding.mask is None and sounding.direction is None


def _stuff_masks(panorama: Panorama, kinds: set[Stuff]) -> dict[Stuff | str, Bool[np.ndarray, "h w"]]:
    """Pixels of each kind that is really there."""
    if not kinds:
        return {}
    view = survey(panorama)
    masks = {kind: region(view, kind, least=LEAST_PATCH) for kind in sorted(kinds)}
    return {kind: mask for kind, mask in masks.items() if extent(mask) >= LEAST_FOUND}
