"""Films of worlds: what is seen and heard along a walk, put together as MP4; and the one that comes with a world."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from sonoworld import __version__
from sonoworld.disk import atomic, mp4
from sonoworld.disk.arrays import write_image
from sonoworld.disk.scene import load_lite, load_sources
from sonoworld.disk.walk_file import WALK_FILE
from sonoworld.disk.workspace import Workspace, open_workspace, publish
from sonoworld.errors import InputError
from sonoworld.render.ears import ears
from sonoworld.render.film import Frame, Shot, around_sound, film_frames, flat_sound
from sonoworld.render.film_sheet import contact_sheet, sheet_moments
from sonoworld.render.tour import TOUR_S
from sonoworld.render.walk import Walk, parse_walk
from sonoworld.render.walk_audio import FittedRoom
from sonoworld.types import Source, Splats

VERSION = "1"
FILM_FILE, SHEET_FILE = "film.mp4", "film.sheet.png"
SHARED = Shot(size_px=(640, 360), frames_hz=24, seconds=TOUR_S)
"""The film that comes with a world: small enough to be made in about the time that the world itself takes."""

_NEEDS = ("lite", "localize", "sound", "walk")

World = tuple[Splats, tuple[Source, ...]]
Report = Callable[[float, str], None]
"""Told how far it is (0..1), in words too."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A finished film: the share of pixels that no splat covered, the gain of its sound, and how long it took."""

    holes: float
    gain_db: float
    held_by_peak: bool
    took_s: float


@dataclass(frozen=True, slots=True)
class Making:
    """How a film is made, beside what is in it: order, ears, room of its sound, coders, contact sheet, whom to tell."""

    order: int = 3
    hrtf: str = "kemar"
    codec: mp4.Codec = "h264"
    sound: mp4.Coding = "aac"
    sheet: bool = True
    report: Report | None = None
    room: FittedRoom | None = None


def make_film(world: World, walk: Walk, shot: Shot, out: Path, making: Making | None = None) -> Cut:
    """Write a film (and its contact sheet, `OUT.sheet.png`) of a walk through splats and sources.

    Raises:
        BackendMissingError: PyAV is not installed.
        InputError: a source has no clip, or the SOFA file cannot be used.
    """
    how = making or Making()
    mp4.require_coder(how.codec)
    began = time.perf_counter()
    splats, sources = world
    report = how.report or (lambda _fraction, _note: None)
    report(0.0, "sound")
    if shot.kind == "360":
        sound = around_sound(sources, walk, shot, ears(how.hrtf, 1).filters, how.room)
    else:
        sound = flat_sound(sources, walk, shot, ears(how.hrtf, how.order).filters, how.room)
    roll = _Roll(splats, walk, shot, report)
    mp4.write_film(out, roll.pictures(), shot.frames_hz, mp4.Sound(sound.signal, how.sound), how.codec)
    if how.sheet:
        times = [i / shot.frames_hz for i in sheet_moments(shot.frames)]
        write_image(out.with_suffix(".sheet.png"), contact_sheet(roll.kept, times))
    return Cut(roll.holes / shot.frames, sound.gain_db, sound.held_by_peak, time.perf_counter() - began)


def film_world(folder: Path, report: Report | None = None) -> Cut | None:
    """Add to a finished world the film of its `walk.json`: `film.mp4` and `film.sheet.png`; None if it has this film.

    The world stays as it is until the film is finished, and if it is never finished.

    Raises:
        BackendMissingError: PyAV is not installed.
        InputError: not a world, one without a walk, or with a source that has no clip.
    """
    mp4.require_coder("h264")
    world = load_lite(folder), load_sources(folder)
    with open_workspace(folder) as work:
        try:
            if any(step not in work.steps for step in _NEEDS):
                raise InputError(f"{folder}: expected a world with {WALK_FILE}; `sonoworld create` it again")
            key = _key(work)
            if work.holds("film", key):
                shutil.rmtree(work.folder)
                return None
            walk = parse_walk(atomic.read_json(work.folder / WALK_FILE))
            cut = make_film(world, walk, SHARED, work.folder / FILM_FILE, Making(report=report))
            work.record("film", key, (FILM_FILE, SHEET_FILE), _identity())
            publish(work, version=__version__)
        except BaseException:
            shutil.rmtree(work.folder, ignore_errors=True)  # nothing in it that the world does not have
            raise
    return cut


def forget_stale_film(work: Workspace) -> None:
    """Drop a film of what the world was before, so that it is not taken for one of what it is now."""
    if "film" in work.steps and not work.holds("film", _key(work)):
        work.forget("film")


def _identity() -> dict[str, object]:
    return {"version": VERSION, "size_px": SHARED.size_px, "frames_hz": SHARED.frames_hz, "seconds": SHARED.seconds}


def _key(work: Workspace) -> str:
    inputs = {step: work.digest(step) for step in _NEEDS}
    return hashlib.sha256(json.dumps(["film", _identity(), inputs], sort_keys=True).encode()).hexdigest()


class _Roll:
    """The pictures as they are drawn: says how far it is, keeps those of the contact sheet, adds up the holes."""

    def __init__(self, splats: Splats, walk: Walk, shot: Shot, report: Report) -> None:
        self._frames, self._count, self._report = film_frames(splats, walk, shot), shot.frames, report
        self.kept: list[UInt8[np.ndarray, "h w 3"]] = []
        self.holes = 0.0

    def pictures(self) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        """One after the other."""
        wanted = set(sheet_moments(self._count))
        for i, frame in enumerate(_ahead(self._frames)):
            if i in wanted:
                self.kept.append(frame.rgb)
            self.holes += frame.holes
            yield frame.rgb
            self._report((i + 1) / self._count, f"picture {i + 1} of {self._count}")


def _ahead(frames: Iterator[Frame]) -> Iterator[Frame]:
    """The same, each drawn while the one before it is coded."""
    with ThreadPoolExecutor(1) as painter:
        coming = painter.submit(next, frames, None)
        while (frame := coming.result()) is not None:
            coming = painter.submit(next, frames, None)
            yield frame
