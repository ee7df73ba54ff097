"""Which photos a batch is about, and the name of the world that each becomes."""

import glob
import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from sonoworld.errors import InputError
from sonoworld.localize.names import MAX_LENGTH, slug

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".heic", ".heif")
LISTS = (".txt", ".list", ".jsonl")
MAX_LIST_BYTES = 64 * 2**20
_MARK = 8


@dataclass(frozen=True, slots=True)
class Item:
    """A photo of a batch: `id` names its world, `name` is what the batch calls it: its path below the folder given."""

    id: str
    name: str
    path: Path
    panorama: bool = False


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    photo: str
    id: str = ""
    panorama: bool = False


def find_photos(given: str, out: Path) -> tuple[Item, ...]:
    """Photos of a folder (and its folders), of a glob pattern, of a list, or one photo; in the order of their names.

    Worlds are no photos: what lies in `out` or in a world's folder is passed by. A list is a text file with a path a
    line (`#` begins a comment), or a `.jsonl` file of `{"photo": PATH, "id"?: NAME, "panorama"?: true}`; paths in it
    start from its folder, and its order stays.

    Raises:
        InputError: nothing there, an empty list, a line that is not one, or an id given twice.
    """
    path = Path(given).expanduser()
    if path.is_dir():
        found = [Item("", p.relative_to(path).as_posix(), p) for p in _below(path, out)]
    elif path.is_file() and path.suffix.lower() in LISTS:
        found = _listed(path)
    elif path.is_file():
        found = [Item("", path.name, path)]
    elif any(c in given for c in "*?["):
        found = _matching(str(path), out)
    else:
        raise InputError(f"{given}: expected a folder of photos, a pattern such as 'photos/*.jpg', or a list; got none")
    if not found:
        raise InputError(f"{given}: expected at least one photo ({' '.join(SUFFIXES)}), got none")
    return named(found)


def shard(items: Sequence[Item], part: str) -> tuple[Item, ...]:
    """Part `i/n` (i = 1..n) of the photos: every n-th; "" is all of them.

    Raises:
        InputError: not such a part.
    """
    if not part:
        return tuple(items)
    i, slash, n = part.partition("/")
    if not (slash and i.isdecimal() and n.isdecimal() and len(n) < 8 and 1 <= int(i) <= int(n)):
        raise InputError(f"--shard: expected i/n with 1 <= i <= n, such as 2/8, got {part!r}")
    return tuple(items[int(i) - 1 :: int(n)])


def named(items: Sequence[Item]) -> tuple[Item, ...]:
    """Every item with an id that does not depend on the order: its name; with a mark of its path where two share it.

    Raises:
        InputError: an id that was given is not a plain name, or is given twice.
    """
    for item in items:
        if item.id and item.id != slug(item.id):
            raise InputError(f"id {item.id!r} of {item.name}: expected a name such as {slug(item.id)!r}")
    count = Counter(item.id or slug(Path(item.name).stem) for item in items)
    done = [item if item.id else replace(item, id=_id(item.name, count)) for item in items]
    twice = [id_ for id_, times in Counter(item.id for item in done).items() if times > 1]
    if twice:
        who = ", ".join(item.name for item in done if item.id == twice[0])
        raise InputError(f"id {twice[0]!r}: expected one photo of that id, got {who}")
    return tuple(done)


def _id(name: str, count: Counter[str]) -> str:
    stem = slug(Path(name).stem)
    if count[stem] == 1:
        return stem
    mark = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:_MARK]
    return f"{stem[: MAX_LENGTH - _MARK - 1].rstrip('-')}-{mark}"


def _below(folder: Path, out: Path) -> Iterator[Path]:
    """Photos below a folder; not those in hidden folders, worlds, worlds in the making, or `out`."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.resolve() == out.resolve():
            continue
        if path.is_dir() and not path.is_symlink():
            if not (path / "scene.json").exists() and path.suffix != ".partial":
                yield from _below(path, out)
        elif path.suffix.lower() in SUFFIXES:
            yield path


def _matching(pattern: str, out: Path) -> list[Item]:
    """Files of a pattern; their names start where the pattern's own folder ends."""
    top = Path(*itertools.takewhile(lambda part: not any(c in part for c in "*?["), Path(pattern).parts))
    paths = [Path(name) for name in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207  any pattern, absolute too
    photos = [p for p in paths if p.suffix.lower() in SUFFIXES and not p.resolve().is_relative_to(out.resolve())]
    return [Item("", (p.relative_to(top) if p.is_relative_to(top) else p).as_posix(), p) for p in photos]


def _listed(file: Path) -> list[Item]:
    if file.stat().st_size > MAX_LIST_BYTES:
        raise InputError(f"{file}: expected a list of at most {MAX_LIST_BYTES} bytes")
    lines = file.read_text("utf-8", errors="surrogateescape").splitlines()
    told = [(number, line.strip()) for number, line in enumerate(lines, 1)]
    kept = [(number, line) for number, line in told if line and not line.startswith("#")]
    if file.suffix.lower() != ".jsonl":
        return [Item("", line, file.parent / line) for _, line in kept]
    return [_item(file, number, line) for number, line in kept]


def _item(file: Path, number: int, line: str) -> Item:
    try:
        said = _Line.model_validate(json.loads(line))
    except (ValueError, RecursionError, ValidationError) as error:
        raise InputError(f'{file}, line {number}: expected {{"photo": PATH, ...}}, got {line[:60]!r}') from error
    return Item(said.id, said.photo, file.parent / said.photo, said.panorama)
