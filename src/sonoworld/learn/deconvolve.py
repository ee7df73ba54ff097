"""A recording and its dry sound -> the response between them.

Letters: X dry, Y recorded spectra; H = Y X*/(|X|² + λ) (Wiener, Tikhonov); λ a share of the mean of |X|².
"""

import numpy as np
from jaxtyping import Float64

from sonoworld.errors import InputError


def response_between(
    recorded: Float64[np.ndarray, "c t"],
    dry: Float64[np.ndarray, "u"],
    seconds: float,
    rate_hz: int,
    floor_db: float = -50.0,
) -> Float64[np.ndarray, "c s"]:
    """Regularised deconvolution; where the dry sound has nothing, the response is not known and stays low.

    Args:
        recorded: what the room made of it, at the same clock.
        dry: what was played.
        seconds: length of the response; from 20 ms before the two would be simultaneous, as clocks differ.
        rate_hz: of both.
        floor_db: λ re the mean power of the dry spectrum.

    Raises:
        InputError: silence, or less recorded than a response is long.
    """
    if not np.any(dry) or not np.any(recorded):
        raise InputError("recording and dry sound: expected sound in both, got silence")
    length = round(seconds * rate_hz)
    if recorded.shape[1] < length:
        raise InputError(f"recording: expected at least {seconds:g} s, got {recorded.shape[1] / rate_hz:.2f} s")
    n = 1 << (recorded.shape[1] + len(dry) - 1).bit_length()
    X, Y = np.fft.rfft(dry, n), np.fft.rfft(recorded, n)
    power = np.abs(X) ** 2
    h = np.fft.irfft(Y * X.conj() / (power + 10 ** (floor_db / 10) * power.mean()), n)
    before = round(0.02 * rate_hz)
    return np.roll(h, before, axis=1)[:, :length]
