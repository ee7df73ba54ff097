"""Editing a scene on disk: what the command line and the server both do."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sonoworld.disk import sound_values, versions, world_values
from sonoworld.disk.draft_file import Draft
from sonoworld.disk.scene import manifest
from sonoworld.disk.versions import Change, Version, editing
from sonoworld.edit.drafting import Studio, World, apply
from sonoworld.edit.operations import Operation
from sonoworld.edit.steps import redo_target, undo_target
from sonoworld.edit.voice import Maker, maker_of, voiced
from sonoworld.errors import InputError
from sonoworld.types import Clip, Source


@dataclass(frozen=True, slots=True)
class Saved:
    """A version as it was saved, what sounds in it, and the source that was edited ("" for undo and redo)."""

    version: Version
    draft: Draft
    id: str


def as_path(name: str) -> Path:
    """A recording named by its path."""
    return Path(name)


def edit_scene(
    scene: Path,
    operation: Operation,
    base: int | None = None,
    *,
    recording: Callable[[str], Path] = as_path,
    world: Callable[[Path], World] | None = None,
) -> Saved:
    """Do an operation to a scene and save it as a new version.

    Args:
        scene: folder of a world.
        operation: what to do.
        base: the version it was thought for; None: the newest, whichever that is.
        recording: finds the file that a `sound` operation names.
        world: loads what is seen; None: `load_world`.

    Raises:
        InputError: no scene, no such source, or it cannot be done to it.
        StaleVersionError: somebody else has edited the scene since `base`.
        SonoworldError: the disk is full, or another process holds the scene; nothing was changed.
    """
    manifest(scene)
    with editing(scene, base) as journal:
        edited = apply(
            versions.load_version(scene), operation, studio(scene, journal.head, recording, world or load_world)
        )
        change = Change("edit", edited.what, operation.model_dump(mode="json", exclude_none=True))
        return Saved(journal.append(edited.draft, change), edited.draft, edited.id)


def undo(scene: Path, base: int | None = None) -> Saved:
    """Bring back what was before the last edit, as a new version.

    Raises:
        InputError: no scene, or nothing to undo.
        StaleVersionError: somebody else has edited the scene since `base`.
    """
    return _step(scene, base, back=True)


def redo(scene: Path, base: int | None = None) -> Saved:
    """Take back the last undo, as a new version.

    Raises:
        InputError: no scene, or nothing was undone since the last edit.
        StaleVersionError: somebody else has edited the scene since `base`.
    """
    return _step(scene, base, back=False)


def _step(scene: Path, base: int | None, *, back: bool) -> Saved:
    manifest(scene)
    with editing(scene, base) as journal:
        history = versions.history(scene)
        target = undo_target(history) if back else redo_target(history)
        if target is None:
            raise InputError(f"{scene}: nothing to {'undo' if back else 'redo'}")
        draft = versions.load_version(scene, target.version)
        what = f"undone: {_standing(history).what}" if back else f"redone: {target.what}"
        return Saved(journal.append(draft, Change("undo" if back else "redo", what, None, target.version)), draft, "")


def _standing(history: tuple[Version, ...]) -> Version:
    """The edit whose sources the newest version has: what undo takes back."""
    return history[history[-1].of]


def studio(scene: Path, head: int, recording: Callable[[str], Path], world: Callable[[Path], World]) -> Studio:
    """What operations on version `head` of a scene need."""
    maker = maker_of(scene)
    voice = partial(_voice, maker)
    return Studio(lambda: world(scene), voice, recording, maker.seed + head + 1)


def _voice(maker: Maker, source: Source, seed: int, backend: str | None) -> Clip:
    return voiced(source, maker, seed, backend)


def load_world(scene: Path) -> World:
    """What is seen in a scene, and what was understood of it."""
    manifest(scene)
    return World(
        world_values.PANORAMA.load(scene),
        world_values.LIFTED.load(scene).geometry,
        sound_values.SOUNDINGS.load(scene),
    )
