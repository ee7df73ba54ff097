"""Whose work a world is: the steps and models that made it, as its folder records them, and what its page uses."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from sonoworld import __version__
from sonoworld.disk import atomic
from sonoworld.disk.codec import checked_record
from sonoworld.disk.workspace import MADE
from sonoworld.view.document import CreditPart, CreditsPart
from sonoworld.wording import one_line

MAX_CHARS = 200
MOST = 400
"""Lines; a scene that records more is no scene of ours."""

SHOWN = (
    CreditPart(what="world and page", by=f"sonoworld {__version__}", licence="MIT"),
    CreditPart(what="picture", by="PlayCanvas Engine", licence="MIT"),
    CreditPart(
        what="ears (KEMAR mannequin)",
        by="Bill Gardner and Keith Martin, MIT Media Lab, 1994",
        licence="free to use, authors to be cited",
    ),
)


@dataclass(frozen=True, slots=True)
class _Model:
    model: str
    licence: str


@dataclass(frozen=True, slots=True)
class _Step:
    backend: str = ""
    version: str = ""
    licence: str = ""
    models: tuple[_Model, ...] = ()


@dataclass(frozen=True, slots=True)
class _Made:
    steps: dict[str, _Step]


_MADE = TypeAdapter(_Made).validate_python


def scene_credits(folder: Path, photo: str = "") -> CreditsPart:
    """What an export of the scene in `folder` has to say; `photo` credits the photographer.

    Raises:
        UnsafeFileError: `made.json` is malformed.
    """
    where = folder / MADE
    steps = checked_record(atomic.read_json(where), _MADE, where).steps
    made = [line for name, step in steps.items() if step.backend for line in _of_step(name, step)]
    return CreditsPart(photo=one_line(photo, MAX_CHARS), made=tuple(dict.fromkeys(made))[:MOST], shown=SHOWN)


def _of_step(name: str, step: _Step) -> Iterator[CreditPart]:
    yield _line(name, f"{step.backend} {step.version}".strip(), step.licence)
    for used in step.models:
        yield _line(f"{name}: model", used.model, used.licence)


def _line(what: str, by: str, licence: str) -> CreditPart:
    return CreditPart(
        what=one_line(what, MAX_CHARS),
        by=one_line(by, MAX_CHARS),
        licence=one_line(licence, MAX_CHARS) or "not stated",
    )
