"""SPZ files of splats: versions 2 and 3 (gzip) are read and written, version 4 (Zstandard) is read.

After the format's description by Niantic (github.com/nianticlabs/spz, README and `load-spz.cc`, MIT), in our own words.
Axes: x right, y up, z back (RUB), unless an extension record says otherwise. Many programs put other axes into SPZ
without saying so (World Labs' and PlayCanvas' are y down): whoever imports a file may say which.
"""

import struct
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from sonoworld.disk import atomic
from sonoworld.disk.splat_file_checks import MAX_SPLATS, checked, require_file
from sonoworld.disk.spz_packed import Packed, Rotation, fractional_bits_for, pack, unpack, widths
from sonoworld.errors import BackendMissingError, InputError, UnsafeFileError
from sonoworld.types import Splats

SPZ_AXES = "RUB"
MAGIC = b"NGSP"
GZIP = b"\x1f\x8b"
GZIP_WINDOW = 31
MAX_EXTENSION_BYTES = 64 * 1024
ANTIALIASED, HAS_EXTENSIONS = 0x1, 0x2
COORDINATE_SYSTEM = 0xADBE0003
_SYSTEMS = (
    *("LDB", "RDB", "LUB", "RUB", "LDF", "RDF", "LUF", "RUF"),
    *("LFD", "RFD", "LFU", "RFU", "LBD", "RBD", "LBU", "RBU"),
)
"""Named from 1 on by the extension record SPZ_ADOBE_coordinate_system; F is ahead, B back, as in `frames`."""

_START = struct.Struct("<4sIIBBBB")
_START_4 = struct.Struct("<4sIIBBBBI12x")
_TOC_ENTRY = struct.Struct("<QQ")


@dataclass(frozen=True, slots=True)
class _Start:
    """What both kinds of header say."""

    version: int
    count: int
    degree: int
    fractional_bits: int
    flags: int

    @property
    def rotation(self) -> Rotation:
        return "first three" if self.version == 2 else "smallest three"

    def sizes(self) -> list[int]:
        """Bytes of each stream."""
        return [self.count * width for width in widths(self.degree, self.rotation)]


def write_spz(path: Path, splats: Splats, *, version: Literal[2, 3] = 3) -> None:
    """Write splats, which must be in SPZ's axes, as SPZ; same splats, same bytes.

    Version 3 keeps rotations to 0.1°, version 2 to about 0.5° for readers older than 2025.

    Raises:
        InputError: a position does not fit into 24 bits.
    """
    start = _Start(version, len(splats), round(splats.sh.shape[1] ** 0.5) - 1, fractional_bits_for(splats), 0)
    packed = pack(splats, start.fractional_bits, start.rotation)
    head = _START.pack(MAGIC, version, start.count, start.degree, start.fractional_bits, 0, 0)
    deflate = zlib.compressobj(wbits=GZIP_WINDOW)
    parts = [deflate.compress(head), *(deflate.compress(stream.tobytes()) for stream in packed.streams())]
    atomic.write_bytes(path, b"".join([*parts, deflate.flush()]))


def read_spz(path: Path, *, max_splats: int = MAX_SPLATS) -> Splats:
    """Read an SPZ file of version 2, 3 or 4, in the axes it has.

    Raises:
        UnsafeFileError: the file is malformed, truncated, or holds more than its header says or than `max_splats`.
        InputError: version 1, harmonics above degree 3, or parts nobody has described.
        BackendMissingError: version 4 on a Python before 3.14 that lacks the package `backports.zstd`.
    """
    return read_spz_and_axes(path, max_splats=max_splats)[0]


def read_spz_and_axes(path: Path, *, max_splats: int = MAX_SPLATS) -> tuple[Splats, str | None]:
    """As `read_spz`, and the axes that the file names, None if it names none."""
    require_file(path, "an SPZ file", 64 * max_splats + 2**20)  # packed splats take at most 64 bytes
    raw = path.read_bytes()
    if raw[:2] == GZIP:
        start, streams, extensions = _inflate(raw, path, max_splats)
    elif raw[:4] == MAGIC:
        start, streams, extensions = _decompress(raw, path, max_splats)
    else:
        raise UnsafeFileError(f"{path}: expected an SPZ file, got {raw[:8]!r}")
    each = widths(start.degree, start.rotation)
    tables = [
        np.frombuffer(stream, np.uint8).reshape(start.count, width) for stream, width in zip(streams, each, strict=True)
    ]
    return checked(unpack(Packed(*tables), start.fractional_bits), path), _named_axes(extensions, path)


def _check_start(start: _Start, versions: Sequence[int], path: Path, max_splats: int) -> None:
    if start.version not in versions:
        known = ", ".join(map(str, versions))
        raise InputError(f"{path}: expected SPZ of version {known} in this container, got {start.version}")
    if start.count > max_splats:
        raise UnsafeFileError(f"{path}: expected at most {max_splats} splats, got {start.count}")
    if start.degree > 3:
        raise InputError(f"{path}: expected harmonics up to degree 3, got {start.degree}")
    if start.fractional_bits > 23:
        raise UnsafeFileError(f"{path}: expected at most 23 fractional bits, got {start.fractional_bits}")
    if start.flags & ~(ANTIALIASED | HAS_EXTENSIONS):
        raise InputError(f"{path}: expected no flags but 1 and 2, got {start.flags:#04x} (levels of detail?)")


