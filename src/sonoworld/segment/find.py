"""Looking for soundings in a panorama: by words, in the pixels that the photo knows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool

from sonoworld.backend import Run, Segment
from sonoworld.perceive.around import Thing
from sonoworld.perceive.seen import Seen, look
from sonoworld.perceive.stuff import Stuff
from sonoworld.perceive.survey import extent, joined_patches
from sonoworld.segment.embedded import EmbeddedOptions
from sonoworld.segment.words import Target, targets
from sonoworld.sphere import pixel_solid_angles
from sonoworld.types import Panorama, Sounding, Spread

LEAST_OF_SPHERE = 0.0005
"""Stuff smaller than this is not taken for the place of a sound."""


@dataclass(frozen=True, slots=True)
class Found:
    """Pixels of what was looked for, and by what evidence, for people."""

    mask: Bool[np.ndarray, "h w"]
    why: str


def finder(options: EmbeddedOptions) -> Segment:
    """The stage function of `segment.embedded`."""

    def segment(panorama: Panorama, soundings: tuple[Sounding, ...], run: Run) -> tuple[Sounding, ...]:
        if not any(s.sought for s in soundings):
            return soundings
        run.tell(0.0, "stuff and things")
        seen = look(panorama, detect=options.detect)
        return find(soundings, seen)

    return segment


def find(soundings: tuple[Sounding, ...], seen: Seen) -> tuple[Sounding, ...]:
    """Masks for the soundings that need one; those that are not found stay without. Each thing is given once."""
    given: set[int] = set()
    return tuple(_found(s, seen, given) if s.sought else s for s in soundings)


def _found(sounding: Sounding, seen: Seen, given: set[int]) -> Sounding:
    for target in targets(sounding.grounding, sounding.label) or targets(sounding.label, sounding.prompt):
        found = _thing_mask(target, sounding.spread, seen.things, given) or _stuff_mask(target, sounding.spread, seen)
        if found is not None:
            return replace(sounding, mask=found.mask, reason=f"{sounding.reason}; {found.why}".lstrip("; "))
    return sounding


def _thing_mask(target: Target, spread: Spread, things: tuple[Thing, ...], given: set[int]) -> Found | None:
    """All things of the target for an area, the best one not yet given for a point."""
    found = [i for i, t in enumerate(things) if t.label in target.things and i not in given]
    if not found:
        return None
    if spread is Spread.AREA:
        given.update(found)
        return Found(np.logical_or.reduce([things[i].mask for i in found]), _detected([things[i] for i in found]))
    best = max(found, key=lambda i: things[i].score * np.sqrt(things[i].width * things[i].height))
    given.add(best)
    return Found(things[best].mask, _detected([things[best]]))


def _detected(things: Sequence[Thing]) -> str:
    names = ", ".join(dict.fromkeys(t.label for t in things))
    count = f"{len(things)} of {names}" if len(things) > 1 else f"a {names}"
    return f"placed where the detector sees {count} (score {max(t.score for t in things):.2f})"


def _stuff_mask(target: Target, spread: Spread, seen: Seen) -> Found | None:
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
    share = extent(mask)
    names = ", ".join(Stuff(kind).name.lower() for kind in sorted(target.stuff))
    return Found(mask, f"placed where {names} is seen") if share >= LEAST_OF_SPHERE else None
