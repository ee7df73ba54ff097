"""One source's sound going round, block by block: a loop, or a sound and its pause; with a level that may change.

Letters: v voices (the sound and its decorrelated copies), b samples of a block.
"""

import numpy as np
from jaxtyping import Float32

PAUSE_S = 4.0
"""Silence after a sound that does not loop, before it comes again; as in the browser."""


class Reel:
    """Plays signals from their first sample, for ever.

    Args:
        signals: voices at the engine's rate.
        pause: samples of silence after the last; 0 for a loop.
        block: samples per call.
    """

    def __init__(self, signals: Float32[np.ndarray, "v t"], pause: int, block: int) -> None:
        voices, length = signals.shape
        self._period, self._block, self._at = length + pause, block, 0
        # A block beyond the period, so that every block is one slice.
        self._tape = np.zeros((voices, self._period + block), np.float32)
        self._tape[:, :length] = signals
        self._tape[:, self._period :] = self._tape[:, np.arange(block) % self._period]
        self._ramp = (np.arange(block, dtype=np.float32) + 1) / np.float32(block)

    def fill(self, rows: Float32[np.ndarray, "v b"], gain_before: float, gain: float) -> None:
        """Write the next block into `rows`; its level goes from one linear factor to the other on a straight line."""
        heard = self._tape[:, self._at : self._at + self._block]
        if gain_before == gain:
            np.multiply(heard, np.float32(gain), out=rows)
        else:
            line = np.float32(gain_before) + np.float32(gain - gain_before) * self._ramp
            np.multiply(heard, line, out=rows)
        self._at = (self._at + self._block) % self._period
