"""What the mixture itself says about the model: how much comes from all around, and where points truly are.

Letters: u direction; t1, t2 its tangents; a = y(u); J = dy/du along the tangents; q diffuse share; v variances;
S covariance of the mixture; G_k = Σ v_k (y y^H − S^-1) gradient of the log likelihood by R_k, y = S^-1 x.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Complex64, Float32, Float64

from sonoworld.encode.harmonics import harmonics
from sonoworld.learn.separation.spatial import Target, diffuse_covariance, surrounded
from sonoworld.learn.separation.wiener import Steps, fit, floor_of, inverted, ratios

OPEN_AIR = 0.04
"""Below this diffuse share directions are believed wholly."""

IN_PHASE, CHANCE = 0.004, 0.9
"""Bounds of `quadrature` in the open air: free-field mixtures of 4 s have at most 0.003, rooms at least 0.010."""

SELDOM = 0.16
"""Bound of `quadrature` over its chance (one over the frames that sound) in the open air, where sounds are rare."""

ROOM_SHARE = 0.7
"""Share believed in rooms: high enough for wrong directions, and as good as 0.6 for right ones."""

ROOM_BLUR = (1, 3)
"""Neighbours (bins, frames) that share their variance in rooms; more of them blur what sounds in turns. Of (1, 3),
(1, 5), (1, 7) and (3, 7) the first was best in measured rooms and at 0.2 s, and 0.2 dB below the last at 0.5 s."""

_LOOKS, _LARGEST_STEP = 12, math.radians(6.0)
_MOST_BINS = 64
_DELTA = 1e-4
_OVER = 2.0


def loud_bins(x: Complex64[np.ndarray, "f m c"]) -> np.ndarray:
    """At most 64 bins, even over those within 30 dB of the loudest, without the lowest, where all is rumble."""
    power = (np.abs(x) ** 2).sum(-1).mean(-1)
    power[: max(1, len(x) // 64)] = 0
    loud = np.flatnonzero(power >= 1e-3 * power.max())
    return loud[np.unique(np.linspace(0, len(loud) - 1, min(_MOST_BINS, len(loud))).astype(int))]


def covariances(targets: Sequence[Target], share: float) -> Float32[np.ndarray, "k 1 c c"]:
    """Of all targets with a diffuse share, and of the diffuse rest last; the same at all frequencies."""
    order = math.isqrt(len(targets[0].gains)) - 1
    # What has no direction already surrounds: its share changes nothing.
    each = [surrounded(target.covariance, share) for target in targets]
    return np.stack([*each, diffuse_covariance(order)]).astype(np.float32)[:, None]


def diffuse_share(x: Complex64[np.ndarray, "f m c"], targets: Sequence[Target]) -> float:
    """Share of the power that no direction of the targets explains, as if it came from all around, 0..1.

    Where targets leave channels over, P projects onto what they cannot reach: q = tr(P C)/tr(P D) / C_WW. Where they
    leave none, the smallest eigenvalue of D^-1 C over a few frames stands in: few sources sound at once in one bin.
    """
    C = np.einsum("fma,fmb->ab", x, x.conj(), optimize=True).real / (x.shape[0] * x.shape[1])
    D = diffuse_covariance(math.isqrt(len(C)) - 1)
    spanned = sum((target.covariance for target in targets), np.zeros_like(D))
    values, vectors = np.linalg.eigh(spanned)
    P = vectors[:, values < 1e-2 * values[-1]]
    if P.shape[1] == 0:
        return min(1.0, _sparse_share(x, D) / float(C[0, 0]))
    return min(1.0, float(np.trace(P.T @ C @ P) / np.trace(P.T @ D @ P) / C[0, 0]))


def quiet_noise(x: Complex64[np.ndarray, "f m c"], targets: Sequence[Target]) -> Float32[np.ndarray, "f c"]:
    """Power per frequency and channel of a diffuse field that never stops, from what no target can reach; 0 without.

    N spans what the targets leave of D^-1/2 x: there noise of power p is r equal Gaussians, and the median of their
    power is p r (1 - 1/(9r))^3 (Wilson and Hilferty, PNAS 17 (1931) 684), which what comes and goes does not move.
    Taken twice: sure noise is better left out than shared (over-subtraction: Berouti et al., ICASSP 1979).
    """
    D = np.diag(diffuse_covariance(math.isqrt(x.shape[-1]) - 1))
    spanned = sum((target.covariance for target in targets), np.zeros((len(D), len(D)))) / np.sqrt(np.outer(D, D))
    values, vectors = np.linalg.eigh(spanned)
    N = (vectors[:, values < 1e-2 * values[-1]] / np.sqrt(D)[:, None]).astype(np.float32)
    r = N.shape[1]
    if r == 0:
        return np.zeros((len(x), len(D)), np.float32)
    left = (np.abs(x @ N) ** 2).sum(-1)
    p = np.median(left, axis=1) / (r * (1 - 1 / (9 * r)) ** 3)
    return (_OVER * p[:, None] * D).astype(np.float32)


def quadrature(x: Complex64[np.ndarray, "f m c"]) -> float:
    """Σ_f |Im C_W·(f)|² / C_WW(f) over Σ_f C_WW(f), C the mean over frames: 0 in the open air, wherever sources are.

    A wave from anywhere puts itself on all channels in phase (SN3D harmonics are real), so C is real but for chance;
    reflections within a window turn the phase between pressure and velocity (reactive intensity: Jacobsen, JASA 90
    (1991) 2597).
    """
    C = np.einsum("fm,fma->fa", x[..., 0].conj(), x, optimize=True) / x.shape[1]
    at_w = np.maximum(C[:, 0].real, 1e-30)
    return float(((C[:, 1:4].imag ** 2).sum(-1) / at_w).sum() / at_w.sum())


def open_air(x: Complex64[np.ndarray, "f m c"], targets: Sequence[Target]) -> bool:
    """Whether nothing but the targets' straight sound is heard: little is left over, and all is in phase.

    Sounds that come seldom are in phase by fewer frames than there are: chance grows, and half the share is asked.
    """
    share, turned = diffuse_share(x, targets), quadrature(x)
    if share < OPEN_AIR and turned < IN_PHASE + CHANCE / x.shape[1]:
        return True
    power = np.abs(x[..., 0]) ** 2
    heard, frames = power.sum(1), power.sum(1) ** 2 / np.maximum((power**2).sum(1), 1e-30)
    chance = float((heard / np.maximum(frames, 1)).sum() / max(float(heard.sum()), 1e-30))
    return share < OPEN_AIR / 2 and turned < SELDOM * chance


def _sparse_share(x: Complex64[np.ndarray, "f m c"], D: Float64[np.ndarray, "c c"]) -> float:
    """Mean power of the smallest eigenvalue of D^-1/2 C D^-1/2, C over groups of 2c frames."""
    group = 2 * x.shape[-1]
    whole = x[:, : x.shape[1] // group * group] / np.sqrt(np.diag(D))
    if whole.shape[1] == 0:
        return 0.0
    parts = whole.reshape(-1, group, x.shape[-1])
    C = np.matmul(parts.transpose(0, 2, 1), parts.conj()) / group
    # Of 2c samples the smallest eigenvalue is low on average: (1 − √(c/2c))² (Marčenko and Pastur 1967).
    return float(np.linalg.eigvalsh(C)[:, 0].mean()) / (1 - math.sqrt(0.5)) ** 2


def refined(
    x: Complex64[np.ndarray, "f m c"], targets: Sequence[Target], reach_rad: float, share: float
) -> tuple[Target, ...]:
    """Targets whose points look where the mixture is likeliest, at most `reach_rad` from where they were given.

    Scoring steps on the sphere: δ = F^-1 g with g = 2 J^T G a and F = Σ v² (a^T S^-1 a)(J^T S^-1 J), the expected
    curvature of a Gaussian likelihood (Kay, Estimation Theory, eq. 3.32); variances follow in between. The result is
    kept only where the likelihood of the mixture rises.
    """
    moving = [k for k, target in enumerate(targets) if target.point and target.responses is None]
    if not moving or reach_rad <= 0:
        return tuple(targets)
    order = math.isqrt(len(targets[0].gains)) - 1
    now, v = list(targets), fit(x, covariances(targets, share), Steps(4)).variances
    for _ in range(_LOOKS):
        R = covariances(now, share)
        back = inverted(x, v, R, floor_of(x))
        up, down = ratios(back, R)
        for k in moving:
            u = _stepped(direction_of(now[k]), v[k], (back.turned, back.inverse), order)
            u = _within(u, direction_of(targets[k]), reach_rad)
            now[k] = Target.towards(targets[k].name, u, order)
        v = (v * np.sqrt(np.maximum(up, 1e-20) / np.maximum(down, 1e-20))).astype(np.float32)
    steps = Steps(8)
    before = fit(x, covariances(targets, share), steps).log_likelihood
    after = fit(x, covariances(now, share), steps).log_likelihood
    return tuple(now) if after > before else tuple(targets)


def direction_of(target: Target) -> Float64[np.ndarray, "3"]:
    """U of a point target: its first-degree gains, ACN order Y Z X."""
    u = target.gains[[3, 1, 2]]
    return u / np.linalg.norm(u)


def furthest_rad(some: Sequence[Target], others: Sequence[Target]) -> float:
    """The largest angle between the directions of the same points in two sets of targets."""
    pairs = [(direction_of(a), direction_of(b)) for a, b in zip(some, others, strict=True) if a.point]
    return max((math.atan2(float(np.linalg.norm(np.cross(u, w))), float(u @ w)) for u, w in pairs), default=0.0)


def _stepped(
    u: Float64[np.ndarray, "3"], v: np.ndarray, back: tuple[np.ndarray, np.ndarray], order: int
) -> Float64[np.ndarray, "3"]:
    y, inverse = back
    a, J, tangents = _around(u, order)
    by_y = np.einsum("fm,fma,fmb->ab", v, y, y.conj(), optimize=True).real
    G = by_y - np.einsum("fm,fmab->ab", v, inverse, optimize=True).real
    heard = np.einsum("a,fmab,b->fm", a, inverse, a, optimize=True).real
    F = np.einsum("fm,ai,fmab,bj->ij", v**2 * heard, J, inverse, J, optimize=True).real
    g = 2 * J.T @ G @ a
    step = np.linalg.solve(2 * F + 1e-9 * np.trace(F) * np.eye(2) + 1e-30 * np.eye(2), g)
    length = float(np.linalg.norm(step))
    step *= min(1.0, _LARGEST_STEP / max(length, 1e-12))
    moved = u + tangents @ step
    return moved / np.linalg.norm(moved)


def _around(
    u: Float64[np.ndarray, "3"], order: int
) -> tuple[Float64[np.ndarray, "c"], Float64[np.ndarray, "c 2"], Float64[np.ndarray, "3 2"]]:
    """Harmonics at u, their derivatives along two tangents (central differences), and these tangents."""
    aside = np.eye(3)[int(np.argmin(np.abs(u)))]
    t1 = np.cross(u, aside)
    t1 /= np.linalg.norm(t1)
    tangents = np.stack([t1, np.cross(u, t1)], -1)
    ahead, behind = (harmonics(u + s * _DELTA * tangents.T, order) for s in (1, -1))
    return harmonics(u, order), (ahead - behind).T / (2 * _DELTA), tangents


def _within(
    u: Float64[np.ndarray, "3"], middle: Float64[np.ndarray, "3"], reach_rad: float
) -> Float64[np.ndarray, "3"]:
    """U, or where the great circle from the middle to it leaves the cap of `reach_rad`."""
    angle = math.atan2(float(np.linalg.norm(np.cross(middle, u))), float(middle @ u))
    if angle <= reach_rad:
        return u
    away = u - (u @ middle) * middle
    away /= np.linalg.norm(away)
    return math.cos(reach_rad) * middle + math.sin(reach_rad) * away
