"""Somebody at the editor: a visitor of a garden's page that may be edited, and servers for them."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator

from browser.visitor import Visitor
from sonoworld.server.app import world_app
from sonoworld.view.listening import Address, listening

KEY = "key"


@contextlib.contextmanager
def served(scene: Path) -> Generator[str]:
    """The world's editable page, from this process."""
    with world_app(scene, "127.0.0.1", KEY) as app, listening(app, Address(port=0)) as url:
        yield f"{url}{KEY}/?edit"


class ServerProcess:
    """`sonoworld view SCENE --edit`, as people start it."""

    def __init__(self, scene: Path, port: int) -> None:
        verb = [sys.executable, "-m", "sonoworld", "view", str(scene), "--edit", "--no-browser", "--port", str(port)]
        environment = {**os.environ, "COLUMNS": "300", "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(verb, stdout=subprocess.PIPE, text=True, env=environment)
        assert self.process.stdout is not None
        said = ""
        for line in self.process.stdout:
            said += line
            found = re.search(r"http://\S+\?edit", line)
            if found:
                self.url = found[0]
                return
        raise AssertionError(f"the server did not start: {said}")

    def kill(self) -> None:
        """As a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Editor(Visitor):
    """A visitor with the editor open."""

    def __init__(self, browser: Browser, url: str, **screen: Any) -> None:
        page = browser.new_page(reduced_motion="reduce", **screen)
        super().__init__(page, url)
        page.click("#enter")
        self.wait("document.getElementById('show-edit')")
        page.click("#show-edit")

    def choose(self, label: str) -> None:
        row = self.page.locator("#choices button", has=self.page.get_by_text(label, exact=True))
        if row.get_attribute("aria-pressed") == "false":
            row.click()

    def field(self, label: str) -> Locator:
        return self.page.locator("#edited").get_by_label(label, exact=True)

    @property
    def kind(self) -> Locator:
        """One place, a surface or all around."""
        return self.page.locator("#edited select")

    def type(self, label: str, text: str) -> None:
        self.field(label).fill(text)
        self.field(label).press("Tab")

    def press(self, name: str) -> None:
        self.page.locator("#edit").get_by_role("button", name=name).first.click()

    def saved(self, version: int) -> str:
        """What is said once a version is saved and shown."""
        self.wait(f"document.querySelector('#edit .said').textContent.startsWith('Saved as version {version}:')")
        self.wait("document.querySelector('#edit .problem').hidden")
        return self.page.locator("#edit .said").inner_text()

    def problem(self) -> str:
        """What somebody has to decide about, once there is something."""
        self.page.locator("#edit .problem").wait_for(state="visible", timeout=20000)
        self.wait("!document.querySelector('#edit .problem button').disabled")
        return self.page.locator("#edit .problem p").inner_text()

    @property
    def labels(self) -> list[str]:
        return self.page.locator("#choices b").all_inner_texts()

    @property
    def heard(self) -> list[str]:
        """What the page plays."""
        found = self.ask("__sonoworld.sources")
        assert isinstance(found, list)
        return found
