"""Exports as their visitors get them: one page from a disk, a folder from any web server; both with sound."""

import functools
import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from browser.courtyard import AHEAD, HOSTILE, LEFT, courtyard, small_world
from browser.node_packages import node_modules
from browser.test_access import NPM, faults, outside
from browser.visitor import SIZE, Visitor
from sonoworld.view.document import CreditPart, CreditsPart
from sonoworld.view.exhibit import Exhibit
from sonoworld.view.export_html import export_html
from sonoworld.view.export_page import About
from sonoworld.view.export_public import publish_folder

pytestmark = pytest.mark.browser
BREAKOUT = "</script></title><script>window.hacked=3</script>"
CREDITS = CreditsPart(
    photo="Jane Doe, CC BY 4.0",
    made=(CreditPart(what="lift: model", by="someone/depth@1234", licence="Apache-2.0"),),
    shown=(CreditPart(what="picture", by="PlayCanvas Engine", licence="MIT"),),
)


def exhibit(label: str = "fountain", title: str = "A small courtyard", lite: bool = False) -> Exhibit:
    return Exhibit(
        scene=small_world(label),
        pictures=(courtyard(),),
        title=title,
        sound="opus" if lite else "flac",
        credits=CREDITS,
    )


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Single pages on the disk."""
    folder = tmp_path_factory.mktemp("pages")
    kinds = {"full": exhibit(), "lite": exhibit(lite=True)}
    return {name: export_html(one, About(one.title), folder / f"a world, {name}.html") for name, one in kinds.items()}


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Python's own file server, without its log."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name in the standard library
        return


@pytest.fixture(scope="module")
def plain_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A folder behind a server that knows nothing of ours."""
    folder = tmp_path_factory.mktemp("host")
    publish_folder(exhibit(lite=True), About("A small courtyard"), folder / "yard")
    (folder / "page.html").write_text(
        '<iframe src="yard/" width="640" height="360" allow="autoplay; xr-spatial-tracking; gyroscope"></iframe>'
    )
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


def opened(chromium: Browser, asked: list[str]) -> Page:
    page = chromium.new_page(viewport={"width": SIZE[0], "height": SIZE[1]}, reduced_motion="reduce")
    page.on("request", lambda request: asked.append(request.url))
    return page


def middle(visitor: Visitor) -> np.ndarray:
    """The usual colour around the middle of the picture, where labels cover some of it."""
    height, width = SIZE[1] // 2, SIZE[0] // 2
    return np.median(visitor.picture()[height - 60 : height + 60, width - 90 : width + 90], axis=(0, 1))


@pytest.mark.parametrize("kind", ["full", "lite"])
def test_one_page_from_a_disk_is_seen_and_heard(chromium: Browser, pages: dict[str, Path], kind: str) -> None:
    asked: list[str] = []
    visitor = Visitor(opened(chromium, asked), pages[kind].as_uri())
    visitor.enter()
    assert visitor.ask("__sonoworld.ears") == "binaural"
    assert visitor.ask("__sonoworld.drawn") == len(courtyard())
    visitor.stand()
    np.testing.assert_allclose(middle(visitor), AHEAD, atol=25)
    visitor.stand(yaw=np.pi / 2)
    np.testing.assert_allclose(middle(visitor), LEFT, atol=25)
    visitor.stand()
    left, right = visitor.listen()
    assert left > 1.5 * right > 0.003  # the fountain stands to the left
    elsewhere = [url for url in asked if not url.startswith(("blob:", "data:"))]
    assert elsewhere == [pages[kind].as_uri()]
    assert not visitor.problems
    visitor.page.close()


def test_full_and_lite_sound_the_same(chromium: Browser, pages: dict[str, Path]) -> None:
    """Opus keeps the length of a clip to the sample: the second turn of the loops still fits the first."""
    heard: dict[str, np.ndarray] = {}
    for kind, file in pages.items():
        visitor = Visitor(opened(chromium, []), file.as_uri())
        both = visitor.ask("__sonoworld.record(2.5, 48000).then((ears) => ears.map((ear) => [...ear]))")
        heard[kind] = np.array(both)
        visitor.page.close()
    full, lite = heard["full"], heard["lite"]
    assert full.shape == lite.shape == (2, 120000)
    for second in (0, 1):
        turn = slice(48000 * second + 2400, 48000 * (second + 1) + 24000)
        assert (
            np.corrcoef(full[0, turn], lite[0, turn])[0, 1] > 0.8
        )  # of noise, which is hardest; a wrong length gives 0


