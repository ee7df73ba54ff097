"""What the pages tell people to type: the verbs and options are there, links and pictures lead somewhere, code runs."""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from sonoworld.cli import main

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CONVENTIONS.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
GROUPS = {"edit", "evaluate", "learn", "study", "models"}
"""Verbs with verbs of their own."""


def commands(page: Path) -> list[list[str]]:
    """Lines that begin with `sonoworld `, cut into words; what follows a # is for people."""
    text = page.read_text("utf-8").replace("\\\n", " ")
    lines = re.findall(r"^\s*(?:\$ )?sonoworld (.+)$", text, re.MULTILINE)
    spans = re.findall(r"`sonoworld ([^`]+)`", text)
    return [shlex.split(line.split(" #")[0]) for line in (*lines, *spans)]


@cache
def help_of(*verb: str) -> str:
    said = io.StringIO()
    width = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "400"
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), contextlib.suppress(SystemExit):
            main([*verb, "--help"])
    finally:
        os.environ.pop("COLUMNS") if width is None else os.environ.update(COLUMNS=width)
    return said.getvalue() if "usage: sonoworld " + " ".join(verb) in said.getvalue() else ""


TYPED = sorted({(page.name, " ".join(words)) for page in PAGES for words in commands(page) if words})


@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_the_verbs_and_options_of_a_page_are_there(page: str) -> None:
    typed = [line.split() for name, line in TYPED if name == page]
    for words in typed:
        verb = re.sub(r"\W+$", "", words[0])
        text = help_of(verb)
        assert text, f"{page}: there is no verb {verb!r} (sonoworld {' '.join(words)})"
        if verb in GROUPS:
            below = [word for word in words[1:] if re.fullmatch(r"[a-z0-9]+", word) and help_of(verb, word)]
            text += help_of(verb, below[0]) if below else ""
        for word in words[1:]:
            option = re.match(r"--[a-z][a-z-]*", word)
            if option and option[0] not in ("--set", "--help"):
                assert option[0] in text, f"{page}: sonoworld {verb} has no {option[0]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for address in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
        if not re.match(r"[a-z]+:", address):
            assert (page.parent / address).exists(), f"{page.name}: {address}"


def test_every_page_is_in_the_site() -> None:
    told = (ROOT / "mkdocs.yml").read_text("utf-8")
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f": {page.name}" not in told] == []


def test_the_first_page_runs(tmp_path: Path) -> None:
    """Its Python, as it stands, on a small photo."""
    import cv2  # noqa: PLC0415

    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "index.md").read_text("utf-8"), re.DOTALL)
    picture = cv2.imread(str(ROOT / "src" / "sonoworld" / "assets" / "meadow.jpg"))
    assert picture is not None
    cv2.imwrite(str(tmp_path / "photo.jpg"), cv2.resize(picture, (240, 160), interpolation=cv2.INTER_AREA))
    small = block.replace('load("embedded")', 'load("embedded", ["panorama.width=256", "sound.seconds=4"])')
    done = subprocess.run(
        [sys.executable, "-c", small + "\nassert ears.shape == (2, 96000), ears.shape"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
