"""Imports go one way: values <- backends <- foundations <- stages <- flow <- command line."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "src" / "sonoworld"
VALUES = {"asking", "behaviour", "checked", "errors", "frames", "pointset", "sphere", "tiles", "types", "wording"}
STAGES = {"calibrate", "panorama", "lift", "understand", "segment", "localize", "sound"}
ALLOWED: dict[str, set[str]] = {
    **dict.fromkeys(VALUES, VALUES),
    "backend": VALUES,
    "perceive": VALUES | {"backend", "weights", "perceive"},  # a model that more than one stage asks
    "weights": VALUES | {"backend"},
    "licences": VALUES | {"backend"},
    **{stage: VALUES | {"backend", "perceive", "weights", stage} for stage in STAGES},
    "lift": VALUES
    | {"backend", "disk", "perceive", "weights", "lift", "render"},  # made elsewhere: files; refined: rendered
    "sound": VALUES | {"backend", "disk", "perceive", "weights", "sound"},  # recordings are files
    "terrain": VALUES | {"terrain"},
    "acoustics": VALUES | {"encode", "acoustics"},  # a model of places that rendering and learning share
    "learn": VALUES | {"acoustics", "encode", "disk", "evaluate", "learn", "render"},
    "encode": VALUES | {"backend", "encode"},
    "render": VALUES | {"acoustics", "backend", "encode", "render"},
    # `encode` for the conventions of Ambisonic files, `terrain` for worlds made before they had a ground
    "disk": VALUES | {"acoustics", "backend", "disk", "encode", "terrain"},
    "view": VALUES | {"acoustics", "backend", "disk", "encode", "render", "terrain", "view", "products"},
    "edit": VALUES | {"backend", "disk", "perceive", "localize", "segment", "sound", "understand", "edit"},
    "evaluate": VALUES
    | {"backend", "disk", "encode", "evaluate", "flow", "localize", "perceive", "recipe", "understand", "weights"},
    "study": VALUES | {"disk", "study"},  # stimuli are files
    "testing": VALUES | {"backend"},
    "recipes": set(),
    "assets": set(),
    "recipe": VALUES | {"backend", "recipes", "localize", "encode", "licences"},
    "folders": VALUES | {"backend"},
    "warm": VALUES | {"backend"},
    "plan": VALUES | {"backend", "folders", "recipe", "warm", "weights"},
    "meter": VALUES | {"flow"},
    "stock": VALUES | {"backend", "recipe", "weights"},
    "fetch": VALUES | {"stock"},
    "filming": VALUES | {"disk", "render"},
    "server": VALUES | {"disk", "edit", "flow", "localize", "recipe", "server", "view"},
    "batch": VALUES
    | {"backend", "batch", "disk", "encode", "flow", "localize", "plan", "recipe", "render", "warm", "weights"},
    "env": VALUES | {"batch", "disk", "render"},
    "flow": VALUES | {"backend", "disk", "filming", "recipe", "lift", "localize", "render", "terrain", "warm"},
}
"""What each part may import. The command line may import everything; `flow` names only stages without backends."""


def imported(file: Path) -> set[str]:
    parts: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative imports hide the layers"
            names = [
                f"{node.module}.{alias.name}" if node.module == "sonoworld" else node.module or ""
                for alias in node.names
            ]
        parts |= {name.split(".")[1] for name in names if name.startswith("sonoworld.")}
    return parts - {"__version__"}


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda f: f.relative_to(PACKAGE).as_posix())
def test_imports_go_down(file: Path) -> None:
    part = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if part in ("cli", "__init__", "__main__", "products"):
        return
    assert part in ALLOWED, f"new part {part!r}: say here what it may import"
    above = imported(file) - ALLOWED[part] - {part}
    assert not above, f"{part} must not import {', '.join(sorted(above))}"


def test_no_file_named_for_nothing() -> None:
    bad = {"utils", "util", "helpers", "common", "base", "misc"}
    assert not [f for f in PACKAGE.rglob("*.py") if f.stem in bad]


def test_files_stay_small() -> None:
    long = {f.name: n for f in PACKAGE.rglob("*.py") if (n := len(f.read_text("utf-8").splitlines())) > 400}
    assert not long, f"split these: {long}"


def test_no_pickle() -> None:
    for file in PACKAGE.rglob("*.py"):
        text = file.read_text("utf-8")
        assert "allow_pickle=True" not in text, file
        assert "pickle" not in imported_modules(file), file


def imported_modules(file: Path) -> set[str]:
    tree = ast.parse(file.read_text("utf-8"))
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
