"""The verbs that learn from sound: how a place sounds, how it probably does, and what sounded in a recording."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from jaxtyping import Float64
from rich.console import Console
from rich.table import Table
from tyro.conf import OmitSubcommandPrefixes, Positional, UseAppendAction, subcommand

from sonoworld.cli.learn_separate import Separate, separate
from sonoworld.disk.scene import load_scene, load_sources
from sonoworld.errors import BackendMissingError, InputError

if TYPE_CHECKING:
    from sonoworld.acoustics.room import LateField, Room, Walls
    from sonoworld.learn.room import RoomFit, Shot

_Triple = tuple[float, float, float]


@dataclass(frozen=True)
class LearnRoom:
    """Learn how a place sounds from one response, one recording with its dry sound, or one recording alone.

    Written to the world: room.json, from now on heard by `render`, and room.fit.png, measured beside modelled.
    """

    scene: Positional[Path]
    """Folder of a world."""
    recording: UseAppendAction[tuple[Path, ...]]
    """Ambisonic recording, order 1 or more (ACN, SN3D): a room's response, or a sound in the room. May be repeated."""
    source: UseAppendAction[tuple[str, ...]]
    """What was heard in it: the id of one of the world's sources, or its place X,Y,Z in metres. Once per recording."""
    at: UseAppendAction[tuple[str, ...]] = ()
    """Where the microphone stood, X,Y,Z or X,Y,Z,YAW (metres; degrees, + left). Once per recording; default the eye."""
    kind: Literal["response", "recording"] = "response"
    """What the file holds; with --dry always a recording."""
    dry: UseAppendAction[tuple[Path, ...]] = ()
    """What was played, mono, starting when the recording does. Once per recording."""
    size: _Triple | None = None
    """The room is a box of this length (along the view), width and height, m; default: what the picture suggests."""
    eye: _Triple | None = None
    """Where the photo's eye is in that box, from its back right lower corner, m."""
    reach: float = 0.4
    """How far a wall may be moved to where its reflection is heard, m."""
    directions_below: float = 0.0
    """Above this frequency, Hz, the microphone knows no directions (arrays of capsules: 1000 to 5000); 0: it does."""
    order: int = 2
    """How often a sound that is followed singly may bounce, 0..3."""
    seconds: float = 1.0
    """Length of the response that is told from a recording."""
    seed: int = 0
    """Of the random start."""
    seeds: int = 1
    """Starts to try; the best is kept."""
    rest: bool = False
    """All measured reflections stay where they were measured, instead of moving with the source."""
    numbers_only: bool = False
    """Keep what was fitted, not the measured rest: smaller, smoother, and less like that very room."""


@dataclass(frozen=True)
class Guess:
    """Write the room that the picture suggests: indoors a box and its echo, outdoors the ground alone."""

    scene: Positional[Path]
    """Folder of a world."""
    place: Literal["auto", "indoors", "outdoors"] = "auto"
    """What it is, where the depth would say otherwise."""
    ground: str = "soil"
    """What is underfoot outdoors: soil, grass, asphalt, water, snow, concrete, .."""


_Verb = (
    Annotated[LearnRoom, subcommand("room")]
    | Annotated[Guess, subcommand("guess")]
    | Annotated[Separate, subcommand("separate")]
)


def learn(do: OmitSubcommandPrefixes[_Verb]) -> None:
    """Learn how a place sounds, from sound or from the picture alone; take a recording apart by what is seen.

    Args:
        do: What to learn.
    """
    console = Console()
    if isinstance(do, Separate):
        separate(do)
    elif isinstance(do, Guess):
        _guess(do, console)
    else:
        _room(do, console)


def _guess(do: Guess, console: Console) -> None:
    from sonoworld.acoustics.guess import guessed_room  # noqa: PLC0415
    from sonoworld.disk.room_file import write_room  # noqa: PLC0415

    indoors = None if do.place == "auto" else do.place == "indoors"
    room = guessed_room(load_scene(do.scene).geometry, indoors=indoors, ground=do.ground)
    write_room(do.scene, room)
    _tell(console, do.scene, room)


