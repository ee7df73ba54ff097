"""The page from a cold start: how soon it shows 500 000 splats, beside the SuperSplat viewer in the same run.

    python bench/web.py [RUNS]

Claims: the first picture comes at most 1.5 × as late as the SuperSplat viewer's (npm: @playcanvas/supersplat-viewer),
on the same SOG file, in the same window and from the same server; JavaScript and WebAssembly of the page are at most
2.5 MB before compression. Every run is a browser of its own, with empty caches, ours and theirs in turn; the best of
all runs counts, because other programs on the machine only ever slow it down. "first picture" is what either page
says itself: all splats loaded, sorted and drawn once, from the start of the navigation. Memory is that of all
processes of the browser a second later (proportional set size), less that of one with an empty page; the heap is
JavaScript's. Where there is no GPU, Chromium draws in software.
"""

import json
import statistics
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import Page, sync_playwright

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))

from browser.courtyard import small_world, sphere
from browser.node_packages import node_modules
from browser.visitor import find_chromium, launch
from sonoworld.types import Splats
from sonoworld.view import export_folder

HERE = Path(__file__).resolve().parent
COUNT = 500_000
SIZE = {"width": 640, "height": 360}
MOST_RATIO, MOST_MB = 1.5, 2.5
PAGE_CODE = ("viewer.js", "worklet.js", "kernel.wasm")
SAID = {
    "sonoworld": "performance.getEntriesByName('first-picture')[0]?.startTime ?? 0",
    "SuperSplat": "window.firstFrameAt ?? 0",
}
THEIR_HOOK = "window.firstFrame = () => { window.firstFrameAt = performance.now(); };"
PATHS = {
    "sonoworld": "ours/index.html",
    "SuperSplat": "theirs/index.html?webgl&noanim&noui&content=/ours/splats.sog&settings=/theirs/settings.json",
}
OFF = {"sharpness": {"enabled": False, "amount": 0}, "bloom": {"enabled": False, "intensity": 1, "blurLevel": 2}}
OFF["grading"] = {"enabled": False, "brightness": 0, "contrast": 1, "saturation": 1, "tint": [1, 1, 1]}
OFF["vignette"] = {"enabled": False, "intensity": 0.5, "inner": 0.3, "outer": 0.75, "curvature": 1}
OFF["fringing"] = {"enabled": False, "intensity": 0.5}
SETTINGS = {
    "version": 2,
    "tonemapping": "none",
    "highPrecisionRendering": False,
    "background": {"color": [0, 0, 0]},
    "postEffectSettings": OFF,
    "animTracks": [],
    "cameras": [{"initial": {"position": [0, 0, 0.01], "target": [0, 0, -3], "fov": 59}}],
    "annotations": [],
    "startMode": "default",
}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Start:
    seconds: float
    memory_mb: float
    heap_mb: float


def room(count: int) -> Splats:
    """A room of 12 × 10 m as a photo's eye sees it: one splat for each direction, with some relief and texture."""
    d = sphere(count)
    high = np.where(d[:, 2] < 0, 1.6, 8.0)
    to_walls = np.stack([np.full(count, 6.0), np.full(count, 5.0), high], -1) / np.maximum(np.abs(d), 1e-6)
    azimuth = np.arctan2(d[:, 1], d[:, 0])
    far = to_walls.min(1) * (1 + 0.05 * np.sin(9 * azimuth) * np.sin(11 * d[:, 2]))
    means = d * far[:, None]
    rng = np.random.default_rng(0)
    colours = 0.4 * np.sin(means * [1.3, 2.1, 3.7] + [0, 1, 2]) + 0.03 * rng.standard_normal((count, 3))
    sizes = np.log(0.7 * far * np.sqrt(4 * np.pi / count))[:, None] + 0.2 * rng.standard_normal((count, 3))
    quats = rng.standard_normal((count, 4))
    return Splats(
        means=means.astype(np.float32),
        log_scales=sizes.astype(np.float32),
        quats=(quats / np.linalg.norm(quats, axis=1, keepdims=True)).astype(np.float32),
        opacity_logits=(4 + rng.standard_normal(count)).astype(np.float32),
        sh=(colours / 0.28209479).astype(np.float32)[:, None, :],
    )


