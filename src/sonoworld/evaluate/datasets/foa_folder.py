"""Folders of first-order clips: estimates of a method, or pairs of estimates and references."""

from pathlib import Path

import numpy as np
from jaxtyping import Float32

from sonoworld.disk.wav import read_wav
from sonoworld.errors import InputError

RATE_HZ = 48000
SUFFIXES = (".wav", ".flac")


def read_foa(path: Path) -> Float32[np.ndarray, "4 t"]:
    """A clip [W, Y, Z, X], ACN, SN3D, 48 kHz.

    Raises:
        InputError: another number of channels or another rate.
    """
    samples, rate_hz = read_wav(path)
    if samples.shape[0] != 4 or rate_hz != RATE_HZ:
        raise InputError(f"{path}: expected 4 channels at {RATE_HZ} Hz, got {samples.shape[0]} at {rate_hz} Hz")
    return samples


def foa_pairs(estimated: Path, reference: Path) -> list[tuple[str, Path, Path]]:
    """(name, estimate, reference) of all references; the same relative names on both sides.

    Raises:
        InputError: no references, or one without an estimate.
    """
    found = sorted(p for p in reference.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not found:
        raise InputError(f"{reference}: expected WAV or FLAC files, found none")
    pairs = [(p.relative_to(reference).as_posix(), estimated / p.relative_to(reference), p) for p in found]
    missing = [name for name, estimate, _ in pairs if not estimate.is_file()]
    if missing:
        raise InputError(
            f"{estimated}: {len(missing)} of {len(pairs)} estimates are missing, the first is {missing[0]}"
        )
    return pairs
