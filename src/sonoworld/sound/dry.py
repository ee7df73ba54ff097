"""A clip without most of the room it was recorded or imagined in: weighted prediction error, by the package nara-wpe.

Source: Nakatani et al., Speech Dereverberation Based on Variance-Normalized Delayed Linear Prediction (TASLP 2010);
Drude et al., NARA-WPE (ITG 2018). What a delayed linear prediction tells of each frequency's past is taken away; sound
within the first DELAY hops (48 ms) stays.
"""

from typing import Any

import numpy as np
from jaxtyping import Float64
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

from sonoworld.weights import library

WINDOW_S, HOP_S = 0.064, 0.016
TAPS, DELAY, ROUNDS = 20, 3, 3
"""Frames looked back on (0.32 s), frames left alone, rounds of the estimate."""


def dried(samples: Float64[np.ndarray, "t"], rate_hz: int) -> Float64[np.ndarray, "t"]:
    """A mono clip with its late reverberation reduced, as long and in the same place as it was.

    Raises:
        BackendMissingError: nara-wpe is not installed; says how to get it.
    """
    nara: Any = library("nara_wpe.wpe", "dry")
    hop = round(HOP_S * rate_hz)
    transform = ShortTimeFFT(hann(round(WINDOW_S * rate_hz), sym=False), hop, rate_hz)
    spectrum = transform.stft(samples)  # [f m]
    dry = nara.wpe_v8(spectrum[:, None], taps=TAPS, delay=DELAY, iterations=ROUNDS)[:, 0]
    return np.asarray(transform.istft(dry, k1=len(samples)), np.float64)
