"""The editor has no serious fault that axe-core finds, on a desktop and a phone, and nothing sticks out."""

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from browser.correcting import Editor, served
from browser.garden import make_garden
from browser.node_packages import node_modules
from browser.test_access import NPM, SCREENS, faults, outside

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_garden(tmp_path_factory.mktemp("made") / "garden")


@pytest.mark.parametrize("screen", SCREENS)
def test_no_serious_fault(chromium: Browser, made: Path, tmp_path: Path, screen: str) -> None:
    width, height, touch, scheme = SCREENS[screen]
    scene = Path(shutil.copytree(made, tmp_path / "garden"))
    found: dict[str, list[str]] = {}
    with served(scene) as url:
        editor = Editor(
            chromium,
            url,
            viewport={"width": width, "height": height},
            has_touch=touch,
            is_mobile=touch,
            color_scheme=scheme,
        )
        page = editor.page
        axe = (node_modules(NPM) / "axe-core" / "axe.min.js").read_text("utf-8")

        def look(state: str) -> None:
            found[state] = faults(page) + [f"outside: {one}" for one in outside(page)]
            if "SHOTS" in os.environ:
                page.screenshot(path=Path(os.environ["SHOTS"]) / f"{screen}-{state}.png".replace(" ", "-"))

        page.context.add_init_script(axe)
        page.reload()
        editor.wait("window.__sonoworld")
        page.click("#enter")
        page.click("#show-edit")
        look("open")
        editor.choose("stream")
        look("source")
        editor.press("Candidates")
        page.get_by_text("A recording of mine").click()
        page.locator(".way").scroll_into_view_if_needed()
        look("sound and way")
        editor.press("Draw a path")
        page.get_by_text("Where I look").click()
        look("drawing")
        page.locator("#pointing").get_by_text("Cancel").click()
        editor.press("Add on the panorama")
        page.locator("#add canvas").click(position={"x": 150, "y": 90})
        editor.wait("document.querySelector('#add .offers button')")
        page.locator("#add").get_by_label("Kind").select_option("area")
        page.wait_for_timeout(300)
        look("adding")
        page.keyboard.press("Escape")
        page.route("**/edit/operation", lambda route: route.abort())
        editor.type("Name", "brook")
        editor.problem()
        look("away")
        page.close()
    assert found == {state: [] for state in found}
