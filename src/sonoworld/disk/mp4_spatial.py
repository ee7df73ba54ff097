"""MP4 boxes: put a film's index in front, and say that its picture is a sphere and its sound a field.

FFmpeg's muxer writes the index (`moov`) last and knows nothing of Ambisonics; players that stream want it first, and
video platforms read three marks: `st3d` and `sv3d` beside the video's codec (Google, "Spherical Video V2 RFC"), `SA3D`
beside the sound's ("Spatial Audio RFC"), and, older, an XML text in a `uuid` box of the video's track ("Spherical
Video RFC"). Boxes: ISO/IEC 14496-12; all numbers are big-endian.
"""

import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from sonoworld.errors import UnsafeFileError

SPHERICAL_UUID = UUID("ffcc8263-f855-4a93-8814-587a02521fdd").bytes
MADE_BY = "sonoworld"

_HEADS = {b"stsd": 16, b"avc1": 86, b"vp09": 86, b"mp4a": 36, b"ipcm": 36}
"""Bytes before the boxes inside: 8 for most; `stsd` counts its entries, pictures and sounds have their own fields."""
_CONFIGURATION = {b"avc1": b"avcC", b"vp09": b"vpcC", b"mp4a": b"esds", b"ipcm": b"pcmC"}
_SAMPLES = (b"trak", b"mdia", b"minf", b"stbl")
_MOST_MOOV = 2**28


@dataclass(frozen=True, slots=True)
class _Place:
    """A box at the top of a file."""

    kind: bytes
    start: int
    size: int


def finish(source: Path, target: BinaryIO, *, around: bool) -> None:
    """Copy a film with its index in front.

    Args:
        source: MP4 file as FFmpeg writes it: one `moov`, one `mdat`.
        target: where the finished film goes.
        around: the picture is a whole sphere (equirectangular, ahead in the middle) and the sound four channels of
            AmbiX in the same fixed axes: mark both.

    Raises:
        UnsafeFileError: not such a file.
    """
    with source.open("rb") as file:
        top = _top(file, source)
        kinds = [place.kind for place in top]
        if sorted(kind for kind in kinds if kind not in (b"free", b"skip")) != [b"ftyp", b"mdat", b"moov"]:
            raise UnsafeFileError(f"{source}: expected one each of ftyp, mdat and moov, got {kinds}")
        ftyp, mdat, moov = (next(p for p in top if p.kind == kind) for kind in (b"ftyp", b"mdat", b"moov"))
        if moov.size > _MOST_MOOV:
            raise UnsafeFileError(f"{source}: expected an index of at most {_MOST_MOOV} bytes, got {moov.size}")
        index = _read(file, moov)
        if around:
            index = marked_as_sphere(index)
        target.write(_read(file, ftyp))
        target.write(_moved(index, ftyp.size + len(index) - mdat.start))
        file.seek(mdat.start)
        shutil.copyfileobj(file, _Limited(target, mdat.size), 2**20)


def marked_as_sphere(moov: bytes) -> bytes:
    """An index whose video says that it is equirectangular, and whose sound that it is first-order AmbiX."""
    sphere, field = sphere_boxes(), ambisonic_box(1)
    for kind, marks in ((b"avc1", sphere), (b"vp09", sphere), (b"mp4a", field), (b"ipcm", field)):
        moov = _edited(moov, (*_SAMPLES, b"stsd", kind), _adding(_CONFIGURATION[kind], marks))
    return _edited(moov, (b"trak",), _with_text)


def sphere_boxes() -> bytes:
    """`st3d` (one eye) and `sv3d` (equirectangular, nothing cropped, not turned) of Google's V2."""
    projection = box(b"prhd", b"\0" * 4, struct.pack(">iii", 0, 0, 0)) + box(b"equi", b"\0" * 4, b"\0" * 16)
    header = box(b"svhd", b"\0" * 4, MADE_BY.encode() + b"\0")
    return box(b"st3d", b"\0" * 4, b"\0") + box(b"sv3d", header, box(b"proj", projection))


def ambisonic_box(order: int) -> bytes:
    """`SA3D` of a periphonic field, ACN order, SN3D weights, channels as they come."""
    channels = (order + 1) ** 2
    fields = struct.pack(">BBIBBI", 0, 0, order, 0, 0, channels)
    return box(b"SA3D", fields, struct.pack(f">{channels}I", *range(channels)))


