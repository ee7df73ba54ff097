"""From words to a class of sound: the longest phrase that fits, label before prompt; failing that, the nearest word."""

import re
from dataclasses import dataclass

from sonoworld.sound.catalogue import BY_NAME, CLASSES, Class

FALLBACK = "city hum"
"""What an unknown label with no letters in common with anything gets; said in the result."""


@dataclass(frozen=True, slots=True)
class Match:
    """The class chosen, the words that chose it, and how far they are from its own (0 = its own words, 1 = unlike)."""

    kind: Class
    by: str
    distance: float


def _words(text: str) -> list[str]:
    return [_singular(word) for word in re.findall(r"[a-z]+", text.lower())]


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "xes")):
        return word[:-2]
    if len(word) > 4 and word.endswith("ves") and word not in ("waves",):
        return word[:-3] + "f"
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


_PHRASES = sorted(
    ((tuple(_words(phrase)), one) for one in CLASSES for phrase in (one.name, *one.words)),
    key=lambda entry: -len(entry[0]),
)


def find_class(label: str, prompt: str = "") -> Match:
    """The class for a label and its prompt; never fails, `distance` says how good it is."""
    for text in (label, prompt):
        words = _words(text)
        best: tuple[int, int, Class] | None = None
        for phrase, one in _PHRASES:
            at = _position(phrase, words)
            if at is not None and (best is None or (len(phrase), at) > best[:2]):
                best = (len(phrase), at, one)  # the last word leads in English: "wind in the trees", "church bell"
        if best is not None:
            return Match(best[2], text, 0.0)
    return _nearest(label)


def _position(phrase: tuple[str, ...], words: list[str]) -> int | None:
    """Last place where the phrase stands whole among the words."""
    for i in range(len(words) - len(phrase), -1, -1):
        if tuple(words[i : i + len(phrase)]) == phrase:
            return i
    return None


def _grams(word: str) -> set[str]:
    padded = f"^{word}$"
    return {padded[i : i + 3] for i in range(max(1, len(padded) - 2))}


def _nearest(label: str) -> Match:
    """Largest overlap of character trigrams (Dice) between any word said and any word known."""
    best = Match(BY_NAME[FALLBACK], label, 1.0)
    for word in _words(label):
        for phrase, one in _PHRASES:
            for known in phrase:
                a, b = _grams(word), _grams(known)
                distance = 1 - 2 * len(a & b) / (len(a) + len(b))
                if distance < best.distance:
                    best = Match(one, known, distance)
    return best if best.distance < 0.75 else Match(BY_NAME[FALLBACK], label, 1.0)
