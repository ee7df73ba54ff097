"""The versions of an edited scene: whole, numbered, each in a file of its own that never changes.

`edits/000000.json` is the scene as it was made; undoing adds a version, too. A file names the digest of the one before
it, and its surfaces and clips by theirs. `sources.json` and all else that the scene was made with stay as they are.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, cast

from pydantic import TypeAdapter

from sonoworld.disk import atomic, sound_values
from sonoworld.disk.codec import checked_record
from sonoworld.disk.draft_file import BLOBS, Draft, blob, files_of, load_draft, save_draft
from sonoworld.disk.lock import locked
from sonoworld.errors import SonoworldError, StaleVersionError, UnsafeFileError

EDITS = "edits"
FORMAT = 1
LOCK_WAIT_S = 5.0
_NAME = re.compile(r"(\d{6})\.json")

Kind = Literal["made", "edit", "undo", "redo", "remade"]
Operation = dict[str, object]


@dataclass(frozen=True, slots=True)
class Version:
    """One version. `of`: the version whose sources it has; itself, but for those of kind `undo` and `redo`.

    `what` says it in words, `operation` in full; `at` is when, UTC. `before`: digest of the file of the version before
    (of version 0: ""). `original`: digest of what the scene was made with when it was last made.
    """

    format: Literal[1]
    version: int
    kind: Kind
    of: int
    what: str
    operation: Operation | None
    at: str
    before: str
    original: str


_VERSION = TypeAdapter(Version).validate_python


@dataclass(frozen=True, slots=True)
class Change:
    """What a new version is: its kind, in words, in full, and of which earlier version its sources are (undo, redo)."""

    kind: Kind
    what: str
    operation: Operation | None = None
    of: int | None = None


def head(scene: Path) -> int:
    """Number of the newest version; 0 where nothing was edited."""
    return max(_numbers(scene / EDITS), default=0)


def load_version(scene: Path, number: int | None = None) -> Draft:
    """What sounds in a version, by default the newest.

    Raises:
        UnsafeFileError: there is no such version, or it is malformed.
    """
    chosen = head(scene) if number is None else number
    where = _file(scene / EDITS, chosen)
    if chosen == 0 and not where.exists():
        return Draft(sound_values.with_clips(sound_values.LOCATED.load(scene), sound_values.CLIPS.load(scene)))
    return load_draft(scene / EDITS, _read(where)["sources"], where)


def history(scene: Path) -> tuple[Version, ...]:
    """All versions, oldest first; none where nothing was edited.

    Raises:
        UnsafeFileError: one is missing or malformed.
    """
    folder = scene / EDITS
    numbers = sorted(_numbers(folder))
    if numbers != list(range(len(numbers))):
        raise UnsafeFileError(f"{folder}: expected versions 0..{max(numbers)}, some are missing")
    return tuple(_version(_file(folder, number)) for number in numbers)


@dataclass(slots=True)
class Journal:
    """A scene that nobody else edits meanwhile."""

    scene: Path
    head: int

    def append(self, draft: Draft, change: Change) -> Version:
        """Add a version; on any failure the scene stays as it was.

        Raises:
            SonoworldError: it cannot be written (the disk is full, read-only, ..).
        """
        try:
            self._begin()
            made = _append(self.scene, draft, change)
        except OSError as error:
            raise SonoworldError(
                f"{self.scene}: the edit cannot be saved ({error.strerror}); the world stays at version {self.head}"
            ) from error
        self.head = made.version
        return made

    def _begin(self) -> None:
        if not _numbers(self.scene / EDITS):
            _append(self.scene, load_version(self.scene), Change("made", "as it was made"))


@contextmanager
def editing(scene: Path, base: int | None = None) -> Generator[Journal]:
    """Edit a scene, alone. `base` is the version that the edit was thought for; None: whichever is newest.

    Raises:
        StaleVersionError: somebody else has edited it since `base`.
        SonoworldError: it is being made, or edited for long, by another process.
    """
    with locked(scene, wait_s=LOCK_WAIT_S):
        newest = head(scene)
        if base is not None and base != newest:
            raise StaleVersionError(
                f"{scene}: expected an edit of version {newest}, the newest, got one of version {base}; "
                "look at what changed, then edit again"
            )
        yield Journal(scene, newest)


def carry(old: Path, new: Path) -> None:
    """Take the versions of a scene over into its remade self; where that sounds otherwise it is one more version."""
    shutil.rmtree(new / EDITS, ignore_errors=True)
    if not _numbers(old / EDITS):
        return
    shutil.copytree(old / EDITS, new / EDITS, copy_function=_link)
    if _version(_file(new / EDITS, head(new))).original != _original(new):
        made = Draft(sound_values.with_clips(sound_values.LOCATED.load(new), sound_values.CLIPS.load(new)))
        _append(new, made, Change("remade", "the world was made anew; undo brings the edited sources back"))


def faults(scene: Path) -> tuple[tuple[str, str], ...]:
    """(file, problem) of everything wrong with the versions of a scene."""
    folder, before = scene / EDITS, ""
    found: list[tuple[str, str]] = []
    for number in sorted(_numbers(folder)):
        where = _file(folder, number)
        name = f"{EDITS}/{where.name}"
        try:
            document, version = _read(where), _version(where)
            blobs = files_of(document["sources"], where)
        except SonoworldError as error:
            return (*found, (name, str(error)))
        if version.before != before or version.version != number:
            found.append((name, "changed, or the version before it did (digests differ)"))
        bad = sorted(digest + kind for digest, kind in blobs if not _whole(folder, digest, kind))
        found += [(f"{EDITS}/{BLOBS}/{file}", f"missing or changed; version {number} needs it") for file in bad]
        before = atomic.sha256(where)
    return tuple(found)


def _whole(folder: Path, digest: str, kind: str) -> bool:
    path = blob(folder, digest, kind)
    return path.is_file() and atomic.sha256(path) == digest


def _append(scene: Path, draft: Draft, change: Change) -> Version:
    folder = scene / EDITS
    numbers = _numbers(folder)
    number = max(numbers, default=-1) + 1
    version = Version(
        FORMAT,
        number,
        change.kind,
        number if change.of is None else change.of,
        change.what,
        change.operation,
        datetime.now(UTC).isoformat(timespec="seconds"),
        atomic.sha256(_file(folder, number - 1)) if numbers else "",
        _original(scene) if change.kind in ("made", "remade") else _version(_file(folder, number - 1)).original,
    )
    fields = {name: getattr(version, name) for name in Version.__dataclass_fields__}
    atomic.write_json(_file(folder, number), {**fields, "sources": save_draft(folder, draft)})
    return version


def _original(scene: Path) -> str:
    """Digest of the sources and clips with which a scene was made."""
    names = ["sources.json", "clips.json", *sorted(p.relative_to(scene).as_posix() for p in scene.glob("sources/*.*"))]
    lines = [f"{name} {atomic.sha256(scene / name)}" for name in names]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _numbers(folder: Path) -> list[int]:
    if not folder.is_dir():
        return []
    return [int(found[1]) for path in folder.iterdir() if (found := _NAME.fullmatch(path.name))]


def _file(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.json"


def _read(where: Path) -> dict[str, object]:
    document = atomic.read_json(where)
    fields = cast("dict[str, object]", document) if isinstance(document, dict) else {}
    if "sources" not in fields:
        raise UnsafeFileError(f"{where}: expected a version of a scene, got something else")
    return fields


def _version(where: Path) -> Version:
    fields = {name: value for name, value in _read(where).items() if name != "sources"}
    return checked_record(fields, _VERSION, where)


def _link(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:
        return shutil.copy2(source, target)
    return target
