"""Dense semantics: how much every pixel of a panorama looks like each of several words, and masks made of it.

Letters: S_k score map of word k, 0..1; Ω solid angle.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from pydantic import Field

from sonoworld.backend import Options, Run, Segment
from sonoworld.perceive.survey import joined_patches
from sonoworld.segment.instances import Instance
from sonoworld.segment.sought import prompts_of, with_masks
from sonoworld.segment.vote import labelled
from sonoworld.tiles import FOV_RANGE_DEG, solid_angles
from sonoworld.types import Panorama, Sounding


@runtime_checkable
class Semantics(Protocol):
    """Panorama, words -> score maps S of the words, in their order, 0..1, of the panorama's size."""

    def __call__(  # noqa: D102
        self, rgb: UInt8[np.ndarray, "h w 3"], labels: Sequence[str], run: Run
    ) -> Float32[np.ndarray, "k h w"]: ...


class DenseOptions(Options):
    """How a panorama is cut into tiles, and which pixels of a score map are believed."""

    batch: int = Field(default=8, ge=1, le=256, description="tiles at a time")
    fov_deg: float = Field(
        default=90.0, ge=FOV_RANGE_DEG[0], le=FOV_RANGE_DEG[1], description="field of view of a tile"
    )
    least_score: float = Field(default=0.4, ge=0, le=1, description="a pixel has a label when its score is above this")
    others: tuple[str, ...] = Field(
        default=(), description="words that compete for pixels and stand for everything else, such as 'sky'"
    )
    least_of_sphere: float = Field(default=5e-5, ge=0, le=1, description="patches smaller than this are left out")


def rivals(others: Sequence[str], prompts: Sequence[str]) -> tuple[str, ...]:
    """Those of `others` that are not sought themselves."""
    sought = {prompt.casefold() for prompt in prompts}
    return tuple(dict.fromkeys(other for other in others if other.casefold() not in sought))


def by_semantics(look: Semantics, options: DenseOptions) -> Segment:
    """The stage function that gives every pixel to the word with the highest score, if that is high enough."""

    def segment(panorama: Panorama, soundings: tuple[Sounding, ...], run: Run) -> tuple[Sounding, ...]:
        prompts = prompts_of(soundings)
        if not prompts:
            return soundings
        scores = look(panorama.rgb, (*prompts, *rivals(options.others, prompts)), run)
        labels = labelled(scores, options.least_score)
        found = {prompt: patches(labels == k, scores[k], options.least_of_sphere) for k, prompt in enumerate(prompts)}
        return with_masks(soundings, found)

    return segment


def patches(
    mask: Bool[np.ndarray, "h w"], score: Float32[np.ndarray, "h w"], least_of_sphere: float
) -> tuple[Instance, ...]:
    """Connected patches of a mask, joined across ±180°; those that weigh most (∫ S dΩ) first, with their mean score."""
    numbers = joined_patches(mask.astype(np.uint8))
    omega = solid_angles(mask.shape[0])
    size = np.bincount(numbers.ravel(), weights=omega.ravel())
    mass = np.bincount(numbers.ravel(), weights=(omega * score).ravel())
    kept = [i for i in np.flatnonzero(size >= 4 * np.pi * least_of_sphere) if i > 0 and size[i] > 0]
    kept.sort(key=lambda i: -float(mass[i]))
    return tuple(Instance(numbers == i, float(mass[i] / size[i])) for i in kept)
