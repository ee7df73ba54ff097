"""SOG files of splats, read: PlayCanvas' Spatially Ordered Gaussians, version 2, as one `.sog` or as a folder.

After the format's description (developer.playcanvas.com, "The SOG Format") and the reader of splat-transform (MIT), in
our own words: images without loss in which one pixel is one splat, and `meta.json` with the bounds and codebooks that
give the bytes their meaning. Writers turn splats as in PLY files, y down.
"""

import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float32, Float64, UInt8
from pydantic import BaseModel, Field, TypeAdapter

from sonoworld.disk import atomic
from sonoworld.disk.codec import checked_record
from sonoworld.disk.image_bytes import decode_image
from sonoworld.disk.splat_file_checks import MAX_SPLATS, checked, logits_of_bytes, require_file
from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.types import Splats

META = "meta.json"
PALETTE_COLUMNS = 64
MAX_PALETTE = 1 << 16
MAX_META_BYTES = 2**20
MAX_IMAGE_BYTES = 2**30
MAX_EXPANSION, FREE_BYTES = 16, 2**24
"""Bytes of an image for a byte in the archive, where they are more than `FREE_BYTES`: images are packed already."""
SPARE_PIXELS = 2**16
FIRST_TAG = 252
"""The alpha of a rotation's pixel says which part of the quaternion wxyz is largest: 252 + 0..3."""

ZIP_ERRORS = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, OSError),
    *(NotImplementedError, RuntimeError, UnicodeDecodeError),  # other compressions, passwords, names in no encoding
)
"""What `zipfile` raises on archives that are none, are damaged, or ask for more than it can."""

OTHER_PARTS = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])

_Number = Annotated[float, Field(allow_inf_nan=False)]
_Three = Annotated[list[_Number], Field(min_length=3, max_length=3)]
_Codebook = Annotated[list[_Number], Field(min_length=1, max_length=256)]
_Name = Annotated[str, Field(min_length=1, max_length=255)]


class _Means(BaseModel):
    mins: _Three
    maxs: _Three
    files: tuple[_Name, _Name]


class _Coded(BaseModel):
    codebook: _Codebook
    files: tuple[_Name]


class _Quats(BaseModel):
    files: tuple[_Name]


class _Higher(BaseModel):
    count: Annotated[int, Field(ge=1, le=MAX_PALETTE)]
    bands: Annotated[int, Field(ge=1, le=3)]
    codebook: _Codebook
    files: tuple[_Name, _Name]


class _Meta(BaseModel):
    version: Literal[2]
    count: Annotated[int, Field(ge=0)]
    means: _Means
    scales: _Coded
    quats: _Quats
    sh0: _Coded
    higher: _Higher | None = Field(None, alias="shN")


_META = TypeAdapter(_Meta).validate_python
Fetch = Callable[[str], bytes]
"""The bytes of a named file of the data set, of bounded size."""


def read_sog(path: Path, *, max_splats: int = MAX_SPLATS) -> Splats:
    """Read a `.sog` file, or the `meta.json` of an unbundled data set, in the axes it has.

    Nothing is unpacked to disk, and only files that `meta.json` names are opened.

    Raises:
        UnsafeFileError: malformed, damaged, larger than allowed, or a name that leads elsewhere.
        InputError: another version of the format, or an image with loss.
    """
    require_file(path, "a .sog file or a meta.json", 4 * MAX_IMAGE_BYTES)
    with path.open("rb") as file:
        bundled = file.read(2) == b"PK"
    if not bundled:
        return _read(lambda name: _from_folder(path.parent, name), path.name, path, max_splats)
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(lambda name: _from_archive(archive, name, path), META, path, max_splats)
    except ZIP_ERRORS as error:
        raise UnsafeFileError(f"{path}: expected a .sog archive: {str(error)[:200]}") from error


def _from_folder(folder: Path, name: str) -> bytes:
    path = atomic.inside(folder, name)
    most = MAX_META_BYTES if name.endswith(".json") else MAX_IMAGE_BYTES
    require_file(path, "a file named by meta.json", most)
    return path.read_bytes()


