"""A folder for other people's hosts, and whose work it says it is."""

import json
from pathlib import Path

import cv2
import pytest

from browser.courtyard import courtyard, small_world
from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.view.credits import scene_credits
from sonoworld.view.document import CreditPart, CreditsPart
from sonoworld.view.exhibit import Exhibit
from sonoworld.view.export_page import About
from sonoworld.view.export_public import headers, publish_folder
from sonoworld.view.server import MEDIA_TYPES

CREDITS = CreditsPart(photo="Jane Doe", made=(CreditPart(what="lift", by="popup 2", licence="MIT"),))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    exhibit = Exhibit(scene=small_world(), pictures=(courtyard(),), sound="opus", credits=CREDITS)
    about = About("A yard", "Water", "https://example.org/yard/")
    return publish_folder(exhibit, about, tmp_path_factory.mktemp("public") / "yard")


def test_the_page_is_described_and_can_be_embedded(site: Path) -> None:
    page = (site / "index.html").read_text("utf-8")
    height, width = cv2.imread(str(site / "poster.jpg")).shape[:2]
    assert f'<meta property="og:image:width" content="{width}" />' in page
    assert f'<meta property="og:image:height" content="{height}" />' in page
    assert 'content="https://example.org/yard/poster.jpg"' in page
    assert '<script type="module" src="viewer.js">' in page
    assert (site / "embed.txt").read_text("utf-8").startswith('<iframe src="https://example.org/yard/"')


def test_sounds_and_credits_are_in_the_world(site: Path) -> None:
    world = json.loads((site / "world.json").read_text("utf-8"))
    assert world["credits"]["photo"] == "Jane Doe"
    assert world["credits"]["made"] == [{"what": "lift", "by": "popup 2", "licence": "MIT"}]
    names = [source["clip"]["file"] for source in world["sources"]]
    assert names == [f"clips/{number:03d}.opus" for number in range(4)]
    assert all((site / name).read_bytes()[:4] == b"OggS" for name in names)


def test_hosts_are_told_types_and_policy(site: Path) -> None:
    text = (site / "_headers").read_text("utf-8")
    assert text == headers()
    rules: dict[str, dict[str, str]] = {}
    path = ""
    for line in text.splitlines():
        if not line.startswith(" "):
            path = line
        else:
            name, value = line.strip().split(": ", 1)
            rules.setdefault(path, {})[name] = value
    policy = rules["/*"]["Content-Security-Policy"]
    assert "script-src 'self' 'wasm-unsafe-eval'" in policy
    assert "frame-ancestors" not in policy  # others may embed it
    assert rules["/*.wasm"]["Content-Type"] == "application/wasm"
    assert rules["/*.js"]["Content-Type"] == "text/javascript; charset=utf-8"
    suffixes = {file.suffix for file in site.rglob("*") if file.is_file() and file.name not in ("_headers",)}
    assert suffixes <= set(MEDIA_TYPES)


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="expected a new folder or an earlier export"):
        publish_folder(Exhibit(scene=small_world(), pictures=(courtyard(),)), About("t"), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def made(folder: Path, steps: object) -> Path:
    (folder / "made.json").write_text(json.dumps({"format": 1, "steps": steps}))
    return folder


def test_steps_and_models_are_credited_once(tmp_path: Path) -> None:
    models = [{"model": "a/b@123", "licence": "CC BY-NC 4.0"}] * 2
    steps = {
        "lift": {"backend": "moge", "version": "2", "licence": "MIT", "models": models, "options": {"device": "cpu"}},
        "preview": {"version": "1"},
        "sound": {"backend": "x\n<b>", "version": "", "licence": ""},
    }
    credit = scene_credits(made(tmp_path, steps), "Jane\nDoe")
    assert credit.photo == "Jane Doe"
    assert [(one.what, one.by, one.licence) for one in credit.made] == [
        ("lift", "moge 2", "MIT"),
        ("lift: model", "a/b@123", "CC BY-NC 4.0"),
        ("sound", "x <b>", "not stated"),
    ]
    assert any("Gardner" in one.by for one in credit.shown)


@pytest.mark.parametrize("steps", [[], {"lift": 3}, {"lift": {"backend": 3}}, {"lift": {"models": [{"model": "a"}]}}])
def test_a_malformed_record_is_an_error(tmp_path: Path, steps: object) -> None:
    with pytest.raises(UnsafeFileError, match=r"made\.json"):
        scene_credits(made(tmp_path, steps))
