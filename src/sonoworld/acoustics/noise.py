"""The late field without torch: the noise that it is made of, and its response as taps.

Letters as in `late`: E_b energy on W re the direct sound at 1 m; T_b time for 60 dB; v_b(t) power per sample.
"""

import math

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.acoustics.bands import BANDS, band_weights, minimum_phase_basis
from sonoworld.acoustics.room import Emitter, LateField
from sonoworld.errors import InputError

RISE_S = 0.004
"""Width of the smooth beginning at the mixing time."""
MOST_BOOST_DB = 20.0
"""Where a loudspeaker gave 20 dB less than in its best band, a response measured with it says no more."""
LONGEST_S = 6.0


def band_noise(taps: int, rate_hz: int, seed: int) -> Float64[np.ndarray, "b c t"]:
    """Four independent noises W Y Z X of power 1 per sample before they are cut into bands; the same for a seed."""
    rng = np.random.default_rng(seed)
    white = rng.standard_normal((BANDS, 4, taps))
    n = 1 << (taps - 1).bit_length()
    weights = band_weights(n, rate_hz)
    return np.stack([np.fft.irfft(np.fft.rfft(white[b], n) * weights[b], n)[:, :taps] for b in range(BANDS)])


def late_taps(
    late: LateField, emitter: Emitter | None, rate_hz: int, seed: int = 0, order: int = 1
) -> Float32[np.ndarray, "c t"]:
    """Response (ACN, SN3D, world axes) of the late field to a flat source, until it is 60 dB down.

    Time 0 is when the sound is sent; of a measured one, when it arrives. Beyond first order it is alike from all sides:
    independent noise of power 1/(2n + 1) in every channel of degree n. A measured one stays first order.

    Args:
        late: as fitted or guessed.
        emitter: the loudspeaker of a measured late field, whose colour is taken out again.
        rate_hz: samples per second.
        seed: of the noise; a measured one needs none.
        order: Ambisonic order, 1 or more.

    Raises:
        InputError: a measured late field at another rate, or one without its loudspeaker.
    """
    if late.measured is None:
        return _made(late, rate_hz, seed, order)
    if late.measured_rate_hz != rate_hz:
        raise InputError(f"measured late field: expected {rate_hz} Hz, got {late.measured_rate_hz}")
    if emitter is None:
        raise InputError("measured late field: expected the loudspeaker that it was measured with, got none")
    taps = late.measured[:, emitter.onset :].astype(np.float64)
    gain_db = np.maximum(emitter.gain_db, emitter.gain_db.max() - MOST_BOOST_DB)
    n = 1 << (2 * taps.shape[1] - 1).bit_length()
    flat = np.exp(minimum_phase_basis(n, rate_hz) @ (-gain_db * (math.log(10) / 20)))
    return np.fft.irfft(np.fft.rfft(taps, n) * flat, n)[:, : taps.shape[1]].astype(np.float32)


def _made(late: LateField, rate_hz: int, seed: int, order: int) -> Float32[np.ndarray, "c t"]:
    """Twin of `late.late_response`, and what is beyond first order."""
    taps = round(min(late.mixing_s + float(late.t60_s.max()), LONGEST_S) * rate_hz)
    t = np.arange(taps) / rate_hz - late.mixing_s
    rate = 6 * math.log(10) / late.t60_s
    log_power = -np.logaddexp(0.0, -t / (RISE_S / 4)) - rate[:, None] * t
    top = log_power.max(1, keepdims=True)
    whole = top + np.log(np.exp(log_power - top).sum(1, keepdims=True))
    log_energy = late.level_db[:, None] * (math.log(10) / 10)
    envelope = np.exp(0.5 * (log_power - whole + log_energy))
    shaped = envelope[:, None] * band_noise(taps, rate_hz, seed)
    first = np.einsum("bij,bjt->it", covariance_roots(late.covariance), shaped)
    beyond = [
        _channel(envelope, rate_hz, (seed, c)) / np.sqrt(2 * math.isqrt(c) + 1) for c in range(4, (order + 1) ** 2)
    ]
    return np.concatenate([first, *(row[None] for row in beyond)]).astype(np.float32)


def _channel(envelope: Float64[np.ndarray, "b t"], rate_hz: int, seed: tuple[int, int]) -> Float64[np.ndarray, "t"]:
    """Noise of power 1 per band times its envelope."""
    taps = envelope.shape[1]
    white = np.random.default_rng(seed).standard_normal((BANDS, taps))
    n = 1 << (taps - 1).bit_length()
    return (envelope * np.fft.irfft(np.fft.rfft(white, n) * band_weights(n, rate_hz), n)[:, :taps]).sum(0)


def covariance_roots(covariance: Float64[np.ndarray, "b 4 4"]) -> Float64[np.ndarray, "b 4 4"]:
    """R with C = R Rᵀ, by eigenvectors."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
