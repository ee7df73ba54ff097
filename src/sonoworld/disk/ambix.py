"""Ambisonic files: AmbiX (ACN, SN3D), and N3D or FuMa at the edge. Written as float32 WAV (RF64 from 4 GiB on).

A note in the file says convention, order and level; reading believes it over nobody, but never against the caller.
"""

import re
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float32

from sonoworld.disk.wav import Sound, read_sound, write_wav
from sonoworld.encode.exchange import fuma_from_sn3d, n3d_from_sn3d, order_of, sn3d_from_fuma, sn3d_from_n3d
from sonoworld.errors import ShapeError, UnsafeFileError
from sonoworld.types import FULL_SCALE_DB, SoundField

Convention = Literal["ambix", "n3d", "fuma"]
"""Channel order and weights: ACN with SN3D, ACN with N3D, or FuMa's letters with maxN (orders 0..3)."""

_WORDS: dict[Convention, str] = {"ambix": "ACN, SN3D", "n3d": "ACN, N3D", "fuma": "WXYZRSTUVKLMNOPQ, maxN"}
_NOTE = re.compile(r"Ambisonics (ambix|n3d|fuma) \([^)]*\), order \d+; 0 dBFS RMS is (-?\d{1,3}(?:\.\d{1,6})?) dB SPL")


def write_ambix(path: Path, field: SoundField, convention: Convention = "ambix") -> None:
    """Write a sound field at its physical level: no gain, nothing clipped. FuMa declares itself as .amb files do.

    Raises:
        ShapeError: an unknown convention, an order above 10, or above 3 for FuMa.
        InputError: samples are not finite.
    """
    _require_known(convention)
    order = order_of(field.signal.shape[0])
    signal = field.signal
    if convention == "n3d":
        signal = n3d_from_sn3d(signal)
    elif convention == "fuma":
        signal = fuma_from_sn3d(signal)
    note = (
        f"Ambisonics {convention} ({_WORDS[convention]}), order {order}; 0 dBFS RMS is {field.full_scale_db:g} dB SPL"
    )
    samples = np.ascontiguousarray(signal, np.float32)
    write_wav(path, samples, field.rate_hz, note=note, b_format=convention == "fuma")


def read_ambix(path: Path, convention: Convention = "ambix") -> SoundField:
    """Read a sound field from a WAV, RF64, W64 or CAF file (or AIFF, FLAC, OGG) with (N + 1)² channels.

    The level is the one in our own note; a recording without it counts as `FULL_SCALE_DB` at 0 dBFS RMS.

    Raises:
        ShapeError: an unknown convention.
        UnsafeFileError: not a sound file, another number of channels, or a file that says it is of another convention.
    """
    _require_known(convention)
    sound = read_sound(path)
    said, full_scale_db = _says(sound)
    if said is not None and said != convention:
        raise UnsafeFileError(
            f"{path}: expected convention {convention}, got a file that says it is {said}; read it as {said!r}"
        )
    return SoundField(_sn3d(path, sound.samples, convention), sound.rate_hz, full_scale_db)


def _says(sound: Sound) -> tuple[str | None, float]:
    """The convention a file claims (None: no claim), and its level."""
    found = _NOTE.search(sound.note)
    if found is not None:
        return found[1], float(found[2])
    return ("fuma" if sound.b_format else None), FULL_SCALE_DB


def _sn3d(path: Path, samples: Float32[np.ndarray, "c t"], convention: Convention) -> Float32[np.ndarray, "c t"]:
    try:
        order_of(samples.shape[0])
        if convention == "n3d":
            samples = sn3d_from_n3d(samples)
        elif convention == "fuma":
            samples = sn3d_from_fuma(samples)
    except ShapeError as error:
        raise UnsafeFileError(f"{path}: {error}") from error
    return np.ascontiguousarray(samples, np.float32)


def _require_known(convention: str) -> None:
    if convention not in get_args(Convention):
        raise ShapeError("Ambisonic convention", expected=" or ".join(get_args(Convention)), got=repr(convention))
