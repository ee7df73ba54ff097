"""Tone of a loop: lows, middle and highs raised or lowered, going round the loop, so that its seam stays closed."""

import numpy as np
from jaxtyping import Float64

LOW_HZ, HIGH_HZ = 250.0, 4000.0
_OCTAVES = 2.0
"""Width of the passage from one band to the next."""


def toned(
    samples: Float64[np.ndarray, "t"], rate_hz: int, tone_db: tuple[float, float, float]
) -> Float64[np.ndarray, "t"]:
    """The loop with its lows (below 250 Hz), middle and highs (above 4 kHz) raised by `tone_db`, dB, without delay."""
    if not any(tone_db):
        return samples
    spectrum = np.fft.rfft(samples)
    return np.fft.irfft(
        spectrum * 10 ** (curve_db(np.fft.rfftfreq(samples.size, 1 / rate_hz), tone_db) / 20), samples.size
    )


def curve_db(frequency_hz: Float64[np.ndarray, "f"], tone_db: tuple[float, float, float]) -> Float64[np.ndarray, "f"]:
    """Gain of `toned` at each frequency: level within the bands, a cosine in octaves and dB between them."""
    low, middle, high = tone_db
    octave = np.log2(np.maximum(frequency_hz, 1e-3))
    above_low, above_high = (
        0.5 - 0.5 * np.cos(np.pi * np.clip((octave - np.log2(corner)) / _OCTAVES + 0.5, 0, 1))
        for corner in (LOW_HZ, HIGH_HZ)
    )
    return low + (middle - low) * above_low + (high - middle) * above_high
