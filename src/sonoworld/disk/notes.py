"""What the steps of a scene say beside their results: what they left out, and whose models they used (`made.json`)."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from pydantic import TypeAdapter

from sonoworld.disk import atomic
from sonoworld.disk.codec import checked_record
from sonoworld.disk.workspace import MADE
from sonoworld.errors import UnsafeFileError
from sonoworld.wording import one_line

LEFT_OUT, MODELS = "left_out", "models"
STEPS = ("understand", "segment", "localize")
"""Steps that always say what they left out, in their order; in scenes made before they did, they say nothing."""

MOST = 200
"""Lines kept for a step; how many more there were is the last of them."""

MAX_CHARS = 200


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something found that does not sound: what, why, and how often the same was said."""

    what: str
    why: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Model:
    """Weights that were truly used, as `id@commit` or by file, and their licence."""

    model: str
    licence: str


@dataclass(frozen=True, slots=True)
class Heard:
    """Collects what a step says while it runs."""

    left_out: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    models: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def leave_out(self, what: str, why: str) -> None:
        """Something was found that is not in the result."""
        self.left_out.append((what, why))

    def credit(self, model: str, licence: str) -> None:
        """These weights were used."""
        self.models.append((model, licence))

    def record(self, step: str) -> dict[str, object]:
        """What is kept in the step's provenance; equal lines become one that counts, in the order of first mention."""
        kept: dict[str, object] = {}
        if self.left_out or step in STEPS:
            kept[LEFT_OUT] = _counted(self.left_out)
        if self.models:
            pairs = dict.fromkeys((one_line(m, MAX_CHARS), one_line(licence, MAX_CHARS)) for m, licence in self.models)
            kept[MODELS] = [{"model": model, "licence": licence} for model, licence in list(pairs)[:MOST]]
        return kept


def _counted(said: list[tuple[str, str]]) -> list[dict[str, object]]:
    counted = Counter((one_line(what, MAX_CHARS), one_line(why, MAX_CHARS)) for what, why in said)
    lines: list[dict[str, object]] = [
        {"what": what, "why": why, "times": times} for (what, why), times in counted.items()
    ]
    more = sum(times for times in list(counted.values())[MOST:])
    if more:
        lines[MOST:] = [{"what": "others", "why": f"beyond the first {MOST}", "times": more}]
    return lines


@dataclass(frozen=True, slots=True)
class StepNotes:
    """A step as it was made: its backend, what it left out (None: it does not say), and the models it used."""

    backend: str
    left_out: tuple[LeftOut, ...] | None
    models: tuple[Model, ...]


_LEFT_OUT = TypeAdapter(list[LeftOut]).validate_python
_MODELS = TypeAdapter(list[Model]).validate_python


def load_notes(folder: Path) -> dict[str, StepNotes]:
    """What each step of a scene says; a step that is not recorded says nothing.

    Raises:
        UnsafeFileError: `made.json` is malformed.
    """
    where = folder / MADE
    document = atomic.read_json(where)
    steps = cast("dict[str, object]", document).get("steps") if isinstance(document, dict) else None
    if not isinstance(steps, dict):
        raise UnsafeFileError(f"{where}: expected a table of steps")
    table = cast("dict[str, object]", steps)
    return {name: _of_step(table[name], where) for name in dict.fromkeys((*STEPS, *table)) if name in table}


def _of_step(step: object, where: Path) -> StepNotes:
    record = cast("dict[str, object]", step) if isinstance(step, dict) else {}
    left_out = tuple(checked_record(record[LEFT_OUT], _LEFT_OUT, where)) if LEFT_OUT in record else None
    models = tuple(checked_record(record.get(MODELS, []), _MODELS, where))
    most = max(len(left_out or ()), len(models))
    if most > MOST + 1:
        raise UnsafeFileError(f"{where}: expected at most {MOST + 1} notes of a step, got {most}")
    backend = record.get("backend", "")
    return StepNotes(backend if isinstance(backend, str) else "", left_out, models)
