"""The header of a PLY file: which elements follow, how many, of which properties, in which form.

Turk 1994, "The PLY Polygon File Format". Everything in it is a stranger's claim: nothing here allocates by a count.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from sonoworld.errors import InputError, UnsafeFileError

MAX_HEADER_BYTES = 64 * 1024
MAX_ELEMENTS = 16
MAX_PROPERTIES = 256

FORMS = {"binary_little_endian": "<", "binary_big_endian": ">", "ascii": "="}
"""Form -> byte order of numpy; numbers in words have none."""

_SCALARS = {
    **dict.fromkeys(("char", "int8"), "i1"),
    **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"),
    **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32"), "i4"),
    **dict.fromkeys(("uint", "uint32"), "u4"),
    **dict.fromkeys(("float", "float32"), "f4"),
    **dict.fromkeys(("double", "float64"), "f8"),
}
_COUNT = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Property:
    """A number, or with `length_kind` a list of numbers; kinds are numpy's, without byte order."""

    name: str
    kind: str
    length_kind: str | None = None


@dataclass(frozen=True, slots=True)
class Element:
    """`count` rows of the same properties."""

    name: str
    count: int
    properties: tuple[Property, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Property names in file order."""
        return tuple(p.name for p in self.properties)

    def fixed(self) -> bool:
        """Whether all rows are of one size: no lists."""
        return all(p.length_kind is None for p in self.properties)

    def dtype(self, order: str) -> np.dtype[np.void]:
        """A row as a numpy record, byte order `<` or `>`; only for elements without lists."""
        return np.dtype([(p.name, order + p.kind) for p in self.properties])


@dataclass(frozen=True, slots=True)
class Header:
    """`form` is a key of FORMS; `elements` in file order; `comments` without the word; the body starts at `body_at`."""

    form: str
    elements: tuple[Element, ...]
    comments: tuple[str, ...]
    body_at: int

    def has(self, name: str) -> bool:
        """Whether there is an element of that name."""
        return any(element.name == name for element in self.elements)

    def element(self, name: str, path: Path) -> Element:
        """The element of that name, InputError if there is none."""
        for element in self.elements:
            if element.name == name:
                return element
        raise InputError(f"{path}: expected 'element {name}', got {[element.name for element in self.elements]}")


def read_header(file: BinaryIO, path: Path) -> Header:
    """Read and check a header; the file then stands at the first byte of the body.

    Raises:
        UnsafeFileError: it is no PLY header, too long, or has a line nobody knows.
    """
    head = file.read(MAX_HEADER_BYTES)
    if not re.match(rb"ply\r?\n", head):
        raise UnsafeFileError(f"{path}: expected a PLY file (first line 'ply'), got {head[:16]!r}")
    end = re.search(rb"\nend_header\r?\n", head)
    if end is None:
        raise UnsafeFileError(f"{path}: expected 'end_header' within {MAX_HEADER_BYTES} bytes, got none")
    try:
        text = head[: end.start()].decode("ascii")
    except UnicodeDecodeError as error:
        raise UnsafeFileError(f"{path}: expected an ASCII header, got byte {head[error.start]:#04x}") from error
    file.seek(end.end())
    return _parse([line.rstrip("\r") for line in text.split("\n")[1:]], end.end(), path)


def _parse(lines: Sequence[str], body_at: int, path: Path) -> Header:
    form: str | None = None
    elements: list[tuple[str, int, list[Property]]] = []
    comments: list[str] = []
    for line in lines:
        match line.split():
            case []:
                pass
            case ["comment" | "obj_info", *_]:
                comments.append(line.partition(" ")[2])
            case ["format", name, "1.0"] if form is None and name in FORMS:
                form = name
            case ["element", name, count] if _COUNT.fullmatch(count):
                elements.append((name, int(count), []))
            case ["property", *words] if elements:
                elements[-1][2].append(_property(words, line, path))
            case _:
                raise UnsafeFileError(f"{path}: PLY header: expected a known line, got {line[:80]!r}")
    if form is None:
        raise UnsafeFileError(f"{path}: PLY header: expected a line 'format ... 1.0', got none")
    _check_names(elements, path)
    kept = tuple(Element(name, count, tuple(own)) for name, count, own in elements)
    return Header(form, kept, tuple(comments), body_at)


def _property(words: Sequence[str], line: str, path: Path) -> Property:
    match words:
        case [kind, name] if kind in _SCALARS:
            return Property(name, _SCALARS[kind])
        case ["list", length, kind, name] if _SCALARS.get(length, "f")[0] in "iu" and kind in _SCALARS:
            return Property(name, _SCALARS[kind], _SCALARS[length])
        case _:
            raise UnsafeFileError(f"{path}: PLY header: expected 'property <number type> <name>', got {line[:80]!r}")


def _check_names(elements: Sequence[tuple[str, int, Sequence[Property]]], path: Path) -> None:
    names = [name for name, _, _ in elements]
    if len(names) > MAX_ELEMENTS or len(set(names)) != len(names):
        raise UnsafeFileError(f"{path}: expected at most {MAX_ELEMENTS} distinct elements, got {len(names)}")
    for name, _, own in elements:
        properties = [p.name for p in own]
        if len(properties) > MAX_PROPERTIES or len(set(properties)) != len(properties):
            raise UnsafeFileError(
                f"{path}: {name}: expected at most {MAX_PROPERTIES} distinct properties, got {len(properties)}"
            )
