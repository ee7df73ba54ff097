"""A scene as a folder of static files: the page, its data, nothing that needs a server of ours."""

import contextlib
import shutil
import tempfile
from collections.abc import Generator
from dataclasses import replace
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path

import cv2
import numpy as np
import soundfile as sf

from sonoworld.disk import atomic
from sonoworld.disk.ply import write_ply
from sonoworld.errors import BackendMissingError, InputError, UnsafeFileError
from sonoworld.render.hrtf import hrir
from sonoworld.types import Photo, Scene, Source, Splats
from sonoworld.view.world import FiltersPart, SplatsPart, clip_scale, world_document

WORLD = "world.json"
PAGE_FILES = ("index.html", "viewer.js", "viewer.css", "worklet.js", "icon.svg", "LICENSES.txt")
FILTER_ORDER = 3
FILTER_RATE_HZ = 48000
POSTER_WIDTH_PX = 1280
BROWSER_WIDENING = 1.15
"""Factor on the size of splats for PlayCanvas: at 1.0 plain ground shows a screen door, at 1.3 detail is lost."""


def export_folder(scene: Scene, folder: Path, *, splats: Splats | None = None, title: str = "A world to hear") -> Path:
    """Write the scene as a static site into `folder` and return it.

    Everything is written beside it under a temporary name and renamed at the end. An earlier export is replaced.

    Args:
        scene: What to show.
        folder: New folder, empty folder, or earlier export.
        splats: What to draw instead of the scene's own splats (its lighter version, at most 500 k for phones).
        title: Shown in the page.

    Raises:
        InputError: the folder holds something else.
        BackendMissingError: the page was not built at install.
    """
    _require_replaceable(folder)
    page = _page()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _written_beside(folder) as work:
        for name in PAGE_FILES:
            with as_file(page.joinpath(name)) as file:
                shutil.copyfile(file, work / name)
        drawn = scene.splats if splats is None else splats
        write_ply(work / "splats.ply", widened(drawn), comments=("axes x ahead, y left, z up; metres",))
        _write_poster(work / "poster.jpg", scene.photo)
        (work / "clips").mkdir()
        for number, source in enumerate(scene.sources):
            _write_clip(work / "clips" / f"{number:03d}.flac", source)
        picture = SplatsPart(file="splats.ply", count=len(drawn))
        document = world_document(scene, title, picture, _write_filters(work / "hrir.bin"), "poster.jpg")
        atomic.write_json(work / WORLD, document.model_dump(mode="json"))
    return folder


def widened(splats: Splats) -> Splats:
    """Splats as the browser must draw them: its renderer blurs a footprint less than ours, which shows as a grid."""
    return replace(splats, log_scales=splats.log_scales + np.float32(np.log(BROWSER_WIDENING)))


def _page() -> Traversable:
    page = files("sonoworld").joinpath("products", "viewer")
    missing = [name for name in PAGE_FILES if not page.joinpath(name).is_file()]
    if missing:
        raise BackendMissingError(
            f"the viewer's page was not built (no {missing[0]}): `pip install --force-reinstall --no-deps sonoworld`, "
            "or `pip install -e .` in a checkout, builds it"
        )
    return page


def _require_replaceable(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not (folder / WORLD).is_file():
        raise InputError(f"{folder}: expected a new folder or an earlier export (with {WORLD}), got something else")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: expected a folder, got a file")


@contextlib.contextmanager
def _written_beside(folder: Path) -> Generator[Path]:
    """A temporary folder that takes the place of `folder` when all went well, and vanishes when not."""
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        work.chmod(0o755)
        yield work
        retired = work.with_name(f"{work.name}.old")
        if folder.exists():
            folder.rename(retired)
        work.rename(folder)
        shutil.rmtree(retired, ignore_errors=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write_clip(path: Path, source: Source) -> None:
    """16-bit FLAC at full scale: 96 dB under the loudest sample; its level is in the document's gain."""
    if source.clip is not None:
        sf.write(
            path, source.clip.samples * np.float32(clip_scale(source)), source.clip.rate_hz, "PCM_16", format="FLAC"
        )


def _write_filters(path: Path) -> FiltersPart:
    taps = hrir("kemar", FILTER_ORDER, FILTER_RATE_HZ)
    path.write_bytes(np.ascontiguousarray(taps, "<f4").tobytes())
    return FiltersPart(
        file=path.name, name="KEMAR mannequin", order=FILTER_ORDER, taps=taps.shape[2], rate_hz=FILTER_RATE_HZ
    )


def _write_poster(path: Path, photo: Photo) -> None:
    width, height = photo.size_px
    scale = min(1.0, POSTER_WIDTH_PX / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(photo.rgb, size, interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 82])
    if not done:
        raise UnsafeFileError(f"{path}: the photo ({width}×{height}) cannot be written as JPEG")
    path.write_bytes(data.tobytes())
