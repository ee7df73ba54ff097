"""The clips of an export: FLAC, exact to 16 bits; Opus in Ogg, a tenth of the bytes; MP3 where a format knows no other.

Ogg (RFC 3533 section 6): a page begins with "OggS"; bytes 14..17 hold the stream's serial number, 22..25 a CRC of the
page (polynomial 0x04C11DB7, not reflected, the field itself taken as zero), byte 26 how many lengths follow.
"""

import io
import math
import struct
from pathlib import PurePosixPath
from typing import Literal

import numpy as np
import soundfile as sf
from jaxtyping import Float32

from sonoworld.view.document import SourcePart, WorldDocument

Coding = Literal["flac", "opus", "mp3"]

OPUS_LEVEL = 0.75
"""libsndfile's scale from 256 kb/s (0) to 6 kb/s (1) for a channel: about 68 kb/s, hard to tell from the original."""
MP3_LEVEL = 0.0
"""Its best: noise, which much of the world is, needs it."""
RATES_HZ: dict[Coding, tuple[int, ...]] = {
    "opus": (8000, 12000, 16000, 24000, 48000),
    "mp3": (32000, 44100, 48000),
}
"""What a coding knows; other clips become 48 kHz."""
SERIAL = 1
"""Of every stream: libsndfile draws one by the clock, and the same scene must give the same bytes."""
_POLYNOMIAL = 0x04C11DB7


def encoded(samples: Float32[np.ndarray, "t"], rate_hz: int, coding: Coding) -> bytes:
    """A mono recording as the bytes of a file; the same every time. Rates that a coding lacks become 48 kHz."""
    file = io.BytesIO()
    if coding == "flac":
        sf.write(file, samples, rate_hz, "PCM_16", format="FLAC")
        return file.getvalue()
    if rate_hz not in RATES_HZ[coding]:
        samples, rate_hz = _at_rate(samples, rate_hz, max(RATES_HZ[coding])), max(RATES_HZ[coding])
    if coding == "mp3":
        sf.write(file, samples, rate_hz, "MPEG_LAYER_III", format="MP3", compression_level=MP3_LEVEL)
        return file.getvalue()
    sf.write(file, samples, rate_hz, "OPUS", format="OGG", compression_level=OPUS_LEVEL)
    return _with_serial(file.getvalue())


def with_coding(document: WorldDocument, coding: Coding) -> WorldDocument:
    """The same world, its clips named as files of this kind."""
    sources: list[SourcePart] = []
    for part in document.sources:
        file = part.clip and str(PurePosixPath(part.clip.file).with_suffix(f".{coding}"))
        clip = part.clip and part.clip.model_copy(update={"file": file})
        sources.append(part.model_copy(update={"clip": clip}))
    return document.model_copy(update={"sources": tuple(sources)})


def _at_rate(samples: Float32[np.ndarray, "t"], rate_hz: int, wanted_hz: int) -> Float32[np.ndarray, "n"]:
    from scipy.signal import resample_poly  # noqa: PLC0415  heavy, and most clips have the rate

    part = math.gcd(rate_hz, wanted_hz)
    return np.asarray(resample_poly(samples, wanted_hz // part, rate_hz // part, padtype="line"), np.float32)


def _with_serial(ogg: bytes) -> bytes:
    """The pages of an Ogg file with our serial number and their new checksums."""
    out = bytearray(ogg)
    at = 0
    while at < len(out):
        lengths = out[at + 27 : at + 27 + out[at + 26]]
        end = at + 27 + len(lengths) + sum(lengths)
        struct.pack_into("<I", out, at + 14, SERIAL)
        struct.pack_into("<I", out, at + 22, 0)
        struct.pack_into("<I", out, at + 22, _checksum(bytes(out[at:end])))
        at = end
    return bytes(out)


def _table() -> tuple[int, ...]:
    rows: list[int] = []
    for value in range(256):
        crc = value << 24
        for _ in range(8):
            crc = ((crc << 1) ^ _POLYNOMIAL if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
        rows.append(crc)
    return tuple(rows)


_TABLE = _table()


def _checksum(page: bytes) -> int:
    crc = 0
    for byte in page:
        crc = ((crc << 8) & 0xFFFFFFFF) ^ _TABLE[(crc >> 24) ^ byte]
    return crc
