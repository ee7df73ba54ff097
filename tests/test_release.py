"""What a release promises: its public surface, its version, what it is built for."""

import difflib
import re
import tomllib
from pathlib import Path

import make_surface
import sonoworld

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_the_public_surface_is_the_pinned_one() -> None:
    pinned = make_surface.SURFACE.read_text("utf-8").splitlines()
    change = [
        line
        for line in difflib.unified_diff(pinned, make_surface.surface().splitlines(), lineterm="", n=0)
        if not line.startswith(("---", "+++", "@@"))
    ]
    assert not change, "the public surface changed; if that is meant: make surface\n" + "\n".join(change)


def test_the_surface_has_what_the_first_page_uses() -> None:
    lines = make_surface.SURFACE.read_text("utf-8")
    for line in ("sonoworld.flow.make_scene(photo, recipe, folder", "sonoworld create(", "backend lift.popup"):
        assert line in lines


def test_one_version_everywhere() -> None:
    version = PROJECT["project"]["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+(?:[ab]\d+|rc\d+)?", version)
    assert sonoworld.__version__ == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == version


def test_wheels_are_configured_for_all_three_systems() -> None:
    wheels = PROJECT["tool"]["cibuildwheel"]
    assert {"linux", "macos", "windows"} <= set(wheels)
    least = re.match(r">=3\.(\d+)", PROJECT["project"]["requires-python"])
    assert least is not None
    assert wheels["build"].split()[0] == f"cp3{least[1]}-*"


def test_what_the_sdist_needs_is_in_it() -> None:
    included = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    for needed in ("/src", "/buildhook", "/web", "/native"):
        assert needed in included
        assert (ROOT / needed[1:]).is_dir()
