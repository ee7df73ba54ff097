"""How well a recording's words fit a source: 1 all of them, 0 none.

Letters: A words asked for by the label, P by the prompt, R words of the recording.
"""

import re

from sonoworld.sound.match import match, words_of

_IDLE = (
    "a an and at by for from in into near of off on onto out over some the through to under up with "
    "sound noise recording audio file take track mono stereo sfx fx amb ambience loop mix final edit copy "
    "wav flac mp ogg hz khz bit"
)
IDLE = frozenset(_IDLE.split())
"""Words that tell nothing about what is heard."""

LABEL, PROMPT, PLAIN = 0.75, 0.15, 0.1
"""Shares of: words of the label found, words of the prompt found, words of the recording that were asked for."""

SAME_VOICE = 0.8
"""What a word of the label counts when the recording has another word for the same class of sound."""

NEAR_SPELLING = 0.6
"""A word counts as found, in part, from this Dice similarity of letter pairs on: `seawaves`, `birdsong`."""


def likeness(label: str, prompt: str, recording: str) -> float:
    """Similarity 0..1 of what a source asks for and what a recording says of itself.

    A word of the label is found where it stands in the recording's words, or nearly so by its letters; where the two
    name the same class of sounds in other words (`campfire`, `fireplace`), that counts 0.8 of a word.
    """
    asked, also, own = (_telling(text) for text in (label, prompt, recording))
    also -= asked
    if not asked or not own:
        return 0.0
    found = sum(_nearest(word, own) for word in asked) / len(asked)
    found = max(found, SAME_VOICE * _same_voice(label, recording))
    if found == 0:
        return 0.0
    manner = sum(_nearest(word, own) for word in also) / len(also) if also else 1.0
    plain = sum(_nearest(word, asked | also) for word in own) / len(own)
    return LABEL * found + PROMPT * manner + PLAIN * plain


def _telling(text: str) -> set[str]:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return {word for word in words_of(apart) if word not in IDLE and len(word) > 1}


def _same_voice(label: str, recording: str) -> bool:
    ours, theirs = match(label), match(recording)
    return ours.voice == theirs.voice and ours.distance == theirs.distance == 0


def _nearest(word: str, others: set[str]) -> float:
    if word in others:
        return 1.0
    best = max(_dice(word, other) for other in others)
    return best if best >= NEAR_SPELLING else 0.0


def _dice(a: str, b: str) -> float:
    """Dice coefficient of letter pairs (Dice 1945)."""
    pairs, others = ({word[i : i + 2] for i in range(len(word) - 1)} for word in (a, b))
    return 2 * len(pairs & others) / (len(pairs) + len(others))
