"""Binaural decoders for Ambisonics: least squares below a cut, magnitude least squares above it.

Below the cut the diffuse-field covariance of the two ears is restored as well. Above it magnitude least squares already
keeps the diffuse power (to 1.3 dB at order 1, 0.4 dB at order 3), and mixing the ears would cost more magnitude than
it mends (about 0.8 dB mean error at order 1, 0.2 dB at order 3). Errors of the result: `bench/hrtf.py`. Plain least
squares, with and without max-rE weights, is there for comparison: order N loses treble from about 500·N Hz on.

Letters: m directions with areas W; Y [m c] N3D harmonics; H [f m 2] ear spectra; D [f c 2] decoder, ear = Σ_c D_c·s_c;
T [c m] the weighted pseudo-inverse of Y; R, Rh 2×2 diffuse-field covariances of the set and of the decoder.
Sources: Schörkhuber, Zaunschirm and Höldrich, "Binaural rendering of Ambisonic signals via magnitude least squares",
DAGA 2018; Zaunschirm et al., J. Acoust. Soc. Am. 143 (2018) 3616 (covariance); Hold et al. 2023 (phase continuation).
"""

from typing import Literal, get_args

import numpy as np
from jaxtyping import Complex128, Float32, Float64

from sonoworld.encode.harmonics import channel_degrees, harmonics
from sonoworld.encode.max_re import max_re_weights
from sonoworld.errors import ShapeError
from sonoworld.render.hrirs import HrirSet, fill_gaps, merge_repeated, sphere_areas
from sonoworld.render.hrtf import BinauralMethod

Covariance = Literal["below_cut", "everywhere", "nowhere"]
"""Where the diffuse-field covariance of the two ears is made the set's own."""

TAPS = 256
ONSET_S = 1e-3
"""Where the mean arrival sits in every decoder: room for the earlier ear and for the filters' rise."""
GUESSED = 0.5
"""Weight of directions that were not measured but continued, against those that were."""
RELATIVE, QUIETEST, ROUNDS = 0.1, 0.1, 3
"""Above the cut errors count relative to the response to this power (0 absolute, 1 in dB; more costs diffuse power),
no response counting as quieter than this share of the mean; the phase is improved this often in every bin."""
_FFT = 1024
_FADE_IN, _FADE_OUT = 8, 32


def magls_cut_hz(order: int) -> float:
    """Below: waveforms are matched. Above: magnitudes only. Order N holds a head's waveform up to about 500·N Hz."""
    return min(500.0 * order, 2000.0)


def decoder(
    hrirs: HrirSet,
    order: int,
    method: BinauralMethod = "magls",
    cut_hz: float | None = None,
    covariance: Covariance | None = None,
) -> Float32[np.ndarray, "2 c t"]:
    """256-tap filters that turn SN3D Ambisonics (head axes) into the (left, right) ear signals.

    Args:
        hrirs: impulse responses on a grid of any shape; gaps up to 60° are continued first.
        order: Ambisonic order, 1..7.
        method: see `BinauralMethod`.
        cut_hz: where magnitude takes over from waveform; None takes `magls_cut_hz(order)`.
        covariance: see `Covariance`; None takes "below_cut" for magls, "nowhere" for the others.

    Returns:
        Filters at the rate of `hrirs`; their mean arrival is at 1 ms.

    Raises:
        ShapeError: the order is outside 1..7, or the method or covariance unknown.
        InputError: the directions leave a gap that cannot be continued.
    """
    return _filters(decoder_spectra(hrirs, order, method, cut_hz, covariance), hrirs.rate_hz)


def decoder_spectra(
    hrirs: HrirSet,
    order: int,
    method: BinauralMethod = "magls",
    cut_hz: float | None = None,
    covariance: Covariance | None = None,
) -> Complex128[np.ndarray, "f c 2"]:
    """What `decoder` is the impulse response of: SN3D, 513 bins from 0 Hz to half the rate, mean arrival at time 0."""
    if not 1 <= order <= 7:
        raise ShapeError("decoder order", expected="1..7", got=str(order))
    if method not in get_args(BinauralMethod) or covariance not in (None, *get_args(Covariance)):
        expected = f"{' or '.join(get_args(BinauralMethod))}, with {' or '.join(get_args(Covariance))}"
        raise ShapeError("binaural method and covariance", expected=expected, got=f"{method!r} with {covariance!r}")
    measured = merge_repeated(hrirs)
    whole = fill_gaps(measured)
    degrees = np.array(channel_degrees(order))
    n3d = np.sqrt(2 * degrees + 1.0)
    Y = harmonics(whole.directions, order) * n3d
    areas = sphere_areas(whole.directions) / (4 * np.pi)
    H = centred_spectra(whole)
    above = _above(whole.rate_hz, magls_cut_hz(order) if cut_hz is None else cut_hz)
    trust = areas.copy()
    trust[len(measured.directions) :] *= GUESSED
    trust /= trust.sum()
    if method == "magls":
        solved, where = _solve(H, Y, trust, above), covariance or "below_cut"
    else:
        per_degree = max_re_weights(order) if method == "ls_max_re" else np.ones(order + 1)
        solved, where = (_inverse(Y, trust) @ H) * per_degree[degrees, None], covariance or "nowhere"
    if where != "nowhere":
        held = match_diffuse_field(solved, H, Y, areas)
        kept = above[:, None, None] if where == "below_cut" else 0.0
        solved = held + kept * (solved - held)
    solved[0], solved[-1] = solved[0].real, solved[-1].real
    return solved * n3d[:, None]


