"""A world as an ADM file (BW64 with `axml` and `chna`, ITU-R BS.2088-1), as heard from where the photo was taken.

Every point source is an object: its sound as it arrives (level, distance, directivity), and its direction. Surfaces and
ambience are one Ambisonic bed, because an object has no shape of ours. Nobody moves: ADM has no walking listener.
"""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.disk import atomic
from sonoworld.encode.field import encode_scene
from sonoworld.encode.motion import places
from sonoworld.encode.options import EncodeOptions
from sonoworld.errors import InputError
from sonoworld.frames import Pose
from sonoworld.types import Source, Spread
from sonoworld.view.adm_document import Placed, Track, adm_document

RATE_HZ = 48_000
STEP_S = 0.1
"""Between the places of a moving object; renderers go straight from one to the next."""
PEAK = 0.98
FULL_24_BIT = 2**23 - 1
SECONDS = (1.0, 3600.0)
MAX_CHANNELS = 128
MAX_BYTES = 2**32 - 2**20
_BLOCK = 65_536
_PCM, _WIDTH = 1, 3


def export_adm(sources: Sequence[Source], path: Path, title: str, seconds: float, order: int = 3) -> float:
    """Write what sounds as an ADM file of 24 bits, and return the one gain that was put on all of it, dB.

    The gain brings the largest sample to 0.98; without it, 0 dBFS RMS would be 100 dB SPL.

    Args:
        sources: With clips; in world coordinates, the listener at the origin, looking along x.
        path: File to write, whole or not at all.
        title: Name of the programme.
        seconds: How long, 1 s to an hour; clips that loop go on, others end.
        order: Ambisonic order of the bed.

    Raises:
        InputError: nothing sounds, a length out of range, too many objects, or more than fits into 4 GiB.
    """
    if not SECONDS[0] <= seconds <= SECONDS[1]:
        raise InputError(f"{path}: expected {SECONDS[0]:g} to {SECONDS[1]:g} seconds, got {seconds:g}")
    sounding = [source for source in sources if source.clip is not None]
    points = [source for source in sounding if source.spread is Spread.POINT]
    channels = len(points) + (order + 1) ** 2
    most = MAX_CHANNELS - (order + 1) ** 2
    if not sounding or len(points) > most:
        got = f"{len(points)} point sources" if sounding else "nothing that sounds"
        raise InputError(f"{path}: expected 1 to {most} point sources, or surfaces or ambience, got {got}")
    samples = round(seconds * RATE_HZ)
    if channels * samples * _WIDTH > MAX_BYTES:
        raise InputError(
            f"{path}: expected at most 4 GiB, got {channels} channels of {seconds:g} s; take fewer seconds"
        )
    signal = _signal(points, [one for one in sounding if one.spread is not Spread.POINT], order, samples)
    peak = float(np.abs(signal).max())
    gain = PEAK / peak if peak > 0 else 1.0
    axml, tracks = adm_document(title, tuple(_placed(one, seconds) for one in points), order, seconds)
    _write(path, signal * np.float32(gain), axml, tracks)
    return float(20 * np.log10(gain))


def _signal(points: list[Source], others: list[Source], order: int, samples: int) -> Float32[np.ndarray, "c t"]:
    """Objects as they arrive at the origin, then the bed."""
    here, mono, bed = Pose.identity(), EncodeOptions(order=0), EncodeOptions(order=order)
    arriving = [encode_scene([one], here, mono, samples, RATE_HZ).signal for one in points]
    return np.concatenate([*arriving, encode_scene(others, here, bed, samples, RATE_HZ).signal])


def _placed(source: Source, seconds: float) -> Placed:
    if source.path is None:
        starts_s = np.zeros(1)
        at = np.asarray(source.centroid, np.float64)[None]
    else:
        starts_s = np.arange(0.0, seconds, STEP_S)
        ends_s = np.append(starts_s[1:], seconds)
        at = places(source.path, np.where(starts_s > 0, ends_s, 0.0))
    return Placed(source.label, starts_s, _directions(at))


def _directions(at: Float64[np.ndarray, "k 3"]) -> Float64[np.ndarray, "k 2"]:
    """Azimuth and elevation of places seen from the origin, rad."""
    x, y, z = at.T
    return np.stack([np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))], -1)


def _write(path: Path, signal: Float32[np.ndarray, "c t"], axml: bytes, tracks: tuple[Track, ...]) -> None:
    channels, frames = signal.shape
    width = _WIDTH * channels
    fmt = struct.pack("<HHIIHH", _PCM, channels, RATE_HZ, RATE_HZ * width, width, 8 * _WIDTH)
    chunks = _chunk(b"fmt ", fmt) + _chunk(b"chna", _chna(tracks)) + _chunk(b"axml", axml)
    data_bytes = width * frames
    padding = bytes(data_bytes % 2)
    total = len(b"WAVE") + len(chunks) + 8 + data_bytes + len(padding)
    with atomic.replacing(path) as file:
        # below 4 GiB a BW64 file may begin as RIFF (BS.2088-1, section 3), which older programs open, too
        file.write(b"RIFF" + struct.pack("<I", total) + b"WAVE" + chunks + b"data" + struct.pack("<I", data_bytes))
        for start in range(0, frames, _BLOCK):
            steps = np.rint(signal[:, start : start + _BLOCK].T.astype(np.float64) * FULL_24_BIT).astype("<i4")
            file.write(np.ascontiguousarray(steps).view(np.uint8).reshape(-1, 4)[:, :_WIDTH].tobytes())
        file.write(padding)


def _chna(tracks: tuple[Track, ...]) -> bytes:
    """BS.2088-1, section 8: two counts, then 40 bytes for each track."""
    rows = (
        struct.pack("<H12s14s11sx", one.number, one.uid.encode(), one.track_format.encode(), one.pack_format.encode())
        for one in tracks
    )
    return struct.pack("<HH", len(tracks), len(tracks)) + b"".join(rows)


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