# ---------------------------------------------------------------- versions 2 and 3: one gzip stream


def _inflate(raw: bytes, path: Path, max_splats: int) -> tuple[_Start, list[bytes], bytes]:
    gzip = zlib.decompressobj(GZIP_WINDOW)
    try:
        head = gzip.decompress(raw, _START.size)
        if len(head) < _START.size or not head.startswith(MAGIC):
            raise UnsafeFileError(f"{path}: expected an SPZ header inside gzip, got {head[:8]!r}")
        _, version, count, degree, fractional_bits, flags, _ = _START.unpack(head)
        start = _Start(version, count, degree, fractional_bits, flags)
        _check_start(start, (2, 3), path, max_splats)
        need = sum(start.sizes())
        spare = MAX_EXTENSION_BYTES if flags & HAS_EXTENSIONS else 0
        body = gzip.decompress(gzip.unconsumed_tail, need + spare + 1)
    except zlib.error as error:
        raise UnsafeFileError(f"{path}: expected gzip data: {error}") from error
    if not (need <= len(body) <= need + spare and gzip.eof):
        raise UnsafeFileError(
            f"{path}: expected {need} bytes of {count} splats, got {_amount(len(body), need + spare)}"
        )
    return start, _cut(body, start.sizes()), body[need:]


def _amount(got: int, most: int) -> str:
    return f"more than {most}" if got > most else f"{got} or a damaged end"


def _cut(body: bytes, sizes: Sequence[int]) -> list[bytes]:
    parts, at = [], 0
    for size in sizes:
        parts.append(body[at : at + size])
        at += size
    return parts


# ---------------------------------------------------------------- version 4: a table of Zstandard streams


def _decompress(raw: bytes, path: Path, max_splats: int) -> tuple[_Start, list[bytes], bytes]:
    if len(raw) < _START_4.size:
        raise UnsafeFileError(f"{path}: expected an SPZ header of {_START_4.size} bytes, got {len(raw)}")
    _, version, count, degree, fractional_bits, flags, streams, toc_at = _START_4.unpack_from(raw)
    start = _Start(version, count, degree, fractional_bits, flags)
    _check_start(start, (4,), path, max_splats)
    sizes = start.sizes()
    stored = [size for size in sizes if size]  # streams of no bytes are left out
    at = toc_at + streams * _TOC_ENTRY.size
    if streams != len(stored) or toc_at < _START_4.size or at > len(raw):
        raise UnsafeFileError(f"{path}: expected a table of {len(stored)} streams, got {streams} at byte {toc_at}")
    parts: list[bytes] = []
    for i, size in enumerate(stored):
        packed, unpacked = _TOC_ENTRY.unpack_from(raw, toc_at + i * _TOC_ENTRY.size)
        if unpacked != size or packed > len(raw) - at:
            raise UnsafeFileError(f"{path}: stream {i}: expected {size} bytes, got {unpacked} packed into {packed}")
        parts.append(_unzstd(raw[at : at + packed], size, f"{path}: stream {i}"))
        at += packed
    if at != len(raw):
        raise UnsafeFileError(f"{path}: expected {at} bytes, got {len(raw)}")
    filled = iter(parts)
    return start, [next(filled) if size else b"" for size in sizes], raw[_START_4.size : toc_at]


def _unzstd(packed: bytes, size: int, what: str) -> bytes:
    try:  # late: only files of version 4 need it
        if sys.version_info >= (3, 14):
            from compression import zstd  # noqa: PLC0415
        else:
            from backports import zstd  # noqa: PLC0415
    except ImportError as error:
        raise BackendMissingError(f"{what}: SPZ 4 needs a package: pip install backports.zstd") from error
    stream = zstd.ZstdDecompressor()
    try:
        data = stream.decompress(packed, size + 1)
    except zstd.ZstdError as error:
        raise UnsafeFileError(f"{what}: expected Zstandard data: {error}") from error
    if len(data) != size or not stream.eof or stream.unused_data:
        raise UnsafeFileError(f"{what}: expected {size} bytes, got {_amount(len(data), size)}")
    return data


# ---------------------------------------------------------------- extension records


def _named_axes(extensions: bytes, path: Path) -> str | None:
    """The coordinate system among records of (type, length, value); records of others are stepped over."""
    at, axes = 0, None
    while at < len(extensions):
        if at + 8 > len(extensions):
            raise UnsafeFileError(
                f"{path}: expected whole extension records, got {len(extensions) - at} bytes left over"
            )
        kind, length = struct.unpack_from("<II", extensions, at)
        value = extensions[at + 8 : at + 8 + length]
        if len(value) != length:
            raise UnsafeFileError(f"{path}: extension {kind:#x}: expected {length} bytes, got {len(value)}")
        if kind == COORDINATE_SYSTEM:
            system = int.from_bytes(value, "little")
            if length != 4 or not 1 <= system <= len(_SYSTEMS):
                raise UnsafeFileError(f"{path}: coordinate system: expected 1..{len(_SYSTEMS)}, got {system}")
            axes = _SYSTEMS[system - 1]
        at += 8 + length
    return axes
