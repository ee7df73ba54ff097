"""Which soundings are looked for in a picture, by which words, and how they get what was found."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from sonoworld.segment.instances import Instance
from sonoworld.types import Sounding, Spread

MOST_LETTERS = 300
"""Of words to look for; models read a few dozen tokens."""


def words(sounding: Sounding) -> str:
    """What to look for."""
    return (sounding.grounding.strip() or sounding.label.strip())[:MOST_LETTERS]


def prompts_of(soundings: Sequence[Sounding]) -> tuple[str, ...]:
    """The words of all that is sought, each once, in order."""
    return tuple(dict.fromkeys(words(s) for s in soundings if s.sought))


def with_masks(soundings: tuple[Sounding, ...], found: Mapping[str, tuple[Instance, ...]]) -> tuple[Sounding, ...]:
    """Soundings with all instances of their words; points of the same words get one instance each, best first."""
    left = {prompt: list(instances) for prompt, instances in found.items()}
    waiting = [words(s) for s in soundings if s.sought and s.spread is Spread.POINT]
    out: list[Sounding] = []
    for s in soundings:
        some = left.get(words(s), []) if s.sought else []
        if s.spread is Spread.POINT and waiting.count(words(s)) > 1:
            some = [some.pop(0)] if some else []
        mask = np.logical_or.reduce([one.mask for one in some]) if some else None
        out.append(
            s if mask is None else replace(s, mask=mask, reason=f"{s.reason}; {_evidence(s, some)}".lstrip("; "))
        )
    return tuple(out)


def _evidence(sounding: Sounding, found: Sequence[Instance]) -> str:
    """What was found for it, for people."""
    count = "1 place" if len(found) == 1 else f"{len(found)} places"
    return f'"{words(sounding)}" was found in {count} in the picture, score {max(one.score for one in found):.2f}'
