"""A scene as a folder of static files: the page, its data, nothing that needs a server of ours."""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Generator
from dataclasses import replace
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path

import cv2
import numpy as np

from sonoworld.disk import atomic
from sonoworld.disk.sog_write import write_sog
from sonoworld.encode.options import EncodeOptions
from sonoworld.errors import BackendMissingError, InputError, UnsafeFileError
from sonoworld.render.walk_audio import FittedRoom
from sonoworld.types import Photo, Scene, Source, Splats
from sonoworld.view.document import SplatsPart, WorldDocument
from sonoworld.view.exhibit import Exhibit
from sonoworld.view.export_sound import Coding, encoded, with_coding
from sonoworld.view.hearing import write_copies, write_hearing, write_kernel
from sonoworld.view.room import write_room_files
from sonoworld.view.world import GROUND_FILE, clip_scale, ground_bytes, world_document

WORLD = "world.json"
PAGE_FILES = ("index.html", "viewer.js", "viewer.css", "worklet.js", "icon.svg", "LICENSES.txt")
POSTER = "poster.jpg"
POSTER_WIDTH_PX = 1280
BROWSER_WIDENING = 1.15
"""Factor on the size of splats for PlayCanvas: at 1.0 plain ground shows a screen door, at 1.3 detail is lost."""


Told = Callable[[str], None]
"""Is told which part of an export comes next."""


def export_folder(  # noqa: PLR0913  one per choice of a page
    scene: Scene,
    folder: Path,
    *,
    splats: Splats | tuple[Splats, ...] = (),
    title: str = "A world to hear",
    laws: EncodeOptions | None = None,
    ears: str | Path = "kemar",
    room: FittedRoom | None = None,
) -> Path:
    """Write the scene as a static site into `folder` and return it.

    Everything is written beside it under a temporary name and renamed at the end. An earlier export is replaced.

    Args:
        scene: What to show.
        folder: New folder, empty folder, or earlier export.
        splats: What to draw instead of the scene's own splats (its lighter version, at most 500 k); or several
            versions, the finest first: a phone takes one that it can hold (at most 300 k where it has one).
        title: Shown in the page.
        laws: How sound fades and how areas sound; the Ambisonic order is chosen in the page (5, on phones 3).
            None: the defaults, as in `render_walk`.
        ears: Worn first: "kemar", "sphere" or the path of a SOFA file. A visitor may change to the mannequin's.
        room: What is heard of the place; None: the free field.

    Raises:
        InputError: the folder holds something else, or the page does not know the laws (paper mode).
        UnsafeFileError: the SOFA file cannot be used.
        BackendMissingError: the page or its audio kernel was not built at install.
    """
    versions = splats if isinstance(splats, tuple) else (splats,)
    exhibit = Exhibit(
        scene=scene,
        pictures=versions or (scene.splats,),
        title=title,
        laws=laws or EncodeOptions(),
        ears=ears,
        room=room,
    )
    require_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with written_beside(folder) as work:
        write_site(work, exhibit)
    return folder


def write_site(work: Path, exhibit: Exhibit, told: Told = lambda part: None) -> None:
    """Write page, pictures and sounds of an exhibit into an empty folder.

    Raises:
        InputError, UnsafeFileError, BackendMissingError: as `export_folder`.
    """
    scene, laws = exhibit.scene, exhibit.laws
    told("page")
    page = _page()
    for name in PAGE_FILES:
        with as_file(page.joinpath(name)) as file:
            shutil.copyfile(file, work / name)
    write_kernel(work)
    told("picture")
    pictures = _write_pictures(work, exhibit.pictures)
    _write_poster(work / POSTER, scene.photo)
    told("sound")
    (work / "clips").mkdir()
    hearing = write_hearing(work, laws, exhibit.ears)
    if exhibit.room is not None:
        hearing = hearing.model_copy(update={"room": write_room_files(work, exhibit.room)})
    document = world_document(scene, exhibit.title, pictures, hearing, POSTER, laws)
    document = with_coding(document, exhibit.sound).model_copy(update={"credits": exhibit.credits})
    _write_sounds(work, scene.sources, document, exhibit.sound)
    if scene.ground is not None:
        atomic.write_bytes(work / GROUND_FILE, ground_bytes(scene.ground))
    atomic.write_json(work / WORLD, document.model_dump(mode="json"))


def widened(splats: Splats) -> Splats:
    """Splats as the browser must draw them: its renderer blurs a footprint less than ours, which shows as a grid."""
    return replace(splats, log_scales=splats.log_scales + np.float32(np.log(BROWSER_WIDENING)))


def _write_pictures(folder: Path, versions: tuple[Splats, ...]) -> tuple[SplatsPart, ...]:
    """SOG: a fifth of a PLY file's bytes, and drawn from textures as it is."""
    names = ("splats.sog", *(f"splats-{number}.sog" for number in range(1, len(versions))))
    for name, splats in zip(names, versions, strict=True):
        write_sog(folder / name, widened(splats))
    return tuple(SplatsPart(file=name, count=len(splats)) for name, splats in zip(names, versions, strict=True))


def _page() -> Traversable:
    page = files("sonoworld").joinpath("products", "viewer")
    missing = [name for name in PAGE_FILES if not page.joinpath(name).is_file()]
    if missing:
        raise BackendMissingError(
            f"the viewer's page was not built (no {missing[0]}): `pip install --force-reinstall --no-deps sonoworld`, "
            "or `pip install -e .` in a checkout, builds it"
        )
    return page


def require_replaceable(folder: Path) -> None:
    """Refuse to write where something lies that is no export.

    Raises:
        InputError: it does.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / WORLD).is_file():
        raise InputError(f"{folder}: expected a new folder or an earlier export (with {WORLD}), got something else")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: expected a folder, got a file")


@contextlib.contextmanager
def written_beside(folder: Path) -> Generator[Path]:
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


def _write_sounds(folder: Path, sources: tuple[Source, ...], document: WorldDocument, coding: Coding) -> None:
    """16 bits at full scale: 96 dB under the loudest sample; its level is in the document's gain."""
    for source, part in zip(sources, document.sources, strict=True):
        if source.clip is None or part.clip is None:
            continue
        samples = source.clip.samples * np.float32(clip_scale(source))
        (folder / part.clip.file).write_bytes(encoded(samples, source.clip.rate_hz, coding))
        if part.clip.copies is not None:
            write_copies(folder / part.clip.copies.file, part.clip.copies, source.id, max(part.labels) + 1)


def _write_poster(path: Path, photo: Photo) -> None:
    width, height = photo.size_px
    scale = min(1.0, POSTER_WIDTH_PX / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(photo.rgb, size, interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 82])
    if not done:
        raise UnsafeFileError(f"{path}: the photo ({width}×{height}) cannot be written as JPEG")
    path.write_bytes(data.tobytes())
