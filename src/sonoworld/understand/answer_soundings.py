"""From an answer to soundings: plausible levels, each thing once, ambience always; what was changed is said."""

import math
import re
from collections.abc import Callable

import numpy as np

from sonoworld.backend import nobody
from sonoworld.frames import direction_from_angles
from sonoworld.types import Sounding, Spread
from sonoworld.understand.answer_schema import Answer, Said, Setting
from sonoworld.understand.levels import LEVELS_DB, default_level_db, named_level_db

NAMED_RANGE_DB = 20.0
"""A sound that the table of levels names lies within so much of its usual level: a voice may whisper or shout."""

RANGE_DB: dict[Spread, tuple[float, float]] = {
    Spread.POINT: (20.0, 120.0),
    Spread.AREA: (25.0, 100.0),
    Spread.AMBIENT: (15.0, 80.0),
}
"""Of sounds that it does not name."""

SAME_PLACE_DEG = 25.0
"""Equal names in directions closer than this are one source."""

RULE_CONFIDENCE = 0.4
MOST = 12

AROUND: dict[Setting, tuple[str, str]] = {
    "indoors": ("room tone", "quiet room tone"),
    "town": ("city hum", "distant city hum"),
    "nature": ("wind", "gentle wind in the open"),
    "unknown": ("quiet", "near silence"),
}
"""Ambience of a place whose answer names none; of a place not known, what is wrong nowhere."""


def to_soundings(
    answer: Answer,
    backend_name: str,
    *,
    most: int = MOST,
    known_sources: tuple[str, ...] = (),
    leave_out: Callable[[str, str], None] = nobody,
) -> tuple[Sounding, ...]:
    """Soundings of an answer: ambience first, then by confidence; at most `most` (ambience always among them).

    A direction is passed on only for what cannot be seen: what can be seen is found better in the picture, and the
    direction stands in its `reason`. `known_sources` that the answer does not name are added.
    `leave_out(what, why)` is told of each source that is not among them.
    """
    said, twice = _each_once((*answer.sources, *_forgotten(answer, known_sources)))
    soundings = sorted((_sounding(one, backend_name) for one in said), key=_rank)
    if not any(s.spread is Spread.AMBIENT for s in soundings):
        soundings.insert(0, _around(answer.setting, backend_name))
    kept = soundings[:most]
    left_out = [*answer.left_out, *twice, *(f"{s.label}: beyond the most {most}" for s in soundings[most:])]
    for line in left_out:
        what, colon, why = line.partition(": ")
        leave_out(what if colon else "part of the answer", why if colon else line)
    return tuple(kept)


def told(left_out: list[str]) -> str:
    """How much of an answer was left out and why, in one line; "" for nothing."""
    if not left_out:
        return ""
    shown = "; ".join(left_out[:3]) + ("; ..." if len(left_out) > 3 else "")
    return f"left out of the model's answer: {len(left_out)} ({shown})"


def _rank(sounding: Sounding) -> tuple[bool, float]:
    return sounding.spread is not Spread.AMBIENT, -sounding.confidence


def _forgotten(answer: Answer, known_sources: tuple[str, ...]) -> list[Said]:
    """Known sources whose words occur in no label of the answer."""
    named = [words(f"{said.label} {said.look_for}") for said in answer.sources]
    return [
        Said(label=known, sound=known, spread=Spread.POINT, confidence=RULE_CONFIDENCE, notes=("known to be here",))
        for known in known_sources
        if not any(words(known) <= name for name in named)
    ]


def _each_once(sources: tuple[Said, ...]) -> tuple[list[Said], list[str]]:
    """The most confident of each source, in order, and a line for each other one."""
    kept: list[Said] = []
    twice: list[str] = []
    for said in sorted(sources, key=lambda s: -s.confidence):
        if same := next((other for other in kept if _same(said, other)), None):
            twice.append(f"{said.label}: said twice, one source with {same.label}")
        else:
            kept.append(said)
    return kept, twice


def _same(a: Said, b: Said) -> bool:
    """Equal names; but two things in two directions, or two things of different looks, are two."""
    if words(a.label) != words(b.label):
        return False
    if a.direction_deg is not None and b.direction_deg is not None:
        return apart_deg(a.direction_deg, b.direction_deg) < SAME_PLACE_DEG
    both_seen = a.visible is True and b.visible is True and bool(a.look_for and b.look_for)
    return not (both_seen and words(a.look_for) != words(b.look_for))


def words(text: str) -> frozenset[str]:
    """Its words for comparing names: lower case, without articles and plurals."""
    found = re.findall(r"\w+", text.casefold())
    return frozenset(w.removesuffix("s") if len(w) > 3 else w for w in found if w not in ("a", "an", "the", "of"))


def _unit(direction_deg: tuple[float, float]) -> np.ndarray:
    azimuth, elevation = (np.array(math.radians(angle)) for angle in direction_deg)
    return direction_from_angles(azimuth, elevation)


def apart_deg(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Angle between two directions, each (azimuth, elevation); all in degrees."""
    return math.degrees(math.acos(min(1.0, max(-1.0, float(_unit(a) @ _unit(b))))))


def _sounding(said: Said, backend_name: str) -> Sounding:
    level_db, level_note = _plausible_level_db(said)
    unseen = said.visible is False and said.spread is Spread.POINT
    direction = _unit(said.direction_deg) if said.direction_deg is not None and unseen else None
    reason = [f"{backend_name} names it", _seen(said), *said.notes, level_note]
    return Sounding(
        said.label,
        said.sound,
        said.spread,
        level_db,
        said.confidence,
        backend_name,
        direction=direction,
        reason="; ".join(part for part in reason if part),
        grounding=said.look_for,
        visible=said.visible,
        negative_prompt=said.avoid,
        tone_db=said.tone_db,
        movement=said.movement,
    )


def _seen(said: Said) -> str:
    if said.spread is Spread.AMBIENT:
        return ""
    where = ""
    if said.direction_deg is not None:
        azimuth, elevation = said.direction_deg
        where = f"at azimuth {azimuth:.0f}°, elevation {elevation:.0f}°"
    what = f"by {said.look_for}" if said.look_for else ""
    if said.visible is False:
        return f"not to be seen {where}".strip()
    return " ".join(part for part in (what, where) if part)


def _plausible_level_db(said: Said) -> tuple[float, str]:
    """The level within what such a sound can have, and what was changed."""
    usual = default_level_db(said.label, said.sound, said.spread)
    if said.level_db is None:
        return usual, f"its usual level is taken, {usual:g} dB"
    low, high = RANGE_DB[said.spread]
    named = named_level_db(said.label)
    if named is not None:
        low, high = named - NAMED_RANGE_DB, named + NAMED_RANGE_DB
    kept = min(max(said.level_db, low), high)
    note = "" if kept == said.level_db else f"said {said.level_db:g} dB at 1 m, kept to {kept:g} dB"
    return kept, note


def _around(setting: Setting, backend_name: str) -> Sounding:
    label, prompt = AROUND[setting]
    reason = f"no place is silent, and the model named no ambience; setting: {setting}"
    level_db = LEVELS_DB.get(label, LEVELS_DB["room tone"])
    return Sounding(label, prompt, Spread.AMBIENT, level_db, RULE_CONFIDENCE, backend_name, reason=reason)
