"""What already has a place is looked for again: a model's outline takes the place of a rough one, where they agree.

For descriptions that come with masks of their own, as the embedded one's do: boxes of things, patches of stuff.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool
from pydantic import Field

from sonoworld.backend import Options, Run, Segment
from sonoworld.perceive.survey import joined_patches
from sonoworld.tiles import solid_angles
from sonoworld.types import Panorama, Sounding, Spread

HALF = 0.5
LARGER = 3.0
"""A patch shows a thing when half of it lies in the thing's old mask, or when it holds half of that and is at most this
many times as large."""


class TraceOptions(Options):
    """Whether the masks that soundings come with are made anew."""

    trace: bool = Field(
        default=False,
        description="also what has a mask already is looked for, and keeps only its outline if found there",
    )


def tracing(segment: Segment, options: TraceOptions) -> Segment:
    """The stage function itself, or with `trace` one that also draws anew what is seen and has a mask.

    A mask that is not found again, or only elsewhere, stays; a source is never moved to another thing of its name.
    """
    if not options.trace:
        return segment

    def look(panorama: Panorama, soundings: tuple[Sounding, ...], run: Run) -> tuple[Sounding, ...]:
        found = segment(panorama, tuple(_unplaced(s) if traceable(s) else s for s in soundings), run)
        return tuple(_outlined(s, f) if traceable(s) else f for s, f in zip(soundings, found, strict=True))

    return look


def traceable(sounding: Sounding) -> bool:
    """Whether it is seen where its mask is."""
    seen = sounding.visible is True and sounding.spread is not Spread.AMBIENT
    return seen and sounding.mask is not None and bool(sounding.mask.any())


def _unplaced(sounding: Sounding) -> Sounding:
    """To be sought; as an area, so that it gets all places of its words."""
    return replace(sounding, mask=None, direction=None, spread=Spread.AREA)


def _outlined(sounding: Sounding, found: Sounding) -> Sounding:
    if found.mask is None or sounding.mask is None:
        return sounding
    mask = agreeing(found.mask, sounding.mask)
    if not mask.any():
        return sounding
    return replace(sounding, mask=mask, reason=f"{sounding.reason}; its outline was drawn anew")


def agreeing(found: Bool[np.ndarray, "h w"], old: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Those patches of `found` that show what `old` does, nothing unless they cover half of it; across ±180°, too."""
    labels, omega = joined_patches(found.astype(np.uint8)), solid_angles(found.shape[0])
    whole = np.bincount(labels.ravel(), weights=omega.ravel())
    shared = np.bincount(labels[old], weights=omega[old], minlength=len(whole))
    size = float(omega[old].sum())
    inside = shared >= HALF * whole
    around = (shared >= HALF * size) & (whole <= LARGER * size)
    kept = inside | around
    kept[0] = False
    enough = float(shared[kept].sum()) >= HALF * size
    return kept[labels] if enough else np.zeros_like(found)