def test_credits_tell_photo_sounds_models_and_software(chromium: Browser, pages: dict[str, Path]) -> None:
    page = opened(chromium, [])
    page.add_init_script(path=node_modules(NPM) / "axe-core" / "axe.min.js")
    visitor = Visitor(page, pages["full"].as_uri())
    visitor.enter()
    page.click("#show-panel")
    page.locator("#credits button").click()
    sheet = page.locator(".credits-sheet")
    text = sheet.inner_text()
    for words in ("Jane Doe, CC BY 4.0", "fountain", "CC0", "someone/depth@1234", "Apache-2.0", "PlayCanvas Engine"):
        assert words in text
    assert sheet.locator("tr", has_text="wind").count() == 1  # both winds have one line
    sheet.locator("summary").click()
    visitor.wait("document.querySelector('.credits-sheet pre').textContent.includes('Permission is hereby granted')")
    assert "kernel.wasm" in sheet.locator("pre").inner_text()
    assert faults(page) + outside(page) == []
    page.keyboard.press("Escape")
    visitor.wait("!document.querySelector('.credits-sheet')")
    assert not visitor.problems
    page.close()


def test_credits_fit_a_phone(chromium: Browser, pages: dict[str, Path]) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.add_init_script(path=node_modules(NPM) / "axe-core" / "axe.min.js")
    visitor = Visitor(page, pages["lite"].as_uri())
    visitor.enter()
    page.click("#show-panel")
    page.locator("#credits button").click()
    assert faults(page) + outside(page) == []
    box = page.locator(".credits-sheet").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    assert box["y"] + box["height"] <= 740
    context.close()


@pytest.mark.parametrize("words", [HOSTILE, BREAKOUT])
def test_hostile_words_do_nothing(chromium: Browser, tmp_path: Path, words: str) -> None:
    hostile = CreditPart(what=words, by=words, licence=words)
    one = replace(exhibit(words, words), credits=CreditsPart(photo=words, made=(hostile,), shown=(hostile,)))
    file = export_html(one, About(words, words), tmp_path / "hostile.html")
    asked: list[str] = []
    visitor = Visitor(opened(chromium, asked), file.as_uri())
    assert words in visitor.page.title()
    visitor.enter()
    visitor.page.click("#show-panel")
    visitor.page.locator("#credits button").click()
    assert words in visitor.page.locator(".credits-sheet").inner_text()
    assert visitor.ask("window.hacked ?? null") is None
    assert [url for url in asked if not url.startswith(("blob:", "data:"))] == [file.as_uri()]
    assert visitor.listen().min() > 0.003
    assert not visitor.problems
    visitor.page.close()


def test_no_script_but_the_pages_own_runs(chromium: Browser, pages: dict[str, Path], tmp_path: Path) -> None:
    """Even where a stranger has written into the file itself."""
    text = pages["full"].read_text("utf-8")
    file = tmp_path / "changed.html"
    file.write_text(text.replace("<body>", "<body><script>window.hacked=1</script><b onclick='hacked=2'>x</b>", 1))
    page = opened(chromium, [])
    page.goto(file.as_uri())
    page.evaluate("document.querySelector('b').click()")
    assert page.evaluate("window.hacked ?? null") is None
    page.close()


def test_where_the_worklet_is_refused_panners_play_and_say_so(chromium: Browser, pages: dict[str, Path]) -> None:
    page = opened(chromium, [])
    page.add_init_script("Worklet.prototype.addModule = () => Promise.reject(new DOMException('no', 'AbortError'))")
    visitor = Visitor(page, pages["full"].as_uri())
    assert "sound is simplified" in page.locator("#problem").inner_text()
    visitor.enter()
    assert visitor.ask("__sonoworld.ears") == "panner"
    assert visitor.listen().min() > 0.001
    assert not visitor.problems
    page.close()


def test_a_plain_web_server_is_enough(chromium: Browser, plain_host: str) -> None:
    asked: list[str] = []
    visitor = Visitor(opened(chromium, asked), f"{plain_host}yard/")
    visitor.enter()
    assert visitor.ask("__sonoworld.ears") == "binaural"
    assert visitor.listen().min() > 0.003
    assert any(url.endswith("000.opus") for url in asked)
    frames = visitor.ask(
        """fetch("clips/000.opus").then((answer) => answer.arrayBuffer())
             .then((bytes) => new OfflineAudioContext(1, 1, 48000).decodeAudioData(bytes))
             .then((clip) => clip.length)"""
    )
    assert frames == 48000
    assert not visitor.problems
    visitor.page.close()


def test_it_plays_inside_another_page(chromium: Browser, plain_host: str) -> None:
    page = opened(chromium, [])
    page.goto(f"{plain_host}page.html")
    frame = page.frame_locator("iframe")
    frame.locator("#enter:not([disabled])").click(timeout=20_000)
    inner = page.frames[1]
    for _ in range(100):
        levels = inner.evaluate("__sonoworld.levels(300)")
        if levels and levels["left"] > 0.003:
            break
        page.wait_for_timeout(50)
    assert inner.evaluate("__sonoworld.audioState") == "running"
    assert inner.evaluate("__sonoworld.levels(300).left") > 0.003
    page.close()
