"""How near one room response is to another: decay, clarity, direct sound, spectra and, for four channels, direction.

Letters: h(t) the response; EDC(t) = ∫ₜ h², Schroeder's decay; onset the sample of the direct sound, max |h|.
MAG and ENV depend on level: scale both responses by one factor, the training response's peak being 1.
"""

import math

import numpy as np
from jaxtyping import Float, Float64

from sonoworld.errors import InputError
from sonoworld.evaluate import acoustic_spectra, spatial

DIRECT_S = 0.0025
EARLY_S = 0.08

Response = Float[np.ndarray, "t"] | Float[np.ndarray, "4 t"]


def compare(
    estimated: Response,
    reference: Response,
    rate_hz: int,
    *,
    direction_band_hz: tuple[float, float] | None = None,
) -> dict[str, float]:
    """Score an estimated room response against the measured one.

    Args:
        estimated: mono, or ACN SN3D with four channels, of which W is scored where one channel is asked for.
        reference: of the same shape.
        rate_hz: of both.
        direction_band_hz: directions are taken in this band only, (low, high).

    Returns:
        `mag`, `env` (DiffRIR), `mag_av_nerf`, `env_av_nerf`, `multi_resolution_stft`; `t60_error` (s),
        `t60_error_percent`, `edt_error_s`, `c50_error_db`, `drr_error_db`; for four channels also
        `direct_angular_error_rad`, `early_angular_error_rad`, `late_diffuseness_error`. All errors are absolute;
        NaN where a response has no such value.

    Raises:
        InputError: shapes differ, a sample is not finite, or the rate or band is impossible.
    """
    _check(estimated, reference, rate_hz)
    ours, theirs = _mono(estimated), _mono(reference)
    t60, true_t60 = t60_s(ours, rate_hz), t60_s(theirs, rate_hz)
    scores = acoustic_spectra.compare(ours, theirs, rate_hz) | {
        "t60_error": abs(t60 - true_t60),
        "t60_error_percent": 100 * abs(t60 - true_t60) / true_t60,
        "edt_error_s": abs(edt_s(ours, rate_hz) - edt_s(theirs, rate_hz)),
        "c50_error_db": _gap(c50_db(ours, rate_hz), c50_db(theirs, rate_hz)),
        "drr_error_db": _gap(drr_db(ours, rate_hz), drr_db(theirs, rate_hz)),
    }
    if estimated.ndim == 2:
        pair = (estimated.astype(np.float64), reference.astype(np.float64))
        scores |= _directions(pair, rate_hz, direction_band_hz)
    return scores


def onset(response: Float[np.ndarray, "t"]) -> int:
    """Sample of the direct sound: the largest magnitude."""
    return int(np.abs(response).argmax())


def decay_db(response: Float[np.ndarray, "t"]) -> Float64[np.ndarray, "u"]:
    """Schroeder's decay from the onset on, 0 dB there, as far as there is energy; empty for silence."""
    energy = response[onset(response) :].astype(np.float64) ** 2
    left = np.cumsum(energy[::-1])[::-1]
    left = left[left > 0]
    return 10 * np.log10(left / left[0]) if left.size else left


def t60_s(response: Float[np.ndarray, "t"], rate_hz: int) -> float:
    """Three times the decay from −5 to −25 dB by a straight line (ISO 3382-1, T20), s; NaN if it does not get there."""
    return _decay_time_s(decay_db(response), rate_hz, -5.0, -25.0)


def edt_s(response: Float[np.ndarray, "t"], rate_hz: int) -> float:
    """Six times the decay from 0 to −10 dB by a straight line, s; NaN if it does not get there."""
    return _decay_time_s(decay_db(response), rate_hz, 0.0, -10.0)


def c50_db(response: Float[np.ndarray, "t"], rate_hz: int) -> float:
    """Energy of the first 50 ms from the onset over the rest, dB; ∞ without a rest, NaN for silence."""
    energy = response[onset(response) :].astype(np.float64) ** 2
    at = round(0.05 * rate_hz)
    return _ratio_db(float(energy[:at].sum()), float(energy[at:].sum()))


