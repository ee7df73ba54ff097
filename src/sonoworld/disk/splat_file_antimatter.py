"""`.splat` files: 32 bytes a splat and nothing else, after antimatter15's `convert.py` and viewer (MIT).

A record is position (3 floats), size (3 floats, not logarithms), colour and opacity (4 bytes, 0..255), quaternion wxyz
(4 bytes, 128 is 0 and 1/128 a step). No header, no harmonics. Colour and rotation are coarse: 0.4 % and about 0.5°.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float32

from sonoworld.disk import atomic
from sonoworld.disk.splat_file_checks import MAX_SPLATS, bytes_of_logits, checked, logits_of_bytes, require_file
from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.types import Splats

SH_C0 = 0.28209479177387814
RECORD = np.dtype([("mean", "<f4", 3), ("size", "<f4", 3), ("colour", "u1", 4), ("quat", "u1", 4)])


def write_splat(path: Path, splats: Splats) -> None:
    """Write a `.splat` file, largest and most opaque first, as its viewers draw while they load.

    Raises:
        InputError: the splats have higher harmonics, for which the format has no place.
    """
    if splats.sh.shape[1] > 1:
        raise InputError(
            f"{path}: .splat files hold no higher harmonics, got degree {round(splats.sh.shape[1] ** 0.5) - 1}"
        )
    table = np.empty(len(splats), RECORD)
    table["mean"], table["size"] = splats.means, np.exp(splats.log_scales)
    table["colour"][:, :3] = np.clip(np.rint(255 * (0.5 + SH_C0 * splats.sh[:, 0])), 0, 255)
    table["colour"][:, 3] = bytes_of_logits(splats.opacity_logits)
    unit = splats.quats / np.linalg.norm(splats.quats, axis=1, keepdims=True)
    table["quat"] = np.clip(np.rint(128 * unit + 128), 0, 255)
    weight = splats.log_scales.sum(1) - _log1p_exp(-splats.opacity_logits)
    atomic.write_bytes(path, table[np.argsort(-weight, kind="stable")].tobytes())


def _log1p_exp(x: Float32[np.ndarray, "n"]) -> Float32[np.ndarray, "n"]:
    return np.logaddexp(np.float32(0), x)


def read_splat(path: Path, *, max_splats: int = MAX_SPLATS) -> Splats:
    """Read a `.splat` file, in the axes it has.

    Raises:
        UnsafeFileError: its size is no multiple of 32 bytes, it holds too many splats, or numbers that cannot be.
    """
    size = require_file(path, "a .splat file", max_splats * RECORD.itemsize)
    if size % RECORD.itemsize:
        raise UnsafeFileError(f"{path}: expected {RECORD.itemsize} bytes a splat, got {size} bytes in all")
    table = np.fromfile(path, RECORD)
    sizes = table["size"]
    if not (sizes > 0).all():
        raise UnsafeFileError(f"{path}: size: expected numbers > 0, got {float(sizes.min(initial=np.inf))}")
    splats = Splats(
        means=np.ascontiguousarray(table["mean"]),
        log_scales=np.log(sizes),
        quats=(table["quat"].astype(np.float32) - 128) / np.float32(128),
        opacity_logits=logits_of_bytes(table["colour"][:, 3]),
        sh=((table["colour"][:, None, :3] / np.float32(255) - np.float32(0.5)) / np.float32(SH_C0)).astype(np.float32),
    )
    return checked(splats, path)
