"""A recording alone -> how the place rings: decay and level of its late field. No walls: they are not heard.

Letters: P_b(m) power of W in band b and frame m; a free decay is a run of frames that falls all the way: its slope is
the room's or slower, never faster, so the steepest tenths count (Ratnam et al., JASA 114, 2003; Prego et al. 2015).
ψ diffuseness, 1 − |mean I|/mean E; DRR (1 − ψ)/ψ in the mean (Ahonen & Pulkki 2009).
"""

import numpy as np
from jaxtyping import Float64

from sonoworld.acoustics.bands import BANDS, in_bands
from sonoworld.acoustics.room import LateField, diffuse_covariance
from sonoworld.errors import InputError

FRAME_S, SMOOTH, LEAST_FALL_DB, LEAST_RUN = 0.01, 5, 12.0, 6
STEEPEST = 0.3
"""Quantile of the decay times that are found."""
USED_BANDS = range(1, 7)
"""250 Hz..8 kHz are heard; the outermost octaves take after their neighbours."""


def heard_late_field(
    recorded: Float64[np.ndarray, "4 t"], distance_m: float, rate_hz: int, mixing_s: float = 0.01
) -> LateField:
    """Late field of the place in which somebody recorded a source at a known distance, W Y Z X (SN3D).

    Levels follow from the diffuseness of the sound while it lasts: the energy of the late field re the direct sound at
    the distance, and so re 1 m. Honest only for one source, in a room that rings alike everywhere.

    Raises:
        InputError: no band dies away freely anywhere.
    """
    bands = np.moveaxis(in_bands(recorded, rate_hz), 1, 0)
    frame = round(FRAME_S * rate_hz)
    t60, level = np.full(BANDS, np.nan), np.full(BANDS, np.nan)
    for b in USED_BANDS:
        power = np.convolve(_frames(bands[b, 0], frame), np.ones(SMOOTH) / SMOOTH, "valid")
        times = free_decay_times_s(10 * np.log10(power + 1e-12 * power.max()))
        if times:
            t60[b] = float(np.quantile(times, STEEPEST))
        level[b] = late_level_db(bands[b], distance_m)
    if not np.isfinite(t60).any():
        raise InputError("recording: expected sounds that stop and die away by 12 dB or more, got none in any band")
    return LateField(_filled(t60), _filled(level), mixing_s, diffuse_covariance())


def free_decay_times_s(level_db: Float64[np.ndarray, "m"]) -> list[float]:
    """T60 of every run of frames that falls by 12 dB or more, without its first frame: the source may still speak."""
    falls = np.flatnonzero(np.diff(level_db) < 0)
    runs = np.split(falls, np.flatnonzero(np.diff(falls) > 1) + 1)
    times: list[float] = []
    for run in runs:
        part = level_db[run[0] + 1 : run[-1] + 2] if len(run) else level_db[:0]
        if len(part) < LEAST_RUN or part[0] - part[-1] < LEAST_FALL_DB:
            continue
        slope = float(np.polyfit(np.arange(len(part)) * FRAME_S, part, 1)[0])
        times.append(-60.0 / slope)
    return times


def late_level_db(band: Float64[np.ndarray, "4 t"], distance_m: float) -> float:
    """Energy of the late field re the direct sound at 1 m, from the diffuseness of a band."""
    w, velocity = band[0], band[1:]
    energy = 0.5 * float(np.mean(w**2) + np.mean(np.sum(velocity**2, 0)))
    psi = float(np.clip(1 - np.linalg.norm(velocity @ w / len(w)) / energy, 1e-3, 1 - 1e-3))
    return 10 * float(np.log10(psi / (1 - psi) / distance_m**2))


def _frames(x: Float64[np.ndarray, "t"], frame: int) -> Float64[np.ndarray, "m"]:
    whole = len(x) // frame * frame
    return np.mean(x[:whole].reshape(-1, frame) ** 2, axis=1)


def _filled(values: Float64[np.ndarray, "b"]) -> Float64[np.ndarray, "b"]:
    known = np.flatnonzero(np.isfinite(values))
    return np.interp(np.arange(len(values)), known, values[known])
