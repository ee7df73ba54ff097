"""What a folder of recordings holds: sound files, their names and tags, and what a `sounds.toml` says about them.

sounds.toml, everything in it optional:

author = "Jane Doe"                # of all files that do not say otherwise
licence = "CC-BY-4.0"

[[sound]]
file = "H4n/STE-012.wav"           # in this folder; the same file may be listed again with another part
label = "church bell"              # default: the words of the file's name and folders
tags = ["slow", "distant"]
begin_s = 12.5                     # only this part
end_s = 40.0
loops = true                       # the part is a loop already: nothing is cut or faded
author = "John Doe"
licence = "CC0-1.0"
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sonoworld.disk.wav import SoundTags, read_tags
from sonoworld.errors import InputError, UnsafeFileError

SHEET = "sounds.toml"
MAX_SHEET_BYTES = 2**20
MAX_FILES = 5000
ENDINGS = (".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".caf", ".w64", ".rf64")
UNSTATED = "unstated"
"""Licence of a recording of which nobody said one."""

Words = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
Seconds = Annotated[float, Field(ge=0, le=1e5, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording or a part of one: `name` is its path within the folder; `label` and `tags` say what is heard."""

    path: Path
    name: str
    label: str
    tags: tuple[str, ...]
    licence: str
    author: str
    begin_s: float = 0.0
    end_s: float | None = None
    loops: bool = False


class _Entry(BaseModel):
    """One [[sound]] table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Words
    label: Words | None = None
    tags: Annotated[tuple[Words, ...], Field(max_length=50)] = ()
    begin_s: Seconds = 0.0
    end_s: Seconds | None = None
    loops: bool = False
    author: Words | None = None
    licence: Words | None = None

    @model_validator(mode="after")
    def _part(self) -> "_Entry":
        if self.end_s is not None and self.end_s <= self.begin_s:
            raise ValueError(f"expected end_s after begin_s = {self.begin_s:g}, got {self.end_s:g}")
        return self


class _Sheet(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    author: Words | None = None
    licence: Words | None = None
    sound: Annotated[tuple[_Entry, ...], Field(max_length=MAX_FILES)] = ()


def sound_files(folder: Path) -> tuple[Path, ...]:
    """All sound files of a folder and its folders, by their endings, sorted; hidden ones are not listed.

    Raises:
        InputError: no such folder, or more than 5000 files.
        UnsafeFileError: a link leads out of the folder.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: expected a folder of recordings (sound.path), got {_instead(folder)}")
    found: list[Path] = []
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if hidden or path.suffix.lower() not in ENDINGS or not path.is_file():
            continue
        _stay_inside(folder, path, str(path))
        found.append(path)
    if len(found) > MAX_FILES:
        raise InputError(f"{folder}: expected at most {MAX_FILES} recordings, got {len(found)}")
    return tuple(found)


def sheet_of(folder: Path) -> Path | None:
    """The folder's `sounds.toml`, if it has one."""
    sheet = folder / SHEET
    return sheet if sheet.exists() else None


def read_folder(folder: Path) -> tuple[Recording, ...]:
    """All recordings of a folder: those of its `sounds.toml` first, in its order, then the other files by name.

    Raises:
        InputError: no such folder, no recording in it, or an impossible `sounds.toml`; names file and key.
        UnsafeFileError: a file is no sound file, or is named outside the folder.
    """
    files = sound_files(folder)
    path = sheet_of(folder)
    sheet = _Sheet() if path is None else _parsed(path)
    listed: list[tuple[Path, _Entry]] = []
    for number, entry in enumerate(sheet.sound, 1):
        listed.append((_file_of(folder, entry.file, f"{path}: sound {number}: file"), entry))
    said = {file.resolve() for file, _ in listed}
    others = [(file, _Entry(file=file.name)) for file in files if file.resolve() not in said]
    tags = {file: read_tags(file) for file in dict.fromkeys(file for file, _ in [*listed, *others])}
    found = tuple(_recording(folder, file, entry, tags[file], sheet) for file, entry in [*listed, *others])
    if not found:
        raise InputError(f"{folder}: expected recordings ({', '.join(ENDINGS)}), got none")
    return found


def _recording(folder: Path, file: Path, entry: _Entry, tags: SoundTags, sheet: _Sheet) -> Recording:
    name = file.relative_to(folder).as_posix()
    return Recording(
        file,
        name,
        entry.label or _readable(name),
        (*entry.tags, *(tag for tag in (tags.title, tags.genre) if tag)),
        entry.licence or tags.licence or sheet.licence or UNSTATED,
        entry.author or tags.artist or sheet.author or "",
        entry.begin_s,
        entry.end_s,
        entry.loops,
    )


def _readable(name: str) -> str:
    """Words of a path: `birds/blackBird_02.wav` -> `birds black Bird`; the name itself if it has none."""
    stem = PurePosixPath(name).with_suffix("").as_posix()
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stem)
    return " ".join(re.findall(r"[^\W\d_]+", spaced)) or stem


def _file_of(folder: Path, name: str, where: str) -> Path:
    file = folder / name
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\\" in name or ":" in name:
        raise UnsafeFileError(f"{where}: expected a path within the folder with / between its parts, got {name!r}")
    if not file.is_file():
        raise InputError(f"{where}: expected a recording in {folder}, found none called {name!r}")
    _stay_inside(folder, file, where)
    return file


def _stay_inside(folder: Path, file: Path, where: str) -> None:
    if not file.resolve().is_relative_to(folder.resolve()):
        raise UnsafeFileError(f"{where}: expected a file in {folder}, got a link out of it, to {file.resolve()}")


def _parsed(path: Path) -> _Sheet:
    if not path.is_file() or path.stat().st_size > MAX_SHEET_BYTES:
        raise UnsafeFileError(f"{path}: expected a TOML file of at most {MAX_SHEET_BYTES} bytes")
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: expected TOML: {error}") from error
    try:
        return _Sheet.model_validate(document)
    except ValidationError as error:
        raise InputError("\n".join(_explain(path, e["loc"], e["msg"]) for e in error.errors())[:2000]) from error


def _explain(path: Path, place: tuple[int | str, ...], message: str) -> str:
    number = f" {place[1] + 1}" if len(place) > 1 and isinstance(place[1], int) else ""
    rest = ".".join(str(part) for part in place[2 if number else 1 :])
    return f"{path}: {place[0] if place else 'the file'}{number}{': ' + rest if rest else ''}: {message}"


def _instead(path: Path) -> str:
    return "a file" if path.exists() else "nothing there"
