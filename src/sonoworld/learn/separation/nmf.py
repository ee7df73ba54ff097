"""Variances as products of few spectra and their activity: multichannel non-negative matrix factorisation.

Letters: k sources and the diffuse rest; f frequencies; m frames; r parts; w [k f r] spectra; h [k r m] activity;
v = w h.
"""

import numpy as np
from jaxtyping import Complex64, Float32, Inexact

from sonoworld.learn.separation.wiener import Steps, fit, floor_of, inverted, of_bins, ratios

PARTS = 12
_BINS_AT_ONCE = 96
_FIRST, _TINY = 20, 1e-20


def fit_factors(
    x: Complex64[np.ndarray, "f m c"],
    R: Inexact[np.ndarray, "k g c c"],
    updates: int,
    seed: int,
    parts: int = PARTS,
) -> Float32[np.ndarray, "k f m"]:
    """Variances w h of great likelihood; R stays.

    Begins at the factors of free variances that neighbours share, then multiplies w and h in turn by
    √(Σ · up / Σ · down) over what it meets, up and down as in `wiener.ratios` (Sawada et al., TASLP 21 (2013) 971,
    eqs. 34-36).
    """
    cuts = [slice(i, i + _BINS_AT_ONCE) for i in range(0, len(x), _BINS_AT_ONCE)]
    v = np.concatenate([fit(x[s], of_bins(R, s), Steps(6, 3, 3)).variances for s in cuts], 1)
    w, h = _factors(v, parts, np.random.default_rng(seed))
    floor = floor_of(x)
    for step in range(2 * updates):
        v = (w @ h + _TINY).astype(np.float32)
        both = [ratios(inverted(x[s], v[:, s], of_bins(R, s), floor[s]), of_bins(R, s)) for s in cuts]
        up, down = (np.concatenate([pair[i] for pair in both], 1) for i in (0, 1))
        up, down = np.maximum(up, _TINY), np.maximum(down, _TINY)
        if step % 2:
            h_t = h.transpose(0, 2, 1)
            w = w * np.sqrt((up @ h_t + _TINY) / (down @ h_t + _TINY))
        else:
            w_t = w.transpose(0, 2, 1)
            h = h * np.sqrt((w_t @ up + _TINY) / (w_t @ down + _TINY))
    return (w @ h + _TINY).astype(np.float32)


def _factors(
    v: Float32[np.ndarray, "k f m"], parts: int, rng: np.random.Generator
) -> tuple[Float32[np.ndarray, "k f r"], Float32[np.ndarray, "k r m"]]:
    """Factors w h ≈ v under the generalised Kullback-Leibler divergence (Lee and Seung, NIPS 13 (2001), theorem 2)."""
    k, bins, frames = v.shape
    w = (rng.uniform(0.5, 1.5, (k, bins, parts)) * (v.mean(-1, keepdims=True) + _TINY)).astype(np.float32)
    h = (rng.uniform(0.5, 1.5, (k, parts, frames)) / parts).astype(np.float32)
    for _ in range(_FIRST):
        share = v / (w @ h + _TINY)
        w = w * (share @ h.transpose(0, 2, 1)) / (h.sum(-1)[:, None] + _TINY)
        share = v / (w @ h + _TINY)
        h = h * (w.transpose(0, 2, 1) @ share) / (w.sum(1)[..., None] + _TINY)
    return w.astype(np.float32), h.astype(np.float32)
