"""The verb that corrects what a world got wrong: what sounds where. Each edit is a version; nothing is lost."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from tyro.conf import OmitSubcommandPrefixes, Positional, UseAppendAction, arg, subcommand

from sonoworld.cli import tables
from sonoworld.disk import versions
from sonoworld.disk.scene import manifest
from sonoworld.frames import direction_from_angles

Angles = Annotated[tuple[float, float] | None, arg(metavar="AZIMUTH ELEVATION")]
Spread = Literal["point", "area", "ambient"]
Key = tuple[float, float, float, float]


@dataclass(frozen=True)
class Add:
    """A new source where you point; what you do not say is suggested by what the picture shows there."""

    at: Annotated[tuple[float, float], arg(metavar="AZIMUTH ELEVATION")]
    """Degrees: azimuth, + is left; elevation, + is up."""
    label: str | None = None
    """What sounds."""
    prompt: str | None = None
    """How it sounds."""
    spread: Spread | None = None
    """A point; an area: what hangs together there; or ambient."""
    level: float | None = None
    """dB SPL at 1 m."""
    tolerance: float = 12.0
    """How unlike the colours of one area may be, 1..60."""
    seed: int | None = None
    """Another seed is another dog."""


@dataclass(frozen=True)
class Move:
    """Move a source, with its path if it has one."""

    id: Positional[str]
    to: Annotated[tuple[float, float, float] | None, arg(metavar="X Y Z")] = None
    """Metres: ahead, left, up from the photo's eye."""
    at: Angles = None
    """Onto what is seen there, degrees."""


@dataclass(frozen=True)
class Widen:
    """Spread a source over a disc, or scale its surface."""

    id: Positional[str]
    radius: Positional[float]
    """Metres; 0 makes it a point."""


@dataclass(frozen=True)
class Rename:
    """Give a source other words; its sound stays until `sound` makes another of them."""

    id: Positional[str]
    label: Positional[str | None] = None
    prompt: str | None = None
    """How it sounds."""


@dataclass(frozen=True)
class Retype:
    """Make a source a point, an area or ambient."""

    id: Positional[str]
    spread: Positional[Spread]
    at: Angles = None
    """Where, degrees; default where it is."""
    tolerance: float = 12.0
    """How unlike the colours of one area may be, 1..60."""


@dataclass(frozen=True)
class Level:
    """Make a source louder or softer."""

    id: Positional[str]
    level_db: Positional[float]
    """dB SPL at 1 m."""


@dataclass(frozen=True)
class Mute:
    """Keep a source, but silent everywhere."""

    id: Positional[str]
    off: bool = False
    """Heard again."""


@dataclass(frozen=True)
class Remove:
    """Take a source out of the world."""

    id: Positional[str]


@dataclass(frozen=True)
class Sound:
    """Give a source another sound: the next candidate, or a recording of yours."""

    id: Positional[str]
    file: str | None = None
    """A recording: WAV, FLAC, OGG, MP3, AIFF."""
    backend: str | None = None
    """Who makes it of its words; default: who made the world's sounds."""
    seed: int | None = None
    """The same seed, the same sound; default: one that was not heard yet."""
    licence: str = ""
    """Of the recording."""
    author: str = ""
    """Of the recording."""


@dataclass(frozen=True)
class Lead:
    """Lead a source along a path; without keys it stays where it is."""

    id: Positional[str]
    key: Annotated[UseAppendAction[tuple[Key, ...]], arg(metavar="SECONDS X Y Z")] = ()
    """When it is where: seconds, metres; may be repeated."""
    loops: bool = False
    """Round and round between first and last."""
    faces_ahead: bool = False
    """It radiates to where it goes."""


@dataclass(frozen=True)
class Undo:
    """Take the last edit back."""


@dataclass(frozen=True)
class Redo:
    """Take the last undo back."""


@dataclass(frozen=True)
class Log:
    """List all versions."""


_Operation = (
    Annotated[Add, subcommand("add")]
    | Annotated[Move, subcommand("move")]
    | Annotated[Widen, subcommand("widen")]
    | Annotated[Rename, subcommand("rename")]
    | Annotated[Retype, subcommand("retype")]
    | Annotated[Level, subcommand("level")]
    | Annotated[Mute, subcommand("mute")]
    | Annotated[Remove, subcommand("remove")]
    | Annotated[Sound, subcommand("sound")]
    | Annotated[Lead, subcommand("path")]
)
_Verb = (
    _Operation
    | Annotated[Undo, subcommand("undo")]
    | Annotated[Redo, subcommand("redo")]
    | Annotated[Log, subcommand("log")]
)


def edit(scene: Positional[Path], do: OmitSubcommandPrefixes[_Verb], base: int | None = None) -> None:
    """Correct what sounds in a world: add, move, mute, .. (`sonoworld sources` lists it). All of it can be undone.

    Args:
        scene: Folder of a world.
        do: What to do.
        base: Refuse if this is no longer the newest version.
    """
    console = Console()
    if isinstance(do, Log):
        _log(scene, console)
        return
    from sonoworld.edit import desk, parse_operation  # noqa: PLC0415  SciPy waits until something is edited

    if isinstance(do, Undo | Redo):
        saved = desk.undo(scene, base) if isinstance(do, Undo) else desk.redo(scene, base)
    else:
        saved = desk.edit_scene(scene, parse_operation(_document(do)), base)
    name = f" [{saved.id}]" if saved.id else ""
    console.print(
        f"version {saved.version.version}: {saved.version.what}{name}", highlight=False, markup=False, soft_wrap=True
    )
    console.print(tables.sources_table(saved.draft.heard))
    if saved.draft.muted:
        console.print(f"muted: {', '.join(sorted(saved.draft.muted))}", highlight=False, markup=False, soft_wrap=True)


def _document(do: _Operation) -> dict[str, object]:
    """An operation of the command line as the protocol has it: directions for angles, keys as two lists."""
    name = "path" if isinstance(do, Lead) else type(do).__name__.lower()
    fields = {key: value for key in do.__dataclass_fields__ if (value := getattr(do, key)) is not None}
    if "at" in fields:
        fields["direction"] = _direction(fields.pop("at"))
    renamed = {"to": "position", "radius": "radius_m", "level": "level_db"}
    document = {renamed.get(key, key): value for key, value in fields.items()}
    if isinstance(do, Mute):
        document = {"id": do.id, "muted": not do.off}
    if isinstance(do, Lead):
        del document["key"]
        document |= {"times_s": tuple(k[0] for k in do.key), "positions": tuple(k[1:] for k in do.key)}
    return {"op": name, **document}


def _direction(angles_deg: tuple[float, float]) -> tuple[float, float, float]:
    azimuth, elevation = (np.array(math.radians(angle)) for angle in angles_deg)
    x, y, z = direction_from_angles(azimuth, elevation).tolist()
    return x, y, z


def _log(scene: Path, console: Console) -> None:
    manifest(scene)
    history = versions.history(scene)
    if not history:
        console.print(f"{scene}: as it was made, no edits", highlight=False, markup=False, soft_wrap=True)
        return
    table = Table(title="Versions", title_justify="left")
    for column in ("version", "when (UTC)", "what"):
        table.add_column(column)
    for version in history:
        table.add_row(str(version.version), version.at.removesuffix("+00:00"), escape(version.what))
    console.print(table)