def box(kind: bytes, *content: bytes) -> bytes:
    """A box of ISO/IEC 14496-12: its size, its name, what is in it."""
    data = b"".join(content)
    return struct.pack(">I4s", len(data) + 8, kind) + data


def _spherical_text() -> bytes:
    space = "http://ns.google.com/videos/1.0/spherical/"
    fields = {
        "Spherical": "true",
        "Stitched": "true",
        "StitchingSoftware": MADE_BY,
        "ProjectionType": "equirectangular",
    }
    inside = "".join(f"<GSpherical:{name}>{value}</GSpherical:{name}>" for name, value in fields.items())
    rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    return (
        f'<?xml version="1.0"?><rdf:SphericalVideo xmlns:rdf="{rdf}" xmlns:GSpherical="{space}">'
        f"{inside}</rdf:SphericalVideo>"
    ).encode()


def _with_text(track: bytes) -> bytes:
    """A video's track with the older XML text; other tracks as they are."""
    kinds: list[bytes] = []

    def note(handler: bytes) -> bytes:
        kinds.append(handler[16:20])
        return handler

    _edited(track, (b"mdia", b"hdlr"), note)
    return box(b"trak", track[8:], box(b"uuid", SPHERICAL_UUID, _spherical_text())) if kinds == [b"vide"] else track


def _adding(after: bytes, marks: bytes) -> Callable[[bytes], bytes]:
    """Adds boxes right behind the one of that kind: behind what every reader needs, before what is optional."""

    def add(entry: bytes) -> bytes:
        return _edited(entry, (after,), lambda configuration: configuration + marks)

    return add


def _moved(moov: bytes, by: int) -> bytes:
    """The index for samples that lie `by` bytes further on."""
    for kind, letter in ((b"stco", "I"), (b"co64", "Q")):

        def shift(offsets: bytes, letter: str = letter) -> bytes:
            (count,) = struct.unpack(">I", offsets[12:16])
            places = [at + by for at in struct.unpack(f">{count}{letter}", offsets[16:])]
            if letter == "I" and places and max(places) >= 2**32:
                raise UnsafeFileError("film: expected less than 4 GiB; make it shorter or smaller")
            return offsets[:16] + struct.pack(f">{count}{letter}", *places)

        moov = _edited(moov, (*_SAMPLES, kind), shift)
    return moov


def _edited(whole: bytes, path: tuple[bytes, ...], edit: Callable[[bytes], bytes]) -> bytes:
    """A box in which every box at `path` below it is replaced by what `edit` makes of it; sizes are put right."""
    if not path:
        return edit(whole)
    kind = whole[4:8]
    head = _HEADS.get(kind, 8)
    parts = [_edited(part, path[1:], edit) if part[4:8] == path[0] else part for part in _inside(whole, head)]
    return box(kind, whole[8:head], *parts)


def _inside(whole: bytes, start: int) -> list[bytes]:
    parts: list[bytes] = []
    while start < len(whole):
        size = int.from_bytes(whole[start : start + 4])
        if not 8 <= size <= len(whole) - start:
            raise UnsafeFileError(f"film: expected a box of 8..{len(whole) - start} bytes at {start}, got {size}")
        parts.append(whole[start : start + size])
        start += size
    return parts


def _top(file: BinaryIO, source: Path) -> list[_Place]:
    end = file.seek(0, 2)
    places: list[_Place] = []
    at = 0
    while at < end:
        file.seek(at)
        head = file.read(16)
        size = int.from_bytes(head[:4])
        if size == 1 and len(head) == 16:  # ISO/IEC 14496-12, 4.2: a size of 64 bits follows the name
            size = int.from_bytes(head[8:])
        if not 8 <= size <= end - at:
            raise UnsafeFileError(f"{source}: expected a box of 8..{end - at} bytes at {at}, got {size}")
        places.append(_Place(head[4:8], at, size))
        at += size
    return places


def _read(file: BinaryIO, place: _Place) -> bytes:
    file.seek(place.start)
    return file.read(place.size)


class _Limited:
    """Lets at most so many bytes through to a file: copying a part of another."""

    def __init__(self, file: BinaryIO, left: int) -> None:
        self._file, self._left = file, left

    def write(self, data: bytes) -> int:
        """What fits."""
        part = data[: self._left]
        self._left -= len(part)
        self._file.write(part)
        return len(data)
