"""A look-ahead peak limiter: what leaves never exceeds the ceiling, quiet sound passes unchanged, only later.

The law is that of the browser (`web/src/worklet/limiter_processor.ts`). Letters: x input, p its peak over the ears,
c ceiling, n window in samples; m = min(1, c/p) gain that a sample needs; h = 1 − smallest m of the last n samples;
d = h with slow release, d(t) = max(h(t), q·d(t − 1)); g = 1 − mean of the last n d. The sample that leaves is n − 1
old: its m is in every h, hence in every d of that mean, so g <= m and |g·x| <= c.
"""

import math

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.errors import ShapeError

WINDOW = 256
"""n: 5.3 ms at 48 kHz. A gain change takes this long; a power of two."""
RELEASE_S = 0.15
_SILENCE = 1e-12
"""A cut smaller than this is none: unity is exact again 28 time constants after the last peak."""
_ROUNDING = 1e-7
"""Gains aim this share below the ceiling, more than rounding to float32 can add back."""
_LONGEST = 4096
_PHASES, _REACH = 4, 6
"""Oversampling of the estimate of peaks between samples, and samples it looks to either side (BS.1770-5, annex 2)."""


class Limiter:
    """Limits a stream for two ears, both by the same gain; what comes out does not depend on the block size.

    Args:
        rate_hz: sample rate, for the release time.
        ceiling_db: dB re full scale, below 0, that no sample of the output exceeds.
        true_peak: also look between samples (4 × oversampling), for 6 samples more delay. The waveform then passes the
            ceiling by less than 0.5 dB, white noise included; without it by up to 3 dB (tones at a quarter of the
            rate) while no sample does.

    Raises:
        ShapeError: a rate under 1 kHz, or a ceiling that is not in −60..0 dB.
    """

    def __init__(self, rate_hz: int, ceiling_db: float = -1.0, *, true_peak: bool = False) -> None:
        if rate_hz < 1000 or not -60 <= ceiling_db <= 0:
            raise ShapeError("limiter", expected="rate_hz >= 1000, −60..0 dB", got=f"{rate_hz}, {ceiling_db}")
        self._ceiling = 10 ** (ceiling_db / 20)
        self._between = _between_samples() if true_peak else None
        ahead = _REACH if true_peak else 0
        self._delayed = np.zeros((2, WINDOW - 1 + ahead), np.float32)
        self._seen = np.zeros((2, 2 * _REACH - 1))
        self._needed = np.ones(WINDOW - 1)
        self._cut = np.zeros(WINDOW - 1)
        self._resting = True
        release = RELEASE_S * rate_hz
        self._longest = min(_LONGEST, int(20 * release))
        self._decay = np.exp(-(np.arange(self._longest) + 1) / release)

    @property
    def added_samples(self) -> int:
        """Delay from input to output, in samples."""
        return self._delayed.shape[1]

    @property
    def reduction_db(self) -> float:
        """How far the gain is down at the end of the last block, dB; 0 while nothing is limited."""
        return 20 * math.log10(1.0 / max(1.0 - float(self._cut.mean()), 1e-10))

    def process(self, block: Float32[np.ndarray, "2 n"]) -> Float32[np.ndarray, "2 n"]:
        """The next samples of the stream, limited: [2, n] in, [2, n] out, any n.

        Raises:
            ShapeError: samples that are not finite.
        """
        if not np.isfinite(block).all():
            raise ShapeError("limiter input", expected="finite samples", got="NaN or infinity")
        parts = [self._part(block[:, at : at + self._longest]) for at in range(0, block.shape[1], self._longest)]
        return parts[0] if len(parts) == 1 else np.concatenate([np.empty((2, 0), np.float32), *parts], 1)

    def _part(self, block: Float32[np.ndarray, "2 n"]) -> Float32[np.ndarray, "2 n"]:
        n = block.shape[1]
        peak = self._peaks(block)
        line = np.concatenate([self._delayed, block], 1)
        self._delayed = line[:, n:]
        leaving = line[:, :n]
        if self._resting and peak.max() <= self._ceiling:
            return leaving.copy()
        return np.asarray(leaving * self._gains(peak), np.float32)

    def _gains(self, peak: Float64[np.ndarray, "n"]) -> Float64[np.ndarray, "n"]:
        n = len(peak)
        aim = self._ceiling * (1 - _ROUNDING)
        m = np.concatenate([self._needed, np.where(peak > self._ceiling, aim / np.maximum(peak, aim), 1.0)])
        d = self._released(1.0 - _sliding_min(m))
        line = np.concatenate([self._cut, d])
        total = np.cumsum(np.concatenate([[0.0], line]))
        self._needed, self._cut = m[n:], line[n:]
        self._resting = not self._cut.any() and bool(self._needed.min() == 1)
        # 0 <= g <= m holds by the law; this keeps it where peaks of 200 dB and more leave the mean no digits
        return np.clip(1.0 - (total[WINDOW:] - total[:-WINDOW]) / WINDOW, 0.0, m[:n])

    def _released(self, h: Float64[np.ndarray, "n"]) -> Float64[np.ndarray, "n"]:
        """D(t) = max(h(t), q·d(t − 1)) for all t at once: d(t)/q^t is a running maximum."""
        decay = self._decay[: len(h)]
        d = np.maximum(np.maximum.accumulate(h / decay), self._cut[-1]) * decay
        d[d < _SILENCE] = 0
        return d

    def _peaks(self, block: Float32[np.ndarray, "2 n"]) -> Float64[np.ndarray, "n"]:
        """Largest magnitude over the ears, of samples and, where asked for, of what lies behind each of them."""
        if self._between is None:
            return np.abs(block).max(0).astype(np.float64)
        line = np.concatenate([self._seen, block], 1)
        self._seen = line[:, block.shape[1] :]
        around = np.lib.stride_tricks.sliding_window_view(line, 2 * _REACH, 1)
        between = np.abs(around @ self._between).max((0, 2))
        return np.maximum(between, np.abs(around[:, :, _REACH - 1]).max(0))


def _sliding_min(m: Float64[np.ndarray, "k"]) -> Float64[np.ndarray, "n"]:
    """Smallest of every `WINDOW` neighbours, by doubling."""
    reach = 1
    while reach < WINDOW:
        m = np.minimum(m[:-reach], m[reach:])
        reach *= 2
    return m


def _between_samples() -> Float64[np.ndarray, "taps phases"]:
    """Kaiser-windowed sincs that read the waveform 1/4, 1/2 and 3/4 of the way from one sample to the next."""
    at = np.arange(2 * _REACH)[:, None] - (_REACH - 1) - np.arange(1, _PHASES)[None] / _PHASES
    window = np.i0(3.0 * np.sqrt(np.maximum(0, 1 - (at / _REACH) ** 2))) / np.i0(3.0)  # 3: measured, see its test
    return np.sinc(at) * window
