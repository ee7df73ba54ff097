"""What an editor can ask for: the same words in Python, on the command line, over HTTP and in the journal.

Lengths in m, world axes (x ahead, y left, z up); times in s; levels in dB SPL at 1 m. A `direction` points from the
photo's eye and need not be of length 1.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from sonoworld.errors import InputError
from sonoworld.types import Spread

MOST_KEYS = 1000
FARTHEST_M = 1e5

Metres = Annotated[float, Field(ge=-FARTHEST_M, le=FARTHEST_M, allow_inf_nan=False)]
Point = tuple[Metres, Metres, Metres]
Words = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
Prompt = Annotated[str, Field(max_length=1000)]
LevelDb = Annotated[float, Field(ge=-20, le=160, allow_inf_nan=False)]
Tolerance = Annotated[float, Field(ge=1, le=60, allow_inf_nan=False)]
Seed = Annotated[int, Field(ge=0, lt=2**53)]
SourceId = Annotated[str, Field(min_length=1, max_length=100)]


class _Operation(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Add(_Operation):
    """A new source where somebody points: the region that hangs together there, grown within `tolerance` (CIELAB).

    What is not said is suggested by what the picture shows. `seed` decides its sound; None: a fresh one.
    """

    op: Literal["add"] = "add"
    direction: Point
    tolerance: Tolerance = 12.0
    label: Words | None = None
    prompt: Prompt | None = None
    spread: Spread | None = None
    level_db: LevelDb | None = None
    seed: Seed | None = None


class Move(_Operation):
    """A source goes elsewhere as it is, its path with it: its centre to `position`, or to what `direction` shows."""

    op: Literal["move"] = "move"
    id: SourceId
    position: Point | None = None
    direction: Point | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "Move":
        if (self.position is None) == (self.direction is None):
            raise ValueError("expected either a position or a direction")
        return self


class Widen(_Operation):
    """A source fills a disc of that radius, facing the eye, or its own surface scaled to it; 0 makes it a point."""

    op: Literal["widen"] = "widen"
    id: SourceId
    radius_m: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]


class Rename(_Operation):
    """Another label, and another prompt where it is given. Its sound stays: `sound` makes one of the new words."""

    op: Literal["rename"] = "rename"
    id: SourceId
    label: Words | None = None
    prompt: Prompt | None = None

    @model_validator(mode="after")
    def _something(self) -> "Rename":
        if self.label is None and self.prompt is None:
            raise ValueError("expected a label or a prompt")
        return self


class Retype(_Operation):
    """Point, area or ambient. An area is the region that hangs together in `direction`, by default at the source."""

    op: Literal["retype"] = "retype"
    id: SourceId
    spread: Spread
    direction: Point | None = None
    tolerance: Tolerance = 12.0


class Level(_Operation):
    """Another level."""

    op: Literal["level"] = "level"
    id: SourceId
    level_db: LevelDb


class Mute(_Operation):
    """Kept, but silent everywhere; or heard again."""

    op: Literal["mute"] = "mute"
    id: SourceId
    muted: bool = True


class Remove(_Operation):
    """Gone, until somebody undoes it."""

    op: Literal["remove"] = "remove"
    id: SourceId


class Sound(_Operation):
    """Another sound: a recording (`file`), or one made of its words by a backend, with `seed`; None: a fresh one.

    `backend` None is the one that made the world's sounds. `file` is a path for the command line, and what an upload
    was answered with for others. `licence` and `author` are the recording's.
    """

    op: Literal["sound"] = "sound"
    id: SourceId
    file: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    backend: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    seed: Seed | None = None
    licence: Annotated[str, Field(max_length=200)] = ""
    author: Annotated[str, Field(max_length=200)] = ""

    @model_validator(mode="after")
    def _one_kind(self) -> "Sound":
        if self.file is not None and (self.backend is not None or self.seed is not None):
            raise ValueError("expected a file, or a backend and a seed, not both")
        return self


class Path(_Operation):
    """Where its centre goes, at rising times from 0 s on; no times: it stays where it is."""

    op: Literal["path"] = "path"
    id: SourceId
    times_s: Annotated[
        tuple[Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)], ...], Field(max_length=MOST_KEYS)
    ]
    positions: Annotated[tuple[Point, ...], Field(max_length=MOST_KEYS)]
    loops: bool = False
    faces_ahead: bool = False


Operation = Annotated[
    Add | Move | Widen | Rename | Retype | Level | Mute | Remove | Sound | Path, Field(discriminator="op")
]
_OPERATION: TypeAdapter[Operation] = TypeAdapter(Operation)


def parse_operation(document: object) -> Operation:
    """A JSON document as an operation.

    Raises:
        InputError: it is none, or one of its values is out of range.
    """
    try:
        return _OPERATION.validate_python(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"edit: {place}{': ' if place else ''}{first['msg']}") from error
