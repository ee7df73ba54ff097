"""Two lines that part a landscape, and how they run on where nobody saw them.

Letters: a column of the strip has sky down to row s, upright things from s to g, ground from g down. The gap beside a
strip of n columns has columns u; path(u) is the column of the strip whose broad shape u continues.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32
from scipy.ndimage import gaussian_filter1d, median_filter

STEEPEST = 0.25
"""A step between the photo's own line and the continued one is spread so that it adds at most this slope."""

WANDER = 0.08
"""How far the path strays from a straight one, as a share of the strip."""

BROAD, HILL = 1 / 20, 1 / 6
"""Scales of the lines' shape as shares of the strip: what is finer is noise; and of hills of our own."""

BESIDE, UNEVEN = 0.8, 0.45
"""How much higher than in the photo houses stand that are beside and behind it; and how much that varies."""

LOWERED = 0.6
"""Height over the horizon at which things end that the photo's top cuts off, as a share of the photo's top."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Rows (from the strip's top) of the skyline `s` and of the ground line `g` >= s, for each column."""

    s: Float32[np.ndarray, "n"]
    g: Float32[np.ndarray, "n"]


@dataclass(frozen=True, slots=True)
class Way:
    """How the gap follows the strip: its `path` (columns), of which the first and last `lip` mirror the photo."""

    path: Float32[np.ndarray, "u"]
    lip: int
    built: bool


def parting(above: Float32[np.ndarray, "k n"], smooth_px: float) -> Float32[np.ndarray, "n"]:
    """The row in each column that best parts what is `above` (share 0..1) from what is not, smoothed a little."""
    other = np.cumsum(np.pad(1 - above, ((1, 0), (0, 0))), 0)
    own = np.cumsum(np.pad(above, ((1, 0), (0, 0))), 0)
    rows = np.argmin(other + own[-1] - own, 0).astype(np.float32)
    wide = 2 * max(1, round(smooth_px)) + 1
    return gaussian_filter1d(median_filter(rows, wide, mode="nearest"), smooth_px, mode="nearest").astype(np.float32)


def find_way(n: int, gap: int, lip: int, built: bool, rng: np.random.Generator) -> Way:
    """Back over the strip, once and slowly, from its right edge to its left."""
    edge = np.minimum(np.arange(lip), n - 1)
    middle = gap - 2 * lip
    t = (np.arange(middle) + 0.5) / max(middle, 1)
    phase, turns = rng.uniform(0, 2 * np.pi, 2), np.array([1.0, 2.0])
    stray = (np.sin(2 * np.pi * turns * t[:, None] + phase) / turns).sum(1) * np.sin(np.pi * t)
    column = (n - 1 - lip) * (1 - t) + lip * t + (n - 1) * WANDER * stray
    path = np.concatenate([n - 1 - edge, column, edge[::-1]])
    return Way(np.clip(path, 0, n - 1).astype(np.float32), lip, built)


def lowered(s: Float32[np.ndarray, "n"], horizon: float) -> Float32[np.ndarray, "n"]:
    """The skyline to aim for: what the photo's top cuts off ends lower, at a height it is not known to pass."""
    cut = cut_off(s)
    if not cut.any():
        return s
    end = horizon - LOWERED * horizon if horizon > 0 else 0.0
    known = s[~cut]
    if known.size > s.size // 4:
        end = max(end, float(np.quantile(known, 0.1)))
    return np.where(cut, np.float32(end), s).astype(np.float32)


def nearer_beside(
    s: Float32[np.ndarray, "u"], horizon: float, way: Way, n: int, rng: np.random.Generator
) -> Float32[np.ndarray, "u"]:
    """Skyline of a street: houses to both sides stand nearer than those one looks at, and so higher, no two alike.

    `n`: width of the strip that the photo shows.
    """
    t = np.linspace(0, 1, len(s))
    begun = np.sin(np.pi / 2 * np.clip(4 * np.minimum(t, 1 - t), 0, 1))
    each = np.clip(1 + UNEVEN * _steps(len(s), HILL * n, rng), 0, 2)
    return (horizon - (horizon - s) * (1 + BESIDE * begun * each)).astype(np.float32)


def cut_off(s: Float32[np.ndarray, "n"]) -> Bool[np.ndarray, "n"]:
    """Columns whose upright things reach the strip's top."""
    return s < 2.0


def _noise(size: int, scale: float, rng: np.random.Generator) -> Float32[np.ndarray, "m"]:
    wave = gaussian_filter1d(rng.standard_normal(size), max(scale, 0.5), mode="wrap")
    return (wave / (wave.std() + 1e-6)).astype(np.float32)


def _steps(size: int, scale: float, rng: np.random.Generator) -> Float32[np.ndarray, "m"]:
    """Roofs: heights that stay for a while and then change at once."""
    out = np.empty(size, np.float32)
    at = 0
    while at < size:
        length = max(1, round(scale * float(rng.uniform(0.5, 1.5))))
        out[at : at + length] = np.clip(rng.standard_normal(), -1.5, 1.5)
        at += length
    return out


def _eased(step: float, size: int, least: float) -> Float32[np.ndarray, "m"]:
    """A step at the first column, dying away along the others."""
    reach = min(0.45 * size, max(least, abs(step) / STEEPEST))
    x = np.clip(np.arange(size) / max(reach, 1.0), 0, 1)
    return (step * (1 - x) ** 2 * (1 + 2 * x)).astype(np.float32)


def continued(
    line: Float32[np.ndarray, "n"], aim: Float32[np.ndarray, "n"], way: Way, rng: np.random.Generator
) -> Float32[np.ndarray, "u"]:
    """`line` beyond the strip: mirrored on the lips, and between them running as `aim` does along the path.

    Its broad shape is `aim`'s, stretched by the path; its fine shape is noise as strong as `aim`'s.
    """
    n, lip = len(line), way.lip
    out = np.interp(way.path, np.arange(n), line)
    size = len(out) - 2 * lip
    if size < 2:
        return out.astype(np.float32)
    broad = gaussian_filter1d(aim, max(1.0, BROAD * n), mode="nearest")
    fine, spread = float((aim - broad).std()), float(broad.std())
    inner = np.interp(way.path[lip : lip + size], np.arange(n), broad)
    inner += 0.5 * spread * _noise(size, HILL * n, rng)
    inner += fine * (_steps(size, HILL * n, rng) if way.built else 0.7 * _noise(size, BROAD * n / 2, rng))
    inner += _eased(float(out[lip - 1] - inner[0]), size, n / 10)
    inner += _eased(float(out[lip + size] - inner[-1]), size, n / 10)[::-1]
    out[lip : lip + size] = inner
    return out.astype(np.float32)
