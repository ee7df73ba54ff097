"""From an empty gallery to a world that is walked, heard and corrected: by a photo dropped in the page, no more."""

import base64
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from browser.correcting import KEY, Editor
from sonoworld.disk.scene import check_scene
from sonoworld.server.app import gallery_app
from sonoworld.view.listening import Address, listening

pytestmark = pytest.mark.browser
SMALL = ("panorama.width=512", "sound.seconds=4")

DROP = """([name, data]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
  for (const kind of ["dragenter", "dragover", "drop"])
    document.body.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer }));
}"""


def watched(page: Page) -> set[str]:
    """Every word of progress until the world is ready."""
    seen: set[str] = set()
    for _ in range(3000):
        said = page.locator("#jobs .said").all_inner_texts()
        seen.update(said)
        if "ready to walk in" in said:
            return seen
        page.wait_for_timeout(40)
    raise AssertionError(f"never ready: {seen}")


def test_from_a_dropped_photo_to_a_walk(chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # of the process that makes the world
    photo = files("sonoworld").joinpath("assets", "meadow.jpg").read_bytes()
    app = gallery_app(tmp_path / "worlds", "127.0.0.1", KEY, settings=SMALL)
    with app as guard, listening(guard, Address(port=0)) as url:
        page = chromium.new_page(reduced_motion="reduce")
        page.goto(f"{url}{KEY}/")
        page.get_by_text("No worlds yet").wait_for()
        page.evaluate(DROP, ["Our Meadow.jpg", base64.b64encode(photo).decode()])
        page.locator("#jobs li").wait_for()
        said = watched(page)
        percents = {int(one.split(" %")[0]) for one in said if " %" in one}
        assert len(percents) > 3, said
        assert any("making sounds" in one or "measuring how far" in one for one in said), said
        address = page.get_by_role("link", name="Open Our Meadow.jpg").get_attribute("href")
        page.close()
        assert address == "worlds/our-meadow/?edit"

        visitor = Editor(chromium, f"{url}{KEY}/{address}", viewport={"width": 800, "height": 450})
        assert visitor.heard
        assert visitor.picture().std() > 10  # there is something to see
        start = visitor.position
        visitor.page.locator("#world").focus()
        visitor.page.keyboard.down("w")
        visitor.wait("Math.hypot(...__sonoworld.pose().position) > 0.3")
        visitor.page.keyboard.up("w")
        assert np.linalg.norm(visitor.position - start) > 0.3
        assert visitor.listen(600).max() > 1e-3
        visitor.choose(visitor.labels[0])
        visitor.type("Name", "what I hear")
        visitor.saved(1)
        assert visitor.heard[0] == "what I hear"
        assert visitor.problems == []
        visitor.page.close()
    assert check_scene(tmp_path / "worlds" / "our-meadow") == ()
