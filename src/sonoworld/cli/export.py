"""The verb that writes a world for others."""

import time
from pathlib import Path
from types import TracebackType
from typing import Annotated

from rich.console import Console
from tyro.conf import Positional, arg

from sonoworld.cli.containers import CONTAINERS, Choices, Written
from sonoworld.cli.progress import StageWatch
from sonoworld.errors import InputError, SonoworldError


def export(  # noqa: PLR0913, PLR0917  one per option of the command line
    scene: Positional[Path],
    out: Positional[Path | None] = None,
    to: Annotated[str, arg(metavar="{" + ",".join(CONTAINERS) + "}")] = "folder",
    axes: str | None = None,
    lite: bool = False,
    hrtf: str = "kemar",
    title: str = "",
    description: str = "",
    url: str = "",
    credit: str = "",
    seconds: float = 30.0,
    dry: bool = False,
) -> None:
    """Write a world for others: a folder for any web host, one HTML file, its splats or sounds for other programs.

    Args:
        scene: Folder of a world.
        out: Where to write; default beside the world, under its name with `-web` or the kind added.
        to: Kind of export: folder (static site), html (one file that opens from a disk), a splat file, glb
            or usd (splats and sounds), adm (sounds as objects and an
            Ambisonic bed, for studios), or iamf (a sound field, for players that turn it with the head).
        axes: Axes of a splat file: where x, y and z point (F ahead, B back, L left, R right, U up, D down); default
            RDF for ply, sog and splat, RUB for spz and glb, as other programs expect them.
        lite: Smaller: splat files get at most 500 000 splats; pages at most 300 000 and Opus sound, as for phones.
        hrtf: Ears of a page: kemar, sphere, or a SOFA file of your own (its measurements go into the export).
        title: Title of a page; default the world's name.
        description: What search engines and chat programs say of a page; default what sounds there.
        url: Where a page will be; previews and the embed snippet need it.
        credit: Whose photo it is, for a page's credits ("Jane Doe, CC BY 4.0").
        seconds: Length of an ADM or IAMF file.
        dry: No room in a page, even if the world has one (room.json, from `sonoworld learn`).
    """
    container = CONTAINERS.get(to)
    if container is None:
        raise InputError(f"export --to: expected one of {', '.join(CONTAINERS)}, got {to!r}")
    choices = Choices(
        axes=axes,
        lite=lite,
        hrtf=hrtf,
        title=title,
        description=description,
        url=url,
        credit=credit,
        seconds=seconds,
        dry=dry,
    )
    container.require_known(choices)
    target = scene.resolve().with_name(f"{scene.resolve().name}{container.ending}") if out is None else out
    _require_apart(scene, target)
    console = Console()
    try:
        with _Parts(StageWatch(console)) as parts:
            written = container.write(scene, target, choices, parts.told)
    except OSError as error:  # a full disk, a folder that is not ours: the earlier export is still there
        raise SonoworldError(f"{error.filename or target}: cannot be written ({error.strerror or error})") from error
    _say(target, written, console)


def _require_apart(scene: Path, target: Path) -> None:
    """Nothing is written into a world: its folder is all that it is."""
    if target.resolve().is_relative_to(scene.resolve()):
        raise InputError(f"{target}: expected a place outside of the world {scene}")


def _say(target: Path, written: Written, console: Console) -> None:
    files = [p for p in target.rglob("*") if p.is_file()] if target.is_dir() else [target]
    size = sum(p.stat().st_size for p in files) / 1e6
    for name, part in written.parts.items():
        console.print(f"  {name:<18} {part / 1e6:7.2f} MB", highlight=False)
    line = f"{target}: {written.what} of {size:.1f} MB{written.note}"
    console.print(line, highlight=False, soft_wrap=True, markup=False)


class _Parts:
    """Tells a watch of parts one after the other: each ends where the next begins, the last with the whole."""

    def __init__(self, watch: StageWatch) -> None:
        self._watch = watch
        self._part = ""
        self._began = 0.0

    def __enter__(self) -> "_Parts":
        self._watch.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._end()
        self._watch.__exit__(kind, error, trace)

    def told(self, part: str) -> None:
        """This part comes next."""
        self._end()
        self._part, self._began = part, time.perf_counter()
        self._watch.started(part, "")

    def _end(self) -> None:
        if self._part:
            self._watch.finished(self._part, time.perf_counter() - self._began, stored=False)
