"""The one gain of an offline binaural file: a comfortable loudness, and never a clipped sample.

Sources: ITU-R BS.1770-5 (loudness, annex 1; true peak by fourfold oversampling, annex 2); EBU R 128 (−23 LUFS).
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

TARGET_LUFS = -23.0
CEILING_DBTP = -1.0
_SHORTEST_S = 0.4
"""One gating block of BS.1770: shorter files have no loudness and are set by their peak alone."""


@dataclass(frozen=True, slots=True)
class FileGain:
    """What a recording measured, and the one gain for all of it; `held_by_peak`: the ceiling ruled, not the target."""

    gain_db: float
    loudness_lufs: float
    peak_dbtp: float
    held_by_peak: bool

    def apply(self, signal: Float32[np.ndarray, "c t"]) -> Float32[np.ndarray, "c t"]:
        """The signal times the gain."""
        return signal * np.float32(10.0 ** (self.gain_db / 20))


def file_gain(signal: Float32[np.ndarray, "c t"], rate_hz: int, measured_lufs: float | None = None) -> FileGain:
    """Gain that brings a recording to −23 LUFS, or as near as a true peak of −1 dBTP allows.

    `measured_lufs`: its loudness where that is known (of loudspeakers, `speakers_loudness`); None measures it.

    Silence (and anything gated away entirely) gets 0 dB unless its peak asks for less.
    """
    loudness = integrated_loudness(signal, rate_hz) if measured_lufs is None else measured_lufs
    peak = true_peak_db(signal)
    wanted = TARGET_LUFS - loudness if math.isfinite(loudness) else 0.0
    # a tenth of a dB for what fourfold oversampling can miss (BS.1770-5, annex 2, attachment 1)
    allowed = CEILING_DBTP - 0.1 - peak
    return FileGain(min(wanted, allowed), loudness, peak, wanted > allowed)


def integrated_loudness(signal: Float32[np.ndarray, "c t"], rate_hz: int) -> float:
    """LUFS of a recording of 1 to 5 channels; −inf for silence or less than 0.4 s."""
    if signal.shape[1] < math.ceil(_SHORTEST_S * rate_hz) or not signal.any():
        return -math.inf
    import pyloudnorm  # noqa: PLC0415  half a second to import

    with np.errstate(divide="ignore"):
        return float(pyloudnorm.Meter(rate_hz).integrated_loudness(np.asarray(signal.T, np.float64)))


def true_peak_db(signal: Float32[np.ndarray, "c t"]) -> float:
    """Largest magnitude between samples too, dB re full scale (4 × oversampled); −inf for silence."""
    from scipy.signal import resample_poly  # noqa: PLC0415  half a second to import

    peak = float(np.abs(signal).max(initial=0.0))
    for channel in signal:
        peak = max(peak, float(np.abs(resample_poly(channel, 4, 1)).max(initial=0.0)))
    return 20 * math.log10(peak) if peak > 0 else -math.inf
