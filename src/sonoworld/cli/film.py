"""The verb that films: a walk through a world as MP4, flat with two ears or all around with its sound field."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from jaxtyping import UInt8
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from tyro.conf import Positional, arg

from sonoworld.cli.hear import read_walk
from sonoworld.disk import atomic, mp4
from sonoworld.disk.arrays import write_image
from sonoworld.disk.scene import load_lite, load_sources
from sonoworld.errors import InputError
from sonoworld.render import Walk, default_walk, walk_document
from sonoworld.render.ears import ears
from sonoworld.render.film import Kind, Shot, around_sound, film_frames, flat_sound
from sonoworld.render.film_sheet import contact_sheet, sheet_moments
from sonoworld.types import Source, Splats

DEFAULT_SECONDS = 20.0
SIZES: dict[Kind, str] = {"flat": "1280x720", "360": "1920x960"}
SHARED = Shot(size_px=(640, 360), seconds=DEFAULT_SECONDS)
"""The film that comes with a world."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A finished film: the share of pixels that no splat covered, the gain of its sound, and how long it took."""

    holes: float
    gain_db: float
    held_by_peak: bool
    took_s: float


def film(  # noqa: PLR0913, PLR0917  one per option of the command line
    scene: Positional[Path],
    out: Positional[Path],
    format_: Annotated[Kind, arg(name="format")] = "flat",
    walk: Path | None = None,
    seconds: float | None = None,
    size: str | None = None,
    fps: int = 30,
    fov: float = 75.0,
    order: int | None = None,
    hrtf: str = "kemar",
    codec: mp4.Codec = "h264",
    sheet: bool = True,
) -> None:
    """Film a walk through a world, with its sound, as MP4.

    Needs the extra package av: pip install 'sonoworld[film]' (it brings FFmpeg with x264, which is under the GPL).

    Args:
        scene: Folder of a world.
        out: MP4 file to write; a contact sheet is written beside it.
        format_: What the head sees and hears with two ears (flat), or all around: equirectangular pictures with
            first-order AmbiX sound and the marks that video platforms read (360).
        walk: walk.json to follow; without it a slow round of half a metre around the photo's eye.
        seconds: Length; default the walk's, or 20.
        size: WIDTHxHEIGHT, even; default 1280x720, or 1920x960 for 360.
        fps: Pictures a second.
        fov: Horizontal field of view of a flat film, degrees.
        order: Ambisonic order behind the two ears, 1..7, default 3; 360 is always 1.
        hrtf: Whose ears: kemar, sphere, or a SOFA file.
        codec: h264 plays everywhere; vp9 is slower and free of x264.
        sheet: Write the contact sheet (`--no-sheet`: only the film).
    """
    console = Console()
    if out.suffix.lower() != ".mp4":
        raise InputError(f"{out}: expected a name that ends in .mp4")
    mp4.require_coder(codec)
    path = None if walk is None else read_walk(walk)
    length = seconds if seconds is not None else DEFAULT_SECONDS if path is None else path.seconds
    shot = Shot(format_, _size(size or SIZES[format_]), fps, length, math.radians(fov))
    chosen = _order(order, format_)
    world = load_lite(scene), load_sources(scene)
    cut = make_film(world, path or default_walk(length), shot, out, Making(chosen, hrtf, codec, sheet, console))
    _say(out, shot, cut, console)


@dataclass(frozen=True, slots=True)
class Making:
    """How a film is made, beside what is in it: order and ears of the sound, coder, contact sheet, where to report."""

    order: int = 3
    hrtf: str = "kemar"
    codec: mp4.Codec = "h264"
    sheet: bool = True
    console: Console | None = None


def make_film(
    world: tuple[Splats, tuple[Source, ...]], walk: Walk, shot: Shot, out: Path, making: Making | None = None
) -> Cut:
    """Write a film (and its contact sheet, `OUT.sheet.png`) of a walk through splats and sources.

    Raises:
        BackendMissingError: PyAV is not installed.
        InputError: a source has no clip, or the SOFA file cannot be used.
    """
    how = making or Making()
    mp4.require_coder(how.codec)
    began = time.perf_counter()
    splats, sources = world
    if shot.kind == "360":
        sound = around_sound(sources, walk, shot, ears(how.hrtf, 1).filters)
    else:
        sound = flat_sound(sources, walk, shot, ears(how.hrtf, how.order).filters)
    roll = _Roll(splats, walk, shot, how.console or Console(quiet=True))
    mp4.write_film(out, roll.pictures(), shot.frames_hz, mp4.Sound(sound.signal), how.codec)
    if how.sheet:
        times = [i / shot.frames_hz for i in sheet_moments(shot.frames)]
        write_image(out.with_suffix(".sheet.png"), contact_sheet(roll.kept, times))
    return Cut(roll.holes / shot.frames, sound.gain_db, sound.held_by_peak, time.perf_counter() - began)


def default_film(scene: Path, making: Making | None = None) -> Cut:
    """The film to share: 20 s at 640×360 of the default walk, as `film.mp4` in the world's folder, with `walk.json`.

    Raises:
        BackendMissingError: PyAV is not installed.
        InputError: not a world.
    """
    walk = default_walk(SHARED.seconds)
    cut = make_film((load_lite(scene), load_sources(scene)), walk, SHARED, scene / "film.mp4", making)
    atomic.write_json(scene / "walk.json", walk_document(walk))
    return cut


class _Roll:
    """The pictures as they are drawn: shows progress, keeps those of the contact sheet, adds up the holes."""

    def __init__(self, splats: Splats, walk: Walk, shot: Shot, console: Console) -> None:
        self._frames, self._shot, self._console = film_frames(splats, walk, shot), shot, console
        self.kept: list[UInt8[np.ndarray, "h w 3"]] = []
        self.holes = 0.0

    def pictures(self) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        """One after the other."""
        wanted = set(sheet_moments(self._shot.frames))
        columns = TextColumn("film"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeRemainingColumn()
        shown = self._console.is_terminal
        with Progress(*columns, console=self._console, disable=not shown, transient=True) as progress:
            bar = progress.add_task("", total=self._shot.frames)
            for i, frame in enumerate(self._frames):
                if i in wanted:
                    self.kept.append(frame.rgb)
                self.holes += frame.holes
                yield frame.rgb
                progress.advance(bar)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().replace("×", "x").partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise InputError(f"--size: expected WIDTHxHEIGHT such as 1280x720, got {text!r}")
    return int(width), int(height)


def _order(order: int | None, kind: Kind) -> int:
    if kind == "360":
        if order not in (None, 1):
            raise InputError(f"--order: expected 1 for 360 (what video platforms play), got {order}")
        return 1
    if order is not None and not 1 <= order <= 7:
        raise InputError(f"--order: expected 1..7 for two ears, got {order}")
    return 3 if order is None else order


def _say(out: Path, shot: Shot, cut: Cut, console: Console) -> None:
    width, height = shot.size_px
    heard = "first-order AmbiX in the world's axes" if shot.kind == "360" else "two ears"
    console.print(
        f"{out}: {shot.kind}, {width}×{height}, {shot.frames} pictures at {shot.frames_hz}/s, "
        f"{shot.sound_seconds:.1f} s, {heard}, one gain of {cut.gain_db:+.1f} dB "
        f"({'peak at −1 dBTP' if cut.held_by_peak else 'to −23 LUFS'}); {100 * cut.holes:.2f} % of the pixels "
        f"uncovered, filled from around; made in {cut.took_s:.0f} s",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )
