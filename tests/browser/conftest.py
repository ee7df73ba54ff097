import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from browser.courtyard import small_world
from browser.visitor import SIZE, Visitor, find_chromium, launch
from sonoworld.view import export_folder, running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    executable = find_chromium(os.environ.get("CHROMIUM"))
    with sync_playwright() as play:
        browser = launch(play, executable)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def world_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_folder(small_world(), tmp_path_factory.mktemp("worlds") / "courtyard", title="A small courtyard")


@pytest.fixture(scope="session")
def world_url(world_folder: Path) -> Iterator[str]:
    with running(world_folder) as url:
        yield url


@pytest.fixture(scope="session")
def entered(chromium: Browser, world_url: str) -> Iterator[Visitor]:
    page = chromium.new_page(viewport={"width": SIZE[0], "height": SIZE[1]}, reduced_motion="reduce")
    visitor = Visitor(page, world_url)
    visitor.enter()
    page.click("#show-panel")
    yield visitor
    page.close()


@pytest.fixture
def visitor(entered: Visitor) -> Visitor:
    """Back at the start, everything heard."""
    for button in entered.page.locator("#sources button[aria-pressed=true]").all():
        button.click()
    entered.stand()
    return entered
