"""Reading a finished scene folder, and checking one that a stranger gave us."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sonoworld.disk import atomic, sound_values, versions, world_values
from sonoworld.disk.ground_value import GROUND, GROUND_FILE
from sonoworld.disk.room_file import ROOM_FILE, read_room
from sonoworld.disk.workspace import FORMAT, SCENE
from sonoworld.errors import InputError, SonoworldError, UnsafeFileError
from sonoworld.terrain import walk_surface
from sonoworld.types import Scene, Source, Splats, WalkSurface


def manifest(folder: Path) -> dict[str, str]:
    """File names and digests that `scene.json` promises.

    Raises:
        InputError: not a scene folder, or made by a newer version.
        UnsafeFileError: `scene.json` is malformed or names a file outside the folder.
    """
    if not (folder / SCENE).is_file():
        partial = folder.with_name(folder.name + ".partial")
        hint = "; an unfinished one is beside it: run `sonoworld create` again to go on" if partial.exists() else ""
        raise InputError(f"{folder}: expected a scene folder (with {SCENE}){hint}")
    document = atomic.read_json(folder / SCENE)
    fields = cast("dict[str, object]", document) if isinstance(document, dict) else {}
    if fields.get("format") != FORMAT:
        raise InputError(f"{folder / SCENE}: expected format {FORMAT}, got {fields.get('format')!r}")
    files = fields.get("files")
    if not isinstance(files, dict):
        raise UnsafeFileError(f"{folder / SCENE}: expected a table of files")
    named = {str(name): str(digest) for name, digest in cast("dict[object, object]", files).items()}
    for name in named:
        atomic.inside(folder, name)
    return named


def load_scene(folder: Path) -> Scene:
    """The whole scene. Digests are not checked here; `check_scene` does that.

    A world made before worlds had a ground gets the ground that it would be given today.
    """
    named = manifest(folder)
    lifted = world_values.LIFTED.load(folder)
    return Scene(
        photo=world_values.PHOTO.load(folder),
        camera=world_values.CAMERA.load(folder),
        panorama=world_values.PANORAMA.load(folder),
        geometry=lifted.geometry,
        splats=world_values.SPLATS.load(folder),
        soundings=sound_values.SOUNDINGS.load(folder),
        sources=load_sources(folder),
        ground=GROUND.load(folder) if GROUND_FILE in named else walk_surface(lifted.geometry, lifted.splats),
    )


def load_sources(folder: Path) -> tuple[Source, ...]:
    """Only what sounds, with clips: all that rendering audio needs. As edited, without what was muted."""
    manifest(folder)
    return versions.load_version(folder).heard


def load_lite(folder: Path) -> Splats:
    """The lighter splats (at most 500 k) for browsers."""
    manifest(folder)
    return world_values.LITE.load(folder)


def load_ground(folder: Path) -> WalkSurface | None:
    """Only where one may walk; None where a scene does not say."""
    return GROUND.load(folder) if GROUND_FILE in manifest(folder) else load_scene(folder).ground


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a scene folder."""

    file: str
    problem: str


def check_scene(folder: Path) -> tuple[Finding, ...]:
    """Verify every file's digest and that every value loads and fits the others; empty means sound."""
    found: list[Finding] = []
    for name, digest in manifest(folder).items():
        path = atomic.inside(folder, name)
        if not path.is_file():
            found.append(Finding(name, "missing"))
        elif atomic.sha256(path) != digest:
            found.append(Finding(name, "changed since it was made (its digest differs)"))
    found += [Finding(file, problem) for file, problem in versions.faults(folder)]
    if found:
        return tuple(found)
    try:
        scene = load_scene(folder)
        load_lite(folder)
    except SonoworldError as error:
        return (Finding(SCENE, str(error)),)
    if scene.geometry.distance.shape != scene.panorama.known.shape:
        found.append(Finding("geometry.npz", f"does not have the panorama's size {scene.panorama.known.shape}"))
    if (folder / ROOM_FILE).is_file():
        found += _room_faults(folder)
    found += [Finding(f"sources/{s.id}.wav", "the source has no sound") for s in scene.sources if s.clip is None]
    return tuple(found)


def _room_faults(folder: Path) -> list[Finding]:
    """`room.json` is learnt after a scene was made: no digest, but it must be a room."""
    try:
        read_room(folder)
    except SonoworldError as error:
        return [Finding(ROOM_FILE, str(error))]
    return []