@contextmanager
def served() -> Iterator[tuple[str, Path]]:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        export_folder(replace(small_world(), splats=room(COUNT)), root / "ours")
        peer = node_modules(HERE / "peers" / "viewer") / "@playcanvas" / "supersplat-viewer" / "public"
        (root / "theirs").mkdir()
        for file in peer.iterdir():
            (root / "theirs" / file.name).write_bytes(file.read_bytes())
        (root / "theirs" / "settings.json").write_text(json.dumps(SETTINGS))
        with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=name)) as host:
            threading.Thread(target=host.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{host.server_port}/", root
            host.shutdown()


@contextmanager
def fresh_browser() -> Iterator[tuple[Page, psutil.Process]]:
    """A page of a browser that has just begun, and the process below which all of it runs."""
    me = psutil.Process()
    with sync_playwright() as play:
        before = {child.pid for child in me.children(recursive=True)}
        browser = launch(play, find_chromium(None))
        new = [child for child in me.children(recursive=True) if child.pid not in before]
        page = browser.new_page(viewport=SIZE)
        yield page, next(child for child in new if "chrom" in child.name().lower())
        browser.close()


def memory_mb(root: psutil.Process) -> float:
    total = 0
    for process in (root, *root.children(recursive=True)):
        full = process.memory_full_info()
        total += getattr(full, "pss", full.uss)
    return total / 1e6


def empty_mb() -> float:
    with fresh_browser() as (page, process):
        page.goto("about:blank")
        return memory_mb(process)


def start(viewer: str, host: str, empty: float) -> Start:
    with fresh_browser() as (page, process):
        if viewer == "SuperSplat":
            page.add_init_script(THEIR_HOOK)
        page.goto(host + PATHS[viewer], wait_until="commit")
        milliseconds = page.evaluate(
            f"""new Promise((done, fail) => {{
              const end = Date.now() + 60000;
              const look = () => {{
                const at = {SAID[viewer]};
                if (at > 0) done(at);
                else if (Date.now() > end) fail(new Error("no picture: " + document.body.innerText));
                else setTimeout(look, 20);
              }};
              look();
            }})"""
        )
        page.wait_for_timeout(1000)
        heap = page.context.new_cdp_session(page).send("Runtime.getHeapUsage")["usedSize"]
        return Start(milliseconds / 1000, memory_mb(process) - empty, heap / 1e6)


def main(runs: int) -> bool:
    with served() as (host, root):
        code_mb = sum((root / "ours" / name).stat().st_size for name in PAGE_CODE) / 1e6
        their_code_mb = (root / "theirs" / "index.js").stat().st_size / 1e6
        picture_mb = (root / "ours" / "splats.sog").stat().st_size / 1e6
        empty = empty_mb()
        start("sonoworld", host, empty)  # the machine reads all files once
        start("SuperSplat", host, empty)
        starts: dict[str, list[Start]] = {viewer: [] for viewer in PATHS}
        for _ in range(runs):
            for viewer, done in starts.items():
                done.append(start(viewer, host, empty))
    print(f"{COUNT} splats, {picture_mb:.1f} MB of SOG; {runs} cold starts each")
    print(f"{'':12}{'first picture, s (median, worst)':>34}{'memory, MB':>12}{'heap, MB':>10}{'JS + WASM, MB':>15}")
    best: dict[str, float] = {}
    for viewer, done in starts.items():
        seconds = sorted(one.seconds for one in done)
        best[viewer] = seconds[0]
        memory, heap = (statistics.median(getattr(one, what) for one in done) for what in ("memory_mb", "heap_mb"))
        span = f"{seconds[0]:.2f} ({statistics.median(seconds):.2f}, {seconds[-1]:.2f})"
        code = code_mb if viewer == "sonoworld" else their_code_mb
        print(f"{viewer:12}{span:>34}{memory:12.0f}{heap:10.0f}{code:15.2f}")
    ratio = best["sonoworld"] / best["SuperSplat"]
    claims = {
        f"first picture at most {MOST_RATIO} × SuperSplat's: {ratio:.2f} ×": ratio <= MOST_RATIO,
        f"JavaScript and WebAssembly at most {MOST_MB} MB: {code_mb:.2f} MB": code_mb <= MOST_MB,
    }
    for claim, holds in claims.items():
        print(f"{'shown' if holds else 'NOT SHOWN'}: {claim}")
    return all(claims.values())


if __name__ == "__main__":
    sys.exit(0 if main(int(sys.argv[1]) if len(sys.argv) > 1 else 7) else 1)
