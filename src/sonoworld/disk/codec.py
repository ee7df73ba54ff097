"""How a value lies in a scene folder: a pair of functions, and the strict check of what was read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from sonoworld.errors import UnsafeFileError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """`save(folder, value)` returns the names it wrote; `load(folder)` reads them back, equal to what was saved."""

    save: Callable[[Path, T], tuple[str, ...]]
    load: Callable[[Path], T]


def checked_record(document: object, validate: Callable[[object], T], where: Path) -> T:
    """Check a JSON document by a pydantic validator."""
    try:
        return validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UnsafeFileError(f"{where}: {place}: {first['msg']}") from error
