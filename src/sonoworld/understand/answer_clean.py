"""Words and numbers of an answer, made safe: text that is only text, numbers that are numbers.

A model's words go into file names, prompts of other models, terminals and pages. What is no plain phrase is refused,
with the reason; what can be mended is mended.
"""

import math
import re
import unicodedata

LONGEST_LABEL_WORDS = 8

_TO_MACHINES = re.compile(
    r"(ignore|disregard|forget|override)\b.{0,40}\b(instruction|previous|above|prompt|rule)"
    r"|system prompt|you are now|<\||\|>|\[/?inst\]|<\s*script",
    re.IGNORECASE,
)
_PATH = re.compile(r"\.\.[/\\]|^\.\.|://|^[/~]|\\|^[a-z]:/|\.(py|sh|exe|toml|json|wav|png|ssh)\b", re.IGNORECASE)
_NOT_PLAIN = re.compile(r"[^\w\s,.;:'’()&%°!?+\-–—]")
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn"}


def plain(text: str, limit: int) -> str:
    """One line of letters, digits and common punctuation, at most `limit` characters, cut between words."""
    seen = unicodedata.normalize("NFC", text[: 20 * limit])
    spaced = "".join(
        " " if c.isspace() else c for c in seen if c.isspace() or unicodedata.category(c) not in _INVISIBLE
    )
    said = re.sub(r"\s+", " ", _NOT_PLAIN.sub(" ", spaced.replace("/", " or "))).strip()
    if len(said) <= limit:
        return said
    head = said[: limit + 1].rpartition(" ")[0] or said[:limit]
    return head.rstrip(" ,;:-")


def objection(label: str) -> str:
    """Why this is no name of a sound, or "" when it may be one."""
    if not any(c.isalpha() for c in label):
        return "its label has no letters"
    if len(label) > 200 or len(label.split()) > LONGEST_LABEL_WORDS:
        return f"its label has {len(label)} characters in {len(label[:10_000].split())} words: no name of a sound"
    if _PATH.search(label.strip()):
        return "its label is a path or an address"
    return spoken_to_machines(label)


def spoken_to_machines(text: str) -> str:
    """The objection to text that gives orders to a model, or ""."""
    return "its text gives orders to a machine" if _TO_MACHINES.search(text[:10_000]) else ""


def number(value: object) -> float | None:
    """A finite number of sane size, also from text such as "65 dB"; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        found = re.match(r"\s*([-+−]?\d{1,6}(?:\.\d{1,6})?)\s*(dB|°|%|$)", value[:40])
        value = float(found.group(1).replace("−", "-")) if found else None
    if not isinstance(value, int | float):
        return None
    try:
        said = float(value)
    except OverflowError:
        return None
    return said if math.isfinite(said) and abs(said) <= 1e6 else None


def excerpt(value: object) -> str:
    """What was said, short and plain, for messages."""
    return plain(repr(value)[:200], 40)
