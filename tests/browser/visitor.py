"""A visitor: one page in a real Chromium, what it shows and what it plays."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright

FLAGS = (
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--autoplay-policy=no-user-gesture-required",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZE = (800, 450)


def find_chromium(named: str | None) -> str:
    found = named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found or not Path(found).exists():
        pytest.fail("no Chromium here: `apt-get install chromium`, or name one in the environment variable CHROMIUM")
    return found


def launch(play: Playwright, executable: str) -> Browser:
    return play.chromium.launch(executable_path=executable, headless=True, args=list(FLAGS))


class Visitor:
    """`problems` holds every error the page reported."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.problems: list[str] = []
        page.on("console", lambda message: self.problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.problems.append(error.stack or str(error)))
        page.goto(url)
        self.wait("window.__sonoworld")

    def wait(self, condition: str, seconds: float = 20.0) -> None:
        """Until a condition holds in the page (Playwright's own wait needs eval, which the CSP forbids)."""
        self.page.evaluate(
            f"""new Promise((done, fail) => {{
              const end = Date.now() + {1000 * seconds};
              const look = () => ({condition}) ? done()
                : Date.now() > end ? fail(new Error("never: " + {condition!r} + " " + document.body.innerText))
                : setTimeout(look, 15);
              look();
            }})"""
        )

    def ask(self, expression: str) -> object:
        return self.page.evaluate(expression)

    def enter(self) -> None:
        self.page.click("#enter")
        self.wait("__sonoworld.audioState === 'running'")

    def stand(self, position: tuple[float, float, float] = (0, 0, 0), yaw: float = 0.0, pitch: float = 0.0) -> None:
        pose = {"position": list(position), "yaw": yaw, "pitch": pitch}
        self.page.evaluate("async (pose) => { __sonoworld.setPose(pose); await __sonoworld.settled(); }", pose)

    @property
    def position(self) -> np.ndarray:
        return np.array(self.ask("__sonoworld.pose().position"))

    def picture(self) -> np.ndarray:
        """[h, w, 3] uint8, what a camera before the screen would see."""
        return np.asarray(Image.open(io.BytesIO(self.page.screenshot())).convert("RGB"))

    def listen(self, milliseconds: int = 300) -> np.ndarray:
        """RMS of the left and the right ear over sound made after this call."""
        self.wait(f"__sonoworld.audioSeconds > {self.ask('__sonoworld.audioSeconds')} + {milliseconds / 1000 + 0.15}")
        heard = self.ask(f"__sonoworld.levels({milliseconds})")
        assert isinstance(heard, dict)
        return np.array([heard["left"], heard["right"]])
