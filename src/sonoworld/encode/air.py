"""What air takes from high notes on a long way: a clip filtered for a few distances, and blended as one walks.

Letters: a(f) absorption, dB per m (ISO 9613-1); s way beyond the first metre, m; j the filters' ways.
"""

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.encode.propagate import air_absorption_db_m
from sonoworld.encode.seam import filtered

WAYS_M = (0.0, 10.0, 30.0, 60.0, 120.0, 240.0, 480.0)
"""Ways beyond the first metre at which filters are exact; farther than the last, air takes what it took there."""

_SECONDS = 128 / 48000


def air_filters(rate_hz: int) -> Float64[np.ndarray, "j taps"]:
    """Zero-phase filters 10^(−a(f)·s/20), centred at half their length."""
    size = 2 * round(_SECONDS * rate_hz / 2)
    loss_db = air_absorption_db_m(np.fft.rfftfreq(size, 1 / rate_hz))
    magnitude = 10.0 ** (-np.array(WAYS_M)[:, None] * loss_db / 20)
    return np.fft.fftshift(np.fft.irfft(magnitude, size), axes=-1)


def through_air(signals: Float32[np.ndarray, "v t"], rate_hz: int, loops: bool) -> Float32[np.ndarray, "vj t"]:
    """Every signal once per way: signal 0 at all ways, then signal 1, ..."""
    filters = air_filters(rate_hz)
    return np.concatenate([filtered(signal, filters, loops) for signal in signals])


def way_shares(distance_m: Float64[np.ndarray, "k"]) -> Float64[np.ndarray, "k j"]:
    """How much of each way's filter is heard at a distance: linear between neighbours, sum 1."""
    ways = np.array(WAYS_M)
    s = np.clip(distance_m - 1.0, 0.0, ways[-1])
    left = np.clip(np.searchsorted(ways, s, side="right") - 1, 0, len(ways) - 2)
    share = (s - ways[left]) / (ways[left + 1] - ways[left])
    out = np.zeros((len(s), len(ways)))
    rows = np.arange(len(s))
    out[rows, left] = 1 - share
    out[rows, left + 1] += share
    return out


TAPS_48K = 48


def air_bank(rate_hz: int) -> Float32[np.ndarray, "j taps"]:
    """Minimum-phase filters of the ways, short enough for real time (real cepstrum; Oppenheim and Schafer 1975)."""
    size, taps = 4096, max(8, round(TAPS_48K * rate_hz / 48000))
    loss_db = air_absorption_db_m(np.fft.rfftfreq(size, 1 / rate_hz))
    log_magnitude = -np.array(WAYS_M)[:, None] * loss_db / 20 * np.log(10)
    fold = np.zeros(size)
    fold[0] = fold[size // 2] = 1.0
    fold[1 : size // 2] = 2.0
    spectrum = np.exp(np.fft.rfft(np.fft.irfft(log_magnitude, size) * fold, size))
    return np.fft.irfft(spectrum, size)[:, :taps].astype(np.float32)


def air_blend(way_m: Float64[np.ndarray, "*b"]) -> tuple[np.ndarray, np.ndarray]:
    """Left neighbour in the bank, and the share of the right one."""
    ways = np.array(WAYS_M)
    s = np.clip(way_m, 0.0, ways[-1])
    left = np.clip(np.searchsorted(ways, s, side="right") - 1, 0, len(ways) - 2)
    return left, (s - ways[left]) / (ways[left + 1] - ways[left])
