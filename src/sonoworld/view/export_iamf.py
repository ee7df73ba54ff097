"""A world as an IAMF file: the sound field where the photo was taken, for programs that turn it with the head.

AOM, "Immersive Audio Model and Formats" 1.1, sections 3.2 (OBU header), 3.4 to 3.9 (the descriptors and frames below):
Simple Profile, one scene-based element (Ambisonics, ACN, SN3D, each channel its own substream), LPCM of 24 bits. A
renderer for two ears or loudspeakers is in whatever plays it; the loudness that is stated is that of our own stereo.
"""

import math
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from sonoworld.disk import atomic
from sonoworld.encode.field import encode_scene
from sonoworld.encode.options import EncodeOptions
from sonoworld.errors import InputError
from sonoworld.frames import Pose
from sonoworld.render.loudness import true_peak_db
from sonoworld.render.speakers import LAYOUTS
from sonoworld.render.speakers_decode import decoded
from sonoworld.render.speakers_loudness import layout_loudness
from sonoworld.types import SoundField, Source
from sonoworld.wording import one_line

RATE_HZ = 48_000
FRAME = 1024
"""Samples of every channel in a frame."""
PEAK = 0.98
SECONDS = (1.0, 3600.0)
MOST_ORDER = 3
"""The Simple Profile has at most 16 channels."""
LEAST_LEVEL = -127.0
"""Of silence, in LUFS and dBFS: eight bits before the point can say no less."""
_FULL_24_BIT, _WIDTH = 2**23 - 1, 3
_CODEC, _ELEMENT, _MIX, _DELIMITER, _FRAME_0, _SEQUENCE = 0, 1, 2, 4, 6, 31
_CODEC_ID, _ELEMENT_ID, _MIX_ID, _ELEMENT_GAIN_ID, _OUTPUT_GAIN_ID = 1, 1, 1, 1, 2
_LITTLE_ENDIAN, _SCENE_BASED, _MONO, _BINAURAL_BY_HRTF = 1, 1, 0, 1
_WITH_TRUE_PEAK = 1
_SPEAKERS, _STEREO = 2, 0
"""A layout of loudspeakers, and sound system A of ITU-R BS.2051."""


def export_iamf(sources: Sequence[Source], path: Path, title: str, seconds: float, order: int = 3) -> float:
    """Write what sounds as an IAMF file, and return the one gain that was put on all of it, dB.

    The gain brings the largest sample to 0.98; without it, 0 dBFS RMS would be 100 dB SPL.

    Args:
        sources: With clips; in world coordinates, the listener at the origin, looking along x.
        path: File to write, whole or not at all.
        title: Name of the mix.
        seconds: How long, 1 s to an hour; clips that loop go on, others end.
        order: Ambisonic order, 0..3.

    Raises:
        InputError: nothing sounds, or a length or order out of range.
    """
    if not SECONDS[0] <= seconds <= SECONDS[1]:
        raise InputError(f"{path}: expected {SECONDS[0]:g} to {SECONDS[1]:g} seconds, got {seconds:g}")
    if not 0 <= order <= MOST_ORDER:
        raise InputError(f"{path}: expected order 0..{MOST_ORDER}, got {order}")
    sounding = [source for source in sources if source.clip is not None]
    if not sounding:
        raise InputError(f"{path}: expected sources with sound, got none")
    samples = round(seconds * RATE_HZ)
    field = encode_scene(sounding, Pose.identity(), EncodeOptions(order=order), samples, RATE_HZ)
    peak = float(np.abs(field.signal).max())
    gain = PEAK / peak if peak > 0 else 1.0
    signal = field.signal * np.float32(gain)
    with atomic.replacing(path) as file:
        file.write(_descriptors(signal, one_line(title) or "sonoworld"))
        for frame in _frames(signal):
            file.write(frame)
    return float(20 * np.log10(gain))


