"""Looking for soundings in a panorama: by words, in the pixels that the photo knows."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from sonoworld.backend import Run, Segment
from sonoworld.perceive.around import Thing
from sonoworld.perceive.seen import Seen, look
from sonoworld.perceive.survey import extent, joined_patches
from sonoworld.segment.embedded import EmbeddedOptions
from sonoworld.segment.words import Target, targets
from sonoworld.sphere import pixel_solid_angles
from sonoworld.types import Panorama, Sounding, Spread

LEAST_OF_SPHERE = 0.0005
"""Stuff smaller than this is not taken for the place of a sound."""


def finder(options: EmbeddedOptions) -> Segment:
    """The stage function of `segment.embedded`."""

    def segment(panorama: Panorama, soundings: tuple[Sounding, ...], run: Run) -> tuple[Sounding, ...]:
        if not any(_is_sought(s) for s in soundings):
            return soundings
        run.tell(0.0, "stuff and things")
        seen = look(panorama, detect=options.detect)
        return find(soundings, seen)

    return segment


def _is_sought(sounding: Sounding) -> bool:
    return sounding.spread is not Spread.AMBIENT and sounding.mask is None and sounding.direction is None


def find(soundings: tuple[Sounding, ...], seen: Seen) -> tuple[Sounding, ...]:
    """Masks for the soundings that need one; those that are not found stay without. Each thing is given once."""
    given: set[int] = set()
    return tuple(_found(s, seen, given) if _is_sought(s) else s for s in soundings)


def _found(sounding: Sounding, seen: Seen, given: set[int]) -> Sounding:
    for target in targets(sounding.label, sounding.prompt):
        mask = _thing_mask(target, sounding.spread, seen.things, given)
        if mask is None:
            mask = _stuff_mask(target, sounding.spread, seen)
        if mask is not None:
            return replace(sounding, mask=mask)
    return sounding


def _thing_mask(
    target: Target, spread: Spread, things: tuple[Thing, ...], given: set[int]
) -> Bool[np.ndarray, "h w"] | None:
    """All things of the target for an area, the best one not yet given for a point."""
    found = [i for i, t in enumerate(things) if t.label in target.things and i not in given]
    if not found:
        return None
    if spread is Spread.AREA:
        given.update(found)
        return np.logical_or.reduce([things[i].mask for i in found])
    best = max(found, key=lambda i: things[i].score * np.sqrt(things[i].width * things[i].height))
    given.add(best)
    return things[best].mask


def _stuff_mask(target: Target, spread: Spread, seen: Seen) -> Bool[np.ndarray, "h w"] | None:
    """All known pixels of the stuff for an area, its largest patch for a point."""
    if not target.stuff:
        return None
    mask = np.isin(seen.view.labels, sorted(target.stuff)) & seen.view.known
    if spread is Spread.POINT and mask.any():
        patches = joined_patches(mask.astype(np.uint8))
        omega = np.repeat(pixel_solid_angles(mask.shape[0])[:, None], mask.shape[1], axis=1)
        size = np.bincount(patches.ravel(), weights=omega.ravel())
        size[0] = 0
        mask = patches == int(size.argmax())
    return mask if extent(mask) >= LEAST_OF_SPHERE else None
