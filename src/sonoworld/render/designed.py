"""Decoding filters computed on the spot: of a SOFA file, and of the rigid sphere."""

from pathlib import Path

import numpy as np
from jaxtyping import Float32

from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.render.hrirs import levelled, merge_repeated, require_coverage, resampled, trimmed
from sonoworld.render.hrtf import BinauralMethod
from sonoworld.render.magls import decoder
from sonoworld.render.sofa import Sofa, load_sofa
from sonoworld.render.sphere_hrtf import sphere_hrirs


def sofa_filters(
    path: Path, order: int, rate_hz: int, method: BinauralMethod = "magls"
) -> Float32[np.ndarray, "2 c t"]:
    """Filters of a SOFA file, at the reference level (see `hrtf.hrir`).

    Raises:
        UnsafeFileError: the file cannot be used, its directions leave too wide a gap, or it holds a room's responses.
    """
    return loaded_filters(path, load_sofa(path), order, rate_hz, method)


def loaded_filters(
    path: Path, sofa: Sofa, order: int, rate_hz: int, method: BinauralMethod = "magls"
) -> Float32[np.ndarray, "2 c t"]:
    """Filters of a SOFA file that was read; `path` is for messages.

    Raises:
        UnsafeFileError: its directions leave too wide a gap, or it holds a room's responses.
    """
    try:
        measured = merge_repeated(trimmed(resampled(sofa.hrirs, rate_hz)))
        require_coverage(measured)
        return decoder(levelled(measured), order, method)
    except InputError as error:
        raise UnsafeFileError(f"HRTF {path}: {str(error).removeprefix('HRTF: ')}") from error


def sphere_filters(order: int, rate_hz: int, method: BinauralMethod = "magls") -> Float32[np.ndarray, "2 c t"]:
    """Filters of the rigid sphere: relative to the free field as it is, so without any levelling."""
    return decoder(sphere_hrirs(rate_hz), order, method)
