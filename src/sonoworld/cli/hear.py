"""The verb that listens: render a world's sound along a walk to a file."""

import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, cast

import numpy as np
from jaxtyping import Float32
from rich.console import Console
from tyro.conf import Positional, arg

from sonoworld.acoustics.guess import guessed_room
from sonoworld.disk import atomic, wav
from sonoworld.disk.ambix import write_ambix
from sonoworld.disk.room_file import ROOM_FILE, read_room
from sonoworld.disk.scene import load_scene, load_sources
from sonoworld.encode import EncodeOptions
from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.frames import Pose
from sonoworld.render import Walk, parse_walk, render_walk, still_walk
from sonoworld.render.convolve import convolved
from sonoworld.render.ears import ears
from sonoworld.render.speakers import LAYOUTS, Layout, LayoutName, parse_layout
from sonoworld.render.speakers_loudness import layout_loudness
from sonoworld.render.walk_audio import Facing, FittedRoom
from sonoworld.types import SoundField

DEFAULT_SECONDS = 10.0
Format = Literal[
    "binaural",
    "ambix",
    "n3d",
    "fuma",
    "stereo",
    "quad",
    "5.1",
    "7.1",
    "5.1.4",
    "7.1.4",
    "cube",
    "speakers",
    "video",
    "video-360",
]
"""Two ears; a sound field in three conventions; loudspeakers by name, or of a layout file; films."""
FILMS: dict[str, Literal["flat", "360"]] = {"video": "flat", "video-360": "360"}
_MAX_LAYOUT_BYTES = 2**16
_HIGHEST_ORDER: dict[str, int] = {"binaural": 7, "fuma": 3}


def render(  # noqa: PLR0913, PLR0917  one per option of the command line
    scene: Positional[Path],
    out: Positional[Path],
    format_: Annotated[Format, arg(name="format")] = "binaural",
    order: int | None = None,
    walk: Path | None = None,
    seconds: float | None = None,
    hrtf: str = "kemar",
    layout: Path | None = None,
    facing: Facing = "head",
    dry: bool = False,
    guess_room: bool = False,
) -> None:
    """Render a world's sound to a WAV file, or what is seen and heard to a film.

    Args:
        scene: Folder of a world.
        out: WAV file to write (float32, 48 kHz), or MP4 for a film.
        format_: Two ears for headphones (binaural); the sound field at the head (ambix: ACN, SN3D; n3d; fuma);
            loudspeakers (stereo to 7.1.4, cube), or those of a --layout file (speakers). Channels are in WAVE order,
            7.1.4 FL FR FC LFE BL BR SL SR TFL TFR TBL TBR; LFE is silent. Films: with two ears (video), or
            equirectangular with first-order AmbiX and the marks of spatial video (video-360), as `sonoworld film`
            makes them, which has more choices.
        order: Ambisonic order, default 3: 1..7 for binaural and video, 1 for video-360, 0..3 for fuma, else 0..10.
        walk: walk.json with the listener's path; without it one stands at the photo's eye, looking ahead (a film:
            follows the world's own walk).
        seconds: Length; default the walk's, or 10 (a film: 20).
        hrtf: Whose ears: kemar, sphere, or a SOFA file.
        layout: Loudspeakers as JSON or TOML: speakers, a list of label, azimuth_deg (+ left), elevation_deg.
        dry: No room, even if the world has one (room.json, from `sonoworld learn`).
        guess_room: The room that the picture suggests, even if the world has another.
        facing: Loudspeakers turn with the walk's head, or keep looking ahead, along the photo's view.
    """
    console = Console()
    if format_ in FILMS:
        _require_plain(format_, layout, facing)
        if guess_room:
            raise InputError(
                f"--guess-room: expected sound alone, got --format {format_}; `sonoworld learn guess` first"
            )
        from sonoworld.cli.film import film  # noqa: PLC0415  it reads walks as we do

        film(scene, out, FILMS[format_], walk, seconds, order=order, hrtf=hrtf, dry=dry)
        return
    order = 3 if order is None else order
    options = _options(format_, order)
    speakers = _layout(format_, layout)
    path = _walk(walk, seconds)
    if format_ != "binaural" and hrtf != "kemar":
        raise InputError(f"--hrtf: expected --format binaural (a {format_} file has no ears of its own), got {format_}")
    if facing == "ahead" and speakers is None:
        raise InputError(f"--facing ahead: expected a --format of loudspeakers, got {format_}")
    sources = load_sources(scene)
    room = room_of(scene, console, dry=dry, guess=guess_room)
    began = time.perf_counter()
    if format_ == "binaural":
        whose = ears(hrtf, order)
        console.print(f"ears: {whose.line}", highlight=False, soft_wrap=True, markup=False)
        field = render_walk(sources, path, "ambix", order, seconds, options, room=room)
        made = _brought_to_level(convolved(field.signal, whose.filters), None)
    elif speakers is not None:
        raw = render_walk(sources, path, speakers, order, seconds, options, facing=facing, room=room)
        made = _brought_to_level(raw, speakers)
    else:
        field = render_walk(sources, path, "ambix", order, seconds, options, room=room)
        made = _Made(field.signal, f"0 dBFS RMS is {field.full_scale_db:g} dB SPL; no gain applied", field)
    took = time.perf_counter() - began
    _write(out, made, format_, speakers)
    length = made.signal.shape[1] / wav.RATE_HZ
    console.print(
        f"{out}: {format_}, order {order}, {made.signal.shape[0]} channels, {length:.1f} s, {made.note}; "
        f"rendered at {length / took:.0f}× real time",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )


