"""The compressed PLY of PlayCanvas: chunks of 256 splats, each with its own bounds, numbers packed into 32 bits.

Layout after the reader of PlayCanvas' splat-transform (MIT), in our own words: an element `chunk` holds the least and
greatest position, log scale and (in newer files) colour of 256 splats; `vertex` holds for each splat four words:
position and scale 11, 10, 11 bits of the way from least to greatest, rotation 2 bits for the largest part of the
quaternion wxyz and three times 10 bits for the others, colour and opacity 8 bits each. `sh` may hold more harmonics.
"""

from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import Float32, UInt32

from sonoworld.disk.ply_header import FORMS, Header
from sonoworld.disk.ply_rows import check_size, rows, skip_to, take
from sonoworld.disk.splat_file_checks import logits_of_bytes
from sonoworld.errors import InputError
from sonoworld.types import Splats

SPLATS_IN_CHUNK = 256
SH_C0 = 0.28209479177387814
SH_RANGE = 8.0
"""Higher harmonics lie in −4..4."""

_WORDS = ("packed_position", "packed_rotation", "packed_scale", "packed_color")
_BOUNDS = tuple(f"{end}_{name}" for end in ("min", "max") for name in ("x", "y", "z"))
_SCALE_BOUNDS = tuple(f"{end}_scale_{name}" for end in ("min", "max") for name in ("x", "y", "z"))
_COLOUR_BOUNDS = tuple(f"{end}_{name}" for end in ("min", "max") for name in ("r", "g", "b"))
_REST_COUNTS = {9: 4, 24: 9, 45: 16}


def is_compressed(header: Header) -> bool:
    """Whether the file holds packed splats."""
    names = {element.name: set(element.names) for element in header.elements}
    return "chunk" in names and set(_WORDS) <= names.get("vertex", set())


def read_compressed(file: BinaryIO, header: Header, path: Path, max_splats: int) -> Splats:
    """Splats of a compressed PLY whose header was read.

    Raises:
        UnsafeFileError: the sizes do not fit each other or the file.
        InputError: a property is missing or of another type than the format's.
    """
    if header.form != "binary_little_endian" or header.elements[0].name != "chunk":
        raise InputError(f"{path}: compressed PLY: expected binary_little_endian and 'element chunk' first")
    _check_properties(header, path)
    packed = _table(file, header, "vertex", path, max_splats)
    chunks = _table(file, header, "chunk", path, max_splats)
    n = len(packed)
    if len(chunks) != -(-n // SPLATS_IN_CHUNK):
        raise InputError(
            f"{path}: compressed PLY: expected a chunk for each {SPLATS_IN_CHUNK} of {n}, got {len(chunks)}"
        )
    chunk = np.arange(n) // SPLATS_IN_CHUNK
    colour = _bytes(packed["packed_color"])
    rgb = colour[:, :3].astype(np.float32) / np.float32(255)
    if "min_r" in (chunks.dtype.names or ()):
        rgb = _between(chunks, _COLOUR_BOUNDS, chunk, rgb)
    base = ((rgb - np.float32(0.5)) / np.float32(SH_C0))[:, None, :]
    return Splats(
        means=_between(chunks, _BOUNDS, chunk, _11_10_11(packed["packed_position"])),
        log_scales=_between(chunks, _SCALE_BOUNDS, chunk, _11_10_11(packed["packed_scale"])),
        quats=_quaternions(packed["packed_rotation"]),
        opacity_logits=logits_of_bytes(colour[:, 3]),
        sh=np.concatenate([base, _rest(file, header, path, max_splats, n)], axis=1),
    )


def _check_properties(header: Header, path: Path) -> None:
    kinds = {p.name: p.kind for one in header.elements for p in one.properties if p.length_kind is None}
    floats = [*_BOUNDS, *_SCALE_BOUNDS, *(_COLOUR_BOUNDS if "min_r" in kinds else ())]
    wrong = [name for name in floats if kinds.get(name) != "f4"] + [n for n in _WORDS if kinds.get(n) != "u4"]
    if wrong or not all(one.fixed() for one in header.elements):
        raise InputError(
            f"{path}: compressed PLY: expected float bounds and uint words, got others: {', '.join(wrong)}"
        )


def _table(file: BinaryIO, header: Header, name: str, path: Path, most: int) -> np.ndarray:
    file.seek(header.body_at)
    element = header.element(name, path)
    skip_to(file, header, element, path)
    check_size(file, header, element, path, most)
    out = np.empty(element.count, element.dtype(FORMS[header.form]))
    for part, table in rows(file, header, element, path):
        out[part] = table
    return out


def _between(
    chunks: np.ndarray, names: tuple[str, ...], chunk: np.ndarray, share: Float32[np.ndarray, "n 3"]
) -> Float32[np.ndarray, "n 3"]:
    bounds = np.empty((len(chunks), 6), np.float32)
    take(chunks, names, bounds)
    least, most = bounds[chunk, :3], bounds[chunk, 3:]
    return least * (1 - share) + most * share


def _11_10_11(words: UInt32[np.ndarray, "n"]) -> Float32[np.ndarray, "n 3"]:
    parts = [(words >> 21) / 2047, ((words >> 11) & 1023) / 1023, (words & 2047) / 2047]
    return np.stack(parts, -1).astype(np.float32)


def _bytes(words: UInt32[np.ndarray, "n"]) -> np.ndarray:
    """The four bytes of each word, most significant first."""
    return np.ascontiguousarray(words).astype(">u4").view(np.uint8).reshape(-1, 4)


def _quaternions(words: UInt32[np.ndarray, "n"]) -> Float32[np.ndarray, "n 4"]:
    small = np.stack([(words >> shift) & 1023 for shift in (20, 10, 0)], -1) / 1023.0
    small = (small - 0.5) * np.sqrt(2)
    largest = np.sqrt(np.maximum(0, 1 - (small**2).sum(-1)))
    which = (words >> 30).astype(np.int64)
    quats = np.empty((len(words), 4), np.float32)
    for i in range(4):
        here = which == i
        quats[here] = np.insert(small[here], i, largest[here], axis=1)
    return quats


def _rest(file: BinaryIO, header: Header, path: Path, most: int, n: int) -> Float32[np.ndarray, "n k 3"]:
    if not header.has("sh"):
        return np.empty((n, 0, 3), np.float32)
    names = header.element("sh", path).names
    if len(names) not in _REST_COUNTS or set(names) != {f"f_rest_{i}" for i in range(len(names))}:
        raise InputError(f"{path}: compressed PLY: expected 9, 24 or 45 f_rest_* in element sh, got {len(names)}")
    table = _table(file, header, "sh", path, most)
    if len(table) != n or any(table.dtype[name] != np.uint8 for name in names):
        raise InputError(f"{path}: compressed PLY: expected {n} rows of bytes in element sh, got {len(table)}")
    each = len(names) // 3
    levels = np.stack([table[f"f_rest_{i}"] for i in range(len(names))], -1)
    # a byte is the middle of its 256th, except that the outermost reach the ends
    share = np.select([levels == 0, levels == 255], [0.0, 1.0], (levels + 0.5) / 256)
    rest = ((share - 0.5) * SH_RANGE).astype(np.float32)
    return np.ascontiguousarray(rest.reshape(n, 3, each).transpose(0, 2, 1))
