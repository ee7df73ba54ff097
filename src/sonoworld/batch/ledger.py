"""What became of every photo: a file of JSON lines that only grows, so that its writer may end at any time."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from sonoworld.errors import UnsafeFileError

LEDGER = "manifest.jsonl"
MAX_BYTES = 2**30
MAX_ERROR_CHARS = 2000

State = Literal["done", "failed"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One photo's end. `digest` is the SHA-256 of the world's `scene.json`, which holds those of all its files.

    `photo` is its name in the batch; `key` names all that the world depends on; `attempts` counts processes that were
    given it; `seconds` is how long the last one took.
    """

    id: str
    photo: str
    state: State
    seconds: float
    digest: str = ""
    error: str = ""
    key: str = ""
    attempts: int = 1


_ENTRY = TypeAdapter(Entry).validate_python


def ledger_path(out: Path, part: str) -> Path:
    """Every part of a batch that is split over machines has a file of its own: two never write to the same."""
    return out / (f"manifest-{part.replace('/', '-of-')}.jsonl" if part else LEDGER)


def append(path: Path, entry: Entry) -> None:
    """Add a line, on disk when this returns. A line that an earlier writer left torn is closed first."""
    line = json.dumps(asdict(entry), ensure_ascii=True, allow_nan=False).encode() + b"\n"
    with path.open("a+b") as file:
        if file.seek(0, os.SEEK_END) and not _ends_line(file.fileno(), file.tell()):
            line = b"\n" + line
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def _ends_line(descriptor: int, size: int) -> bool:
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1) == b"\n"


def entries(out: Path) -> Mapping[str, Entry]:
    """The last word on every photo, from all parts; lines that are torn or not ours say nothing.

    Raises:
        UnsafeFileError: a file is too large.
    """
    last: dict[str, Entry] = {}
    for path in sorted(path for path in out.glob("manifest*.jsonl") if path.is_file()):
        if path.stat().st_size > MAX_BYTES:
            raise UnsafeFileError(f"{path}: expected at most {MAX_BYTES} bytes of lines")
        for line in path.read_bytes().split(b"\n"):
            try:
                entry = _ENTRY(json.loads(line))
            except (ValueError, RecursionError, ValidationError):
                continue
            last[entry.id] = entry
    return last
