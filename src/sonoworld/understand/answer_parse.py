"""Reading a model's answer: every source on its own, so that one bad source does not cost the others.

What can be mended is mended and noted in the source's `notes`; what cannot is left out and listed in `left_out`.
"""

from typing import cast

from sonoworld.behaviour import Movement
from sonoworld.types import Spread
from sonoworld.understand.answer_clean import excerpt, number, objection, plain, spoken_to_machines
from sonoworld.understand.answer_place import PANORAMA, Fields, Shown, direction_deg
from sonoworld.understand.answer_schema import (
    MAX_LABEL_CHARS,
    MAX_TEXT_CHARS,
    Answer,
    AnswerError,
    Said,
    Setting,
    level_db_from_paper,
)
from sonoworld.understand.answer_text import document

MAX_SOURCES = 64
MAX_TONE_SAID_DB = 12.0
"""More than this is no hint any more but another sound."""


def parse(text: str, *, salvage: bool = True, shown: Shown = PANORAMA) -> Answer:
    """What a model said, checked and cleaned. `salvage` keeps the whole sources of an answer that was cut off.

    `shown` is the picture that its boxes refer to.

    Raises:
        AnswerError: too long, not JSON, no list of sources, or sources none of which can be used. The message is fit
            to be sent back to the model; an answer with an empty list of sources is an answer.
    """
    said, note = document(text, salvage=salvage)
    entries = said.get("sources")
    if not isinstance(entries, list):
        raise AnswerError(f'expected "sources" to be a list, got {excerpt(entries)}')
    sources: list[Said] = []
    left_out = [note] if note else []
    for i, entry in enumerate(entries[:MAX_SOURCES], 1):
        read = _source(cast("object", entry), shown)
        if isinstance(read, Said):
            sources.append(read)
        else:
            left_out.append(f"source {i}: {read}")
    if len(entries) > MAX_SOURCES:
        left_out.append(f"{len(entries) - MAX_SOURCES} sources beyond the first {MAX_SOURCES}")
    if entries and not sources:
        raise AnswerError(f"none of {len(entries)} sources can be used: {'; '.join(left_out[:4])}")
    return Answer(setting=_setting(said.get("setting")), sources=tuple(sources), left_out=tuple(left_out))


def _setting(value: object) -> Setting:
    known: dict[object, Setting] = {"indoors": "indoors", "town": "town", "nature": "nature"}
    return known.get(value, "unknown") if isinstance(value, str) else "unknown"


def _source(entry: object, shown: Shown) -> Said | str:
    """One source, or why it is left out."""
    if not isinstance(entry, dict):
        return f"expected an object, got {excerpt(entry)}"
    fields = cast("Fields", entry)
    raw = fields.get("label")
    if not isinstance(raw, str):
        return f"expected a label, got {excerpt(raw)}"
    words = " ".join(text for name in ("look_for", "sound", "avoid") if isinstance(text := fields.get(name), str))
    if why := objection(raw) or spoken_to_machines(words):
        return f"{why} ({plain(raw, 30)})"
    label = plain(raw, MAX_LABEL_CHARS)
    if not label:
        return "its label has no plain letters"
    return _said(label, fields, shown)


def _said(label: str, fields: Fields, shown: Shown) -> Said:
    notes: list[str] = []
    direction = direction_deg(fields, notes, shown)
    visible = fields.get("visible")
    spread = _spread(fields.get("spread"), notes)
    if spread is Spread.AMBIENT and direction is not None:
        notes.append("said to be all around and in one direction: taken as all around")
        direction = None
    return Said(
        label=label,
        look_for=_text(fields, "look_for", MAX_LABEL_CHARS, notes),
        sound=_text(fields, "sound", MAX_TEXT_CHARS, notes) or label,
        avoid=_text(fields, "avoid", MAX_TEXT_CHARS, notes),
        spread=spread,
        level_db=_level_db(fields, notes),
        tone_db=_tone_db(fields.get("tone_db"), notes),
        visible=visible if isinstance(visible, bool) else None,
        movement=_movement(fields.get("movement"), notes),
        confidence=_confidence(fields.get("confidence"), notes),
        direction_deg=direction,
        notes=tuple(notes),
    )


def _text(fields: Fields, name: str, limit: int, notes: list[str]) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        return ""
    if len(value) > limit:
        notes.append(f"{name} of {len(value)} characters cut to {limit}")
    return plain(value, limit)


def _spread(value: object, notes: list[str]) -> Spread:
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in {spread.value for spread in Spread}:
        return Spread(word)
    notes.append(f"spread {excerpt(value)} is none of point, area, ambient: taken as a point")
    return Spread.POINT


def _movement(value: object, notes: list[str]) -> Movement:
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in {movement.value for movement in Movement}:
        return Movement(word)
    if value is not None:
        notes.append(f"movement {excerpt(value)} is not known")
    return Movement.UNSAID


def _level_db(fields: Fields, notes: list[str]) -> float | None:
    """DB SPL at 1 m. `v_db`, or a level below 0, is the paper's: peak re full scale."""
    paper = number(fields.get("v_db"))
    said = number(fields.get("level_db"))
    if said is not None and said >= 0:
        return said
    v_db = paper if said is None else said
    if v_db is not None and -80 <= v_db <= 0:
        notes.append(f"level {v_db:g} dB read as peak below full scale")
        return level_db_from_paper(v_db)
    notes.append(f"no usable level ({excerpt(fields.get('level_db'))})")
    return None


def _tone_db(value: object, notes: list[str]) -> tuple[float, float, float]:
    """Three bands from an object or a list; what is missing or no number is 0 dB."""
    if isinstance(value, dict):
        bands = [cast("Fields", value).get(band) for band in ("low", "middle", "high")]
    elif isinstance(value, list) and len(value) == 3:
        bands = cast("list[object]", value)
    else:
        return (0.0, 0.0, 0.0)
    said = [number(band) or 0.0 for band in bands]
    kept = [min(max(band, -MAX_TONE_SAID_DB), MAX_TONE_SAID_DB) for band in said]
    if kept != said:
        notes.append(f"tone kept to ±{MAX_TONE_SAID_DB:g} dB")
    return kept[0], kept[1], kept[2]


def _confidence(value: object, notes: list[str]) -> float:
    said = number(value)
    if said is not None and 1 < said <= 100:
        notes.append(f"confidence {said:g} read as percent")
        return said / 100
    if said is None or not 0 <= said <= 1:
        notes.append(f"no usable confidence ({excerpt(value)})")
        return 0.5
    return said
