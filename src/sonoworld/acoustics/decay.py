"""The late field of a measured response, told from it: decay, level and covariance per octave band.

Letters: h(t) response; EDC Schroeder's backward integral (JASA 37, 1965); T time for 60 dB (ISO 3382-1, T20).
"""

import numpy as np
from jaxtyping import Float64

from sonoworld.acoustics.bands import BANDS, in_bands
from sonoworld.acoustics.room import LateField
from sonoworld.errors import InputError

NOISE_SHARE = 0.1
"""The last tenth of a response is taken for its noise; its power is taken off before integrating (ISO 3382-1, 5.3)."""


def late_field_of(
    response: Float64[np.ndarray, "4 t"],
    left: Float64[np.ndarray, "4 t"],
    direct_1m: Float64[np.ndarray, "k"],
    from_s: float,
    rate_hz: int,
) -> LateField:
    """Late field of a response W Y Z X whose time 0 is when the sound was sent.

    Its mixing time is where an exponential must begin to have its energy when the left one has it: t_m = Σ t p/Σ p − τ,
    τ = T/(6 ln 10) the mean age of an exponential's energy, over all bands by energy.

    Args:
        response: SN3D; its decay is the room's.
        left: what direct sound and modelled reflections do not explain of it: levels and covariance are of this.
        direct_1m: the direct sound alone as it would be at 1 m: what levels refer to.
        from_s: what comes before does not count.
        rate_hz: of both.

    Raises:
        InputError: a band does not decay by 25 dB.
    """
    first = round(from_s * rate_hz)
    whole = in_bands(response[0], rate_hz)
    bands = np.moveaxis(in_bands(left, rate_hz), 1, 0)[..., first:]
    reference = (in_bands(direct_1m, rate_hz) ** 2).sum(-1)
    t60, level, covariance = np.empty(BANDS), np.empty(BANDS), np.empty((BANDS, 4, 4))
    energy, begins_s = np.empty(BANDS), np.empty(BANDS)
    for b in range(BANDS):
        t60[b] = decay_time_s(whole[b, first:], rate_hz)
        power = bands[b] @ bands[b].T
        covariance[b] = power / power[0, 0]
        level[b] = 10 * np.log10(power[0, 0] / reference[b])
        energy[b], age_s = _mean_age_s(bands[b, 0], rate_hz)
        begins_s[b] = from_s + age_s - t60[b] / (6 * np.log(10))
    return LateField(t60, level, max(from_s, float(energy @ begins_s / energy.sum())), covariance)


def _mean_age_s(band: Float64[np.ndarray, "t"], rate_hz: int) -> tuple[float, float]:
    """Energy, and its mean time, steady noise taken off."""
    power = band**2
    power = power - power[int(len(power) * (1 - NOISE_SHARE)) :].mean()
    energy = float(power.sum())
    return energy, float(power @ np.arange(len(power))) / energy / rate_hz


def decay_time_s(band: Float64[np.ndarray, "t"], rate_hz: int) -> float:
    """T20 of one band: a straight line through −5..−25 dB of its decay, steady noise taken off.

    Raises:
        InputError: it does not decay by 25 dB.
    """
    power = band**2
    noise = power[int(len(power) * (1 - NOISE_SHARE)) :].mean()
    left = np.cumsum((power - noise)[::-1])[::-1]
    level = 10 * np.log10(np.maximum(left, 1e-30) / left[0])
    i, j = int(np.argmax(level < -5)), int(np.argmax(level < -25))
    if not 0 < i < j - 8:
        raise InputError(f"response: expected a decay by 25 dB or more in every octave band, got {level.min():.0f} dB")
    slope = np.polyfit(np.arange(i, j) / rate_hz, level[i:j], 1)[0]
    return float(-60 / slope)
