"""The pages' code runs as it stands there: Python, recipes, and all commands but those named here with a reason.

Commands run in this process, page by page, in a folder that has what the pages suppose: a photo, a small world under
the names that the pages give it, a clap, a walk. Worlds are made small (`SMALL`), which no page would say.
"""

import contextlib
import io
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from sonoworld import recipe
from sonoworld.cli import main
from sonoworld.disk.ambix import write_ambix
from sonoworld.disk.photo import read_photo
from sonoworld.disk.wav import write_wav
from sonoworld.flow import make_scene
from sonoworld.types import SoundField

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
SMALL = ("panorama.width=256", "sound.seconds=4")
WORLDS = ("my-world", "meadow", "WORLD", "SCENE", "demo-world")
NOT_RUN = {
    r"^(view|serve|listen)\b": "goes on until it is stopped; their servers have tests of their own",
    r"^demo\b": "the whole way at full size: `make demo`",
    r"^film\b|--format video|\.mp4": "needs an extra, and minutes; tests of films",
    r"^models get": "downloads",
    r"--recipe (best|laptop|commercial|release|paper\S*)": "needs weights",
    r"backend[= ](vlm|qwen|llava|stable|x_dec|moge|sam|clipseg|mmaudio|flux)|\bmarble": "needs weights or a server",
    r"^evaluate\b": "minutes, or data that has to be downloaded",
    r"^study\b": "needs stimuli; tests of the study",
    r"^learn separate": "minutes; tests of separation",
    r"--hrtf me\.sofa": "a file of somebody's ears",
    r"lift\.path=depth": "a depth map of somebody's photo; tests of lift.given",
    r"--dry dry\.wav|--kind recording": "a recording of a real room; tests of learning rooms",
    r"^batch|^pack": "tests of batches",
    r"\[|\.\.\.|\b[A-Z]{3,}=|<": "a form to fill in, not a command",
    r"--backend folder|--data|--submission": "needs a folder of recordings",
}
MARK = re.compile(r"\s+#.*$")


def blocks(page: Path) -> list[list[str]]:
    """Code of a page: what stands in fences without a language, and what is indented after an empty line."""
    found: list[list[str]] = []
    fence, previous = "", ""
    for line in page.read_text("utf-8").replace("\\\n", " ").split("\n"):
        if line.lstrip().startswith("```"):
            fence = "" if fence else line.strip()
            found.append([])
        elif fence == "```" or (not fence and line.startswith("    ")):
            if not fence and not previous.startswith("    "):
                found.append([])
            found[-1].append(line.strip() if fence else line[4:])
        previous = line
    return [block for block in found if block]


def commands(page: Path) -> list[str]:
    lines = [MARK.sub("", line).strip() for block in blocks(page) for line in block]
    return [line.removeprefix("sonoworld ") for line in lines if line.startswith("sonoworld ")]


def reason(command: str) -> str | None:
    return next((why for pattern, why in NOT_RUN.items() if re.search(pattern, command)), None)


TYPED = {page: [line for line in commands(page) if reason(line) is None] for page in PAGES}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the pages suppose."""
    folder = tmp_path_factory.mktemp("pages")
    picture = cv2.imread(str(ROOT / "src" / "sonoworld" / "assets" / "meadow.jpg"))
    assert picture is not None
    cv2.imwrite(str(folder / "photo.jpg"), cv2.resize(picture, (240, 160), interpolation=cv2.INTER_AREA))
    (folder / "sources.toml").write_text(
        '[[source]]\nlabel = "stream"\nbox_px = [60, 110, 120, 150]\n\n[[source]]\nlabel = "wind"\nspread = "ambient"\n'
    )
    given = ("understand.backend=given", f"understand.path={folder / 'sources.toml'}")
    make_scene(read_photo(folder / "photo.jpg"), recipe.load("embedded", [*SMALL, *given]), folder / "made")
    rng = np.random.default_rng(0)
    decay = (
        rng.normal(size=(4, 24_000)) * np.exp(-np.arange(24_000) / 4000) * np.array([[0.02], [0.01], [0.01], [0.01]])
    )
    decay[:, 480] += [1, 0, 0, 0.9]
    write_ambix(folder / "clap.wav", SoundField(decay.astype(np.float32), 48_000, 100.0))
    write_wav(folder / "bark.wav", (0.1 * rng.normal(size=(1, 48_000))).astype(np.float32), 48_000)
    return folder


@pytest.fixture
def here(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy for one page, which is where we are."""
    for file in place.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    for name in WORLDS:
        shutil.copytree(place / "made", tmp_path / name)
    shutil.copy(place / "made" / "walk.json", tmp_path / "walk.json")
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def run(command: str) -> None:
    words = shlex.split(command)
    if words[0] == "create":
        words += [word for setting in SMALL for word in ("--set", setting)] + ["--no-film"]
        shutil.rmtree(words[2], ignore_errors=True)
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            main(words)
    except SystemExit as left:
        assert left.code in (None, 0), f"sonoworld {command}\n{said.getvalue()[-1500:]}"


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if TYPED[page]], ids=lambda page: page.name)
def test_the_commands_of_a_page_run(page: Path, here: Path) -> None:
    for command in TYPED[page]:
        run(command)


def test_enough_of_them_run() -> None:
    assert sum(map(len, TYPED.values())) >= 30


def test_no_reason_is_left_over() -> None:
    lines = [line for page in PAGES for line in commands(page)]
    used = {reason(line) for line in lines} - {None}
    assert used <= set(NOT_RUN.values())
    assert [why for pattern, why in NOT_RUN.items() if not any(re.search(pattern, line) for line in lines)] == []


def snippets() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        text = page.read_text("utf-8")
        for number, code in enumerate(re.findall(r"```python\n(.*?)```", text, re.DOTALL)):
            yield f"{page.name} {number}", code
        for block in blocks(page):
            if block[0].startswith(("from ", "import ")):
                yield f"{page.name} indented", "\n".join(block)


@pytest.mark.parametrize(("where", "code"), list(snippets()), ids=[where for where, _ in snippets()])
def test_python_runs(where: str, code: str, here: Path) -> None:
    small = code.replace('load("embedded")', f'load("embedded", {list(SMALL)})')
    exec(compile(small, where, "exec"), {"__name__": where})


def tables() -> Iterator[tuple[str, str]]:
    """Tables of recipes that pages show."""
    for page in PAGES:
        for block in blocks(page):
            for table in re.split(r"\n(?=\[)", "\n".join(block)):
                if re.match(r"\[(calibrate|panorama|lift|seed|understand|segment|sound|localize|encode)\]\n", table):
                    yield page.name, table


@pytest.mark.parametrize(("page", "table"), list(tables()), ids=[f"{page} {i}" for i, (page, _) in enumerate(tables())])
def test_tables_of_recipes_are_options_that_there_are(page: str, table: str) -> None:
    ((stage, options),) = tomllib.loads(table).items()
    settings = [f"{stage}.{key}={_toml(value)}" for key, value in options.items()]
    settings.sort(key=lambda setting: not setting.startswith(f"{stage}.backend="))
    assert recipe.load("embedded", settings) is not None


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
