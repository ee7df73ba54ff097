"""What every splat file must hold, whichever format it has: finite numbers, and rotations that rotate."""

from pathlib import Path

import numpy as np
from jaxtyping import Float32, Shaped

from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.types import Splats

MAX_SPLATS = 20_000_000
"""More than the largest worlds shared so far; 1.1 GB in memory without higher harmonics."""


def require_file(path: Path, what: str, most_bytes: int | None = None) -> int:
    """Size in bytes of a regular file.

    Raises:
        InputError: nothing there, or not a regular file.
        UnsafeFileError: larger than `most_bytes`.
    """
    if not path.is_file():
        raise InputError(f"{path}: expected {what}, got nothing there or not a regular file")
    size = path.stat().st_size
    if most_bytes is not None and size > most_bytes:
        raise UnsafeFileError(f"{path}: expected {what} of at most {most_bytes} bytes, got {size}")
    return size


def checked(splats: Splats, path: Path) -> Splats:
    """The splats themselves, if every number is finite and no quaternion is zero.

    Raises:
        UnsafeFileError: otherwise; says how many and which comes first.
    """
    for what in ("means", "log_scales", "quats", "opacity_logits", "sh"):
        values = getattr(splats, what)
        if not np.isfinite(values).all():
            bad = ~np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
            raise UnsafeFileError(
                f"{path}: {what}: expected finite numbers, got {int(bad.sum())} splats without "
                f"(first: splat {int(np.argmax(bad))})"
            )
    tiny = np.flatnonzero(np.einsum("nc,nc->n", splats.quats, splats.quats) == 0)  # may only have underflowed
    still = tiny[~np.any(splats.quats[tiny], axis=1)]
    if still.size:
        raise UnsafeFileError(f"{path}: quats: expected rotations, got {still.size} of length 0 (first: {still[0]})")
    return splats


def logits_of_bytes(alpha: Shaped[np.ndarray, "n"]) -> Float32[np.ndarray, "n"]:
    """Opacity logits of opacities kept as bytes, 0..255; 0 and 255 stand for the middle of what rounds to them."""
    opacity = np.clip(alpha.astype(np.float64), 0.25, 254.75) / 255
    return np.log(opacity / (1 - opacity)).astype(np.float32)


def bytes_of_logits(logits: Float32[np.ndarray, "n"]) -> Shaped[np.ndarray, "n"]:
    """Opacities as bytes, the nearest of 256."""
    with np.errstate(over="ignore"):  # exp(−logit) = inf is opacity 0
        return np.rint(255 / (1 + np.exp(-logits.astype(np.float64)))).astype(np.uint8)
