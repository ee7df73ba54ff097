"""A Gradio app, also as a Space: drop a photo, walk through its world in the page, hear it, take it along.

pip install -r requirements.txt; python app.py        # http://127.0.0.1:7860
"""

import secrets
import shutil
import tempfile
from pathlib import Path

import gradio as gr
import numpy as np
import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from sonoworld import recipe
from sonoworld.cli.containers import CONTAINERS, Choices
from sonoworld.disk.photo import read_photo
from sonoworld.errors import SonoworldError
from sonoworld.flow import make_scene
from sonoworld.render import default_walk, render_walk
from sonoworld.render.loudness import file_gain
from sonoworld.types import Scene

RATE_HZ = 48_000
MOST_WORLDS = 20
"""Older ones are removed: a Space's disk is small."""
FRAME = (
    '<iframe src="{address}" title="A world to walk through and hear" width="100%" height="560" style="border:0" '
    'allow="autoplay; fullscreen; xr-spatial-tracking; gyroscope; accelerometer; gamepad"></iframe>'
)
Made = tuple[str, tuple[int, np.ndarray], list[list[str]], str]


def world(photo: str | None, seconds: float, seed: float, worlds: Path, settings: tuple[str, ...] = ()) -> Made:
    """A photo's world: a frame that shows it, its sound on a tour (rate, int16 samples), what sounds, and one file.

    Raises:
        gr.Error: no photo, or one that cannot be used.
    """
    if photo is None:
        raise gr.Error("Choose a photo first.")
    name = secrets.token_hex(8)
    scene_folder = worlds / ".scenes" / name
    try:
        scene = make_scene(read_photo(Path(photo)), recipe.load("embedded", settings), scene_folder, seed=int(seed))
        CONTAINERS["folder"].write(scene_folder, worlds / name, Choices(lite=True), lambda part: None)
        page = worlds / ".scenes" / f"{name}.html"
        CONTAINERS["html"].write(scene_folder, page, Choices(lite=True), lambda part: None)
    except SonoworldError as error:
        raise gr.Error(str(error).replace(photo, "the photo")) from error
    _forget_oldest(worlds)
    frame = FRAME.format(address=f"/worlds/{name}/index.html")
    return frame, (RATE_HZ, _heard(scene, seconds)), _table(scene), str(page)


def _heard(scene: Scene, seconds: float) -> np.ndarray:
    ears = render_walk(scene, default_walk(seconds, scene.sources, scene.ground), seconds=seconds)
    signal = file_gain(ears, RATE_HZ).apply(ears)
    return np.rint(np.clip(signal.T, -1, 1) * 32767).astype(np.int16)


def _table(scene: Scene) -> list[list[str]]:
    return [[s.label, s.spread.value, f"{s.level_db:.0f} dB SPL at 1 m"] for s in scene.sources]


def _forget_oldest(worlds: Path) -> None:
    sites = sorted((p for p in worlds.iterdir() if p.name != ".scenes"), key=lambda p: p.stat().st_mtime)
    for site in sites[:-MOST_WORLDS]:
        shutil.rmtree(site)
        shutil.rmtree(worlds / ".scenes" / site.name, ignore_errors=True)
        (worlds / ".scenes" / f"{site.name}.html").unlink(missing_ok=True)


def blocks(worlds: Path, settings: tuple[str, ...] = ()) -> gr.Blocks:
    """The page."""
    with gr.Blocks(title="sonoworld", analytics_enabled=False) as page:
        gr.Markdown(
            "# One photo in, a world to walk through and hear out\nHeadphones on. W A S D and the mouse to walk."
        )
        with gr.Row():
            photo = gr.Image(type="filepath", label="Photo", sources=["upload", "clipboard"])
            with gr.Column():
                seconds = gr.Slider(2, 60, 15, step=1, label="Seconds of the tour to hear")
                seed = gr.Number(0, precision=0, label="Seed: other sounds of the same kind")
                button = gr.Button("Make its world", variant="primary")
        frame = gr.HTML(label="The world")
        sound = gr.Audio(label="A tour, for headphones")
        table = gr.Dataframe(headers=["what sounds", "how", "level"], label="What sounds in it")
        file = gr.File(label="One HTML file to keep; it opens from a disk")
        button.click(
            lambda *chosen: world(*chosen, worlds, settings), [photo, seconds, seed], [frame, sound, table, file],
            concurrency_limit=1,
        )  # fmt: skip
    return page


def application(worlds: Path, settings: tuple[str, ...] = ()) -> FastAPI:
    """The page, and the worlds' own pages below /worlds, which it shows in a frame."""
    served = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    served.mount("/worlds", StaticFiles(directory=worlds, html=True))
    shown = blocks(worlds, settings).queue(max_size=10)
    return gr.mount_gradio_app(served, shown, path="/", allowed_paths=[str(worlds / ".scenes")])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="sonoworld-space-") as folder:
        # a Space must be reached from outside
        uvicorn.run(application(Path(folder)), host="0.0.0.0", port=7860)
