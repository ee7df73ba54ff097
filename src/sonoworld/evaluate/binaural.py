"""How near two binaural clips are in what the ears compare: time, level and coherence between left and right.

Letters: c(τ) = Σ l(t) r(t + τ) / √(Σ l² Σ r²) for |τ| <= 1 ms; ITD its argument of largest value, > 0 when the left
ear hears first; ILD = 10 log10 Σ l² / Σ r²; coherence IACC = max |c| (ISO 3382-1, annex B).
"""

import math

import numpy as np
from jaxtyping import Float

_LONGEST_S = 1e-3


def compare(estimated: Float[np.ndarray, "2 t"], reference: Float[np.ndarray, "2 u"], rate_hz: int) -> dict[str, float]:
    """Absolute errors between two clips, left ear first.

    Args:
        estimated: left and right.
        reference: likewise; its length may differ.
        rate_hz: of both.

    Returns:
        `itd_error_s`, `ild_error_db`, `coherence_error`; NaN where an ear is silent.
    """
    ours, theirs = cues(estimated, rate_hz), cues(reference, rate_hz)
    names = ("itd_error_s", "ild_error_db", "coherence_error")
    return {name: abs(a - b) for name, a, b in zip(names, ours, theirs, strict=True)}


def cues(ears: Float[np.ndarray, "2 t"], rate_hz: int) -> tuple[float, float, float]:
    """ITD (s, to a sample), ILD (dB) and coherence (0..1) of a clip; NaN where an ear is silent."""
    left, right = ears.astype(np.float64)
    energies = float(left @ left), float(right @ right)
    if 0 in energies:
        return math.nan, math.nan, math.nan
    most = min(round(_LONGEST_S * rate_hz), left.size - 1)
    size = left.size + most
    wrapped = np.fft.irfft(np.conj(np.fft.rfft(left, size)) * np.fft.rfft(right, size), size)
    lags = np.arange(-most, most + 1)
    c = wrapped[lags] / math.sqrt(energies[0] * energies[1])
    level_db = 10 * math.log10(energies[0] / energies[1])
    return float(lags[c.argmax()]) / rate_hz, level_db, float(np.abs(c).max())
