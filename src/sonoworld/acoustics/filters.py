"""What walls do to a sound that they give back, as short filters.

Letters: n_jw how often image j met wall w; ρ_w = √(1 − α_w) per band; M `minimum_phase_basis`.
"""

import numpy as np
from jaxtyping import Float32, Float64, Int64

from sonoworld.acoustics.bands import minimum_phase_basis
from sonoworld.acoustics.room import LEAST_ABSORPTION, MOST_ABSORPTION

TAPS = 512


def reflection_filters(
    hits: Int64[np.ndarray, "j w"], absorption: Float64[np.ndarray, "w b"], rate_hz: int
) -> Float32[np.ndarray, "j taps"]:
    """Minimum-phase filters e^(M·Σ_w n_jw ln ρ_w) of every image; what rings longer than 512 samples is cut."""
    log_reflection = 0.5 * np.log1p(-np.clip(absorption, LEAST_ABSORPTION, MOST_ABSORPTION))
    spectra = np.exp(minimum_phase_basis(4 * TAPS, rate_hz) @ (hits @ log_reflection).T)
    return np.fft.irfft(spectra, axis=0)[:TAPS].T.astype(np.float32)