def _from_archive(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    if name not in archive.NameToInfo:
        raise UnsafeFileError(f"{path}: expected {name!r} in the archive, got none")
    info = archive.NameToInfo[name]
    unpacked = min(MAX_IMAGE_BYTES, max(FREE_BYTES, MAX_EXPANSION * info.compress_size))
    most = MAX_META_BYTES if name == META else unpacked
    if info.file_size > most:
        raise UnsafeFileError(f"{path}: {name}: expected at most {most} bytes, got {info.file_size}")
    return archive.read(info)  # never gives more than `file_size`


def _read(fetch: Fetch, meta_name: str, path: Path, max_splats: int) -> Splats:
    meta = _parse_meta(fetch(meta_name), path)
    if meta.count > max_splats:
        raise UnsafeFileError(f"{path}: expected at most {max_splats} splats, got {meta.count}")

    def pixels(name: str) -> UInt8[np.ndarray, "n 4"]:
        least, most = meta.count, 2 * meta.count + SPARE_PIXELS
        return _pixels(fetch(name), least, most, f"{path}: {name}").reshape(-1, 4)[: meta.count]

    colours = pixels(meta.sh0.files[0])
    base = _coded(colours[:, :3], meta.sh0.codebook, f"{path}: sh0")[:, None]
    rest = _rest(meta, pixels, fetch, path)
    means = _means(meta.means, *(pixels(name) for name in meta.means.files))
    splats = Splats(
        means=means,
        log_scales=_coded(pixels(meta.scales.files[0])[:, :3], meta.scales.codebook, f"{path}: scales"),
        quats=_quaternions(pixels(meta.quats.files[0]), path),
        opacity_logits=logits_of_bytes(colours[:, 3]),
        sh=base if rest is None else np.concatenate([base, rest], axis=1),
    )
    return checked(splats, path)


def _parse_meta(raw: bytes, path: Path) -> _Meta:
    if len(raw) > MAX_META_BYTES:
        raise UnsafeFileError(f"{path}: meta.json: expected at most {MAX_META_BYTES} bytes, got {len(raw)}")
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise UnsafeFileError(f"{path}: meta.json: expected JSON: {error}") from error
    if not isinstance(document, dict):
        raise UnsafeFileError(f"{path}: meta.json: expected an object, got a {type(document).__name__}")
    if document.get("version") != 2:
        raise InputError(
            f"{path}: meta.json: expected SOG version 2, got {document.get('version', 'none (version 1?)')}"
        )
    return checked_record(document, _META, path)


def _pixels(raw: bytes, least: int, most: int, what: str) -> UInt8[np.ndarray, "h w 4"]:
    """An image of `least` to `most` pixels."""
    if raw[:4] == b"RIFF" and raw[8:16] == b"WEBPVP8 ":
        raise InputError(f"{what}: expected an image without loss, got lossy WebP")
    return decode_image(raw, ("WEBP", "PNG"), (least, most), what)


def _means(bounds: _Means, low: UInt8[np.ndarray, "n 4"], high: UInt8[np.ndarray, "n 4"]) -> Float32[np.ndarray, "n 3"]:
    """16 bits of the way between bounds; what is between them is sign(x) ln(1 + |x|)."""
    share = (low[:, :3] + 256.0 * high[:, :3]) / 65535
    least, most = np.array(bounds.mins), np.array(bounds.maxs)
    squeezed = least + share * (most - least)
    with np.errstate(over="ignore"):  # infinite ones are refused later
        return (np.sign(squeezed) * np.expm1(np.abs(squeezed))).astype(np.float32)


def _quaternions(stored: UInt8[np.ndarray, "n 4"], path: Path) -> Float32[np.ndarray, "n 4"]:
    if (stored[:, 3] < FIRST_TAG).any():
        raise UnsafeFileError(f"{path}: quats: expected alpha 252..255, got {int(stored[:, 3].min())}")
    largest = stored[:, 3].astype(np.int64) - FIRST_TAG
    small: Float64[np.ndarray, "n 3"] = (stored[:, :3] / 255 * 2 - 1) * np.sqrt(0.5)
    quats = np.empty((len(stored), 4))
    np.put_along_axis(quats, OTHER_PARTS[largest], small, 1)
    np.put_along_axis(quats, largest[:, None], np.sqrt(np.maximum(0, 1 - (small**2).sum(1, keepdims=True))), 1)
    return quats.astype(np.float32)


def _coded(stored: UInt8[np.ndarray, "*b"], codebook: list[float], what: str) -> Float32[np.ndarray, "*b"]:
    if stored.max(initial=0) >= len(codebook):
        raise UnsafeFileError(f"{what}: expected indices below {len(codebook)}, got {int(stored.max())}")
    with np.errstate(over="ignore"):  # infinite ones are refused later
        return np.asarray(codebook, np.float64).astype(np.float32)[stored]


def _rest(
    meta: _Meta, pixels: Callable[[str], np.ndarray], fetch: Fetch, path: Path
) -> Float32[np.ndarray, "n k 3"] | None:
    """Higher harmonics: every splat names an entry of a palette, 64 entries a row, a pixel for each coefficient."""
    if meta.higher is None:
        return None
    each = (meta.higher.bands + 1) ** 2 - 1
    width, rows = PALETTE_COLUMNS * each, -(-meta.higher.count // PALETTE_COLUMNS)
    what = f"{path}: {meta.higher.files[0]}"
    entries = _pixels(fetch(meta.higher.files[0]), width * rows, width * (MAX_PALETTE // PALETTE_COLUMNS), what)
    if entries.shape[1] != width:
        raise UnsafeFileError(f"{what}: expected {width} pixels a row, got {entries.shape[1]}")
    table = _coded(entries[:, :, :3].reshape(-1, each, 3), meta.higher.codebook, what)
    stored = pixels(meta.higher.files[1])
    labels = stored[:, 0] + 256 * stored[:, 1].astype(np.int64)
    if labels.max(initial=0) >= meta.higher.count:
        raise UnsafeFileError(f"{path}: shN: expected labels below {meta.higher.count}, got {int(labels.max())}")
    return table[labels]
