"""The worlds in a folder, and the names under which new ones go there."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sonoworld.disk import versions
from sonoworld.disk.scene import manifest
from sonoworld.disk.workspace import SCENE
from sonoworld.errors import InputError, SonoworldError
from sonoworld.localize.names import slug


@dataclass(frozen=True, slots=True)
class Entry:
    """A world in the gallery: `problem` says why it cannot be entered, "" where it can."""

    name: str
    made_at: float
    edits: int
    problem: str


def listed(folder: Path) -> tuple[Entry, ...]:
    """All worlds directly in a folder, newest first; not those that a link leads to."""
    found = [path for path in folder.iterdir() if _is_world(folder, path.name)]
    return tuple(sorted(map(_entry, found), key=lambda entry: (-entry.made_at, entry.name)))


def _entry(scene: Path) -> Entry:
    problem = ""
    try:
        manifest(scene)
    except SonoworldError as error:
        problem = str(error).replace(f"{scene}", scene.name)
    return Entry(scene.name, (scene / SCENE).stat().st_mtime, versions.head(scene), problem)


def world_at(folder: Path, name: str) -> Path:
    """The world of that name, directly in the folder.

    Raises:
        InputError: there is none.
    """
    if not _is_world(folder, name):
        raise InputError("there is no such world")
    return folder / name


def _is_world(folder: Path, name: str) -> bool:
    if not name or name.startswith(".") or any(c in name for c in "/\\:\0"):
        return False
    path = folder / name
    return path.resolve().is_relative_to(folder.resolve()) and (path / SCENE).is_file()


def free_name(folder: Path, photo: str, taken: Iterable[str]) -> str:
    """A name for the world of a photo: its own, with a number where that is taken."""
    stem, used = slug(Path(photo).stem if photo else "photo"), set(taken)
    name, number = stem, 1
    while name in used or any((folder / f"{name}{end}").exists() for end in ("", ".partial")):
        number += 1
        name = f"{stem}-{number}"
    return name
