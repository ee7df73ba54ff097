"""One page that holds a world; what a stranger wrote stays data. `test_export.py` opens such pages in a browser."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from browser.courtyard import HOSTILE, courtyard, small_world
from sonoworld.errors import InputError
from sonoworld.view import export_html as html
from sonoworld.view.exhibit import Exhibit
from sonoworld.view.export_html import export_html, one_page
from sonoworld.view.export_page import About
from sonoworld.view.export_public import publish_folder

BREAKOUT = "</script></title><script>window.hacked=3</script><!--"


def exhibit(label: str = "fountain", title: str = "A yard") -> Exhibit:
    return Exhibit(scene=small_world(label), pictures=(courtyard(),), title=title)


class Scripts(HTMLParser):
    """Every element's name, and of scripts their attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.inside = ""
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.policy = ""
        self.style = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.inside = tag
        fields = dict(attrs)
        if tag == "script":
            self.scripts.append((fields, ""))
        if fields.get("http-equiv") == "Content-Security-Policy":
            self.policy = str(fields["content"])

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            fields, text = self.scripts[-1]
            self.scripts[-1] = (fields, text + data)
        elif self.inside == "style":
            self.style += data


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("html")
    return export_html(exhibit(), About("A yard"), folder / "yard.html").read_text("utf-8")


def test_all_of_the_site_is_inside(page: str, tmp_path: Path) -> None:
    site = publish_folder(exhibit(), About("A yard"), tmp_path / "site")
    held = {str(fields["data-file"]): text for fields, text in Scripts(page).scripts if "data-file" in fields}
    beside = {"index.html", "viewer.js", "viewer.css", "icon.svg", "embed.txt", "_headers"}
    names = {file.relative_to(site).as_posix() for file in site.rglob("*") if file.is_file()}
    assert set(held) == names - beside
    for name, text in held.items():
        assert base64.b64decode(text, validate=True) == (site / name).read_bytes(), name


def test_it_refers_to_no_other_file(page: str) -> None:
    markup = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    addresses = re.findall(r'(?:href|src)="([^"]*)"', markup)
    assert addresses
    assert all(one.startswith("data:image/svg+xml;base64,") for one in addresses)


def test_only_the_pages_own_script_and_style_run(page: str) -> None:
    seen = Scripts(page)
    (program,) = [text for fields, text in seen.scripts if fields.get("type") == "module"]
    for text in (program, seen.style):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in seen.policy
    assert "unsafe-inline" not in seen.policy
    assert "'unsafe-eval'" not in seen.policy
    assert "default-src 'none'" in seen.policy


@pytest.mark.parametrize("words", [HOSTILE, BREAKOUT])
def test_hostile_words_change_nothing_but_data(page: str, tmp_path: Path, words: str) -> None:
    made = export_html(exhibit(words, words), About(words, words), tmp_path / "x.html").read_text("utf-8")
    ours, theirs = Scripts(page), Scripts(made)
    assert [name for name in theirs.names if name != "meta"] == [name for name in ours.names if name != "meta"]
    assert theirs.policy == ours.policy
    world = next(text for fields, text in theirs.scripts if fields.get("data-file") == "world.json")
    assert json.loads(base64.b64decode(world))["sources"][0]["label"] == words


def test_the_same_world_gives_the_same_bytes(page: str, tmp_path: Path) -> None:
    assert export_html(exhibit(), About("A yard"), tmp_path / "b.html").read_text("utf-8") == page


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "thesis.html"
    path.write_text("<html>mine</html>")
    with pytest.raises(InputError, match="expected a new file or an earlier export"):
        export_html(exhibit(), About("t"), path)
    assert path.read_text() == "<html>mine</html>"
    with pytest.raises(InputError, match="expected a file, got a folder"):
        export_html(exhibit(), About("t"), tmp_path)


def test_a_failure_leaves_the_earlier_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = export_html(exhibit(), About("old"), tmp_path / "a.html")
    before = path.read_bytes()

    def disk_full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(html.atomic, "write_bytes", disk_full)
    with pytest.raises(OSError, match="No space left"):
        export_html(exhibit(), About("new"), path)
    assert path.read_bytes() == before
    monkeypatch.undo()
    export_html(exhibit(), About("new"), path)
    assert b"<title>new</title>" in path.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["a.html"]


def test_too_large_says_how_to_get_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "MOST_BYTES", 100_000)
    with pytest.raises(InputError, match=r"expected at most 0 MB .*picture .*sound .*--lite.*--to folder"):
        export_html(exhibit(), About("t"), tmp_path / "a.html")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("file", "change", "says"),
    [
        ("index.html", ('href="viewer.css"', 'href="other.css"'), "the link to its style"),
        ("index.html", ("</body>", '<img src="x.png" /></body>'), "expected no other file"),
        ("viewer.css", ("}", "}</STYLE>"), "can stand inside a page"),
        ("viewer.js", (";", ";'</script>';"), "can stand inside a page"),
    ],
)
def test_a_page_that_cannot_be_held_is_an_error(tmp_path: Path, file: str, change: tuple[str, str], says: str) -> None:
    site = publish_folder(replace(exhibit(), scene=replace(small_world(), sources=())), About("t"), tmp_path / "s")
    path = site / file
    path.write_text(path.read_text("utf-8").replace(*change, 1), "utf-8")
    with pytest.raises(InputError, match=says):
        one_page(site)