def _room(do: LearnRoom, console: Console) -> None:
    if find_spec("torch") is None:
        raise BackendMissingError("learn room needs torch: pip install 'sonoworld[learn]'")
    from sonoworld.disk.room_file import PICTURE_FILE, write_room  # noqa: PLC0415

    shots = _shots(do)
    walls = _walls(do, shots, console)
    if do.kind == "recording" and not do.dry:
        room = _by_ear(shots, walls)
        write_room(do.scene, room)
        _tell(console, do.scene, room)
        return
    fit = _fitted(do, shots, walls, console)
    room = fit.parameters if do.numbers_only else fit.room
    write_room(do.scene, room, fit.emitter, shots[0].rate_hz)
    _draw(do.scene / PICTURE_FILE, fit, room, shots[0])
    _tell(console, do.scene, room)
    shares = " ".join(f"{100 * share:.0f}" for share in fit.explained[:6])
    console.print(
        f"walls explain {shares} % of the early energy, 125 Hz..4 kHz; {len(fit.losses)} steps, {fit.seconds:.1f} s",
        highlight=False,
        soft_wrap=True,
    )


def _fitted(do: LearnRoom, shots: "tuple[Shot, ...]", walls: "Walls", console: Console) -> "RoomFit":
    from sonoworld.cli.progress import StageWatch  # noqa: PLC0415
    from sonoworld.learn.room import FitOptions, fit_room  # noqa: PLC0415

    if not 1 <= do.seeds <= 20 or not 0 <= do.order <= 3 or not 0 <= do.reach <= 2:
        raise InputError("learn room: expected --seeds 1..20, --order 0..3, --reach 0..2")
    fits: list[RoomFit] = []
    with StageWatch(console) as watch:
        for seed in range(do.seed, do.seed + do.seeds):
            name = f"seed {seed}"
            watch.started(name, "fit")
            options = FitOptions(
                order=do.order,
                seed=seed,
                foa_limit_hz=do.directions_below,
                reach_m=do.reach,
                moving=not do.rest,
            )
            fits.append(
                fit_room(
                    shots,
                    walls,
                    options,
                    lambda step, steps, loss, name=name: watch.progress(name, step / steps, f"{loss:.4f}"),
                )
            )
            watch.finished(name, fits[-1].seconds, stored=False)
    return min(fits, key=lambda fit: min(fit.losses))


def _by_ear(shots: "tuple[Shot, ...]", walls: "Walls") -> "Room":
    """From a recording alone: how long it rings and how loud; walls that would make it so."""
    from sonoworld.acoustics.room import Room  # noqa: PLC0415
    from sonoworld.learn.blind import heard_late_field  # noqa: PLC0415
    from sonoworld.learn.prepare import walls_that_ring  # noqa: PLC0415

    shot = shots[0]
    late = heard_late_field(shot.response, float(np.linalg.norm(shot.source - shot.listener)), shot.rate_hz)
    return Room(walls_that_ring(walls, late.t60_s), late, 2)


def _shots(do: LearnRoom) -> "tuple[Shot, ...]":
    from sonoworld.disk.ambix import read_ambix  # noqa: PLC0415
    from sonoworld.learn.prepare import in_world_axes  # noqa: PLC0415
    from sonoworld.learn.room import Shot  # noqa: PLC0415

    count = len(do.recording)
    if count == 0 or len(do.source) != count or len(do.at) not in (0, count) or len(do.dry) not in (0, count):
        raise InputError(
            "learn room: expected as many --source (and --at, --dry, if any) as --recording, got "
            f"{count} recordings, {len(do.source)} sources, {len(do.at)} places, {len(do.dry)} dry sounds"
        )
    places = {s.id: s.centroid for s in load_sources(do.scene)}
    shots: list[Shot] = []
    for i, file in enumerate(do.recording):
        listener, yaw = _pose(do.at[i]) if do.at else (np.zeros(3), 0.0)
        field = read_ambix(file)
        heard = in_world_axes(field.signal.astype(np.float64), yaw)
        if do.dry:
            heard = _told(heard, field.rate_hz, do.dry[i], do.seconds)
        shots.append(Shot(heard, field.rate_hz, _place(do.source[i], places), listener))
    return tuple(shots)


def _told(heard: Float64[np.ndarray, "4 t"], rate_hz: int, dry: Path, seconds: float) -> Float64[np.ndarray, "4 s"]:
    from sonoworld.disk.wav import read_wav  # noqa: PLC0415
    from sonoworld.learn.deconvolve import response_between  # noqa: PLC0415

    samples, rate = read_wav(dry)
    if rate != rate_hz or samples.shape[0] != 1:
        raise InputError(f"{dry}: expected mono at {rate_hz} Hz, got {samples.shape[0]} channels at {rate} Hz")
    return response_between(heard, samples[0].astype(np.float64), seconds, rate_hz)


