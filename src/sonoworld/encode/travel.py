"""Sound takes its time: propagation delay, and the Doppler shift that follows from a way that changes.

Letters: D delay, samples; f fraction between samples; h(u) = sinc(u)·I0(β√(1 − (u/8)²))/I0(β), |u| <= 8 (Kaiser).
"""

from functools import cache

import numpy as np
from jaxtyping import Float32

SPEED_OF_SOUND_M_S = 343.2
"""At 20 °C."""

LEAST_DELAY = 8.0
"""Samples; with at least these the interpolator never looks ahead, so nothing is added to the physical delay."""

TAPS, PHASES, _BETA = 16, 512, 8.0


@cache
def _table() -> Float32[np.ndarray, "rows taps"]:
    fraction = np.arange(PHASES + 1)[:, None] / PHASES
    u = np.arange(-7, 9)[None] - fraction
    inside = np.clip(1 - (u / 8) ** 2, 0.0, None)
    return (np.sinc(u) * np.i0(_BETA * np.sqrt(inside)) / np.i0(_BETA)).astype(np.float32)


def interpolation_table() -> Float32[np.ndarray, "rows taps"]:
    """Rows f = 0, 1/512, ..., 1: weights h(k − f) of the samples k = −7..8 around a place; linear between rows."""
    return _table().copy()
