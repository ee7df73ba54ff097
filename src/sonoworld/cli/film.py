"""The verb that films: a walk through a world as MP4, flat with two ears or all around with its sound field."""

import math
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from tyro.conf import Positional, arg

from sonoworld.cli.hear import read_walk, room_of
from sonoworld.cli.progress import StageWatch
from sonoworld.disk import mp4
from sonoworld.disk.scene import load_ground, load_lite, load_sources
from sonoworld.errors import BackendMissingError, InputError, SonoworldError
from sonoworld.filming import FILM_FILE, SHARED, Cut, Making, Report, film_world, make_film
from sonoworld.render import default_walk
from sonoworld.render.film import Kind, Shot
from sonoworld.render.tour import TOUR_S

SIZES: dict[Kind, str] = {"flat": "1280x720", "360": "1920x960"}


def film(  # noqa: PLR0913, PLR0917  one per option of the command line
    scene: Positional[Path],
    out: Positional[Path | None] = None,
    format_: Annotated[Kind, arg(name="format")] = "flat",
    walk: Path | None = None,
    seconds: float | None = None,
    size: str | None = None,
    fps: int = 30,
    fov: float = 75.0,
    order: int | None = None,
    hrtf: str = "kemar",
    codec: mp4.Codec = "h264",
    sound: mp4.Coding = "aac",
    sheet: bool = True,
    dry: bool = False,
) -> None:
    """Film a walk through a world, with its sound, as MP4.

    Needs the extra package av: pip install 'sonoworld[film]' (it brings FFmpeg with x264, which is under the GPL).

    Args:
        scene: Folder of a world.
        out: MP4 file to write, default beside the world, under its name; a contact sheet is written beside it.
        format_: What the head sees and hears with two ears (flat), or all around: equirectangular pictures with
            first-order AmbiX sound and the marks that video platforms read (360).
        walk: walk.json to follow; without it the world's own: gently to what sounds most, and back.
        seconds: Length; default the walk's.
        size: WIDTHxHEIGHT, even; default 1280x720, or 1920x960 for 360.
        fps: Pictures a second.
        fov: Horizontal field of view of a flat film, degrees.
        order: Ambisonic order behind the two ears, 1..7, default 3; 360 is always 1.
        hrtf: Whose ears: kemar, sphere, or a SOFA file.
        codec: h264 plays everywhere; vp9 is slower and free of x264.
        sound: aac plays everywhere; pcm (24 bits) loses nothing, for those who go on working with it.
        dry: No room, even if the world has one (room.json, from `sonoworld learn`).
        sheet: Write the contact sheet (`--no-sheet`: only the film).
    """
    console = Console()
    target = scene.with_name(f"{scene.name}.mp4") if out is None else out
    if target.suffix.lower() != ".mp4":
        raise InputError(f"{target}: expected a name that ends in .mp4")
    mp4.require_coder(codec)
    path = None if walk is None else read_walk(walk)
    length = seconds if seconds is not None else TOUR_S if path is None else path.seconds
    shot = Shot(format_, _size(size or SIZES[format_]), fps, length, math.radians(fov))
    chosen = _order(order, format_)
    sources = load_sources(scene)
    room = room_of(scene, console, dry=dry)
    if path is None:
        path = default_walk(length, sources, load_ground(scene))
    with _bar(console) as report:
        how = Making(chosen, hrtf, codec, sound, sheet, report, room)
        cut = make_film((load_lite(scene), sources), path, shot, target, how)
    say_cut(target, shot, cut, console)


def film_new_world(scene: Path, console: Console) -> None:
    """The film that comes with a world that has just been made. The world is whole without it: say why it has none."""
    later = f"sonoworld film {scene}"
    try:
        mp4.require_coder("h264")
        with StageWatch(console) as watch:
            watch.started("film", "")
            cut = film_world(scene, lambda fraction, note: watch.progress("film", fraction, note))
            watch.finished("film", 0.0 if cut is None else cut.took_s, stored=cut is None)
    except BackendMissingError as error:
        _say(console, f"  film       none: {error}; then: {later}")
    except SonoworldError as error:
        _say(console, f"  film       none: {error}")
    except KeyboardInterrupt:
        _say(console, f"  film       none: interrupted; the world is whole without it. Later: {later}")
        raise
    else:
        if cut is not None:
            say_cut(scene / FILM_FILE, SHARED, cut, console)


@contextmanager
def _bar(console: Console) -> Generator[Report]:
    """How far a film is, on a terminal."""
    columns = TextColumn("film"), BarColumn(bar_width=24), TextColumn("{task.fields[note]}"), TimeRemainingColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("", total=1.0, note="")
        yield lambda fraction, note: progress.update(task, completed=fraction, note=note)


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


def say_cut(out: Path, shot: Shot, cut: Cut, console: Console) -> None:
    """One line about a finished film."""
    width, height = shot.size_px
    heard = "first-order AmbiX in the world's axes" if shot.kind == "360" else "two ears"
    _say(
        console,
        f"{out}: {shot.kind}, {width}×{height}, {shot.frames} pictures at {shot.frames_hz}/s, "
        f"{shot.sound_seconds:.1f} s, {heard}, one gain of {cut.gain_db:+.1f} dB "
        f"({'peak at −1 dBTP' if cut.held_by_peak else 'to −23 LUFS'}); {100 * cut.holes:.2f} % of the pixels "
        f"uncovered, filled from around; made in {cut.took_s:.0f} s",
    )


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, soft_wrap=True, markup=False)
