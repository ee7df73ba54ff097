"""RIFF headers of WAV files: made the same every time, and walked to see whether a file holds what it promises.

Sources: Multimedia Programming Interface 1.0 (1991); WAVE_FORMAT_EXTENSIBLE (Microsoft 2007); RF64 (EBU Tech 3306,
2009), where sizes above 4 GiB are 64 bits in a `ds64` chunk; B-format identifier of .amb files (Dobson 2000).
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sonoworld.errors import UnsafeFileError

UNKNOWN = 0xFFFFFFFF
"""A 32-bit size that says: see `ds64`, or (in a stream that was never finished) nobody knows."""
MAX_RIFF_BYTES = UNKNOWN - 1
MAX_CHUNKS = 4096
_FLOAT, _EXTENSIBLE = 3, 0xFFFE
_WAVE_GUID = bytes.fromhex("000000001000800000aa00389b71")
_B_FORMAT_GUID = bytes.fromhex("00002107d3118644c8c1ca000000")
"""The 14 bytes after the format number: of ordinary WAV files, and of FuMa B-format."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Of a file of 32-bit floats. `note` becomes its comment; `b_format` says FuMa Ambisonics.

    `speaker_mask`: which loudspeakers the channels are for, as WAVE's bits; 0 says none.
    """

    channels: int
    rate_hz: int
    frames: int
    note: str = ""
    b_format: bool = False
    speaker_mask: int = 0

    @property
    def data_bytes(self) -> int:
        """Size of the samples."""
        return 4 * self.channels * self.frames


def header(layout: Layout) -> bytes:
    """Everything before the samples: RIFF, or RF64 where the file passes 4 GiB.

    More than two channels are WAVE_FORMAT_EXTENSIBLE; they are no loudspeakers unless the channel mask says so.
    """
    comment = _chunk(b"LIST", b"INFO" + _chunk(b"ICMT", layout.note.encode() + b"\0")) if layout.note else b""
    fmt = _chunk(b"fmt ", _format(layout))
    rest = len(b"WAVE") + len(fmt) + len(_chunk(b"fact", bytes(4))) + len(comment) + 8
    if rest + layout.data_bytes <= MAX_RIFF_BYTES:
        chunks = fmt + _chunk(b"fact", struct.pack("<I", layout.frames)) + comment
        total, data = struct.pack("<I", rest + layout.data_bytes), struct.pack("<I", layout.data_bytes)
        return b"RIFF" + total + b"WAVE" + chunks + b"data" + data
    sizes = (rest + 36 + layout.data_bytes, layout.data_bytes, layout.frames)
    ds64 = _chunk(b"ds64", struct.pack("<QQQI", *sizes, 0))
    unknown = struct.pack("<I", UNKNOWN)
    chunks = ds64 + fmt + _chunk(b"fact", unknown) + comment
    return b"RF64" + unknown + b"WAVE" + chunks + b"data" + unknown


def _format(layout: Layout) -> bytes:
    extended = layout.channels > 2 or layout.b_format
    width = 4 * layout.channels
    rates = (layout.channels, layout.rate_hz, layout.rate_hz * width, width, 32)
    if not extended:
        return struct.pack("<HHIIHHH", _FLOAT, *rates, 0)
    guid = _B_FORMAT_GUID if layout.b_format else _WAVE_GUID
    return struct.pack("<HHIIHHHHIH", _EXTENSIBLE, *rates, 22, 32, layout.speaker_mask, _FLOAT) + guid


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


@dataclass(frozen=True, slots=True)
class Promise:
    """What a header says: where the samples begin and how many bytes they fill (None: unknown), and whether FuMa."""

    data_at: int
    data_bytes: int | None
    b_format: bool


def promised(path: Path) -> Promise:
    """The promise of a RIFF, RIFX or RF64 file, if its bytes are there.

    Raises:
        UnsafeFileError: chunks that run past the end, no samples, or fewer bytes than promised.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        kind = file.read(12)
        order = ">" if kind.startswith(b"RIFX") else "<"
        if kind[8:] != b"WAVE":
            raise UnsafeFileError(f"{path}: expected a sound file (RIFF of type WAVE), got type {kind[8:]!r}")
        return _walk(path, file, size, order)


def _walk(path: Path, file: BinaryIO, size: int, order: str) -> Promise:
    long_bytes: int | None = None
    b_format = False
    for _ in range(MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            raise UnsafeFileError(f"{path}: expected a data chunk, got none before the end at {size} bytes")
        name, length = head[:4], struct.unpack(order + "I", head[4:])[0]
        at = file.tell()
        if name == b"data":
            known = long_bytes if length == UNKNOWN else length
            if known is not None and at + known > size:
                raise UnsafeFileError(
                    f"{path}: expected {known} bytes of samples as its header says, got {size - at}: the file was cut"
                )
            return Promise(at, known, b_format)
        if at + length > size:
            raise UnsafeFileError(f"{path}: expected chunk {name!r} of {length} bytes, got {size - at}: it was cut")
        body = file.read(min(length, 64))
        if name == b"ds64" and len(body) >= 16:
            long_bytes = struct.unpack("<Q", body[8:16])[0]
        if name == b"fmt ":
            b_format = body[26:40] == _B_FORMAT_GUID
        file.seek(at + length + length % 2)
    raise UnsafeFileError(f"{path}: expected at most {MAX_CHUNKS} chunks before the samples, got more")
