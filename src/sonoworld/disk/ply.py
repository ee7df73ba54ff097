"""Splats on disk: PLY files with the property names of 3D Gaussian splatting.

Names and order are those of the reference implementation of Kerbl et al. 2023, "3D Gaussian Splatting", `save_ply`:
raw (log, logit) values, quaternion wxyz, higher harmonics channel by channel. Axes are whatever the writer used; ours
are the world's (x ahead, y left, z up), in metres.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from sonoworld.disk import atomic
from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.types import Splats

MAX_HEADER_BYTES = 64 * 1024
MAX_PROPERTIES = 256
CHUNK_SPLATS = 1 << 17
"""Splats converted at a time, so that memory beyond the result stays at a few MB."""

_POSITION = ("x", "y", "z")
_BASE_COLOUR = ("f_dc_0", "f_dc_1", "f_dc_2")
_SCALE = ("scale_0", "scale_1", "scale_2")
_QUATERNION = ("rot_0", "rot_1", "rot_2", "rot_3")
_REQUIRED = (*_POSITION, *_BASE_COLOUR, "opacity", *_SCALE, *_QUATERNION)
_REST_COUNTS = {0: 1, 9: 4, 24: 9, 45: 16}
"""Number of f_rest_* properties -> SH coefficients a colour channel."""

_SCALARS = {
    **dict.fromkeys(("char", "int8"), "i1"),
    **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "<i2"),
    **dict.fromkeys(("ushort", "uint16"), "<u2"),
    **dict.fromkeys(("int", "int32"), "<i4"),
    **dict.fromkeys(("uint", "uint32"), "<u4"),
    **dict.fromkeys(("float", "float32"), "<f4"),
    **dict.fromkeys(("double", "float64"), "<f8"),
}
_COUNT = re.compile(r"[0-9]{1,15}")


def write_ply(path: Path, splats: Splats, comments: Sequence[str] = ()) -> None:
    """Write splats as binary little-endian PLY; the same splats and comments give the same bytes.

    Raises:
        InputError: a comment is not one line of printable ASCII.
    """
    names = _property_names(splats.sh.shape[1])
    header = _header(len(splats), names, comments)
    with atomic.replacing(path) as file:
        file.write(header)
        block = np.empty((min(CHUNK_SPLATS, len(splats)), len(names)), "<f4")
        for start in range(0, len(splats), CHUNK_SPLATS):
            part = slice(start, min(start + CHUNK_SPLATS, len(splats)))
            rows = block[: part.stop - start]
            rows[:, 0:3] = splats.means[part]
            rows[:, 3:6] = splats.sh[part, 0]
            rows[:, 6:-8] = splats.sh[part, 1:].transpose(0, 2, 1).reshape(len(rows), -1)
            rows[:, -8] = splats.opacity_logits[part]
            rows[:, -7:-4] = splats.log_scales[part]
            rows[:, -4:] = splats.quats[part]
            file.write(rows.data)


def _property_names(coefficients: int) -> list[str]:
    rest = [f"f_rest_{i}" for i in range(3 * (coefficients - 1))]
    return [*_POSITION, *_BASE_COLOUR, *rest, "opacity", *_SCALE, *_QUATERNION]


def _header(count: int, names: Sequence[str], comments: Sequence[str]) -> bytes:
    for comment in comments:
        if not (comment.isascii() and comment.isprintable()):
            raise InputError(f"PLY comment: expected one line of printable ASCII, got {comment!r}")
    lines = ["ply", "format binary_little_endian 1.0"]
    lines += [f"comment {comment}" for comment in comments]
    lines += [f"element vertex {count}", *(f"property float {name}" for name in names), "end_header"]
    header = ("\n".join(lines) + "\n").encode("ascii")
    if len(header) > MAX_HEADER_BYTES:
        raise InputError(f"PLY header: expected at most {MAX_HEADER_BYTES} bytes, got {len(header)}; shorten comments")
    return header


def read_ply(path: Path, *, max_splats: int = 20_000_000) -> Splats:
    """Read a 3DGS PLY file written by anybody: any property order, float or double, extra properties left out.

    Nothing is allocated before the counts of the header were checked against the size of the file.

    Raises:
        UnsafeFileError: the file is malformed, its size does not fit its header, or it holds more than `max_splats`.
        InputError: it is a good PLY file but not of splats, or not in binary little-endian form.
    """
    if not path.is_file():
        raise InputError(f"{path}: expected a PLY file, got nothing there or not a regular file")
    with path.open("rb") as file:
        lines = _header_lines(file, path)
        layout = _parse_header(lines, path)
        offset = file.tell()
        _check_size(layout, path, os.fstat(file.fileno()).st_size - offset, max_splats)
        splats = _read_body(file, layout, path)
    _check_values(splats, path)
    return splats


@dataclass(frozen=True, slots=True)
class _Layout:
    count: int
    dtype: np.dtype[np.void]
    rest: int
    alone: bool


def _header_lines(file: BinaryIO, path: Path) -> list[str]:
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
    return [line.rstrip("\r") for line in text.split("\n")]


def _parse_header(lines: Sequence[str], path: Path) -> _Layout:
    """The layout of the vertices; they must come first, as in every splat file known to us."""
    form: str | None = None
    elements: list[tuple[str, int]] = []
    fields: list[tuple[str, str]] = []
    for line in lines[1:]:
        match line.split():
            case [] | ["comment" | "obj_info", *_]:
                pass
            case ["format", name, "1.0"] if form is None:
                form = name
            case ["element", name, count] if _COUNT.fullmatch(count):
                elements.append((name, int(count)))
            case ["property", *words] if len(elements) == 1:
                fields.append(_field(words, line, path))
            case ["property", *_] if elements:
                pass  # of an element after the vertices, which is not read
            case _:
                raise UnsafeFileError(f"{path}: PLY header: expected a known line, got {line[:80]!r}")
    if form != "binary_little_endian":
        raise InputError(f"{path}: expected 'format binary_little_endian 1.0', got {form!r}; convert the file first")
    return _layout(elements, fields, path)


def _field(words: Sequence[str], line: str, path: Path) -> tuple[str, str]:
    if len(words) != 2 or words[0] not in _SCALARS:
        raise UnsafeFileError(f"{path}: PLY header: expected 'property <number type> <name>', got {line[:80]!r}")
    return words[1], _SCALARS[words[0]]


def _layout(elements: list[tuple[str, int]], fields: list[tuple[str, str]], path: Path) -> _Layout:
    if not elements or elements[0][0] != "vertex":
        raise InputError(f"{path}: expected 'element vertex' first, got {[name for name, _ in elements]}")
    names = [name for name, _ in fields]
    if len(names) > MAX_PROPERTIES or len(set(names)) != len(names):
        raise UnsafeFileError(f"{path}: expected at most {MAX_PROPERTIES} distinct properties, got {len(names)}")
    rest = sum(name.startswith("f_rest_") for name in names)
    missing = [name for name in (*_REQUIRED, *(f"f_rest_{i}" for i in range(rest))) if name not in names]
    if missing:
        raise InputError(f"{path}: expected the properties of 3D Gaussian splats, got none of {', '.join(missing)}")
    if rest not in _REST_COUNTS:
        raise InputError(f"{path}: expected 0, 9, 24 or 45 f_rest_* properties, got {rest}")
    wanted = {*_REQUIRED, *(f"f_rest_{i}" for i in range(rest))}
    for name, kind in fields:
        if name in wanted and kind not in ("<f4", "<f8"):
            raise InputError(f"{path}: property {name}: expected float or double, got {kind}")
    return _Layout(elements[0][1], np.dtype(fields), rest, len(elements) == 1)


def _check_size(layout: _Layout, path: Path, body_bytes: int, max_splats: int) -> None:
    if layout.count > max_splats:
        raise UnsafeFileError(f"{path}: expected at most {max_splats} splats, got {layout.count}")
    need = layout.count * layout.dtype.itemsize
    if body_bytes < need or (layout.alone and body_bytes != need):
        raise UnsafeFileError(
            f"{path}: expected {need} bytes after the header ({layout.count} splats of {layout.dtype.itemsize} bytes), "
            f"got {body_bytes}"
        )


def _read_body(file: BinaryIO, layout: _Layout, path: Path) -> Splats:
    n, k = layout.count, _REST_COUNTS[layout.rest]
    means, log_scales = np.empty((n, 3), np.float32), np.empty((n, 3), np.float32)
    quats, logits = np.empty((n, 4), np.float32), np.empty(n, np.float32)
    sh = np.empty((n, k, 3), np.float32)
    for start in range(0, n, CHUNK_SPLATS):
        want = min(CHUNK_SPLATS, n - start)
        rows = np.frombuffer(file.read(want * layout.dtype.itemsize), np.uint8)
        if rows.size != want * layout.dtype.itemsize:
            raise UnsafeFileError(f"{path}: expected {want} more splats at splat {start}, got the end of the file")
        part, table = slice(start, start + want), rows.view(layout.dtype)
        with np.errstate(over="ignore", invalid="ignore"):  # doubles beyond float32 turn infinite and are refused later
            for names, target in ((_POSITION, means), (_SCALE, log_scales), (_QUATERNION, quats)):
                for i, name in enumerate(names):
                    target[part, i] = table[name]
            logits[part] = table["opacity"]
            for channel in range(3):
                sh[part, 0, channel] = table[f"f_dc_{channel}"]
                for i in range(1, k):
                    sh[part, i, channel] = table[f"f_rest_{channel * (k - 1) + i - 1}"]
    return Splats(means=means, log_scales=log_scales, quats=quats, opacity_logits=logits, sh=sh)


def _check_values(splats: Splats, path: Path) -> None:
    for what in ("means", "log_scales", "quats", "opacity_logits", "sh"):
        values = getattr(splats, what)
        bad = ~np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
        if bad.any():
            first = int(np.argmax(bad))
            raise UnsafeFileError(
                f"{path}: {what}: expected finite numbers, got {int(bad.sum())} splats without (first: splat {first})"
            )
    still = ~np.any(splats.quats, axis=1)
    if still.any():
        raise UnsafeFileError(f"{path}: rot_*: expected quaternions, got {int(still.sum())} of length 0")
