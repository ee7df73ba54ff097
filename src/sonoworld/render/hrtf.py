"""Ears: decoding filters from Ambisonics to two ears, for the mannequin we ship, an ideal sphere, or a SOFA file."""

import math
from fractions import Fraction
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float32

from sonoworld.encode.harmonics import channel_count
from sonoworld.errors import InputError, ShapeError

BinauralMethod = Literal["magls", "ls", "ls_max_re"]
"""magls: magnitudes above a cut, their phase continued from bin to bin. For comparison, ls: least squares of the whole
waveform; ls_max_re: the same with every degree n weighed by `max_re_weights`, W by 1."""

SHIPPED_RATE_HZ = 48000
MAX_BINAURAL_ORDER = 7


def hrir(
    name: str | Path = "kemar", order: int = 3, rate_hz: int = 48000, method: BinauralMethod = "magls"
) -> Float32[np.ndarray, "2 c t"]:
    """Filters that turn an SN3D sound field in head axes into the (left, right) ear signals.

    Every set is scaled so that a diffuse field whose W has RMS r reaches the ears at RMS r; `kemar` is also
    equalised to a flat diffuse field (headphones bring their own ear canal).

    Args:
        name: "kemar" (MIT KEMAR mannequin, Gardner and Martin 1994), "sphere" (rigid sphere, no data), or the path
            of a SOFA file of free-field HRIRs.
        order: Ambisonic order, 1..7.
        rate_hz: sample rate of the filters.
        method: how they are designed; "kemar" is shipped as "magls" only.

    Returns:
        Filters, 256 taps at 48 kHz (in proportion at other rates); their mean arrival is at 1 ms.

    Raises:
        ShapeError: the order is outside 1..7, the rate outside 8..192 kHz, or the method unknown.
        InputError: another method than "magls" for "kemar".
        UnsafeFileError: the SOFA file cannot be used.
    """
    if not 1 <= order <= MAX_BINAURAL_ORDER:
        raise ShapeError("binaural order", expected=f"1..{MAX_BINAURAL_ORDER}", got=str(order))
    if not 8000 <= rate_hz <= 192000:
        raise ShapeError("rate_hz", expected="8000..192000 Hz", got=str(rate_hz))
    if method not in get_args(BinauralMethod):
        raise ShapeError("binaural method", expected=" or ".join(get_args(BinauralMethod)), got=repr(method))
    if name == "kemar" and method != "magls":
        raise InputError(
            f"method: expected magls for the shipped kemar, got {method}; give the measurement itself "
            "(MIT_KEMAR_normal_pinna.sofa of Debian's libmysofa1) or another SOFA file"
        )
    return _filters(str(name), order, rate_hz, method).copy()


@lru_cache(maxsize=16)
def _filters(name: str, order: int, rate_hz: int, method: BinauralMethod) -> Float32[np.ndarray, "2 c t"]:
    if name == "kemar":
        return _at_rate(kemar_filters(order), rate_hz)
    from sonoworld.render.designed import sofa_filters, sphere_filters  # noqa: PLC0415  slow imports

    if name == "sphere":
        return _at_rate(sphere_filters(order, SHIPPED_RATE_HZ, method), rate_hz)
    return _at_rate(sofa_filters(Path(name), order, SHIPPED_RATE_HZ, method), rate_hz)


def kemar_filters(order: int) -> Float32[np.ndarray, "2 c t"]:
    """The shipped mannequin's filters at 48 kHz. Its right ear mirrors its left, so only the left is stored."""
    with np.load(str(files("sonoworld.render").joinpath("data/kemar_sh_hrir.npz")), allow_pickle=False) as stored:
        left = np.asarray(stored[f"left_{order}"], np.float32)
    return np.stack([left, left * mirror_signs(order)[:, None]])


def mirror_signs(order: int) -> Float32[np.ndarray, "c"]:
    """−1 on channels that change sign when left and right are exchanged (y → −y): those with m < 0."""
    n = np.floor(np.sqrt(np.arange(channel_count(order))))
    m = np.arange(channel_count(order)) - n * n - n
    return np.where(m < 0, -1.0, 1.0).astype(np.float32)


def _at_rate(taps: Float32[np.ndarray, "2 c t"], rate_hz: int) -> Float32[np.ndarray, "2 c u"]:
    ratio = Fraction(rate_hz, SHIPPED_RATE_HZ)
    if ratio == 1:
        return taps
    from scipy.signal import resample_poly  # noqa: PLC0415  half a second to import

    length = math.ceil(taps.shape[-1] * ratio)
    moved = resample_poly(np.asarray(taps, np.float64), ratio.numerator, ratio.denominator, axis=-1)[..., :length]
    return np.ascontiguousarray(moved / float(ratio), np.float32)
