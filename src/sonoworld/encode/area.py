"""Sources with a size: surfaces seen as weighted points, caps, and the split of wide ones into parts.

Letters: x_i offset of surface point i from the listener, u_i its direction, w_i its weight (sum 1), σ_i its fade;
y(u) SN3D harmonics; g gains per channel; r length of the mean direction; a half angle of a cap.
"""

import math
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device
from jaxtyping import Float, Float64, Int64

from sonoworld.encode.harmonics import channel_count, channel_degrees, harmonics
from sonoworld.errors import ShapeError

NARROW, WIDE = math.radians(20.0), math.radians(40.0)
"""Seen width at which an area is still one sound, and at which it is wholly split: 30° in the middle."""

PARTS = 6


def area_gains(
    offset: Float[Any, "*b m 3"], weights: Float[Any, "m"], sigma: Float[Any, "*b m"], order: int
) -> Float[Any, "*b c"]:
    """G = Σ w_i σ_i y(u_i): the mean over the surface, in phase (design; Schissler et al., TVCG 22 (2016) 1356)."""
    xp = array_namespace(offset)
    return xp.sum((weights * sigma)[..., None] * harmonics(offset, order), axis=-2)


def cap_gains(half_angle: float | Float[Any, "*b"], order: int) -> Float[Any, "*b c"]:
    """Factors per channel that turn a point's harmonics into the mean over a cap around it. Any array library.

    g_n = (P_(n−1)(cos a) − P_(n+1)(cos a)) / ((2n + 1)(1 − cos a)): the mean of P_n over cos a..1, taken here by a
    Gauss–Legendre rule that is exact for these polynomials, does not cancel for small caps and is smooth in a.

    Raises:
        ShapeError: a half angle is not in 0..π.
    """
    a = np.asarray(half_angle, np.float64) if isinstance(half_angle, int | float) else half_angle
    xp = array_namespace(a)
    if not bool(xp.all((a >= 0) & (a <= math.pi))):
        raise ShapeError("cap half angle", expected="0..π rad", got=str(half_angle))
    nodes, weights = (
        xp.asarray(part, dtype=a.dtype, device=device(a)) for part in np.polynomial.legendre.leggauss(order // 2 + 1)
    )
    z = 1 - xp.sin(a[..., None] / 2) ** 2 * (1 - nodes)
    legendre = [xp.ones_like(z), z]
    for n in range(1, order):
        # DLMF 18.9.1: (n + 1) P_(n+1) = (2n + 1) z P_n − n P_(n−1)
        legendre.append(((2 * n + 1) * z * legendre[n] - n * legendre[n - 1]) / (n + 1))
    means = [xp.sum(weights * p, axis=-1) / 2 for p in legendre]
    return xp.stack([means[n] for n in channel_degrees(order)], axis=-1)


def seen_width(offset: Float[Any, "*b m 3"], energy: Float[Any, "*b m"]) -> Float[Any, "*b"]:
    """Full angle of the cap that spreads its energy as the points do: 2a with r = (1 + cos a)/2, radians.

    tan(a/2) = √((1 − r)/r) rather than the arc cosine: exact for narrow sources, and its gradient is finite everywhere
    (0 at a single point, where there is none). Without energy it is 0.
    """
    xp = array_namespace(offset)
    direction = harmonics(offset, 1)[..., 1:]
    total = xp.sum(energy, axis=-1)
    silent = total <= 0
    mean = xp.sum(energy[..., None] * direction, axis=-2) / xp.where(silent, xp.ones_like(total), total)[..., None]
    r = _root(xp.sum(mean * mean, axis=-1))
    return xp.where(silent, xp.zeros_like(r), 4 * xp.atan2(_root(1 - r), _root(r)))


def _root(x: Any) -> Any:
    """√x, and 0 with gradient 0 where x is no more than rounding."""
    xp = array_namespace(x)
    present = x > 4 * xp.finfo(x.dtype).eps
    return xp.where(present, xp.sqrt(xp.where(present, x, xp.ones_like(x))), xp.zeros_like(x))


def split_gains(
    offset: Float[Any, "*b m 3"],
    weights: Float[Any, "m"],
    sigma: Float[Any, "*b m"],
    labels: Int64[np.ndarray, "m"],
    order: int,
) -> Float[Any, "*b v c"]:
    """Gains of the undecorrelated sound (first) and of one decorrelated copy per part of the surface.

    Narrow areas are all in the first: g as in `area_gains`. Wide ones are all in the parts, part j with the direction
    of its own mean and the energy Σ_{i in j} w_i σ_i² on W (design: total W energy Σ w σ²). Between the two, energy
    moves smoothly from one to the other. Any array library; differentiable.

    Args:
        offset: surface points − listener, m.
        weights: sum 1.
        sigma: fade of every point, times its directivity; where that changes sign within a part, the part has what is
            left of its energy after they cancel.
        labels: the part of every point, 0..v − 2.
        order: Ambisonic order.
    """
    xp = array_namespace(offset)
    Y = harmonics(offset, order)
    amplitude, energy = weights * sigma, weights * sigma**2
    t = xp.clip((seen_width(offset, energy) - NARROW) / (WIDE - NARROW), 0.0, 1.0)
    # s = t²(3 − 2t) is the share of the parts: √s and √(1 − s), without a root that would have no gradient at 0
    apart, together = t * xp.sqrt(3 - 2 * t), (1 - t) * xp.sqrt(1 + 2 * t)
    of_part = np.arange(int(labels.max()) + 1)[:, None] == labels
    member = xp.asarray(of_part.astype(np.float64), dtype=Y.dtype, device=device(Y))
    sums = xp.matmul(member * amplitude[..., None, :], Y)
    size = xp.sum(member * xp.abs(amplitude)[..., None, :], axis=-1)
    loudness = xp.sum(member * energy[..., None, :], axis=-1)
    heard = size > 0
    one = xp.ones_like(size)
    level = xp.where(heard, xp.sqrt(xp.where(heard, loudness, one)), 0 * one) / xp.where(heard, size, one)
    parts = (apart[..., None] * level)[..., None] * sums
    return xp.concat([(together[..., None] * xp.sum(sums, axis=-2))[..., None, :], parts], axis=-2)


def split_surface(
    points: Float[np.ndarray, "m 3"], weights: Float[np.ndarray, "m"], parts: int = PARTS
) -> Int64[np.ndarray, "m"]:
    """Which part of the surface every point belongs to: weighted k-means, started from far-apart points.

    Deterministic: the first centre is the point farthest from the centroid, each next one the farthest from all so
    far (Gonzalez 1985); then Lloyd's steps. Parts are fixed in the world, so nothing jumps as the listener walks.
    """
    distinct = len(np.unique(points, axis=0))
    count = min(parts, distinct)
    p, w = np.asarray(points, np.float64), np.asarray(weights, np.float64) + 1e-12
    gap = np.linalg.norm(p - w @ p / w.sum(), axis=1)
    centres = np.empty((count, 3))
    for j in range(count):
        centres[j] = p[int(np.argmax(gap))]
        from_new = np.linalg.norm(p - centres[j], axis=1)
        gap = from_new if j == 0 else np.minimum(gap, from_new)
    labels = np.zeros(len(p), np.int64)
    for _ in range(30):
        labels = np.argmin(np.linalg.norm(p[:, None] - centres[None], axis=-1), axis=1).astype(np.int64)
        moved = np.stack([np.average(p[labels == j], axis=0, weights=w[labels == j]) for j in np.unique(labels)])
        if len(moved) == len(centres) and np.allclose(moved, centres, atol=1e-9):
            break
        centres = moved
    _, labels = np.unique(labels, return_inverse=True)
    return labels.astype(np.int64)


def point_gains(offset: Float[Any, "*b 3"], sigma: Float[Any, "*b"], order: int) -> Float[Any, "*b c"]:
    """G = σ y(u): one place."""
    return sigma[..., None] * harmonics(offset, order)


def ambient_gains(order: int) -> Float64[np.ndarray, "c"]:
    """W only: sound from everywhere, at the level heard where the listener stands."""
    gains = np.zeros(channel_count(order))
    gains[0] = 1.0
    return gains
