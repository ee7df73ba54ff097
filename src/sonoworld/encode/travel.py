"""Sound takes its time: propagation delay, and the Doppler shift that follows from a way that changes.

Letters: d distance, m; c speed of sound; D delay, samples; B block; r = (t + 1)/B at sample t of a block; p = t − D the
place that is heard at t, f its fraction; h(u) = sinc(u)·I0(β√(1 − (u/8)²))/I0(β), |u| <= 8 (Kaiser), β = 8.
"""

from functools import cache
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device
from jaxtyping import Float, Float32, Float64

from sonoworld.errors import ShapeError

SPEED_OF_SOUND_M_S = 343.2
"""At 20 °C."""

LEAST_DELAY = 8.0
"""Samples; with at least these the interpolator never looks ahead, so nothing is added to the physical delay."""

TAPS, PHASES, BRANCHES = 16, 512, 5
_BEHIND, _BETA = 7, 8.0


def interpolation_table() -> Float32[np.ndarray, "rows taps"]:
    """Rows f = 0, 1/512, ..., 1: weights h(k − f) of the samples k = −7..8 around a place; linear between rows."""
    return _table().astype(np.float32)


@cache
def _table() -> Float64[np.ndarray, "rows taps"]:
    fraction = np.arange(PHASES + 1)[:, None] / PHASES
    u = np.arange(-_BEHIND, TAPS - _BEHIND)[None] - fraction
    inside = np.clip(1 - (u / 8) ** 2, 0.0, None)
    return np.sinc(u) * np.i0(_BETA * np.sqrt(inside)) / np.i0(_BETA)


@cache
def branch_filters() -> Float32[np.ndarray, "5 taps"]:
    """The table as polynomials: row m holds the factors of u^m, u = 2f − 1 (Farrow, ISCAS 1988; 60 dB to 16 kHz)."""
    u = 2 * np.arange(PHASES + 1) / PHASES - 1
    filters = np.polynomial.polynomial.polyfit(u, _table(), BRANCHES - 1).astype(np.float32)
    filters.flags.writeable = False
    return filters


def delay_samples(distance_m: Float[Any, "*b"], rate_hz: int) -> Float[Any, "*b"]:
    """D = rate·d/c, at least `LEAST_DELAY`. Any array library."""
    xp = array_namespace(distance_m)
    delay = distance_m * (rate_hz / SPEED_OF_SOUND_M_S)
    return xp.where(delay < LEAST_DELAY, xp.full_like(delay, LEAST_DELAY), delay)


def delayed(x: Float[Any, "*b n"], delay: Float[Any, "k"], block: int) -> Float[Any, "*b t"]:
    """Signals after a way that changes: y(t) = x(t − D(t)). Any array library; differentiable in x and D.

    Within a block D is on a straight line, D_old + (D_new − D_old)·r. Where it changes by more than half a block
    (faster than half the speed of sound: a jump, not a motion), old and new fade into each other instead:
    (1 − r)·x(t − D_old) + r·x(t − D_new).

    Args:
        x: samples that end where the result ends; all beyond (k − 1)·block are the past. Before it there is silence.
        delay: D at the block boundaries, samples, each at least `LEAST_DELAY`.
        block: B.

    Returns:
        t = (k − 1)·block samples, in the dtype of x.

    Raises:
        ShapeError: fewer than two delays, one below `LEAST_DELAY` or not a number, or x shorter than the result.
    """
    xp = array_namespace(x)
    blocks = delay.shape[0] - 1
    if blocks < 1 or not bool(xp.all(delay >= LEAST_DELAY)):
        raise ShapeError("delay", expected=f"two or more, each >= {LEAST_DELAY}", got=str(delay.shape))
    past = x.shape[-1] - blocks * block
    if past < 0:
        raise ShapeError("x", expected=f"at least {blocks * block} samples", got=str(x.shape[-1]))
    old, new = delay[:-1, None], delay[1:, None]
    r = xp.arange(1, block + 1, dtype=delay.dtype, device=device(delay)) / block
    t = past + xp.reshape(xp.arange(blocks * block, dtype=delay.dtype, device=device(delay)), (blocks, block))
    moved = _read(x, xp.reshape(t - (old + (new - old) * r), (-1,)))
    jump = xp.abs(new - old) > block / 2
    if not bool(xp.any(jump)):
        return moved
    fade = xp.astype(xp.reshape(xp.broadcast_to(r, (blocks, block)), (-1,)), x.dtype)
    before, after = (_read(x, xp.reshape(t - edge, (-1,))) for edge in (old, new))
    jumps = xp.reshape(xp.broadcast_to(jump, (blocks, block)), (-1,))
    return xp.where(jumps, (1 - fade) * before + fade * after, moved)


def _read(x: Any, p: Any) -> Any:
    """X at places between samples: Σ_k h(k − f)·x(⌊p⌋ + k)."""
    xp = array_namespace(x)
    whole = xp.floor(p)
    row = (p - whole) * PHASES
    lower = xp.floor(row)
    share, j = xp.astype(row - lower, x.dtype), xp.astype(lower, xp.int64)
    first = xp.astype(whole, xp.int64) - _BEHIND
    silence = max(0, -int(xp.min(first)))
    padded = xp.concat([xp.zeros((*x.shape[:-1], silence), dtype=x.dtype, device=device(x)), x], axis=-1)
    table = xp.asarray(_table(), dtype=x.dtype, device=device(x))
    y = xp.zeros((*x.shape[:-1], p.shape[0]), dtype=x.dtype, device=device(x))
    for k in range(TAPS):
        low, high = (xp.take(table[:, k], j + up, axis=0) for up in (0, 1))
        y = y + (low + (high - low) * share) * xp.take(padded, first + (silence + k), axis=-1)
    return y
