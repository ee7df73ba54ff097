"""A scene in the making: finished steps are kept under their keys, the scene appears all at once at the end.

Work happens in `<folder>.partial`; each file is written whole and each step is recorded after its files. A finished
scene is renamed into place. Remaking a scene starts from hard links to the old one, which stays valid until the end.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from sonoworld.disk import atomic, versions
from sonoworld.disk.lock import locked
from sonoworld.disk.room_file import carry_room
from sonoworld.errors import InputError, SonoworldError, UnsafeFileError

FORMAT = 1
MADE = "made.json"
SCENE = "scene.json"
OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""Full, over quota, beyond what a file may have, broken."""


@dataclass(slots=True)
class Workspace:
    """Steps on disk. `folder` is where files go while `scene_folder` is where they will be."""

    folder: Path
    scene_folder: Path
    steps: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def digest(self, step: str) -> str:
        """A name for what a recorded step produced: over the digests of all its files."""
        return json.dumps(self.steps[step]["files"], sort_keys=True)

    def holds(self, step: str, key: str) -> bool:
        """Whether the step is recorded under this key and all its files are as they were written."""
        return self.spoiled(step, key) == ()

    def spoiled(self, step: str, key: str) -> tuple[str, ...] | None:
        """Files of a step that are gone or not as they were written; None where it is not recorded under this key."""
        record = self.steps.get(step)
        if record is None or record.get("key") != key:
            return None
        files: dict[str, str] = record["files"]
        return tuple(name for name, digest in files.items() if not _as_written(self.folder, name, digest))

    def record(self, step: str, key: str, files: tuple[str, ...], provenance: dict[str, Any]) -> None:
        """Remember a finished step; from now on a crash does not lose it."""
        for name in set(self.steps.get(step, {}).get("files", {})) - set(files):
            if not any(name in other["files"] for key_, other in self.steps.items() if key_ != step):
                atomic.inside(self.folder, name).unlink(missing_ok=True)
        digests = {name: atomic.sha256(self.folder / name) for name in files}
        self.steps[step] = {**provenance, "key": key, "files": digests}
        self._write_made()

    def forget(self, step: str) -> None:
        """Take a recorded step out of the scene; its files go when the scene is published."""
        del self.steps[step]
        self._write_made()

    def _write_made(self) -> None:
        document = {"format": FORMAT, "steps": self.steps, "steps_sha256": _steps_digest(self.steps)}
        atomic.write_json(self.folder / MADE, document)


def _steps_digest(steps: object) -> str:
    return hashlib.sha256(json.dumps(steps, sort_keys=True).encode()).hexdigest()


def _read_steps(folder: Path) -> dict[str, dict[str, Any]]:
    """Recorded steps of a folder; none if it has no record that is as it was written."""
    if not (folder / MADE).is_file():
        return {}
    try:
        document = atomic.read_json(folder / MADE)
    except UnsafeFileError:
        return {}
    made = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
    steps = made.get("steps")
    if not isinstance(steps, dict) or made.get("steps_sha256") not in {
        None,
        _steps_digest(steps),
    }:  # None: an older one
        return {}
    return {
        name: cast("dict[str, Any]", record)
        for name, record in cast("dict[str, Any]", steps).items()
        if isinstance(record, dict) and _names_files(folder, cast("dict[str, Any]", record).get("files"))
    }


def _names_files(folder: Path, files: object) -> bool:
    """Whether this is a table of digests by names inside the folder."""
    if not isinstance(files, dict):
        return False
    try:
        for name, digest in cast("dict[str, object]", files).items():
            atomic.inside(folder, name)
            if not isinstance(digest, str):
                return False
    except UnsafeFileError:
        return False
    return True


def _as_written(folder: Path, name: str, digest: str) -> bool:
    try:
        path = atomic.inside(folder, name)
        return path.is_file() and atomic.sha256(path) == digest
    except (UnsafeFileError, OSError):
        return False


@contextmanager
def open_workspace(scene_folder: Path) -> Generator[Workspace]:
    """A place to make a scene that will be `scene_folder`; what is finished survives any interruption.

    Raises:
        InputError: the folder exists and is not a scene, or its parent cannot be reached or written.
        SonoworldError: another process is making the same scene, or the disk is full or broken.
    """
    partial = scene_folder.with_name(scene_folder.name + ".partial")
    try:
        _require_scene_or_nothing(scene_folder)
        scene_folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(scene_folder):
            _finish_interrupted_swap(scene_folder)
            if (scene_folder / SCENE).is_file() and not partial.exists():
                _link_tree(scene_folder, partial)
            partial.mkdir(exist_ok=True)
            yield Workspace(partial, scene_folder, _read_steps(partial))
    except OSError as error:
        if isinstance(error, PermissionError) or error.errno == errno.EROFS:
            raise InputError(f"{scene_folder}: cannot be written ({error.strerror}: {error.filename})") from error
        if error.errno in OF_THE_DISK:
            raise SonoworldError(
                f"{scene_folder}: cannot be written ({error.strerror}); finished steps are kept in {partial}, "
                "run the same command again to go on"
            ) from error
        raise


def publish(work: Workspace, *, version: str) -> None:
    """Write `scene.json` with the digest of every file, drop strays, and rename the scene into place."""
    files = {name: digest for record in work.steps.values() for name, digest in record["files"].items()}
    files[MADE] = atomic.sha256(work.folder / MADE)
    for path in sorted(work.folder.rglob("*"), reverse=True):
        name = path.relative_to(work.folder).as_posix()
        if path.is_file() and name not in files:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    versions.carry(work.scene_folder, work.folder)
    carry_room(work.scene_folder, work.folder)
    document = {
        "format": FORMAT,
        "made_with": f"sonoworld {version}",
        "axes": "x ahead, y left, z up; right-handed; origin at the photo's eye",
        "units": "metres, radians, hertz, dB SPL at 1 m",
        "files": files,
    }
    atomic.write_json(work.folder / SCENE, document)
    old = work.scene_folder.with_name(f".{work.scene_folder.name}.old")
    if work.scene_folder.exists():
        if (work.scene_folder / SCENE).is_file():
            shutil.rmtree(old, ignore_errors=True)
            work.scene_folder.rename(old)
        else:
            work.scene_folder.rmdir()
    work.folder.rename(work.scene_folder)
    shutil.rmtree(old, ignore_errors=True)


def _require_scene_or_nothing(folder: Path) -> None:
    if not folder.exists() or (folder / SCENE).is_file():
        return
    if not folder.is_dir() or any(folder.iterdir()):
        raise InputError(f"{folder}: exists and is not a scene; name a new folder or an empty one")


def _finish_interrupted_swap(folder: Path) -> None:
    """A crash between the two renames of `publish` left the old scene aside: put it back."""
    old = folder.with_name(f".{folder.name}.old")
    if not old.exists():
        return
    if folder.exists():
        shutil.rmtree(old)
    else:
        old.rename(folder)


def _link_tree(source: Path, target: Path) -> None:
    """Copy a folder by hard links where the file system has them."""
    temporary = target.with_name(f".{target.name}.linking")
    shutil.rmtree(temporary, ignore_errors=True)

    def link(a: str, b: str) -> str:
        try:
            os.link(a, b)
        except OSError:
            return shutil.copy2(a, b)
        return b

    shutil.copytree(source, temporary, copy_function=link, ignore=shutil.ignore_patterns(SCENE))
    temporary.rename(target)
