"""What a vision-language model may say about the sounds of a place: one schema for all of them, and its JSON Schema.

Two forms of the same: `asked_schema()` is what a server with structured outputs is held to (every field required, no
ranges: not all servers take them); `Said` is one source after reading, whole and within its ranges.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from sonoworld.behaviour import Movement
from sonoworld.errors import StageError
from sonoworld.types import FULL_SCALE_DB, Spread

SCHEMA_VERSION = "1"
"""Goes into the key of stored answers: another schema asks again."""

CREST_DB = 20.0
"""How far a recording's RMS lies below its peak: 13 dB (waterfall) to 31 dB (clock) measured, a middle value."""

MAX_LABEL_CHARS = 60
MAX_TEXT_CHARS = 300

Setting = Literal["indoors", "town", "nature", "unknown"]
Degrees = Annotated[float, Field(allow_inf_nan=False)]


class AnswerError(StageError):
    """A model's answer that cannot be used; the message may be sent back to the model, and is fit for people."""


class Said(BaseModel):
    """One source as a model said it, cleaned. `notes` says what had to be changed or supposed, for people.

    `level_db` is dB SPL at 1 m (ambience: where one stands), None where nothing usable was said. `direction_deg` is
    azimuth (left +) and elevation (up +), degrees.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: Annotated[str, Field(min_length=1, max_length=MAX_LABEL_CHARS, pattern=r"\S")]
    look_for: Annotated[str, Field(max_length=MAX_LABEL_CHARS)] = ""
    sound: Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARS)]
    avoid: Annotated[str, Field(max_length=MAX_TEXT_CHARS)] = ""
    spread: Spread
    level_db: Annotated[float, Field(allow_inf_nan=False)] | None = None
    tone_db: tuple[Degrees, Degrees, Degrees] = (0.0, 0.0, 0.0)
    visible: bool | None = None
    movement: Movement = Movement.UNSAID
    confidence: Annotated[float, Field(ge=0, le=1)] = 0.5
    direction_deg: tuple[Degrees, Annotated[float, Field(ge=-90, le=90)]] | None = None
    notes: tuple[str, ...] = ()


class Answer(BaseModel):
    """A whole answer: where we are, what sounds, and why some of what was said is left out (one line for each)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    setting: Setting
    sources: tuple[Said, ...]
    left_out: tuple[str, ...] = ()


def level_db_from_paper(v_db: float) -> float:
    """DB SPL at 1 m of the paper's v: L = 100 + v − 20.

    SonoWorld scales a recording by 10^(v/20), so that v is its peak in dB below full scale; its RMS lies `CREST_DB`
    lower, and an RMS of full scale is 100 dB SPL. The release's defaults −18 (things) and −28 (background) become 62
    and 52 dB: a voice, a street behind the houses.
    """
    return FULL_SCALE_DB + v_db - CREST_DB


def asked_schema() -> dict[str, object]:
    """The JSON Schema of an answer for structured outputs: strict, all fields required, nothing beside them."""
    source = _object(
        {
            "label": _text("short name of what sounds, two or three words"),
            "look_for": _text("what to look for in the picture: the visible thing the sound comes from"),
            "sound": _text("one sentence for a sound generator, without place names"),
            "avoid": _text("what must not be heard in it; empty if nothing"),
            "spread": {"type": "string", "enum": [spread.value for spread in Spread]},
            "level_db": _number("dB SPL at 1 m; for ambient, where the listener stands"),
            "tone_db": _object({band: _number("dB") for band in ("low", "middle", "high")}),
            "visible": {"type": "boolean"},
            "movement": {"type": "string", "enum": ["still", "passing", "roaming"]},
            "confidence": _number("0..1, how likely it is heard here"),
            "direction": _maybe(
                _object({"azimuth_deg": _number("left is +"), "elevation_deg": _number("up is +")}),
            ),
            "box": _maybe(_object({edge: _number("0..1 of the panorama") for edge in ("x0", "y0", "x1", "y1")})),
        }
    )
    setting = {"type": "string", "enum": ["indoors", "town", "nature", "unknown"], "description": "where we stand"}
    return _object({"setting": setting, "sources": {"type": "array", "items": source}})


def _object(fields: Mapping[str, object]) -> dict[str, object]:
    return {"type": "object", "properties": dict(fields), "required": list(fields), "additionalProperties": False}


def _text(meaning: str) -> dict[str, object]:
    return {"type": "string", "description": meaning}


def _number(meaning: str) -> dict[str, object]:
    return {"type": "number", "description": meaning}


def _maybe(schema: dict[str, object]) -> dict[str, object]:
    return {"anyOf": [schema, {"type": "null"}]}
