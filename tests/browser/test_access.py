"""No serious fault that axe-core finds, in any panel, on a desktop and a phone; and nothing outside the window."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from browser.node_packages import node_modules
from browser.visitor import Visitor

pytestmark = pytest.mark.browser
NPM = Path(__file__).parent / "npm"
Screen = tuple[int, int, bool, Literal["dark", "light"]]
SCREENS: dict[str, Screen] = {
    "desktop": (1280, 720, False, "dark"),
    "desktop, light": (1280, 720, False, "light"),
    "phone": (360, 740, True, "dark"),
    "phone lying, light": (740, 360, True, "light"),
}
STATES = ("gate", "entered", "sounds", "settings", "help")


def faults(page: Page) -> list[str]:
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    bad = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    return [f"{one['id']}: {one['help']}: {node['html']}" for one in bad for node in one["nodes"]]


def outside(page: Page) -> list[str]:
    """Controls that are shown and stick out of the window or of their panel."""
    return page.evaluate(
        """[...document.querySelectorAll('button, select, input, #map, #captions')]
             .filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest('.scrolls'))
             .filter((e) => { const b = e.getBoundingClientRect();
               return b.left < -1 || b.top < -1 || b.right > innerWidth + 1 || b.bottom > innerHeight + 1; })
             .map((e) => e.id || e.textContent)"""
    )


@pytest.mark.parametrize("screen", SCREENS)
def test_no_serious_fault(chromium: Browser, world_url: str, screen: str) -> None:
    width, height, touch, scheme = SCREENS[screen]
    context = chromium.new_context(
        viewport={"width": width, "height": height},
        has_touch=touch,
        is_mobile=touch,
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.add_init_script(path=node_modules(NPM) / "iwer" / "build" / "iwer.min.js")
    page.add_init_script("new IWER.XRDevice(IWER.metaQuest3).installRuntime({ forceInstall: true });")
    page.add_init_script(path=node_modules(NPM) / "axe-core" / "axe.min.js")
    visitor = Visitor(page, world_url)
    found: dict[str, list[str]] = {}
    for state in STATES:
        if state == "entered":
            visitor.enter()
            page.keyboard.press("c")
            page.keyboard.press("v")
            visitor.wait("document.querySelector('#captions p')")
        elif state == "sounds":
            page.click("#show-panel")
            page.locator("summary").first.click()
        elif state == "settings":
            page.click("#show-settings")
        elif state == "help":
            page.keyboard.press("Escape")
            page.keyboard.press("?")
        found[state] = faults(page) + [f"outside: {one}" for one in outside(page)]
    assert found == {state: [] for state in STATES}
    assert not visitor.problems
    context.close()