def drr_db(response: Float[np.ndarray, "t"], rate_hz: int) -> float:
    """Energy within ±2.5 ms of the onset over all other, dB; ∞ without other, NaN for silence."""
    energy = response.astype(np.float64) ** 2
    direct = float(direct_part(energy[None], rate_hz, at=onset(response)).sum())
    return _ratio_db(direct, float(energy.sum()) - direct)


def direct_part(response: Float[np.ndarray, "c t"], rate_hz: int, *, at: int) -> Float[np.ndarray, "c u"]:
    """Samples within ±2.5 ms of sample `at`."""
    half = round(DIRECT_S * rate_hz)
    return response[:, max(0, at - half) : at + half + 1]


def _directions(
    pair: tuple[Float64[np.ndarray, "4 t"], Float64[np.ndarray, "4 t"]],
    rate_hz: int,
    band_hz: tuple[float, float] | None,
) -> dict[str, float]:
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for response in pair:
        at = onset(response[0])
        heard = response if band_hz is None else _banded(response, rate_hz, band_hz)
        early, late = at + round(DIRECT_S * rate_hz) + 1, at + round(EARLY_S * rate_hz)
        parts.append((direct_part(heard, rate_hz, at=at), heard[:, early:late], heard[:, late:]))
    ours, theirs = parts
    return {
        "direct_angular_error_rad": _angle(ours[0], theirs[0]),
        "early_angular_error_rad": _angle(ours[1], theirs[1]),
        "late_diffuseness_error": abs(_diffuseness(ours[2]) - _diffuseness(theirs[2])),
    }


def _angle(ours: Float64[np.ndarray, "4 t"], theirs: Float64[np.ndarray, "4 u"]) -> float:
    if ours.shape[1] == 0 or theirs.shape[1] == 0:
        return math.nan
    return spatial.direction_errors_rad(spatial.direction(ours), spatial.direction(theirs))[0]


def _diffuseness(part: Float64[np.ndarray, "4 t"]) -> float:
    return spatial.diffuseness(part) if part.shape[1] else math.nan


def _banded(
    response: Float64[np.ndarray, "4 t"], rate_hz: int, band_hz: tuple[float, float]
) -> Float64[np.ndarray, "4 t"]:
    from scipy.signal import butter, sosfiltfilt  # noqa: PLC0415 - heavy

    low, high = band_hz
    if not 0 < low < high < rate_hz / 2:
        raise InputError(f"direction_band_hz: expected 0 < low < high < {rate_hz / 2:g}, got {band_hz}")
    return np.asarray(sosfiltfilt(butter(2, band_hz, "bandpass", fs=rate_hz, output="sos"), response, axis=1))


def _decay_time_s(decay: Float64[np.ndarray, "u"], rate_hz: int, begin_db: float, end_db: float) -> float:
    if decay.size == 0 or decay[-1] > end_db:
        return math.nan
    fit = np.flatnonzero((decay <= begin_db) & (decay >= end_db))
    if fit.size < 2:
        return math.nan
    slope = float(np.polyfit(fit / rate_hz, decay[fit], 1)[0])
    return -60.0 / slope if slope < 0 else math.nan


def _ratio_db(wanted: float, rest: float) -> float:
    if wanted <= 0:
        return math.nan
    return 10 * math.log10(wanted / rest) if rest > 0 else math.inf


def _gap(ours: float, theirs: float) -> float:
    return 0.0 if ours == theirs else abs(ours - theirs)


def _mono(response: Response) -> Float[np.ndarray, "t"]:
    return response if response.ndim == 1 else response[0]


def _check(estimated: Response, reference: Response, rate_hz: int) -> None:
    if estimated.shape != reference.shape or estimated.shape[-1] == 0:
        raise InputError(f"expected two responses of one shape, got {estimated.shape} and {reference.shape}")
    if not (np.isfinite(estimated).all() and np.isfinite(reference).all()):
        raise InputError("a response has samples that are not finite")
    if rate_hz <= 0:
        raise InputError(f"rate_hz must be positive, is {rate_hz}")
