"""The public surface: what programs and people may rely on, one line each.

    make surface        # writes tests/data/surface.txt again, after a change that was meant

Modules and packages directly below `sonoworld` with their public functions, classes, fields and constants; the verbs of
the command line with their options; stages and backends. A line that goes or changes is a breaking change, and one that
comes a feature (semantic versioning, CONTRIBUTING.md).
"""

import dataclasses
import enum
import importlib
import inspect
import pkgutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import sonoworld

ROOT = Path(__file__).parent.parent
SURFACE = ROOT / "tests" / "data" / "surface.txt"
NOT_OURS = {"assets", "products", "recipes", "cli", "__main__"}


def surface() -> str:
    """All lines, sorted within their parts."""
    names = sorted(m.name for m in pkgutil.iter_modules(sonoworld.__path__) if m.name not in NOT_OURS)
    lines = [line for name in names for line in _module(importlib.import_module(f"sonoworld.{name}"))]
    return "\n".join([*lines, *_verbs(), *_entry_points()]) + "\n"


def _module(module: ModuleType) -> Iterator[str]:
    said = getattr(module, "__all__", None)
    for name, value in sorted(vars(module).items()):
        own = getattr(value, "__module__", module.__name__) == module.__name__ and not inspect.ismodule(value)
        if name.startswith("_") or not (name in said if said is not None else own):
            continue
        where = f"{module.__name__}.{name}"
        if inspect.isclass(value):
            yield from _class(where, value)
        elif inspect.isfunction(value):
            yield f"{where}{_signature(value)}"
        elif name.isupper():
            yield f"{where}"


def _class(where: str, value: type[Any]) -> Iterator[str]:
    bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
    yield f"class {where}({bases})" if bases else f"class {where}"
    if issubclass(value, enum.Enum):
        yield from (f"{where}.{member.name} = {member.value!r}" for member in value)
        return
    if dataclasses.is_dataclass(value):
        yield from (f"{where}.{f.name}" for f in dataclasses.fields(value) if f.name[0] != "_")
    elif hasattr(value, "model_fields"):
        yield from (f"{where}.{name}" for name in value.model_fields)
    for name, member in sorted(vars(value).items()):
        if not name.startswith("_") and inspect.isfunction(member):
            yield f"{where}.{name}{_signature(member)}"
        if not name.startswith("_") and isinstance(member, property):
            yield f"{where}.{name} (property)"


def _signature(function: Any) -> str:
    """Names, kinds and whether there is a default: types are worded otherwise by other versions of Python."""
    parts: list[str] = []
    for p in inspect.signature(inspect.unwrap(function)).parameters.values():
        star = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        if p.kind is p.KEYWORD_ONLY and not any(part.startswith("*") for part in parts):
            parts.append("*")
        parts.append(star + p.name + ("=..." if p.default is not p.empty else ""))
    return f"({', '.join(parts)})"


def _verbs() -> Iterator[str]:
    from sonoworld.cli import build_app  # noqa: PLC0415

    for name, verb in build_app()._subcommands.items():  # tyro says it nowhere else
        yield f"sonoworld {name}{_signature(verb.target)}"


def _entry_points() -> Iterator[str]:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    yield from (
        f"backend {stage.removeprefix('sonoworld.')}.{name}"
        for stage, g in sorted(groups.items())
        for name in sorted(g)
    )


if __name__ == "__main__":
    SURFACE.parent.mkdir(exist_ok=True)
    SURFACE.write_text(surface(), "utf-8")
