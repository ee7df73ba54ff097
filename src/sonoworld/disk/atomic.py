"""Writing files so that a reader never sees half of one, and reading names so that none leaves its folder."""

import hashlib
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from sonoworld.errors import UnsafeFileError


@contextmanager
def replacing(path: Path) -> Generator[BinaryIO]:
    """A file under a temporary name in the same folder; flushed to disk and renamed to `path` if all went well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file, or leave the old one."""
    with replacing(path) as file:
        file.write(data)


def write_json(path: Path, document: object) -> None:
    """Write JSON with sorted keys, so that the same document gives the same bytes."""
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def read_json(path: Path, *, limit_bytes: int = 64 * 2**20) -> object:
    """Read a JSON file of bounded size.

    Raises:
        UnsafeFileError: missing, larger than `limit_bytes`, not UTF-8, or not JSON.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UnsafeFileError(f"{path}: cannot be read ({error.strerror})") from error
    if size > limit_bytes:
        raise UnsafeFileError(f"{path}: expected at most {limit_bytes} bytes of JSON, got {size}")
    try:
        return json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UnsafeFileError(f"{path}: expected JSON, got something else ({error})") from error


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def inside(folder: Path, name: str) -> Path:
    """`folder / name` for a plain relative name.

    Raises:
        UnsafeFileError: the name is absolute, climbs out with `..`, or passes through a link that leaves the folder.
    """
    pure = PurePosixPath(name)
    if pure.is_absolute() or not pure.parts or ".." in pure.parts or "\\" in name or ":" in name or "\0" in name:
        raise UnsafeFileError(f"{folder}: expected a relative file name inside the scene, got {name!r}")
    path = folder.joinpath(*pure.parts)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UnsafeFileError(f"{folder}: {name!r} leads outside the scene folder")
    return path
