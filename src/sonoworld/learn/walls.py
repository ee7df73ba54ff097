"""Walls put where their first reflection is heard: a picture tells them to decimetres, a response to centimetres.

Letters: r what is heard after the direct sound, [4 t], W Y Z X; t_i(q) the first reflection off wall i at offset q with
nothing swallowed; g_i its amplitude, <r, t>/<t, t>; share of energy it explains (2 g <r, t> − g² <t, t>)/<r, r>.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from sonoworld.acoustics.room import SPEED_OF_SOUND_M_S, Emitter, Walls
from sonoworld.encode.harmonics import harmonics

LEAST_SHARE = 0.02
"""A wall is moved only to where its reflection explains as much of the energy."""
STEP_M, ROUNDS = 0.01, 3


@dataclass(frozen=True, slots=True)
class Reflected:
    """A response after its direct sound, and what made it: places in m, world."""

    rest: Float64[np.ndarray, "4 t"]
    emitter: Emitter
    source: Float64[np.ndarray, "3"]
    listener: Float64[np.ndarray, "3"]
    rate_hz: int


def placed_walls(walls: Walls, heard: Reflected, reach_m: float, highest_hz: float) -> Walls:
    """Every wall moved by up to `reach_m` along its normal to where its reflection is heard best.

    Walls are moved in turn, three times, each against what the others leave over; below `highest_hz`, where a
    centimetre does not matter. One whose reflection is not heard (`LEAST_SHARE`) stays.
    """
    rest = _banded(heard.rest, heard.rate_hz, highest_hz)
    parts = [np.zeros_like(rest) for _ in range(len(walls))]
    offsets = walls.offsets_m.copy()
    for _ in range(ROUNDS):
        for i in range(len(walls)):
            left = rest - sum((part for j, part in enumerate(parts) if j != i), np.zeros_like(rest))
            found = _best(walls, i, left, heard, (reach_m, highest_hz))
            offsets[i], parts[i] = found if found is not None else (walls.offsets_m[i], np.zeros_like(rest))
    return replace(walls, offsets_m=offsets)


def _best(
    walls: Walls, i: int, left: Float64[np.ndarray, "4 t"], heard: Reflected, reach: tuple[float, float]
) -> tuple[float, Float64[np.ndarray, "4 t"]] | None:
    """Offset and reflection of wall i, or None where it is not heard."""
    n = walls.normals[i]
    nearest = max(float(n @ heard.source), float(n @ heard.listener)) + 0.05
    best, found = LEAST_SHARE * float(np.sum(left**2)), None
    for offset in walls.offsets_m[i] + np.arange(-reach[0], reach[0] + STEP_M / 2, STEP_M):
        template = None if offset < nearest else _reflection(n, float(offset), heard, reach[1])
        if template is None:
            continue
        both, own = float(np.sum(left * template)), float(np.sum(template**2))
        gain = min(max(both / own, 0.0), 1.0)
        share = 2 * gain * both - gain**2 * own
        if share > best:
            best, found = share, (float(offset), gain * template)
    return found


def _reflection(
    normal: Float64[np.ndarray, "3"], offset_m: float, heard: Reflected, highest_hz: float
) -> Float64[np.ndarray, "4 t"] | None:
    """T_i(q), or None where it comes after the end."""
    way = heard.source - 2 * (normal @ heard.source - offset_m) * normal - heard.listener
    d = float(np.linalg.norm(way))
    first = d / SPEED_OF_SOUND_M_S * heard.rate_hz - heard.emitter.onset
    wavelet, t = heard.emitter.wavelet, heard.rest.shape[1]
    assert wavelet is not None
    if first < 0 or first + len(wavelet) > t:
        return None
    n = 1 << (t - 1).bit_length()
    delay = np.exp(-2j * np.pi * np.fft.rfftfreq(n) * first)
    wave = np.fft.irfft(np.fft.rfft(wavelet, n) * delay, n)[:t] / d
    return _banded(harmonics(way, 1)[:, None] * wave, heard.rate_hz, highest_hz)


def _banded(x: Float64[np.ndarray, "c t"], rate_hz: int, highest_hz: float) -> Float64[np.ndarray, "c t"]:
    """Between 200 Hz and `highest_hz`, soft edges, zero phase."""
    n = 2 * x.shape[1]
    hz = np.fft.rfftfreq(n, 1 / rate_hz)
    weight = 1 / (1 + (hz / highest_hz) ** 8) / (1 + (200.0 / np.maximum(hz, 1.0)) ** 8)
    return np.fft.irfft(np.fft.rfft(x, n) * weight, n)[:, : x.shape[1]]
