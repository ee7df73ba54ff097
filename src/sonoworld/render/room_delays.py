"""A delayed copy of a sound onto the channels of a field, compiled: `travel.delayed` and `field.ramped_mix` in one.

Letters: x signal; D delay at block boundaries, samples; g gains there; B block; h rows of `interpolation_table`.
(`no_type_check` keeps run-time checkers of annotations from wrapping what numba compiles.)
"""

from typing import no_type_check

import numpy as np
from jaxtyping import Float32, Float64
from numba import njit

from sonoworld.encode.travel import PHASES, interpolation_table

_BEHIND = 7
_TABLE = interpolation_table()


def add_delayed(
    out: Float32[np.ndarray, "c t"],
    x: Float32[np.ndarray, "n"],
    delay: Float64[np.ndarray, "k"],
    gains: Float64[np.ndarray, "k c"],
    block: int,
) -> None:
    """Add g(t)·x(t − D(t)) to `out`, D and g on straight lines within blocks; a jump of D by over B/2 fades instead.

    `x` ends where `out` ends, and holds as much before as the longest delay needs; before it there is silence.
    """
    _add(out, x, delay, gains.astype(np.float32), block, _TABLE)


def delayed_rows(
    x: Float32[np.ndarray, "s n"],
    delay: Float64[np.ndarray, "2 r"],
    gain: Float64[np.ndarray, "2 r"],
    block: int,
) -> Float32[np.ndarray, "r b"]:
    """One block of R delayed copies, R/s of each signal in turn; rows 0, 1: before and after, as in `add_delayed`."""
    out = np.zeros((delay.shape[1], block), np.float32)
    _rows(out, x, np.ascontiguousarray(delay.T), np.ascontiguousarray(gain.T, np.float32), _TABLE)
    return out


@njit(cache=True)
@no_type_check
def _read(x, p, table):
    whole = int(np.floor(p))
    row = (p - whole) * PHASES
    j = int(row)
    share = np.float32(row - j)
    total = np.float32(0.0)
    for k in range(table.shape[1]):
        at = whole - _BEHIND + k
        if 0 <= at < len(x):
            total += (table[j, k] + share * (table[j + 1, k] - table[j, k])) * x[at]
    return total


@njit(cache=True)
@no_type_check
def _add(out, x, delay, gains, block, table):
    channels, samples = out.shape
    past = len(x) - samples
    for i in range(len(delay) - 1):
        if not (gains[i].any() or gains[i + 1].any()):
            continue
        jump = abs(delay[i + 1] - delay[i]) > block / 2
        for s in range(block):
            t = i * block + s
            if t >= samples:
                return
            r = np.float32((s + 1) / block)
            if jump:
                before, after = _read(x, past + t - delay[i], table), _read(x, past + t - delay[i + 1], table)
                y = before + r * (after - before)
            else:
                y = _read(x, past + t - (delay[i] + (delay[i + 1] - delay[i]) * r), table)
            for c in range(channels):
                out[c, t] += (gains[i, c] + r * (gains[i + 1, c] - gains[i, c])) * y


@njit(cache=True)
@no_type_check
def _rows(out, x, delay, gain, table):
    per = len(out) // len(x)
    for r in range(len(out)):
        _add(out[r : r + 1], x[r // per], delay[r], gain[r].reshape(2, 1), out.shape[1], table)
