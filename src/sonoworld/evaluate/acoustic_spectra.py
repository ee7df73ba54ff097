"""Spectral and envelope distances of two mono room responses: MAG and ENV of DiffRIR and of AV-NeRF.

Letters: |X|, |Y| magnitudes of short-time spectra (Hann, a hop of a quarter window); e = 1e-6; H the analytic signal.
"""

import math

import numpy as np
from jaxtyping import Float, Float64

_WINDOWS = (64, 128, 256, 512, 1024, 2048, 4096)
_E = 1e-6
_SMOOTH = 32
_AV_NERF_HZ = 22_050


def compare(ours: Float[np.ndarray, "t"], theirs: Float[np.ndarray, "t"], rate_hz: int) -> dict[str, float]:
    """`mag`, `env`, `mag_av_nerf`, `env_av_nerf` and `multi_resolution_stft` of two responses as long as each other."""
    x, y = ours.astype(np.float64), theirs.astype(np.float64)
    return {
        "mag": mag(x, y),
        "env": env(x, y),
        "mag_av_nerf": mag_av_nerf(x, y, rate_hz),
        "env_av_nerf": env_av_nerf(x, y, rate_hz),
        "multi_resolution_stft": multi_resolution_stft(x, y),
    }


def mag(x: Float64[np.ndarray, "t"], y: Float64[np.ndarray, "t"]) -> float:
    """Σ over windows 64 … 4096 of mean |ln √(|X|² + e) − ln √(|Y|² + e)| (DiffRIR, Wang et al., CVPR 2024)."""
    total = 0.0
    for n in _WINDOWS:
        gap = np.log(magnitudes(x, n) ** 2 + _E) - np.log(magnitudes(y, n) ** 2 + _E)
        total += 0.5 * float(np.abs(gap).mean())
    return total


def env(x: Float64[np.ndarray, "t"], y: Float64[np.ndarray, "t"]) -> float:
    """Mean |ln(x² ∗ 1₃₂ + e) − ln(y² ∗ 1₃₂ + e)| (DiffRIR); NaN under 32 samples."""
    if x.size < _SMOOTH:
        return math.nan
    ones = np.ones(_SMOOTH)
    ours, theirs = (np.convolve(h**2, ones, "valid") for h in (x, y))
    return float(np.abs(np.log(ours + _E) - np.log(theirs + _E)).mean())


def mag_av_nerf(x: Float64[np.ndarray, "t"], y: Float64[np.ndarray, "t"], rate_hz: int) -> float:
    """2 mean (|X| − |Y|)² at 22.05 kHz, windows of 512 (AV-NeRF, Liang et al., NeurIPS 2023); mono as both ears."""
    ours, theirs = (magnitudes(_resampled(h, rate_hz), 512) for h in (x, y))
    return 2 * float(((ours - theirs) ** 2).mean())


def env_av_nerf(x: Float64[np.ndarray, "t"], y: Float64[np.ndarray, "t"], rate_hz: int) -> float:
    """Σ over ears of √ mean (|H(x)| − |H(y)|)² at 22.05 kHz (AV-NeRF); mono as both ears."""
    from scipy.signal import hilbert  # noqa: PLC0415 - heavy

    ours, theirs = (np.abs(np.asarray(hilbert(_resampled(h, rate_hz)))) for h in (x, y))
    return 2 * math.sqrt(float(((ours - theirs) ** 2).mean()))


def multi_resolution_stft(x: Float64[np.ndarray, "t"], y: Float64[np.ndarray, "t"]) -> float:
    """Spectral convergence plus log magnitude, mean over windows 512, 1024, 2048 (Yamamoto et al. 2020, eq. 4–6).

    Returns:
        The distance; NaN where the reference `y` is silent.
    """
    if not np.any(y):
        return math.nan
    parts: list[float] = []
    for n in (512, 1024, 2048):
        ours, theirs = magnitudes(x, n), magnitudes(y, n)
        convergence = float(np.linalg.norm(theirs - ours) / np.linalg.norm(theirs))
        logs = float(np.abs(np.log(np.maximum(ours, _E)) - np.log(np.maximum(theirs, _E))).mean())
        parts.append(convergence + logs)
    return float(np.mean(parts))


def magnitudes(x: Float64[np.ndarray, "t"], n: int) -> Float64[np.ndarray, "m f"]:
    """|STFT| with a periodic Hann window of n, hop n / 4, frames centred; silence beyond the ends."""
    padded = np.pad(x, n // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n)[:: n // 4]
    return np.abs(np.fft.rfft(frames * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)), axis=1))


def _resampled(x: Float64[np.ndarray, "t"], rate_hz: int) -> Float64[np.ndarray, "u"]:
    from scipy.signal import resample_poly  # noqa: PLC0415 - heavy

    common = math.gcd(rate_hz, _AV_NERF_HZ)
    return np.asarray(resample_poly(x, _AV_NERF_HZ // common, rate_hz // common))
