"""Rows without learning: what is done with one known response for a source elsewhere.

Letters: h the known response, [4 t], W Y Z X; d0, d distances of the known and the new source, m; u its direction.
"""

import math
from typing import Literal

import numpy as np
from jaxtyping import Float64

from sonoworld.encode.harmonics import harmonics

DIRECT_S = 0.0025

PlainRow = Literal["copy", "copy 1/d", "rotate and scale", "dry", "exponential tail"]
PLAIN_ROWS: tuple[PlainRow, ...] = ("copy", "copy 1/d", "rotate and scale", "dry", "exponential tail")


def plain_row(
    row: PlainRow,
    h: Float64[np.ndarray, "4 t"],
    known: Float64[np.ndarray, "3"],
    new: Float64[np.ndarray, "3"],
    rate_hz: int,
    seed: int = 0,
) -> Float64[np.ndarray, "4 t"]:
    """The response of a source at `new` (m, listener at the origin) from that of one at `known`.

    copy: as it is. copy 1/d: up to 2.5 ms after the peak scaled by d0/d. rotate and scale: that, and all of it turned
    about the vertical by the difference of azimuths. dry: an impulse. exponential tail: the scaled direct sound on W
    put where the source is, then white noise, alike from all sides, of the known decay and energy.
    """
    scale = float(np.linalg.norm(known) / np.linalg.norm(new))
    end = int(np.argmax(np.abs(h[0]))) + round(DIRECT_S * rate_hz)
    scaled = np.concatenate([h[:, :end] * scale, h[:, end:]], 1)
    y = harmonics(new, 1)
    if row == "copy":
        return h.copy()
    if row == "copy 1/d":
        return scaled
    if row == "rotate and scale":
        return _turned(scaled, math.atan2(new[1], new[0]) - math.atan2(known[1], known[0]))
    if row == "dry":
        out = np.zeros_like(h)
        peak = int(np.argmax(np.abs(h[0])))
        out[:, peak] = y * h[0, peak] * scale
        return out
    return _tail(h, y[:, None] * scaled[0, :end], rate_hz, seed)


def _turned(h: Float64[np.ndarray, "4 t"], angle: float) -> Float64[np.ndarray, "4 t"]:
    c, s = math.cos(angle), math.sin(angle)
    w, y, z, x = h
    return np.stack([w, s * x + c * y, z, c * x - s * y])


def _tail(
    h: Float64[np.ndarray, "4 t"], direct: Float64[np.ndarray, "4 n"], rate_hz: int, seed: int
) -> Float64[np.ndarray, "4 t"]:
    end, t = direct.shape[1], h.shape[1]
    left = np.cumsum(h[0, ::-1] ** 2)[::-1]
    level = 10 * np.log10(left / left[0])
    i, j = int(np.argmax(level < -5)), int(np.argmax(level < -25))
    t60_s = -60 / (np.polyfit(np.arange(i, j), level[i:j], 1)[0] * rate_hz)
    envelope = 10 ** (-3 * np.arange(t - end) / (t60_s * rate_hz))
    noise = np.random.default_rng(seed).standard_normal((4, t - end)) * envelope
    noise *= np.sqrt(np.array([1, 1 / 3, 1 / 3, 1 / 3]) * np.sum(h[0, end:] ** 2) / np.sum(envelope**2))[:, None]
    return np.concatenate([direct, noise], 1)
