"""How much of a separated sound is the wanted one: SI-SDR, and SDR, SIR, SAR as BSSEval defines them.

Letters: `s` wanted, `e` estimate, a = ⟨e, s⟩ / |s|²; `P` the projection onto references delayed by 0 … L − 1 samples.
"""

import math
from collections.abc import Callable
from typing import cast

import numpy as np
from jaxtyping import Complex128, Float, Float64

from sonoworld.errors import InputError

Projector = Callable[[np.ndarray], np.ndarray]
"""e -> P e, both as long as the references and one sample less than a filter."""

_WELL_CONDITIONED = 1e-8
"""Reciprocal condition above which normal equations leave at least eight digits."""


def si_sdr(estimate: Float[np.ndarray, "t"], reference: Float[np.ndarray, "t"]) -> float:
    """10 log10 |a s|² / |e − a s|², dB (Le Roux et al., ICASSP 2019, eq. 3); no mean is taken away.

    Args:
        estimate: what was separated.
        reference: what was wanted, as long.

    Returns:
        dB; ∞ for a scaled copy, −∞ for an orthogonal estimate, NaN where either is silent.
    """
    e, s = estimate.astype(np.float64), reference.astype(np.float64)
    if not np.any(s) or not np.any(e):
        return math.nan
    wanted = (e @ s) / (s @ s) * s
    return _db(float(wanted @ wanted), float((e - wanted) @ (e - wanted)))


def si_sdr_improvement(
    estimate: Float[np.ndarray, "t"], mixture: Float[np.ndarray, "t"], reference: Float[np.ndarray, "t"]
) -> float:
    """SI-SDR of the estimate less that of the unprocessed mixture, dB."""
    return si_sdr(estimate, reference) - si_sdr(mixture, reference)


def sdr_sir_sar(
    estimate: Float[np.ndarray, "t"], references: Float[np.ndarray, "n t"], index: int, *, taps: int = 512
) -> dict[str, float]:
    """Split an estimate into target, interference and artefact, and compare their energies.

    Args:
        estimate: of source `index`.
        references: all true sources, as long.
        index: the wanted one.
        taps: length L of the filters that the target may differ by.

    Returns:
        `sdr_db`, `sir_db`, `sar_db` (Vincent, Gribonval & Févotte 2006, eq. 11–14); NaN where the estimate or the
        wanted source is silent.

    Raises:
        InputError: `index` or `taps` is out of range, or another reference is silent.
    """
    if not 0 <= index < len(references) or taps < 1:
        raise InputError(f"expected 0 <= index < {len(references)} and taps >= 1, got {index} and {taps}")
    if not np.any(estimate) or not np.any(references[index]):
        return {"sdr_db": math.nan, "sir_db": math.nan, "sar_db": math.nan}
    if not np.all(np.any(references, axis=1)):
        raise InputError("a silent reference cannot interfere: leave it out")
    return _split(estimate, _projector(references[index : index + 1], taps), _projector(references, taps), taps)


def bss_eval(
    estimates: Float[np.ndarray, "n t"], references: Float[np.ndarray, "n t"], *, taps: int = 512
) -> list[dict[str, float]]:
    """`sdr_sir_sar` of every estimate, row i being of source i; what they share is computed once.

    Args:
        estimates: one for each source.
        references: all true sources.
        taps: length of the filters that a target may differ by.

    Returns:
        One dict for each source; NaN where its estimate is silent.

    Raises:
        InputError: `taps` is below 1, or a reference is silent.
    """
    if taps < 1 or not np.all(np.any(references, axis=1)):
        raise InputError(f"expected taps >= 1 and no silent reference, got {taps} taps")
    every = _projector(references, taps)
    return [
        _split(one, _projector(references[i : i + 1], taps), every, taps)
        if np.any(one)
        else dict.fromkeys(("sdr_db", "sir_db", "sar_db"), math.nan)
        for i, one in enumerate(estimates)
    ]


def _split(estimate: Float[np.ndarray, "t"], own: Projector, every: Projector, taps: int) -> dict[str, float]:
    whole = np.pad(estimate.astype(np.float64), (0, taps - 1))
    target, explained = own(whole), every(whole)
    interference, artefact = explained - target, whole - explained
    return {
        "sdr_db": _db(_energy(target), _energy(whole - target)),
        "sir_db": _db(_energy(target), _energy(interference)),
        "sar_db": _db(_energy(explained), _energy(artefact)),
    }


def _projector(references: Float[np.ndarray, "n t"], taps: int) -> Projector:
    """P as a function of e: the least-squares sum of filtered references, by the normal equations of correlations."""
    from scipy import fft  # noqa: PLC0415 - heavy

    n, samples = references.shape
    size = cast(int, fft.next_fast_len(samples + 2 * taps, real=True))  # no lag within the filters wraps around
    spectra = np.asarray(fft.rfft(references.astype(np.float64), size, axis=1))
    solve = _solver(_gram(spectra, taps, size))

    def project(whole: Float64[np.ndarray, "u"]) -> Float64[np.ndarray, "u"]:
        aimed = np.asarray(fft.rfft(whole, size))
        seen = np.concatenate([np.asarray(fft.irfft(np.conj(one) * aimed, size))[:taps] for one in spectra])
        filters = np.asarray(fft.rfft(solve(seen).reshape(n, taps), size, axis=1))
        return np.asarray(fft.irfft((filters * spectra).sum(0), size))[: whole.size]

    return project


def _gram(spectra: Complex128[np.ndarray, "n f"], taps: int, size: int) -> Float64[np.ndarray, "m m"]:
    """All products of delayed references: Toeplitz blocks of their correlations."""
    from scipy import fft  # noqa: PLC0415 - heavy
    from scipy.linalg import toeplitz  # noqa: PLC0415 - heavy

    n = len(spectra)
    gram = np.empty((n * taps, n * taps))
    for i in range(n):
        for j in range(i, n):
            r = np.asarray(fft.irfft(np.conj(spectra[i]) * spectra[j], size))
            ahead = np.concatenate([r[:1], r[: size - taps : -1]])
            block = toeplitz(r[:taps], ahead)
            gram[i * taps : (i + 1) * taps, j * taps : (j + 1) * taps] = block
            gram[j * taps : (j + 1) * taps, i * taps : (i + 1) * taps] = block.T
    return gram


def _solver(gram: Float64[np.ndarray, "m m"]) -> Callable[[np.ndarray], np.ndarray]:
    """Solve by Cholesky's factors; where they would lose half of the digits, by least squares.

    Band-limited references make the equations singular: then many filters give the same sum.
    """
    from scipy.linalg import cho_solve, eigh, get_lapack_funcs  # noqa: PLC0415 - heavy

    factorise, condition = get_lapack_funcs(("potrf", "pocon"), (gram,))
    factor, failed = factorise(gram, lower=True)
    if not failed and condition(factor, np.linalg.norm(gram, 1), uplo="L")[0] > _WELL_CONDITIONED:
        return lambda seen: np.asarray(cho_solve((factor, True), seen))
    values, vectors = eigh(gram)
    kept = values > values[-1] * len(values) * np.finfo(np.float64).eps
    basis = vectors[:, kept]
    return lambda seen: basis @ ((basis.T @ seen) / values[kept])


def _energy(x: Float64[np.ndarray, "u"]) -> float:
    return float(x @ x)


def _db(wanted: float, other: float) -> float:
    if wanted == 0:
        return -math.inf
    return math.inf if other == 0 else 10 * math.log10(wanted / other)