def _descriptors(signal: Float32[np.ndarray, "c t"], title: str) -> bytes:
    channels = len(signal)
    codec = leb128(_CODEC_ID) + b"ipcm" + leb128(FRAME) + struct.pack(">h", 0)
    codec += struct.pack(">BBI", _LITTLE_ENDIAN, 8 * _WIDTH, RATE_HZ)
    element = leb128(_ELEMENT_ID) + bytes([_SCENE_BASED << 5]) + leb128(_CODEC_ID) + leb128(channels)
    element += b"".join(leb128(i) for i in range(channels)) + leb128(0)
    element += leb128(_MONO) + bytes([channels, channels, *range(channels)])
    return (
        obu(_SEQUENCE, b"iamf" + bytes([0, 0]))
        + obu(_CODEC, codec)
        + obu(_ELEMENT, element)
        + obu(_MIX, _mix(signal, title))
    )


def _mix(signal: Float32[np.ndarray, "c t"], title: str) -> bytes:
    """One mix of one element, as it is; its loudness on two loudspeakers."""
    stereo = decoded(SoundField(signal, RATE_HZ, 0.0), LAYOUTS["stereo"])
    loudness = layout_loudness(stereo, LAYOUTS["stereo"])
    peak = float(np.abs(stereo).max())
    mix = leb128(_MIX_ID) + leb128(1) + b"en\0" + _text(title)
    mix += leb128(1) + leb128(1)  # one sub-mix of one element
    mix += leb128(_ELEMENT_ID) + _text("sound field") + bytes([_BINAURAL_BY_HRTF << 6]) + leb128(0)
    mix += _gain(_ELEMENT_GAIN_ID) + _gain(_OUTPUT_GAIN_ID)
    mix += leb128(1) + bytes([_SPEAKERS << 6 | _STEREO << 2])
    levels = [max(level, LEAST_LEVEL) for level in (loudness, 20 * math.log10(max(peak, 1e-9)), true_peak_db(stereo))]
    return mix + bytes([_WITH_TRUE_PEAK]) + b"".join(_q7_8(level) for level in levels)


def _gain(parameter: int) -> bytes:
    """A gain of 0 dB that no parameter block changes: its definition says nothing of durations (mode 1)."""
    return leb128(parameter) + leb128(RATE_HZ) + bytes([0x80]) + _q7_8(0.0)


def _q7_8(value: float) -> bytes:
    return struct.pack(">h", max(-(2**15), min(2**15 - 1, round(256 * value))))


def _text(words: str) -> bytes:
    """At most 127 bytes of UTF-8, and a zero."""
    return words.encode()[:127].decode("utf-8", "ignore").encode() + b"\0"


def _frames(signal: Float32[np.ndarray, "c t"]) -> Iterator[bytes]:
    """Every temporal unit: a delimiter and a frame of each channel; the last is filled up, which its header says."""
    samples = signal.shape[1]
    for start in range(0, samples, FRAME):
        block = np.zeros((len(signal), FRAME), np.float64)
        part = signal[:, start : start + FRAME]
        block[:, : part.shape[1]] = part
        steps = np.rint(block * _FULL_24_BIT).astype("<i4")
        packed = np.ascontiguousarray(steps).view(np.uint8).reshape(len(signal), FRAME, 4)[..., :_WIDTH]
        spare = FRAME - part.shape[1]
        yield obu(_DELIMITER, b"") + b"".join(obu(_FRAME_0 + i, one.tobytes(), spare) for i, one in enumerate(packed))


def obu(kind: int, payload: bytes, trimmed: int = 0) -> bytes:
    """An open bitstream unit; `trimmed` samples at its end are not to be heard."""
    trim = leb128(trimmed) + leb128(0) if trimmed else b""
    return bytes([kind << 3 | (2 if trimmed else 0)]) + leb128(len(trim) + len(payload)) + trim + payload


def leb128(value: int) -> bytes:
    """An unsigned number, seven bits a byte, the lowest first."""
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)
