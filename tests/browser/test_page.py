import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from browser.courtyard import HOSTILE, small_world
from browser.visitor import Visitor
from sonoworld.view import export_folder, running

pytestmark = pytest.mark.browser


def test_a_hostile_label_is_only_text(chromium: Browser, tmp_path: Path) -> None:
    folder = export_folder(small_world(HOSTILE), tmp_path / "hostile", title=HOSTILE)
    with running(folder) as url:
        visitor = Visitor(chromium.new_page(reduced_motion="reduce"), url)
        visitor.enter()
        visitor.page.click("#show-panel")
        visitor.page.get_by_role("button", name="Look at").first.click()
        assert visitor.ask("window.hacked === undefined && !document.querySelector('img[src=x]')")
        assert HOSTILE in visitor.page.locator("#sources").inner_text()
        assert not visitor.problems
        visitor.page.close()


def test_every_control_has_a_name_and_nothing_was_reported(visitor: Visitor) -> None:
    nameless = visitor.ask(
        """[...document.querySelectorAll(
                'button, input, select, [role=meter], [role=dialog], dialog, canvas:not([aria-hidden]), aside, nav')]
           .filter((e) => !(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby')
                            || e.textContent.trim() || e.closest('label')?.textContent.trim()))
           .map((e) => e.outerHTML)"""
    )
    assert nameless == []
    assert visitor.ask("__sonoworld.sources") == ["fountain", "ivy", "wind", "wind 2"]
    for button in ("Mute", "Solo"):
        names = [item.get_attribute("aria-label") for item in visitor.page.get_by_text(button, exact=True).all()]
        assert len(set(names)) == 4
    assert visitor.problems == []


def test_all_of_it_by_keyboard(chromium: Browser, world_url: str) -> None:
    visitor = Visitor(chromium.new_page(reduced_motion="reduce"), world_url)
    keyboard = visitor.page.keyboard
    assert visitor.ask("document.activeElement.id") == "enter"
    keyboard.press("Enter")
    visitor.wait("__sonoworld.audioState === 'running'")
    keyboard.press("p")
    visitor.wait("!document.getElementById('panel').hidden")
    for _ in range(20):
        keyboard.press("Tab")
        if visitor.ask("document.activeElement.getAttribute('aria-label')") == "Mute fountain":
            break
    keyboard.press("Space")
    assert visitor.ask("document.activeElement.getAttribute('aria-pressed')") == "true"
    keyboard.press("ArrowUp")
    visitor.wait("__sonoworld.pose().position[0] > 0")
    keyboard.press("m")
    visitor.wait("__sonoworld.audioState === 'suspended'")
    assert visitor.problems == []
    visitor.page.close()


@pytest.fixture
def plain_host(world_folder: Path) -> Iterator[str]:
    """Somebody's web host, the world in a folder of it: no headers of ours."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(world_folder.parent))) as host:
        thread = threading.Thread(target=host.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{host.server_port}/{world_folder.name}/"
        host.shutdown()


def test_any_static_host_will_do(chromium: Browser, plain_host: str) -> None:
    visitor = Visitor(chromium.new_page(), plain_host)
    visitor.enter()
    assert visitor.ask("crossOriginIsolated") is False
    assert visitor.ask("__sonoworld.ears") == "binaural"
    assert visitor.listen().min() > 0.003
    evaluated = visitor.ask(
        """new Promise((done) => {
             document.addEventListener('securitypolicyviolation', (event) => done(event.blockedURI));
             const script = document.createElement('script');
             script.textContent = 'window.hacked = 1';
             document.head.append(script);
             setTimeout(() => done(null), 2000);
           })"""
    )
    assert evaluated == "inline"  # the page brings its own policy
    visitor.page.close()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("world.json", b'{"format": 99}', "expected format 1, got 99"),
        ("ears-5.bin", b"short", "No sound: the ears' filters have the wrong size"),
        ("kernel.wasm", b"\0asm\1\0\0\0 and more", "No sound: the audio kernel's file is damaged"),
        ("kernel.wasm", b"\0asm\1\0\0\0", "No sound: the audio kernel does not run"),
        ("splats.sog", b"PK not one", "the picture did not load"),
    ],
)
def test_what_cannot_be_used_is_said(
    chromium: Browser, world_folder: Path, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    for file in world_folder.rglob("*"):
        if file.is_file():
            target = folder / file.relative_to(world_folder)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(file.read_bytes())
    (folder / name).write_bytes(content)
    with running(folder) as url:
        page = chromium.new_page()
        page.goto(url)
        page.locator("#problem").wait_for(state="visible", timeout=15000)
        assert said in page.locator("#problem").inner_text()
        page.close()
