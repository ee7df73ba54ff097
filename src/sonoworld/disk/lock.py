"""A lock between processes, which the system releases when its holder ends, however it ends."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sonoworld.errors import SonoworldError


@contextmanager
def held(path: Path, busy: str) -> Generator[None]:
    """Hold an exclusive lock on a file of its own, which is gone afterwards.

    Raises:
        SonoworldError: another holds it: `busy`, and to wait.
    """
    with path.open("a+b") as file:
        try:
            _lock(file.fileno())
            ours = path.exists() and _same_file(file.fileno(), path)
        except OSError:
            ours = False
        if not ours:  # held by another, or removed by one that had just finished
            raise SonoworldError(f"{busy}; wait for it")
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _same_file(descriptor: int, path: Path) -> bool:
    return os.path.samestat(os.fstat(descriptor), path.stat())


if os.name == "nt":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
