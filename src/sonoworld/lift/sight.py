"""How far splats are from the eye, all around: along each ray, where half of the light has been stopped.

Letters: μ Σ centre and covariance of a splat, a_k s_k its axes and sigmas, r = |μ|, d = μ/r, e_u e_v the directions in
which columns and rows grow at d; e the ray of a pixel, t = (e·e_u, e·e_v)/(e·d) where it meets the plane across d; C
covariance on that plane, rad²; α what a splat stops at a pixel, T what still passes.
The median of depth, not its mean: at an edge the mean of near and far is a place where nothing is.
(`no_type_check` keeps run-time checkers of annotations from wrapping what numba compiles.)
"""

import math
from typing import no_type_check

import numpy as np
from jaxtyping import Float32
from numba import njit

from sonoworld.types import Splats

NEAR_M = 0.02
LOW_PASS_PX2 = 0.3
"""Added to C, in pixels of the panorama, as renderers do: no splat falls between rays."""

MIN_ALPHA, MAX_ALPHA = 1 / 255, 0.99
STOPPED = 0.5
THINNEST = 1e-3
"""Smallest sigma counted, over the largest: a splat without thickness has no inverse covariance."""

LEAST_FACING = 0.05
"""Smallest e·d at which t is still used."""

# Places in the record of one splat that `_footprint` fills and `_draw` uses.
_D, _E_U, _E_V, _C, _OPACITY, _EXTENT, _AXES, _WEIGHT, _SHARE, _RECORD = 0, 3, 5, 8, 11, 12, 13, 22, 25, 28


def distances(splats: Splats, height: int) -> Float32[np.ndarray, "h w"]:
    """Distance (m, or the splats' unit) along the ray of every pixel of a panorama; infinite where nothing stops it.

    Splats nearer than 2 cm are not seen. Deterministic.
    """
    order = np.argsort(np.einsum("nc,nc->n", splats.means, splats.means), kind="stable")
    out = np.full((height, 2 * height), np.inf, np.float32)
    passes = np.ones((height, 2 * height), np.float32)
    numbers = (splats.means, splats.log_scales, splats.quats, splats.opacity_logits[:, None])
    _see(np.concatenate(numbers, axis=1), order, out, passes)
    return out


@njit(cache=True)
@no_type_check
def _see(splats: np.ndarray, order: np.ndarray, out: np.ndarray, passes: np.ndarray) -> None:
    """Nearest first, every splat stops what it can."""
    px = math.pi / out.shape[0]
    azimuth = math.pi - px * (np.arange(out.shape[1]) + 0.5)
    tables = np.stack((np.cos(azimuth), np.sin(azimuth)))
    g = np.empty(_RECORD)
    for i in order:
        if _footprint(splats[i], px, g):
            _draw(g, px, tables, out, passes)


@njit(cache=True)
@no_type_check
def _footprint(splat: np.ndarray, px: float, g: np.ndarray) -> bool:
    """Fill the record of one splat; False if it cannot be seen."""
    x, y, z = float(splat[0]), float(splat[1]), float(splat[2])
    r = math.sqrt(x * x + y * y + z * z)
    opacity = 1 / (1 + math.exp(-float(splat[10])))
    if r < NEAR_M or opacity <= MIN_ALPHA:
        return False
    azimuth, elevation = math.atan2(y, x), math.asin(min(1.0, max(-1.0, z / r)))
    g[_D], g[_D + 1], g[_D + 2] = x / r, y / r, z / r
    g[_E_U], g[_E_U + 1] = math.sin(azimuth), -math.cos(azimuth)
    g[_E_V], g[_E_V + 1] = math.sin(elevation) * math.cos(azimuth), math.sin(elevation) * math.sin(azimuth)
    g[_E_V + 2] = -math.cos(elevation)
    _axes(splat, g)
    widest = math.exp(max(splat[3], splat[4], splat[5]))
    uu, uv, vv = LOW_PASS_PX2 * px * px, 0.0, LOW_PASS_PX2 * px * px
    for k in range(3):
        s = max(math.exp(splat[3 + k]), THINNEST * widest)
        a0, a1, a2 = g[_AXES + 3 * k], g[_AXES + 3 * k + 1], g[_AXES + 3 * k + 2]
        u = s * (a0 * g[_E_U] + a1 * g[_E_U + 1]) / r
        v = s * (a0 * g[_E_V] + a1 * g[_E_V + 1] + a2 * g[_E_V + 2]) / r
        uu, uv, vv = uu + u * u, uv + u * v, vv + v * v
        g[_WEIGHT + k] = 1 / (s * s)
        g[_SHARE + k] = (a0 * x + a1 * y + a2 * z) / (s * s)
    det = uu * vv - uv * uv
    largest = 0.5 * (uu + vv) + math.sqrt(max(0.0, 0.25 * (uu - vv) ** 2 + uv * uv))
    g[_C], g[_C + 1], g[_C + 2] = vv / det, -uv / det, uu / det
    g[_OPACITY] = opacity
    g[_EXTENT] = math.atan(math.sqrt(2 * math.log(opacity / MIN_ALPHA) * largest))
    return True


