"""Which voice a label and a prompt ask for: by their words, the longest phrase first, the label before the prompt."""

import re
from dataclasses import dataclass

from sonoworld.sound.vocabulary import PHRASES


@dataclass(frozen=True, slots=True)
class Match:
    """A voice; `distance` 0 when its words were there, else 0..1 to the nearest `phrase` by spelling."""

    voice: str
    phrase: str
    distance: float = 0.0

    def told(self, label: str) -> str:
        """The match in words."""
        if self.distance == 0:
            return self.voice
        return f"{self.voice} (nearest to {label!r}, {self.distance:.2f})"


def match(label: str, prompt: str = "") -> Match:
    """The voice for a source.

    Words of the label decide, then those of the prompt; if no phrase of the vocabulary occurs in either, the phrase
    nearest to the label by its letters (Dice distance of letter trigrams), and the match says how far that is.
    """
    for text in (label, prompt):
        found = _in(text)
        if found:
            return found
    return _nearest(label)


def words_of(text: str) -> tuple[str, ...]:
    """Lower-case words without plural or possessive endings."""
    return tuple(_singular(w) for w in re.findall(r"[a-z]+", text.lower().replace("'s", "")))


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and len(word) > 3 and not word.endswith(("ss", "us")) else word


_KNOWN: dict[tuple[str, ...], tuple[str, str]] = {
    words_of(phrase): (voice, phrase) for voice, phrases in PHRASES.items() for phrase in phrases
}
_LONGEST = max(len(words) for words in _KNOWN)


def _in(text: str) -> Match | None:
    """The longest known phrase in a text; among equals the last, where English puts the noun: 'boat engine'."""
    words = words_of(text)
    for length in range(min(_LONGEST, len(words)), 0, -1):
        for begin in range(len(words) - length, -1, -1):
            known = _KNOWN.get(words[begin : begin + length])
            if known:
                return Match(*known)
    return None


def _trigrams(text: str) -> set[str]:
    padded = f"  {text} "
    return {padded[i : i + 3] for i in range(len(padded) - 2)}


def _nearest(label: str) -> Match:
    asked = _trigrams(" ".join(words_of(label)))

    def distance(words: tuple[str, ...]) -> float:
        own = _trigrams(" ".join(words))
        return 1 - 2 * len(asked & own) / (len(asked) + len(own))

    best = min(_KNOWN, key=lambda words: (distance(words), words))
    voice, phrase = _KNOWN[best]
    return Match(voice, phrase, max(distance(best), 0.01))
