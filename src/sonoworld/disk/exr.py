"""OpenEXR images, as renderers write depth: one part, scan lines, uncompressed or deflated (ZIP, ZIPS).

OpenEXR, "OpenEXR File Layout". A header is a stranger's claim: sizes are checked before anything is unpacked. Tiles,
several parts, deep pixels and the wavelet and lossy compressions are refused by name.
"""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from sonoworld.disk.splat_file_checks import require_file
from sonoworld.errors import InputError, UnsafeFileError

MAGIC, VERSION = 20000630, 2
FLAGS = {0x200: "tiles", 0x800: "deep pixels", 0x1000: "several parts"}
MAX_BYTES, MAX_PIXELS, MAX_ATTRIBUTES, MAX_CHANNELS = 2**30, 2**26, 256, 256
LINES = {0: 1, 2: 1, 3: 16}
"""Lines in a block, by compression: none, ZIPS, ZIP."""

COMPRESSIONS = ("none", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A", "DWAA", "DWAB")
_KINDS = (np.dtype("<u4"), np.dtype("<f2"), np.dtype("<f4"))
_DEPTH = ("Z", "depth", "V", "Y", "R")
"""Last parts of channel names that hold depth, most telling first."""


@dataclass(frozen=True, slots=True)
class _Header:
    channels: tuple[tuple[str, np.dtype], ...]
    compression: int
    top: int
    size: tuple[int, int]
    """(width, height)."""
    end: int


def read_exr(path: Path, channel: str | None = None) -> Float32[np.ndarray, "h w"]:
    """One channel of an image: the named one, or the one that looks like depth (Z, depth, V, Y, R, or the only one).

    Raises:
        UnsafeFileError: not an OpenEXR file, or one that lies about its size.
        InputError: a kind of OpenEXR file that is not read here, or no such channel.
    """
    require_file(path, "an .exr file", MAX_BYTES)
    data = path.read_bytes()
    try:
        header = _header(data, path)
        return _pixels(data, header, _chosen(header, channel, path), path)
    except (struct.error, IndexError, ValueError, zlib.error) as error:
        raise UnsafeFileError(f"{path}: expected a whole OpenEXR file, got {str(error)!r} from it") from error


def _header(data: bytes, path: Path) -> _Header:
    magic, version = struct.unpack_from("<II", data)
    if magic != MAGIC or version & 0xFF != VERSION:
        raise UnsafeFileError(f"{path}: expected an OpenEXR file of version {VERSION}, got {data[:8].hex()}")
    unread = [what for flag, what in FLAGS.items() if version & flag]
    if unread:
        raise InputError(f"{path}: expected scan lines in one part, got {', '.join(unread)}")
    attributes, at = _attributes(data, path)
    missing = {"channels", "compression", "dataWindow"} - attributes.keys()
    if missing:
        raise UnsafeFileError(f"{path}: expected attributes {', '.join(sorted(missing))}, got none such")
    left, top, right, bottom = struct.unpack("<4i", attributes["dataWindow"])
    width, height = right - left + 1, bottom - top + 1
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise UnsafeFileError(f"{path}: expected at most {MAX_PIXELS} pixels, got {width}×{height}")
    compression = attributes["compression"][0]
    if compression not in LINES:
        name = COMPRESSIONS[compression] if compression < len(COMPRESSIONS) else str(compression)
        raise InputError(f"{path}: expected no compression, ZIP or ZIPS, got {name}: save it again with one of them")
    return _Header(_channels(attributes["channels"], path), compression, top, (width, height), at)


def _attributes(data: bytes, path: Path) -> tuple[dict[str, bytes], int]:
    """Name to bytes, and where they end."""
    found: dict[str, bytes] = {}
    at = 8
    while data[at] != 0:
        name_end = data.index(b"\0", at, at + 257) if b"\0" in data[at : at + 257] else at
        kind_end = data.find(b"\0", name_end + 1, name_end + 258)
        if name_end == at or kind_end < 0 or len(found) >= MAX_ATTRIBUTES:
            raise UnsafeFileError(f"{path}: expected named attributes, got something else at byte {at}")
        (size,) = struct.unpack_from("<i", data, kind_end + 1)
        start = kind_end + 5
        if size < 0 or start + size > len(data):
            raise UnsafeFileError(f"{path}: expected an attribute within the file, got {size} bytes")
        found[data[at:name_end].decode("ascii")] = data[start : start + size]
        at = start + size
    return found, at + 1


def _channels(data: bytes, path: Path) -> tuple[tuple[str, np.dtype], ...]:
    found: list[tuple[str, np.dtype]] = []
    at = 0
    while data[at] != 0:
        end = data.index(b"\0", at)
        kind, _, every_x, every_y = struct.unpack_from("<i4sii", data, end + 1)
        if not 0 <= kind < len(_KINDS) or (every_x, every_y) != (1, 1) or len(found) >= MAX_CHANNELS:
            raise InputError(f"{path}: expected channels of numbers at every pixel, got others")
        found.append((data[at:end].decode("utf-8"), _KINDS[kind]))
        at = end + 17
    return tuple(found)


def _chosen(header: _Header, channel: str | None, path: Path) -> int:
    names = [name for name, _ in header.channels]
    if channel is not None and channel in names:
        return names.index(channel)
    if channel is None and len(names) == 1:
        return 0
    ends = [name.rsplit(".", 1)[-1].lower() for name in names]
    telling = [] if channel is not None else [end.lower() for end in _DEPTH if end.lower() in ends]
    if not telling:
        raise InputError(f"{path}: expected channel {channel or 'Z'}, got {', '.join(names)}: name one (array)")
    return ends.index(telling[0])


def _pixels(data: bytes, header: _Header, index: int, path: Path) -> Float32[np.ndarray, "h w"]:
    width, height = header.size
    lines = LINES[header.compression]
    blocks = -(-height // lines)
    offsets = struct.unpack_from(f"<{blocks}Q", data, header.end)
    row_bytes = width * sum(kind.itemsize for _, kind in header.channels)
    skip = width * sum(kind.itemsize for _, kind in header.channels[:index])
    kind = header.channels[index][1]
    out = np.empty((height, width), np.float32)
    done = np.zeros(height, bool)
    for offset in offsets:
        if offset > len(data) - 8:
            raise UnsafeFileError(f"{path}: expected lines within the file of {len(data)} bytes, got one at {offset}")
        y, size = struct.unpack_from("<ii", data, offset)
        first = y - header.top
        count = min(lines, height - first)
        if first < 0 or count < 1 or first % lines or not 0 <= size <= len(data) - offset - 8:
            raise UnsafeFileError(f"{path}: expected lines {header.top}.. within the file, got line {y}")
        raw = _unpacked(data[offset + 8 : offset + 8 + size], count * row_bytes, header.compression)
        if len(raw) != count * row_bytes:
            raise UnsafeFileError(f"{path}: line {y}: expected {count * row_bytes} bytes, got {len(raw)}")
        out[first : first + count] = np.ndarray((count, width), kind, raw, skip, (row_bytes, kind.itemsize))
        done[first : first + count] = True
    if not done.all():
        raise UnsafeFileError(f"{path}: expected {height} lines, got {int(done.sum())}")
    return out


def _unpacked(block: bytes, size: int, compression: int) -> bytes:
    """Deflated blocks hold differences of bytes, first those at even places, then those at odd ones."""
    if compression == 0 or len(block) == size:  # stored as it is where deflating did not help
        return block
    inflater = zlib.decompressobj()
    packed = inflater.decompress(block, size + 1)
    if len(packed) != size:
        return packed
    steps = np.frombuffer(packed, np.uint8).astype(np.int64)
    steps[1:] -= 128
    values = np.cumsum(steps).astype(np.uint8)
    out = np.empty(size, np.uint8)
    half = (size + 1) // 2
    out[0::2], out[1::2] = values[:half], values[half:]
    return out.tobytes()
