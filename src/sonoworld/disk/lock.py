"""A lock between processes, which the system releases when its holder ends, however it ends."""

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sonoworld.errors import SonoworldError

RETRY_S = 0.05


@contextmanager
def held(path: Path, busy: str, *, wait_s: float = 0.0) -> Generator[None]:
    """Hold an exclusive lock on a file of its own, which is gone afterwards.

    Raises:
        SonoworldError: another still holds it after `wait_s`: `busy`, and to wait.
    """
    deadline = time.monotonic() + wait_s
    while (file := _held(path)) is None:
        if time.monotonic() >= deadline:
            raise SonoworldError(f"{busy}; wait for it")
        time.sleep(RETRY_S)
    with file:
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def locked(scene_folder: Path, *, wait_s: float = 0.0) -> Generator[None]:
    """Hold a scene's lock: one process at a time makes or edits it.

    Raises:
        SonoworldError: another process still holds it after `wait_s`.
    """
    path = scene_folder.with_name(f".{scene_folder.name}.lock")
    with held(path, f"{scene_folder}: another process is making or editing this scene", wait_s=wait_s):
        yield


def _held(path: Path) -> BinaryIO | None:
    """The lock file, ours; None when another holds it, or had just finished and removed it."""
    file = path.open("a+b")
    try:
        _lock(file.fileno())
        if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
            return file
    except OSError:
        pass
    file.close()
    return None


if os.name == "nt":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
