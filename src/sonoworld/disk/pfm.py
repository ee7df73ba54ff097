"""Portable float maps (.pfm), as stereo benchmarks and depth models write them.

Paul Debevec, "PFM Portable FloatMap Image Format": three lines of text (kind, size, scale) and rows of floats from the
bottom up; a negative scale says little-endian. Its size is a measure of brightness that nobody uses: it is ignored.
"""

import re
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from sonoworld.disk.splat_file_checks import require_file
from sonoworld.errors import InputError, UnsafeFileError

MAX_BYTES, MAX_PIXELS, MAX_HEADER = 2**30, 2**26, 256
_HEADER = re.compile(rb"(P[Ff])\s+(\d{1,9})\s+(\d{1,9})\s+([-+]?[0-9.]+(?:[eE][-+]?\d+)?)[ \t\r]*\n")


def read_pfm(path: Path) -> Float32[np.ndarray, "h w"]:
    """One channel of floats, top row first.

    Raises:
        UnsafeFileError: not a PFM file, or one that lies about its size.
        InputError: three channels.
    """
    require_file(path, "a .pfm file", MAX_BYTES)
    data = path.read_bytes()
    header = _HEADER.match(data[:MAX_HEADER])
    if header is None:
        raise UnsafeFileError(f"{path}: expected the three lines that a .pfm begins with, got {data[:16].hex()}")
    kind, width, height = header[1], int(header[2]), int(header[3])
    if kind != b"Pf":
        raise InputError(f"{path}: expected one number a pixel (Pf), got three (PF)")
    if not 0 < width * height <= MAX_PIXELS:
        raise UnsafeFileError(f"{path}: expected at most {MAX_PIXELS} pixels, got {width}×{height}")
    body = len(data) - header.end()
    if body != 4 * width * height:
        raise UnsafeFileError(f"{path}: expected {4 * width * height} bytes of {width}×{height} floats, got {body}")
    floats = np.frombuffer(data, "<f4" if header[4].startswith(b"-") else ">f4", offset=header.end())
    return np.ascontiguousarray(floats.reshape(height, width)[::-1], np.float32)
