"""Multichannel Wiener filters of a local Gaussian model: variances per time and frequency, covariances per place.

Letters: k sources and, last, the diffuse rest; f frequencies; m frames; c channels; x mixture; v variances;
R covariances; S = Σ_k v_k R_k covariance of the mixture; y = S^-1 x; G_k = v_k R_k S^-1 Wiener filter;
image c_k = G_k x.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex64, Float32, Inexact
from scipy.ndimage import uniform_filter1d

_TINY = 1e-20
_LOADING = 1e-6


@dataclass(frozen=True, slots=True)
class Steps:
    """How variances are found.

    Args:
        count: updates.
        over_frequency: bins over which neighbours are alike, odd; 1: each by itself.
        over_time: frames over which neighbours are alike, odd.
    """

    count: int = 15
    over_frequency: int = 1
    over_time: int = 1


@dataclass(frozen=True, slots=True)
class Fitted:
    """Variances [k f m] with the diffuse rest last, and the mean log likelihood per bin (without its constant)."""

    variances: Float32[np.ndarray, "k f m"]
    log_likelihood: float


@dataclass(frozen=True, slots=True)
class Inverted:
    """S^-1 and S^-1 x of one set of variances; in memory frames come last, so that sums run along them."""

    inverse: Inexact[np.ndarray, "f m c c"]
    turned: Complex64[np.ndarray, "f m c"]


def inverted(
    x: Complex64[np.ndarray, "f m c"],
    v: Float32[np.ndarray, "k f m"],
    R: Inexact[np.ndarray, "k g c c"],
    floor: Float32[np.ndarray, "f c"],
) -> Inverted:
    """S^-1 and S^-1 x; S is loaded by `floor` and by a millionth of its own power, without which it may be singular.

    `R` is real or complex, of every frequency (g = f) or of all of them (g = 1).
    """
    k, bins, frames = v.shape
    c = x.shape[-1]
    table = R.transpose(1, 2, 3, 0).reshape(-1, c * c, k)
    S = np.matmul(table, v.transpose(1, 0, 2)).reshape(bins, c, c, frames)
    load = np.float32(_LOADING) * np.real(np.einsum("faam->fm", S))
    for a in range(c):
        S[:, a, a] += load + floor[:, a, None]
    inverse = swept(S)
    turned = np.zeros((bins, c, frames), np.complex64)
    for a in range(c):
        turned += inverse[:, :, a] * x[:, None, :, a]
    return Inverted(inverse.transpose(0, 3, 1, 2), turned.transpose(0, 2, 1))


def swept(S: Inexact[np.ndarray, "f c c m"]) -> Inexact[np.ndarray, "f c c m"]:
    """Inverses of Hermitian positive matrices, in place, all at once: Gauss-Jordan elimination without pivots.

    (Higham, Accuracy and Stability of Numerical Algorithms, 2002, sections 14.4 and 10.1: positive pivots.)
    """
    c = S.shape[1]
    for k in range(c):
        pivot = 1 / np.real(S[:, k, k])
        column = S[:, :, k].copy()
        row = S[:, k] * pivot[:, None]
        for i in range(c):
            if i != k:
                S[:, i] -= column[:, i, None] * row
                S[:, i, k] = -column[:, i] * pivot
        S[:, k] = row
        S[:, k, k] = pivot
    return S


def ratios(
    back: Inverted, R: Inexact[np.ndarray, "k g c c"]
) -> tuple[Float32[np.ndarray, "k f m"], Float32[np.ndarray, "k f m"]]:
    """Y^H R_k y and tr(S^-1 R_k): the two halves of the gradient of the likelihood by v_k."""
    k, _, c, _ = R.shape
    y = back.turned.transpose(0, 2, 1)
    bins, _, frames = y.shape
    outer = y[:, :, None].conj() * y[:, None]  # [f a b m]: y_a^* y_b meets R_ab
    if np.isrealobj(R):
        outer = np.real(outer)
    flat = R.transpose(1, 0, 2, 3).reshape(-1, k, c * c)
    turned = R.transpose(1, 0, 3, 2).reshape(-1, k, c * c)  # tr(S^-1 R) = Σ S^-1_ab R_ba
    up = np.matmul(flat, outer.reshape(bins, c * c, frames))
    down = np.matmul(turned, back.inverse.transpose(0, 2, 3, 1).reshape(bins, c * c, frames))
    return np.real(up).transpose(1, 0, 2), np.real(down).transpose(1, 0, 2)


def fit(
    x: Complex64[np.ndarray, "f m c"],
    R: Inexact[np.ndarray, "k g c c"],
    steps: Steps = Steps(),
    floor: Float32[np.ndarray, "f c"] | None = None,
) -> Fitted:
    """Variances of greatest likelihood, by updates that keep them positive and never lower it; `floor` is known noise.

    v_k ← v_k √(y^H R_k y / tr(S^-1 R_k)) (Sawada et al., TASLP 21 (2013) 971, eq. 34, without a factorisation); with
    neighbours, both halves are averaged over them: the likelihood of a variance that they share.
    """
    v, floor = start(x, len(R)), floor_of(x) if floor is None else floor
    for _ in range(steps.count):
        up, down = ratios(inverted(x, v, R, floor), R)
        v = v * np.sqrt(np.maximum(_near(up, steps), _TINY) / np.maximum(_near(down, steps), _TINY), dtype=np.float32)
    return Fitted(v, log_likelihood(x, v, R, floor))


def of_bins(R: Inexact[np.ndarray, "k g c c"], bins: slice) -> Inexact[np.ndarray, "k h c c"]:
    """Covariances of some frequencies; those that all share stay as they are."""
    return R if R.shape[1] == 1 else R[:, bins]


def start(x: Complex64[np.ndarray, "f m c"], count: int) -> Float32[np.ndarray, "k f m"]:
    """The power at every bin, shared alike."""
    power = (np.abs(x) ** 2).sum(-1) / (1 + np.sqrt(x.shape[-1]) / 2) / count + _TINY
    return np.repeat(power[None], count, 0).astype(np.float32)


def floor_of(x: Complex64[np.ndarray, "f m c"]) -> Float32[np.ndarray, "f c"]:
    """60 dB below the mean power, on every channel: what keeps silence from being singular."""
    least = _LOADING * float((np.abs(x) ** 2).mean()) + 1e-15
    return np.full((len(x), x.shape[-1]), least, np.float32)


def log_likelihood(
    x: Complex64[np.ndarray, "f m c"],
    v: Float32[np.ndarray, "k f m"],
    R: Inexact[np.ndarray, "k g c c"],
    floor: Float32[np.ndarray, "f c"] | None = None,
) -> float:
    """−log det S − x^H S^-1 x, mean over bins (Duong et al. 2010, eq. 5)."""
    back = inverted(x, v, R, floor_of(x) if floor is None else floor)
    quadratic = (x.conj() * back.turned).sum(-1).real
    return float((np.linalg.slogdet(back.inverse)[1] - quadratic).mean())


def images(
    y: Complex64[np.ndarray, "f m c"], v: Float32[np.ndarray, "k f m"], R: Inexact[np.ndarray, "k g c c"]
) -> Complex64[np.ndarray, "k f m c"]:
    """C_k = v_k R_k y, y = S^-1 x: what each source puts on every channel; with rest and floor they add up to x."""
    return (v[..., None] * np.matmul(y[None], R.transpose(0, 1, 3, 2))).astype(np.complex64)


def _near(value: Float32[np.ndarray, "k f m"], steps: Steps) -> Float32[np.ndarray, "k f m"]:
    if steps.over_time > 1:
        value = uniform_filter1d(value, steps.over_time, axis=-1, mode="nearest")
    if steps.over_frequency > 1:
        value = uniform_filter1d(value, steps.over_frequency, axis=-2, mode="nearest")
    return value
