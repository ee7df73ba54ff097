"""JSON out of what a model writes: bare, fenced, in the middle of prose, or cut off.

Python's reader also takes NaN and Infinity; they are let through here and dropped field by field later.
"""

import json
import re
from collections.abc import Iterator

from sonoworld.understand.answer_schema import AnswerError

MAX_ANSWER_CHARS = 200_000
"""Ten times the longest honest answer."""

MAX_DEPTH = 20
MAX_STARTS = 50
"""How many places in prose are tried as the beginning of an object."""

_DECODER = json.JSONDecoder()


def document(text: str, *, salvage: bool) -> tuple[dict[str, object], str]:
    """The answer's JSON object, and a note ("" or what had to be done to get it).

    With `salvage`, an answer that was cut off gives the sources that are whole.

    Raises:
        AnswerError: too long, no JSON object in it, or cut off; says where.
    """
    if len(text) > MAX_ANSWER_CHARS:
        raise AnswerError(f"the answer has {len(text)} characters, expected at most {MAX_ANSWER_CHARS}")
    text = text.rpartition("</think>")[2]  # what some local models think aloud is no answer
    for found in _objects(text):
        if "sources" in found:
            return found, ""
    whole = _whole_list(text)
    if whole is not None:
        return {"sources": whole}, "the answer was a bare list"
    if salvage and (sources := _whole_sources(text)):
        return {"sources": sources, **_setting(text)}, "the answer was cut off or broken; its whole sources were kept"
    raise AnswerError(_complaint(text))


def _objects(text: str) -> Iterator[dict[str, object]]:
    """JSON objects in the text, outermost first."""
    at = -1
    for _ in range(MAX_STARTS):
        at = text.find("{", at + 1)
        if at < 0:
            return
        value = _decode(text, at)
        if value is not None and isinstance(value[0], dict):
            yield value[0]
            at = value[1] - 1


def _decode(text: str, at: int) -> tuple[object, int] | None:
    if _too_deep(text, at):
        return None
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None


def _too_deep(text: str, at: int) -> bool:
    """Brackets nested deeper than any answer (those in strings count too: an honest label has none)."""
    depth = 0
    for match in re.finditer(r"[][{}]", text[at:]):
        depth += 1 if match.group() in "[{" else -1
        if depth > MAX_DEPTH:
            return True
        if depth <= 0:
            return False
    return False


def _whole_list(text: str) -> list[object] | None:
    at = text.find("[")
    value = None if at < 0 or 0 <= text.find("{") < at else _decode(text, at)
    if value is None or not isinstance(value[0], list):
        return None
    return value[0] if value[0] and all(isinstance(item, dict) for item in value[0]) else None


def _whole_sources(text: str) -> list[object]:
    """Objects with a label after the word "sources", as far as they are whole."""
    start = max(text.find('"sources"'), 0)
    return [found for found in _objects(text[start:]) if "label" in found]


def _setting(text: str) -> dict[str, object]:
    said = re.search(r'"setting"\s*:\s*"([a-z]{1,20})"', text)
    return {"setting": said.group(1)} if said else {}


def _complaint(text: str) -> str:
    start = text.find("{")
    if start < 0:
        return f"the answer has no JSON object; it begins {text[:60]!r}"
    try:
        json.loads(text[start:])
    except json.JSONDecodeError as error:
        return f"the answer is not whole JSON: {error.msg} at line {error.lineno}, column {error.colno}"
    except RecursionError:
        return "the answer's JSON is nested too deep"
    return 'the answer\'s JSON has no "sources" list'
