"""Recipes: which backend does each stage, with which options. One TOML table per stage, decoded strictly.

A value arrives by one route whether it stands in a file, in `--set stage.key=value` or in Python: `decode`.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import cast

from pydantic import ValidationError

from sonoworld import backend as backends
from sonoworld.backend import BACKEND_STAGES, Backend, Options
from sonoworld.encode import EncodeOptions
from sonoworld.errors import RecipeError
from sonoworld.licences import commercial_objections
from sonoworld.localize import LocalizeOptions
from sonoworld.types import Stage

DEFAULT = "embedded"
MAX_RECIPE_BYTES = 2**20
PLAIN_STAGES: dict[str, type[Options]] = {"localize": LocalizeOptions, "encode": EncodeOptions}
"""Stages that have options but no rival backends."""

COMMERCIAL = "commercial"
RULES = ""
"""Where options of the whole recipe stand among the tables: no stage has this name."""

Tables = dict[str, dict[str, object]]


@dataclass(frozen=True, slots=True)
class Choice:
    """A backend with its options, ready to be made."""

    backend: Backend
    options: Options


@dataclass(frozen=True, slots=True)
class Recipe:
    """A choice per stage, and the options of the stages that have no backends.

    `commercial`: every choice was found fit for commercial use, as far as licences are known here.
    """

    name: str
    choices: Mapping[Stage, Choice]
    localize: LocalizeOptions
    encode: EncodeOptions
    commercial: bool = False

    def require_available(self) -> None:
        """Raise `BackendMissingError` if any chosen backend cannot run here; nothing has been started yet."""
        for choice in self.choices.values():
            backends.require_available(choice.backend, choice.options)


def names() -> tuple[str, ...]:
    """Recipes that come with the install."""
    return tuple(
        sorted(f.name.removesuffix(".toml") for f in files("sonoworld.recipes").iterdir() if f.name.endswith(".toml"))
    )


def load(recipe: str = DEFAULT, settings: Sequence[str] = ()) -> Recipe:
    """A recipe by name or path, with `stage.key=value` settings laid over it.

    Raises:
        RecipeError: unknown recipe, stage, backend or option, or a value of the wrong type.
    """
    tables = _read(recipe)
    for stage, changes in _settings(settings).items():
        if "backend" in changes and changes["backend"] != tables.get(stage, {}).get("backend"):
            tables[stage] = {}  # options belong to a backend: another backend starts from its own defaults
        tables.setdefault(stage, {}).update(changes)
    return decode(tables, name=Path(recipe).stem)


def decode(tables: Tables, *, name: str) -> Recipe:
    """Tables of plain values into checked options."""
    tables = dict(tables)
    commercial = _rules(tables.pop(RULES, {}), name)
    unknown = [stage for stage in tables if stage not in BACKEND_STAGES and stage not in PLAIN_STAGES]
    if unknown:
        known = ", ".join([*BACKEND_STAGES, *PLAIN_STAGES])
        raise RecipeError(f"recipe {name}: unknown stage {', '.join(unknown)} (expected {known})")
    choices: dict[Stage, Choice] = {stage: _choice(stage, tables.get(stage, {}), name) for stage in BACKEND_STAGES}
    localize = _options(LocalizeOptions, "localize", tables.get("localize", {}))
    encode = _options(EncodeOptions, "encode", tables.get("encode", {}))
    if commercial:
        _require_commercial(choices, name)
    return Recipe(name, choices, cast("LocalizeOptions", localize), cast("EncodeOptions", encode), commercial)


def _rules(table: Mapping[str, object], name: str) -> bool:
    """Whether the recipe is for commercial use."""
    said = table.get(COMMERCIAL, False)
    if not isinstance(said, bool):
        raise RecipeError(f"recipe {name}: {COMMERCIAL}: expected true or false, got {said!r}")
    return said


def _require_commercial(choices: Mapping[Stage, Choice], name: str) -> None:
    objections = [line for choice in choices.values() for line in commercial_objections(choice.backend, choice.options)]
    if objections:
        lines = "\n".join(f"  {line}" for line in objections)
        raise RecipeError(f"recipe {name}: commercial = true refuses\n{lines}")


def _choice(stage: Stage, table: Mapping[str, object], name: str) -> Choice:
    chosen = table.get("backend")
    if not isinstance(chosen, str):
        raise RecipeError(f'recipe {name}: [{stage}] expected backend = "a name", got {chosen!r}')
    spec = backends.find(stage, chosen)
    rest = {key: value for key, value in table.items() if key != "backend"}
    return Choice(spec, _options(spec.options, stage, rest))


def _options(kind: type[Options], stage: str, table: Mapping[str, object]) -> Options:
    try:
        return kind.model_validate(dict(table))
    except ValidationError as error:
        lines = [
            _explain(stage, kind, problem["loc"], problem["msg"], problem.get("input")) for problem in error.errors()
        ]
        raise RecipeError("\n".join(lines)) from error


def _explain(stage: str, kind: type[Options], place: tuple[int | str, ...], message: str, got: object) -> str:
    key = ".".join(str(part) for part in place)
    if key and key not in kind.model_fields and len(place) == 1:
        return f"{stage}.{key}: no such option (expected one of {', '.join(kind.model_fields) or 'none'})"
    return f"{stage}{'.' if key else ''}{key}: {message}, got {got!r}"


def _read(recipe: str) -> Tables:
    if recipe in names():
        text = files("sonoworld.recipes").joinpath(f"{recipe}.toml").read_text("utf-8")
    else:
        path = Path(recipe)
        if not path.is_file():
            raise RecipeError(f"recipe {recipe!r}: expected a file or one of {', '.join(names())}")
        if path.stat().st_size > MAX_RECIPE_BYTES:
            raise RecipeError(f"{path}: expected a recipe of at most {MAX_RECIPE_BYTES} bytes")
        text = path.read_text("utf-8", errors="replace")
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of more than 4300 digits is no TOMLDecodeError
        raise RecipeError(f"recipe {recipe}: not TOML: {error}") from error
    if COMMERCIAL in document:
        document[RULES] = {COMMERCIAL: document.pop(COMMERCIAL)}
    for stage, table in document.items():
        if not isinstance(table, dict):
            raise RecipeError(f"recipe {recipe}: expected only tables such as [panorama], got {stage} = {table!r}")
    return document


def _settings(settings: Sequence[str]) -> Tables:
    tables: Tables = {}
    for setting in settings:
        place, equals, text = setting.partition("=")
        if place.strip() == COMMERCIAL and equals:
            tables.setdefault(RULES, {})[COMMERCIAL] = _value(text.strip())
            continue
        stage, dot, key = place.strip().partition(".")
        if not (equals and dot and stage and key):
            raise RecipeError(f"--set {setting!r}: expected stage.key=value")
        tables.setdefault(stage, {})[key] = _value(text.strip())
    return tables


def _value(text: str) -> object:
    """A TOML value where it is one, otherwise the words as they stand."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def digest(options: Options) -> str:
    """A name for these options' content."""
    return hashlib.sha256(json.dumps(options.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def to_toml(recipe: Recipe) -> str:
    """The whole recipe, every option with its value and meaning, as a TOML file to edit."""
    tables: list[str] = []
    for stage, choice in recipe.choices.items():
        head = [f"[{stage}]", f"backend = {json.dumps(choice.backend.name)}  # {choice.backend.summary}"]
        tables.append("\n".join([*head, *_lines(choice.options)]))
    tables += ["\n".join(["[localize]", *_lines(recipe.localize)]), "\n".join(["[encode]", *_lines(recipe.encode)])]
    head = "commercial = true  # refuse what its licence forbids for commercial use\n\n" if recipe.commercial else ""
    return head + "\n\n".join(tables) + "\n"


def _lines(options: Options) -> list[str]:
    return [
        _line(key, value, type(options).model_fields[key].description or "")
        for key, value in options.model_dump(mode="json").items()
    ]


def _line(key: str, value: object, meaning: str) -> str:
    comment = f"  # {' '.join(meaning.split())}" if meaning else ""
    if value is None:
        return f"# {key} =   # not set{': ' + ' '.join(meaning.split()) if meaning else ''}"
    return f"{key} = {json.dumps(value, ensure_ascii=False)}{comment}"
