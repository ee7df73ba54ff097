"""What people sent back, read with the key: who chose which method, and who wore headphones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sonoworld.disk import atomic
from sonoworld.errors import InputError
from sonoworld.study import site
from sonoworld.study.design import Design, from_json
from sonoworld.study.headphones import LEAST_PITCHES


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: for one scene and one criterion a method was chosen over another."""

    scene: str
    criterion: str
    chosen: str
    other: str
    was_first: bool


@dataclass(frozen=True, slots=True)
class Listener:
    """One person.

    Attributes:
        number: in the design.
        pitches: right answers about the tone in noise.
        ears: right answers about left and right.
        choices: all, in order.
    """

    number: int
    pitches: int
    ears: int
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """What was asked, and the right answers of the headphone check, in order."""

    study: str
    design: Design
    checks: tuple[tuple[str, int], ...]


def read_key(file: Path) -> Key:
    """The key of a study.

    Raises:
        InputError: this is none, or it was changed.
    """
    plain = _document(file)
    try:
        checks = tuple((str(check["kind"]), int(check["answer"])) for check in plain["checks"])
        said = str(plain["study"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{file}: this is not the key of a study: {error!r}") from error
    if plain.get("format") != site.FORMAT or site.study_id(plain) != said:
        raise InputError(f"{file}: expected a key of format {site.FORMAT} as it was made, got another or a changed one")
    return Key(said, from_json(plain), checks)


def read(files: Sequence[Path], key: Key) -> list[Listener]:
    """All files of answers.

    Raises:
        InputError: a file is of another study, incomplete or malformed, or a listener is there twice.
    """
    if not files:
        raise InputError("expected at least one file of answers, got none")
    people = [_listener(file, key) for file in files]
    numbers = [person.number for person in people]
    if twice := sorted({n for n in numbers if numbers.count(n) > 1}):
        raise InputError(f"listener {', '.join(map(str, twice))} answered twice: keep one file of each")
    return people


def wore_headphones(person: Listener, key: Key) -> bool:
    """Whether the tone was found `LEAST_PITCHES` times, and every ear was the right one."""
    return person.pitches >= LEAST_PITCHES and person.ears == sum(kind == "ear" for kind, _ in key.checks)


def _listener(file: Path, key: Key) -> Listener:
    plain = _document(file)
    if plain.get("study") != key.study:
        raise InputError(f"{file}: expected answers of study {key.study}, got {plain.get('study')!r}")
    try:
        number, said = int(plain["listener"]), [int(answer) for answer in plain["checks"]]
        answers = [dict(answer["choices"]) for answer in plain["answers"]]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{file}: these are not answers of a study: {error!r}") from error
    if not 1 <= number <= len(key.design.listeners):
        raise InputError(f"{file}: expected listener 1..{len(key.design.listeners)}, got {number}")
    trials = key.design.listeners[number - 1]
    if len(answers) != len(trials) or len(said) != len(key.checks):
        raise InputError(
            f"{file}: expected {len(key.checks)} checks and {len(trials)} answers, got {len(said)} and {len(answers)}"
        )
    right = [kind for (kind, answer), given in zip(key.checks, said, strict=True) if answer == given]
    choices = tuple(
        _choice(file, trial.scene, criterion, (trial.first, trial.second), answer)
        for trial, answer in zip(trials, answers, strict=True)
        for criterion in key.design.criteria
    )
    return Listener(number, right.count("pitch"), right.count("ear"), choices)


def _choice(file: Path, scene: str, criterion: str, pair: tuple[str, str], answer: Mapping[str, Any]) -> Choice:
    side = answer.get(criterion)
    if type(side) is not int or side not in (0, 1):
        raise InputError(f"{file}: {scene}, {criterion}: expected 0 or 1, got {side!r}")
    return Choice(scene, criterion, pair[side], pair[1 - side], side == 0)


def _document(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise InputError(f"{file}: expected a file, got nothing there")
    plain = atomic.read_json(file)
    if not isinstance(plain, dict):
        raise InputError(f"{file}: expected a JSON object, got {type(plain).__name__}")
    return {str(name): value for name, value in plain.items()}
