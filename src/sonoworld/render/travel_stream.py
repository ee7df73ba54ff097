"""Delay and air on the way from every source to the head, block by block: the plain version of `native/travel.hpp`.

Letters: D delay, samples; p = t − D, f its fraction; r = (t + 1)/B. Laws: `encode.travel`, `encode.air`.
"""

import numpy as np
from jaxtyping import Float32, Float64, Int64

from sonoworld.encode.air import WAYS_M, air_bank, air_blend
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.propagate import distance
from sonoworld.encode.travel import LEAST_DELAY, SPEED_OF_SOUND_M_S, interpolation_table
from sonoworld.render.executor import Plan

_AHEAD, _TAPS = 8, 16


def distances(offset: Float64[np.ndarray, "q 3"], law: EncodeOptions) -> Float64[np.ndarray, "q"]:
    """D of the laws of distance, m."""
    return distance(offset, 0.0 if law.mode == "paper" else law.near_m)


class Travel:
    """What is heard now of every input: delayed by its way, and through the air."""

    def __init__(self, plan: Plan) -> None:
        self._block, self._rate_hz = plan.block, plan.rate_hz
        self._delays = plan.law.delay
        self._length = 64
        while self._length < plan.rate_hz + 2 * plan.block:  # one second of way, 343 m
            self._length *= 2
        self._past = np.zeros((plan.sources, self._length if self._delays else plan.block), np.float32)
        self._table = interpolation_table() if self._delays else np.zeros((2, _TAPS), np.float32)
        self._bank = air_bank(plan.rate_hz) if plan.law.air == "iso9613" else None
        taps = 1 if self._bank is None else self._bank.shape[1]
        self._before = np.zeros((plan.sources, taps - 1), np.float32)
        self._last_m = np.full(plan.sources, np.nan)
        self._r = (np.arange(plan.block) + 1) / plan.block

    def process(
        self, inputs: Float32[np.ndarray, "q b"], distance_m: Float64[np.ndarray, "q"], live: Int64[np.ndarray, "n"]
    ) -> Float32[np.ndarray, "q b"]:
        """A block of all inputs as it arrives; of sources that are not `live`, only remembered."""
        if self._delays:
            self._past = np.concatenate([self._past[:, self._block :], inputs], axis=1)
        heard = np.zeros_like(inputs)
        silent = np.setdiff1d(np.arange(len(inputs)), live)
        self._last_m[silent] = np.nan
        self._before[silent] = 0
        for q in (int(q) for q in live):
            now, before = float(distance_m[q]), float(self._last_m[q])
            last = now if np.isnan(before) else before
            x = self._delayed(q, last, now) if self._delays else inputs[q]
            heard[q] = self._through_air(q, x, last, now)
        self._last_m[live] = distance_m[live]
        return heard

    def _delay(self, distance_m: float) -> float:
        most = self._length - self._block - 2.0 * _TAPS
        return float(np.clip(distance_m * self._rate_hz / SPEED_OF_SOUND_M_S, LEAST_DELAY, most))

    def _delayed(self, q: int, last_m: float, next_m: float) -> Float32[np.ndarray, "b"]:
        old, new, t = self._delay(last_m), self._delay(next_m), np.arange(self._block)
        if abs(new - old) > self._block / 2:  # a jump, not a motion
            r = self._r.astype(np.float32)
            return (1 - r) * self._at(q, t - old) + r * self._at(q, t - new)
        return self._at(q, t - (old + (new - old) * self._r))

    def _at(self, q: int, p: Float64[np.ndarray, "b"]) -> Float32[np.ndarray, "b"]:
        whole = np.floor(p)
        row = (p - whole) * (len(self._table) - 1)
        j = row.astype(np.int64)
        share = (row - j).astype(np.float32)[:, None]
        h = self._table[j] + (self._table[j + 1] - self._table[j]) * share
        first = self._past.shape[1] - self._block + whole.astype(np.int64) - (_TAPS - _AHEAD - 1)
        x = self._past[q][first[:, None] + np.arange(_TAPS)]
        return np.asarray((h * x).sum(1), np.float32)

    def _through_air(
        self, q: int, x: Float32[np.ndarray, "b"], last_m: float, next_m: float
    ) -> Float32[np.ndarray, "b"]:
        if self._bank is None:
            return x
        line = np.concatenate([self._before[q], x])
        self._before[q] = line[len(x) :]
        new = np.convolve(line, self._filter(next_m), "valid")
        if last_m == next_m:
            return new
        old = np.convolve(line, self._filter(last_m), "valid")
        return old + (new - old) * self._r.astype(np.float32)

    def _filter(self, distance_m: float) -> Float32[np.ndarray, "taps"]:
        assert self._bank is not None
        index, share = air_blend(np.clip(np.array([distance_m - 1.0]), 0.0, WAYS_M[-1]))
        low, high = self._bank[int(index[0])], self._bank[int(index[0]) + 1]
        return low + (high - low) * np.float32(share[0])