def _above(rate_hz: float, cut_hz: float) -> Float64[np.ndarray, "f"]:
    """0 below the cut's half octave, 1 above: how much the phase is ours to choose."""
    frequency = np.fft.rfftfreq(_FFT, 1 / rate_hz)
    return np.clip(2 * np.log2(np.maximum(frequency, 1.0) / cut_hz) + 0.5, 0.0, 1.0)


def centred_spectra(hrirs: HrirSet) -> Complex128[np.ndarray, "f m 2"]:
    """Spectra with the mean arrival moved to time 0, so that a phase that stays is one common delay, not a smear."""
    frequency = np.fft.rfftfreq(_FFT, 1 / hrirs.rate_hz)
    H = np.fft.rfft(hrirs.taps, _FFT)
    energy = hrirs.taps**2
    arrival = np.argmax(np.abs(hrirs.taps) > 0.2 * np.abs(hrirs.taps).max(-1, keepdims=True), -1)
    mean = float(np.average(arrival, weights=energy.sum(-1))) / hrirs.rate_hz
    return np.ascontiguousarray(np.moveaxis(H * np.exp(2j * np.pi * frequency * mean), -1, 0))


def _solve(
    H: Complex128[np.ndarray, "f m 2"],
    Y: Float64[np.ndarray, "m c"],
    trust: Float64[np.ndarray, "m"],
    free: Float64[np.ndarray, "f"],
) -> Complex128[np.ndarray, "f c 2"]:
    """Least squares where `free` is 0; above, the phase goes on from the bin below and is improved a few times."""
    D = _inverse(Y, trust) @ H
    loudness = np.sqrt(np.einsum("m,fme->fe", trust, np.abs(H) ** 2))
    floor = np.maximum(QUIETEST * loudness, 1e-9 * loudness.max())
    for f in np.flatnonzero(free):
        for ear in range(2):
            target, size = H[f, :, ear], np.maximum(np.abs(H[f, :, ear]), floor[f, ear])
            T = _inverse(Y, trust * size ** (-2 * RELATIVE * free[f]))
            d = D[f - 1, :, ear]
            for _ in range(ROUNDS):
                seen = Y @ d
                phase = seen / np.maximum(np.abs(seen), 1e-12)
                d = T @ ((1 - free[f]) * target + free[f] * np.abs(target) * phase)
            D[f, :, ear] = d
    return D


def _inverse(Y: Float64[np.ndarray, "m c"], weights: Float64[np.ndarray, "m"]) -> Float64[np.ndarray, "c m"]:
    w = weights / weights.sum()
    normal = (Y.T * w) @ Y
    return np.linalg.solve(normal + 1e-4 * np.eye(len(normal)), Y.T * w)


def match_diffuse_field(
    D: Complex128[np.ndarray, "f c 2"],
    H: Complex128[np.ndarray, "f m 2"],
    Y: Float64[np.ndarray, "m c"],
    areas: Float64[np.ndarray, "m"],
) -> Complex128[np.ndarray, "f c 2"]:
    """Decoder with the set's own interaural covariance in a diffuse field (Zaunschirm et al. 2018, eqs. 20-24).

    Of all 2×2 mixings M of the two ears with Mᴴ Rh M = R, the one that changes the least diffuse energy.
    """
    R = np.conj(np.swapaxes(H, 1, 2)) @ (areas[:, None] * H)
    Rh = np.conj(np.swapaxes(D, 1, 2)) @ ((Y.T * areas) @ Y) @ D
    floor = 1e-12 * np.trace(R, axis1=1, axis2=2).real.max() * np.eye(2)
    X = np.conj(np.swapaxes(np.linalg.cholesky(R + floor), 1, 2))  # R = Xᴴ X
    Xh = np.conj(np.swapaxes(np.linalg.cholesky(Rh + floor), 1, 2))
    U, _, Vh = np.linalg.svd(X @ np.conj(np.swapaxes(Xh, 1, 2)))
    polar = np.conj(np.swapaxes(U @ Vh, 1, 2))
    return D @ (np.linalg.inv(Xh) @ polar @ X)


def _filters(D: Complex128[np.ndarray, "f c 2"], rate_hz: float) -> Float32[np.ndarray, "2 c t"]:
    frequency = np.fft.rfftfreq(_FFT, 1 / rate_hz)
    moved = D * np.exp(-2j * np.pi * frequency * ONSET_S)[:, None, None]
    # at half the rate a delay between samples has no real value
    moved[0], moved[-1] = moved[0].real, moved[-1].real
    taps = np.fft.irfft(moved, _FFT, axis=0)[:TAPS]
    window = np.ones(TAPS)
    window[:_FADE_IN] = np.sin(np.pi / 2 * (np.arange(_FADE_IN) + 0.5) / _FADE_IN) ** 2
    window[-_FADE_OUT:] = np.cos(np.pi / 2 * (np.arange(_FADE_OUT) + 0.5) / _FADE_OUT) ** 2
    return np.ascontiguousarray(np.transpose(taps * window[:, None, None], (2, 1, 0)), np.float32)
