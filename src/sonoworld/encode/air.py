"""What air takes from high notes on a long way: one bank of short filters, the same in real time and offline.

Letters: a(f) absorption, dB per m (ISO 9613-1 at 20 °C, 50 %, 101.325 kPa); s way beyond the first metre, m; h_j the
bank's filter for the way s_j; r = (t + 1)/B at sample t of a block of B.

Measured at 48 kHz, 20 Hz to 20 kHz, over all ways from 0 to 1000 m, at those between two filters as well: within 0.8 dB
of exp(−a·s) where that takes up to 30 dB, within 1.6 dB where it takes up to 40 dB (`tests/test_encode_air.py`).
"""

from functools import cache
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device
from jaxtyping import Float, Float32, Float64, Int

from sonoworld.encode.propagate import air_absorption_db_m

WAYS_M = (
    *(0.0, 8.0, 10.0, 14.0, 18.0, 23.0, 31.0, 40.0, 53.0, 69.0),
    *(91.0, 119.0, 156.0, 204.0, 267.0, 349.0, 457.0, 597.0, 764.0, 1000.0),
)
"""Ways beyond the first metre for which there is a filter; farther than the last, air takes what it took there."""

_TAPS_48K, _DESIGN_SIZE, _DEEPEST_DB = 64, 8192, 80.0


def air_bank(rate_hz: int) -> Float32[np.ndarray, "j taps"]:
    """Minimum-phase filters of all ways; the first is a unit impulse, so nothing is delayed near by.

    Real cepstrum of 10^(−a·s/20), folded (Oppenheim and Schafer 1975, section 10.6), and cut with a short fade. It goes
    no deeper than −80 dB: deeper stop bands turn the phase of neighbours apart, and their blend would cancel.

    Args:
        rate_hz: at 48 kHz there are 64 taps, at other rates as many as last as long.
    """
    return _bank(rate_hz).copy()


@cache
def _bank(rate_hz: int) -> Float32[np.ndarray, "j taps"]:
    size, taps = _DESIGN_SIZE, max(8, round(_TAPS_48K * rate_hz / 48000))
    loss_db = air_absorption_db_m(np.fft.rfftfreq(size, 1 / rate_hz))
    power, floor = 10.0 ** (-np.array(WAYS_M)[:, None] * loss_db / 10), 10.0 ** (-_DEEPEST_DB / 10)
    log_magnitude = np.log((power + floor) / (1 + floor)) / 2
    fold = np.zeros(size)
    fold[[0, size // 2]], fold[1 : size // 2] = 1.0, 2.0
    spectrum = np.exp(np.fft.rfft(np.fft.irfft(log_magnitude, size) * fold, size))
    end = taps // 4
    fade = (1 + np.cos(np.pi * np.arange(1, end + 1) / (end + 1))) / 2
    return (np.fft.irfft(spectrum, size)[:, :taps] * np.append(np.ones(taps - end), fade)).astype(np.float32)


def air_blend(way_m: Float[Any, "*b"]) -> tuple[Int[Any, "*b"], Float[Any, "*b"]]:
    """Which filters a way takes: h = (1 − share)·h_index + share·h_(index + 1). Any array library.

    Args:
        way_m: s = d − 1, m; held at 0 and at the last way.
    """
    xp = array_namespace(way_m)
    ways = xp.asarray(WAYS_M, dtype=way_m.dtype, device=device(way_m))
    s = xp.clip(way_m, 0.0, WAYS_M[-1])
    index = xp.sum(xp.astype(s[..., None] >= ways[1:-1], xp.int64), axis=-1)
    flat = xp.reshape(index, (-1,))
    left = xp.reshape(xp.take(ways, flat), index.shape)
    right = xp.reshape(xp.take(ways, flat + 1), index.shape)
    return index, (s - left) / (right - left)


def through_air(
    signals: Float32[np.ndarray, "v n"], way_m: Float64[np.ndarray, "k"], block: int, rate_hz: int
) -> Float32[np.ndarray, "v t"]:
    """Signals as they sound after a way that changes: y = (1 − r)·(h_old * x) + r·(h_new * x) in every block.

    Args:
        signals: the first taps − 1 samples are the past, and are not returned.
        way_m: s at the block boundaries, t = (k − 1)·block; or one way throughout.
        block: B.
        rate_hz: of the signals.
    """
    from scipy.signal import oaconvolve  # noqa: PLC0415  half a second to import

    bank = _bank(rate_hz)
    index, share = air_blend(way_m)
    shares = np.zeros((len(way_m), len(bank)))
    rows = np.arange(len(way_m))
    shares[rows, index] = 1 - share
    shares[rows, index + 1] += share
    if len(way_m) == 1:
        taps = (shares[0] @ bank).astype(np.float32)
        return np.asarray(oaconvolve(signals, taps[None], mode="valid", axes=-1), np.float32)
    r = (np.arange(block) + 1) / block
    out = np.zeros((len(signals), signals.shape[1] - bank.shape[1] + 1), np.float32)
    for j in np.flatnonzero(shares.any(0)):
        level = shares[:-1, j, None] + np.diff(shares[:, j])[:, None] * r
        wet = oaconvolve(signals, bank[j][None], mode="valid", axes=-1)
        out += wet * level.reshape(-1).astype(np.float32)
    return out
