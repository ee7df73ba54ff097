"""What an ADM file says of its channels: objects with places, and an Ambisonic bed (ITU-R BS.2076-2, XML in EBU Core).

Polar coordinates of section 8: azimuth in degrees, + is left; elevation, + is up; as ours. Identifiers of section 6:
a type of four digits (0003 objects, 0004 HOA) and a number of four; numbers below 1001 (hex) are common definitions.
"""

import xml.etree.ElementTree as ET
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from sonoworld.encode.harmonics import channel_count
from sonoworld.wording import one_line

NAMESPACE = "urn:ebu:metadata-schema:ebuCore_2014"
OBJECTS, HOA = ("0003", "Objects"), ("0004", "HOA")
FIRST = 0x1001
MAX_CHARS = 100


@dataclass(frozen=True, slots=True)
class Placed:
    """One mono channel and where it is, rad (azimuth, elevation).

    Stretch k lasts from `starts_s[k]`, the first from 0, to where the next begins, the last to the programme's end. The
    first is at rest in its direction; each other moves to its own from the one before.
    """

    name: str
    starts_s: Float64[np.ndarray, "k"]
    directions: Float64[np.ndarray, "k 2"]


@dataclass(frozen=True, slots=True)
class Track:
    """A row of the `chna` chunk: which channel of the file (from 1) is which of the document's."""

    number: int
    uid: str
    track_format: str
    pack_format: str


def adm_document(
    title: str, objects: tuple[Placed, ...], order: int, seconds: float
) -> tuple[bytes, tuple[Track, ...]]:
    """The `axml` chunk, and the rows of `chna`: first the objects' channels, then the bed's (ACN, SN3D)."""
    core = ET.Element("ebuCoreMain", {"xmlns": NAMESPACE, "xml:lang": "en"})
    extended = ET.SubElement(ET.SubElement(ET.SubElement(core, "coreMetadata"), "format"), "audioFormatExtended")
    extended.set("version", "ITU-R_BS.2076-2")
    end = _time(seconds)
    programme = _named(extended, "audioProgramme", "APR_1001", title, start=_time(0), end=end)
    _text(programme, "audioContentIDRef", "ACO_1001")
    content = _named(extended, "audioContent", "ACO_1001", title)
    tracks: list[Track] = []
    for number, one in enumerate((*objects, None)):
        object_id = f"AO_{FIRST + number:04x}"
        _text(content, "audioObjectIDRef", object_id)
        name = "bed" if one is None else one.name
        element = _named(extended, "audioObject", object_id, name, start=_time(0), duration=end)
        kind, pack_number = (HOA, FIRST) if one is None else (OBJECTS, FIRST + number)
        pack = f"AP_{kind[0]}{pack_number:04x}"
        _text(element, "audioPackFormatIDRef", pack)
        count = channel_count(order) if one is None else 1
        rows = [_track(len(tracks) + i, kind, pack_number + i, pack) for i in range(count)]
        for row in rows:
            _text(element, "audioTrackUIDRef", row.uid)
        _pack(extended, pack, kind, name, [row.track_format for row in rows])
        for i, row in enumerate(rows):
            channel = _channel(extended, row, kind, name if one is not None else f"bed {i}")
            if one is None:
                _harmonic(channel, i)
            else:
                _way(channel, one, seconds)
        tracks += rows
    for row in tracks:
        uid = ET.SubElement(extended, "audioTrackUID", UID=row.uid, sampleRate="48000", bitDepth="24")
        _text(uid, "audioTrackFormatIDRef", row.track_format)
        _text(uid, "audioPackFormatIDRef", row.pack_format)
    ET.indent(core, " ")
    return ET.tostring(core, "utf-8", xml_declaration=True), tuple(tracks)


def _track(index: int, kind: tuple[str, str], number: int, pack: str) -> Track:
    return Track(index + 1, f"ATU_{index + 1:08x}", f"AT_{kind[0]}{number:04x}_01", pack)


def _pack(parent: ET.Element, pack: str, kind: tuple[str, str], name: str, formats: list[str]) -> None:
    element = _named(parent, "audioPackFormat", pack, name, typeLabel=kind[0], typeDefinition=kind[1])
    for one in formats:
        _text(element, "audioChannelFormatIDRef", f"AC_{one[3:11]}")
    if kind == HOA:
        _text(element, "normalization", "SN3D")


def _channel(parent: ET.Element, row: Track, kind: tuple[str, str], name: str) -> ET.Element:
    """A channel with the stream and track formats that PCM needs."""
    code = row.track_format[3:11]
    labels = {"typeLabel": kind[0], "typeDefinition": kind[1]}
    channel = _named(parent, "audioChannelFormat", f"AC_{code}", name, **labels)
    pcm = {"formatLabel": "0001", "formatDefinition": "PCM"}
    stream = _named(parent, "audioStreamFormat", f"AS_{code}", name, **pcm)
    _text(stream, "audioChannelFormatIDRef", f"AC_{code}")
    _text(stream, "audioTrackFormatIDRef", row.track_format)
    track = _named(parent, "audioTrackFormat", row.track_format, name, **pcm)
    _text(track, "audioStreamFormatIDRef", f"AS_{code}")
    return channel


def _harmonic(channel: ET.Element, acn: int) -> None:
    """ACN = n(n + 1) + m (BS.2076-2, section 10.4): degree m of order n."""
    order = int(acn**0.5)
    block = ET.SubElement(channel, "audioBlockFormat", audioBlockFormatID=f"AB_{channel.attrib[_ID][3:]}_00000001")
    _text(block, "order", str(order))
    _text(block, "degree", str(acn - order * (order + 1)))
    _text(block, "normalization", "SN3D")


_ID = "audioChannelFormatID"


def _way(channel: ET.Element, one: Placed, seconds: float) -> None:
    ends = (*one.starts_s[1:].tolist(), seconds)
    degrees = np.rad2deg(one.directions)
    for k, (start, end) in enumerate(zip(one.starts_s.tolist(), ends, strict=True)):
        block = ET.SubElement(
            channel,
            "audioBlockFormat",
            audioBlockFormatID=f"AB_{channel.attrib[_ID][3:]}_{k + 1:08x}",
            rtime=_time(start),
            duration=_time(end, start),
        )
        for axis, value in zip(("azimuth", "elevation"), degrees[k].tolist(), strict=True):
            _text(block, "position", f"{value:.4f}", coordinate=axis)
        _text(block, "position", "1.0", coordinate="distance")


def _named(parent: ET.Element, tag: str, identity: str, name: str, **more: str) -> ET.Element:
    shown = one_line(name, MAX_CHARS) or "unnamed"
    return ET.SubElement(parent, tag, {f"{tag}ID": identity, f"{tag}Name": shown, **more})


def _text(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, tag, attributes).text = text


def _time(seconds: float, since: float = 0.0) -> str:
    """hh:mm:ss.fffff; a stretch is the difference of its rounded ends, so that none overlap."""
    ticks = round(seconds * 100_000) - round(since * 100_000)
    whole, part = divmod(ticks, 100_000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{part:05d}"