def room_of(scene: Path, console: Console, *, dry: bool, guess: bool = False) -> FittedRoom | None:
    """The room in which a world is heard: its own, unless another is wanted; says which."""
    if dry and guess:
        raise InputError("--dry, --guess-room: expected one of them, got both")
    if dry or not (guess or (scene / ROOM_FILE).is_file()):
        return None
    from sonoworld.cli.learn import describe  # noqa: PLC0415

    room, emitter = (guessed_room(load_scene(scene).geometry), None) if guess else read_room(scene)
    console.print(f"room {describe(room)}", highlight=False, soft_wrap=True, markup=False)
    return room, emitter


@dataclass(frozen=True)
class _Made:
    """What will be in the file, and what was done to its level; `field` where it is a sound field."""

    signal: Float32[np.ndarray, "c t"]
    note: str
    field: SoundField | None = None


def _brought_to_level(raw: Float32[np.ndarray, "c t"], speakers: Layout | None) -> _Made:
    from sonoworld.render.loudness import file_gain  # noqa: PLC0415  half a second to import

    gain = file_gain(raw, wav.RATE_HZ, None if speakers is None else layout_loudness(raw, speakers))
    why = "peak at −1 dBTP" if gain.held_by_peak else "to −23 LUFS"
    order = "" if speakers is None else f"{_channels(speakers)}; "
    return _Made(gain.apply(raw), f"{order}one gain of {gain.gain_db:+.1f} dB ({why})")


def _write(out: Path, made: _Made, format_: Format, speakers: Layout | None) -> None:
    if made.field is not None and format_ in ("ambix", "n3d", "fuma"):
        write_ambix(out, made.field, format_)
    elif speakers is not None:
        note = f"Loudspeakers {speakers.name}: {_channels(speakers)}"
        wav.write_wav(out, made.signal, wav.RATE_HZ, note=note, speaker_mask=speakers.wave_mask)
    else:
        wav.write_wav(out, made.signal, wav.RATE_HZ)


def _channels(speakers: Layout) -> str:
    return " ".join(one.label for one in speakers.speakers)


def _require_plain(format_: Format, layout: Path | None, facing: Facing) -> None:
    if layout is not None or facing != "head":
        raise InputError(f"--layout, --facing: expected a --format of loudspeakers, got {format_}")


def _options(format_: str, order: int) -> EncodeOptions:
    low, high = int(format_ == "binaural"), _HIGHEST_ORDER.get(format_, 10)
    if not low <= order <= high:
        raise InputError(f"--order: expected {low}..{high} for {format_}, got {order}")
    return EncodeOptions(order=order)


def _layout(format_: Format, file: Path | None) -> Layout | None:
    """The loudspeakers of a format; None where it has none."""
    if (format_ == "speakers") != (file is not None):
        got = f"--format {format_} {'without' if file is None else 'with'} --layout"
        raise InputError(f"--layout: expected together with --format speakers, got {got}")
    return LAYOUTS.get(cast("LayoutName", format_)) if file is None else read_layout(file)


def read_layout(file: Path) -> Layout:
    """A layout from its JSON or TOML file (by its ending).

    Raises:
        InputError: not a layout; names the file and the place in it.
    """
    document = _toml(file) if file.suffix.lower() == ".toml" else atomic.read_json(file, limit_bytes=_MAX_LAYOUT_BYTES)
    try:
        return parse_layout(document)
    except InputError as error:
        raise InputError(f"{file}: {error}") from error


def _toml(file: Path) -> object:
    try:
        with file.open("rb") as opened:
            data = opened.read(_MAX_LAYOUT_BYTES + 1)
        if len(data) > _MAX_LAYOUT_BYTES:
            raise UnsafeFileError(f"{file}: expected at most {_MAX_LAYOUT_BYTES} bytes of TOML, got more")
        return tomllib.loads(data.decode())
    except OSError as error:
        raise UnsafeFileError(f"{file}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise UnsafeFileError(f"{file}: expected TOML, got something else ({error})") from error


def _walk(file: Path | None, seconds: float | None) -> Walk:
    if seconds is not None and not 0 < seconds <= 3600:
        raise InputError(f"--seconds: expected more than 0 and at most 3600, got {seconds:g}")
    if file is None:
        return still_walk(Pose.identity(), DEFAULT_SECONDS if seconds is None else seconds)
    return read_walk(file)


def read_walk(file: Path) -> Walk:
    """A walk from its JSON file.

    Raises:
        InputError: not a walk; names the file and the place in it.
    """
    try:
        return parse_walk(atomic.read_json(file))
    except UnsafeFileError:
        raise
    except InputError as error:
        raise InputError(f"{file}: {error}") from error
