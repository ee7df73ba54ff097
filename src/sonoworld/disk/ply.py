"""Splats on disk: PLY files with the property names of 3D Gaussian splatting.

Names and order are those of the reference implementation of Kerbl et al. 2023, "3D Gaussian Splatting", `save_ply`:
raw (log, logit) values, quaternion wxyz, higher harmonics channel by channel. Axes are whatever the writer used; ours
are the world's (x ahead, y left, z up), in metres, and a comment says so.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from sonoworld.disk import atomic
from sonoworld.disk.ply_compressed import is_compressed, read_compressed
from sonoworld.disk.ply_header import MAX_HEADER_BYTES, Element, read_header
from sonoworld.disk.ply_rows import ROWS_AT_A_TIME, check_size, rows, skip_to, take
from sonoworld.disk.splat_file_checks import MAX_SPLATS, checked, require_file
from sonoworld.errors import InputError
from sonoworld.frames import axes_from_words
from sonoworld.types import Splats

_POSITION = ("x", "y", "z")
_BASE_COLOUR = ("f_dc_0", "f_dc_1", "f_dc_2")
_SCALE = ("scale_0", "scale_1", "scale_2")
_QUATERNION = ("rot_0", "rot_1", "rot_2", "rot_3")
_REQUIRED = (*_POSITION, *_BASE_COLOUR, "opacity", *_SCALE, *_QUATERNION)
_REST_COUNTS = {0: 1, 9: 4, 24: 9, 45: 16}
"""Number of f_rest_* properties -> SH coefficients a colour channel."""


def write_ply(path: Path, splats: Splats, comments: Sequence[str] = ()) -> None:
    """Write splats as binary little-endian PLY; the same splats and comments give the same bytes.

    Raises:
        InputError: a comment is not one line of printable ASCII.
    """
    k = splats.sh.shape[1]
    header = _header(len(splats), _property_names(k), comments)
    # V12 moves three floats at once: twice as fast as columns of floats.
    row = np.dtype([("p", "V12"), ("c", "V12"), ("r", "<f4", (3, k - 1)), ("o", "V4"), ("s", "V12"), ("q", "V16")])
    block = np.empty(min(ROWS_AT_A_TIME, len(splats)), row)
    with atomic.replacing(path) as file:
        file.write(header)
        for start in range(0, len(splats), ROWS_AT_A_TIME):
            part = slice(start, min(start + ROWS_AT_A_TIME, len(splats)))
            table = block[: part.stop - start]
            table["p"] = _whole(splats.means[part])
            table["c"] = _whole(splats.sh[part, 0])
            table["r"] = splats.sh[part, 1:].transpose(0, 2, 1)
            table["o"] = _whole(splats.opacity_logits[part, None])
            table["s"] = _whole(splats.log_scales[part])
            table["q"] = _whole(splats.quats[part])
            file.write(table.view(np.uint8).data)


def _whole(values: Float32[np.ndarray, "n c"]) -> np.ndarray:
    """Rows of c floats as n values of 4 c bytes."""
    return np.ascontiguousarray(values, "<f4").view(f"V{4 * values.shape[1]}")[:, 0]


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


def ply_axes(path: Path) -> str | None:
    """The axes a PLY file names in its comments, as ours do ("x ahead, y left, z up" is "FLU"); None if none."""
    require_file(path, "a PLY file")
    with path.open("rb") as file:
        return axes_from_words("\n".join(read_header(file, path).comments))


def read_ply(path: Path, *, max_splats: int = MAX_SPLATS) -> Splats:
    """Read splats of a PLY file written by anybody, in the axes it has.

    Binary of either byte order or in words; any property order, float or double, extra properties left out; also the
    compressed PLY of PlayCanvas. Nothing is allocated before the counts of the header were checked against the size of
    the file.

    Raises:
        UnsafeFileError: the file is malformed, its size does not fit its header, or it holds more than `max_splats`.
        InputError: it is a good PLY file but not of splats.
    """
    require_file(path, "a PLY file")
    with path.open("rb") as file:
        header = read_header(file, path)
        if is_compressed(header):
            return checked(read_compressed(file, header, path, max_splats), path)
        vertices = header.element("vertex", path)
        coefficients = _coefficients(vertices, path)
        skip_to(file, header, vertices, path)
        check_size(file, header, vertices, path, max_splats)
        n = vertices.count
        means, log_scales = np.empty((n, 3), np.float32), np.empty((n, 3), np.float32)
        quats, logits = np.empty((n, 4), np.float32), np.empty((n, 1), np.float32)
        sh = np.empty((n, coefficients, 3), np.float32)
        with np.errstate(over="ignore", invalid="ignore"):  # doubles beyond float32 turn infinite and are refused below
            for part, table in rows(file, header, vertices, path):
                take(table, _POSITION, means[part])
                take(table, _SCALE, log_scales[part])
                take(table, _QUATERNION, quats[part])
                take(table, ("opacity",), logits[part])
                take(table, _BASE_COLOUR, sh[part, 0])
                _take_rest(table, sh[part, 1:])
    return checked(Splats(means, log_scales, quats, logits[:, 0], sh), path)


def _take_rest(table: np.ndarray, sh: Float32[np.ndarray, "n k 3"]) -> None:
    """Higher harmonics: in the file all of red, then all of green, then all of blue."""
    each = sh.shape[1]
    for channel in range(3):
        take(table, [f"f_rest_{channel * each + i}" for i in range(each)], sh[:, :, channel])


def _coefficients(vertices: Element, path: Path) -> int:
    """SH coefficients a channel, if the vertices are splats."""
    names = vertices.names
    rest = sum(name.startswith("f_rest_") for name in names)
    wanted = {*_REQUIRED, *(f"f_rest_{i}" for i in range(rest))}
    missing = [name for name in _property_names(_REST_COUNTS.get(rest, 1)) if name not in names]
    if missing:
        raise InputError(f"{path}: expected the properties of 3D Gaussian splats, got none of {', '.join(missing)}")
    if rest not in _REST_COUNTS:
        raise InputError(f"{path}: expected 0, 9, 24 or 45 f_rest_* properties, got {rest}")
    for p in vertices.properties:
        if p.length_kind is not None or (p.name in wanted and p.kind not in ("f4", "f8")):
            raise InputError(f"{path}: property {p.name}: expected float or double, got {p.length_kind or p.kind}")
    return _REST_COUNTS[rest]
