"""Which soundings are looked for in a picture, by which words, and how they get what was found."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from sonoworld.segment.instances import Instance
from sonoworld.types import Sounding, Spread

MOST_LETTERS = 300
"""Of words to look for; models read a few dozen tokens."""


def is_sought(sounding: Sounding) -> bool:
    """Whether it lacks a place and may be in the picture."""
    placeless = sounding.mask is None and sounding.direction is None
    return placeless and sounding.spread is not Spread.AMBIENT and sounding.visible is not False


def words(sounding: Sounding) -> str:
    """What to look for."""
    return (sounding.grounding.strip() or sounding.label.strip())[:MOST_LETTERS]


def prompts_of(soundings: Sequence[Sounding]) -> tuple[str, ...]:
    """The words of all that is sought, each once, in order."""
    return tuple(dict.fromkeys(words(s) for s in soundings if is_sought(s)))


def with_masks(soundings: tuple[Sounding, ...], found: Mapping[str, tuple[Instance, ...]]) -> tuple[Sounding, ...]:
    """Soundings with all instances of their words; points of the same words get one instance each, best first."""
    left = {prompt: list(instances) for prompt, instances in found.items()}
    waiting = [words(s) for s in soundings if is_sought(s) and s.spread is Spread.POINT]
    out: list[Sounding] = []
    for s in soundings:
        some = left.get(words(s), []) if is_sought(s) else []
        if s.spread is Spread.POINT and waiting.count(words(s)) > 1:
            some = [some.pop(0)] if some else []
        mask = np.logical_or.reduce([one.mask for one in some]) if some else None
        out.append(s if mask is None else replace(s, mask=mask))
    return tuple(out)