def _place(said: str, places: dict[str, Float64[np.ndarray, "3"] | None]) -> Float64[np.ndarray, "3"]:
    if said in places:
        place = places[said]
        if place is None:
            raise InputError(f"--source {said}: expected a source with a place, got ambience")
        return place
    numbers = _numbers(said)
    if len(numbers) != 3:
        raise InputError(
            f"--source: expected X,Y,Z or one of {', '.join(sorted(places)) or 'no sources'}, got {said!r}"
        )
    return np.array(numbers)


def _pose(said: str) -> tuple[Float64[np.ndarray, "3"], float]:
    numbers = _numbers(said)
    if len(numbers) not in (3, 4):
        raise InputError(f"--at: expected X,Y,Z or X,Y,Z,YAW, got {said!r}")
    return np.array(numbers[:3]), float(np.radians(numbers[3])) if len(numbers) == 4 else 0.0


def _numbers(said: str) -> list[float]:
    try:
        numbers = [float(part) for part in said.split(",")]
    except ValueError:
        return []
    return numbers if np.isfinite(numbers).all() else []


def _walls(do: LearnRoom, shots: "tuple[Shot, ...]", console: Console) -> "Walls":
    from sonoworld.acoustics.guess import box_of_size, box_walls  # noqa: PLC0415
    from sonoworld.learn.prepare import walls_around  # noqa: PLC0415

    if (do.size is None) != (do.eye is None):
        raise InputError("learn room: expected --size and --eye together")
    if do.size is not None and do.eye is not None:
        return box_of_size(do.size, do.eye, 0.2)
    places = [place for shot in shots for place in (shot.source, shot.listener)]
    walls, moved = walls_around(box_walls(load_scene(do.scene).geometry), places)
    if moved:
        console.print(f"{len(moved)} walls of the picture's box were pushed out to hold source and microphone")
    return walls


def _draw(file: Path, fit: "RoomFit", room: "Room", shot: "Shot") -> None:
    from io import BytesIO  # noqa: PLC0415

    from PIL import Image  # noqa: PLC0415

    from sonoworld.acoustics.heard import room_response  # noqa: PLC0415
    from sonoworld.acoustics.response import Grid  # noqa: PLC0415
    from sonoworld.disk import atomic  # noqa: PLC0415
    from sonoworld.learn.fit_picture import fit_picture  # noqa: PLC0415
    from sonoworld.learn.room import aligned  # noqa: PLC0415

    heard = aligned(shot)
    model = fit.parameters if room.late is None or room.late.measured is not None else room
    made = room_response(model, fit.emitter, shot.source, shot.listener, Grid(heard.shape[1], shot.rate_hz, air=False))
    raw = BytesIO()
    Image.fromarray(fit_picture(heard, made, shot.rate_hz)).save(raw, "png")
    atomic.write_bytes(file, raw.getvalue())


def _tell(console: Console, scene: Path, room: "Room") -> None:
    from sonoworld.acoustics.bands import OCTAVES_HZ  # noqa: PLC0415
    from sonoworld.acoustics.room import MOST_ABSORPTION  # noqa: PLC0415

    table = Table(title="Absorption (·: nothing is followed singly), and how long it rings", title_justify="left")
    for column in ("wall", "m", *(f"{hz / 1000:g} k" if hz >= 1000 else f"{hz:g}" for hz in OCTAVES_HZ)):
        table.add_column(column, justify="right" if column != "wall" else "left")
    names = ("ahead", "behind", "left", "right", "ceiling", "floor") if len(room.walls) == 6 else ()
    for i, material in enumerate(room.walls.materials):
        name = f"{names[i]} ({material})" if names else material
        numbers = ("·" if a >= MOST_ABSORPTION else f"{a:.2f}" for a in room.walls.absorption[i])
        table.add_row(name, f"{room.walls.offsets_m[i]:.2f}", *numbers)
    if room.late is not None:
        table.add_row("T60, s", "", *(f"{t:.2f}" for t in room.late.t60_s))
    console.print(table)
    console.print(f"{scene / 'room.json'}: {describe(room)}", highlight=False, soft_wrap=True, markup=False)


def describe(room: "Room") -> str:
    """A room in a line."""
    how = "guessed from the picture" if room.guessed else "fitted to sound"
    late: LateField | None = room.late
    ring = "no late field" if late is None else f"T60 {late.t60_s[3]:.2f} s at 1 kHz"
    rest = ", with its measured residue" if late is not None and late.measured is not None else ""
    return f"{how}: {len(room.walls)} walls, reflections up to order {room.order}, {ring}{rest}"