@njit(cache=True, inline="always")
@no_type_check
def _axes(splat: np.ndarray, g: np.ndarray) -> None:
    w, x, y, z = float(splat[6]), float(splat[7]), float(splat[8]), float(splat[9])
    norm = 1 / math.sqrt(w * w + x * x + y * y + z * z)
    w, x, y, z = w * norm, x * norm, y * norm, z * norm
    g[_AXES], g[_AXES + 1], g[_AXES + 2] = 1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)
    g[_AXES + 3], g[_AXES + 4], g[_AXES + 5] = 2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)
    g[_AXES + 6], g[_AXES + 7], g[_AXES + 8] = 2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)


@njit(cache=True)
@no_type_check
def _draw(g: np.ndarray, px: float, tables: np.ndarray, out: np.ndarray, passes: np.ndarray) -> None:
    """Stop light in all pixels that the splat reaches."""
    elevation = math.asin(min(1.0, max(-1.0, g[_D + 2])))
    first = max(0, int((math.pi / 2 - elevation - g[_EXTENT]) / px))
    last = min(out.shape[0], int((math.pi / 2 - elevation + g[_EXTENT]) / px) + 1)
    left, count = _columns(math.atan2(g[_D + 1], g[_D]), elevation, g[_EXTENT], px, out.shape[1])
    for row in range(first, last):
        across, up = math.cos(math.pi / 2 - px * (row + 0.5)), math.sin(math.pi / 2 - px * (row + 0.5))
        for step in range(count):
            column = (left + step) % out.shape[1]
            if passes[row, column] >= STOPPED:
                e0, e1 = across * tables[0, column], across * tables[1, column]
                passes[row, column] *= 1 - _alpha(g, e0, e1, up)
                if passes[row, column] < STOPPED:
                    out[row, column] = max(_densest(g, e0, e1, up), NEAR_M)


@njit(cache=True, inline="always")
@no_type_check
def _alpha(g: np.ndarray, e0: float, e1: float, e2: float) -> float:
    facing = e0 * g[_D] + e1 * g[_D + 1] + e2 * g[_D + 2]
    if facing < LEAST_FACING:
        return 0.0
    u = (e0 * g[_E_U] + e1 * g[_E_U + 1]) / facing
    v = (e0 * g[_E_V] + e1 * g[_E_V + 1] + e2 * g[_E_V + 2]) / facing
    power = 0.5 * (g[_C] * u * u + 2 * g[_C + 1] * u * v + g[_C + 2] * v * v)
    alpha = min(MAX_ALPHA, g[_OPACITY] * math.exp(-power))
    return alpha if alpha >= MIN_ALPHA else 0.0


@njit(cache=True, inline="always")
@no_type_check
def _densest(g: np.ndarray, e0: float, e1: float, e2: float) -> float:
    """Where along the ray the splat is densest: eᵀΣ⁻¹μ / eᵀΣ⁻¹e; on a flat splat, where the ray meets it."""
    top, bottom = 0.0, 0.0
    for k in range(3):
        q = g[_AXES + 3 * k] * e0 + g[_AXES + 3 * k + 1] * e1 + g[_AXES + 3 * k + 2] * e2
        top, bottom = top + g[_SHARE + k] * q, bottom + g[_WEIGHT + k] * q * q
    return top / bottom


@njit(cache=True, inline="always")
@no_type_check
def _columns(azimuth: float, elevation: float, extent: float, px: float, width: int) -> tuple[int, int]:
    """First column and number of columns that a cap of angular radius `extent` touches."""
    if abs(elevation) + extent >= math.pi / 2 - px:
        return 0, width
    half = math.asin(math.sin(extent) / math.cos(elevation))
    left = math.floor((math.pi - azimuth - half) / px)
    count = math.ceil((math.pi - azimuth + half) / px) - left
    return (0, width) if count >= width else (left, count)
