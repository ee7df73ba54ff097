"""Real spherical harmonics by Cartesian recurrence: no trigonometry, smooth at the poles, any array library.

Letters: n degree, m index within it (−n..n), N order, c = (N + 1)² channels; (x, y, z) a unit vector, FLU;
P[n, m] the associated Legendre function without its factor (1 − z²)^(m/2), which lives in (x + iy)^m instead.
Channel n² + n + m (ACN); SN3D weights; no Condon–Shortley phase (AmbiX: Nachbar et al. 2011).
"""

import math
from typing import Any

from array_api_compat import array_namespace
from jaxtyping import Float

from sonoworld.errors import ShapeError

MAX_ORDER = 10


def channel_count(order: int) -> int:
    """Number of Ambisonic channels of an order: (N + 1)².

    Raises:
        ShapeError: the order is not in 0..10.
    """
    if not 0 <= order <= MAX_ORDER:
        raise ShapeError("Ambisonic order", expected=f"0..{MAX_ORDER}", got=str(order))
    return (order + 1) ** 2


def channel_degrees(order: int) -> tuple[int, ...]:
    """Degree n of every channel, ACN order."""
    channel_count(order)
    return tuple(n for n in range(order + 1) for _ in range(2 * n + 1))


def sn3d_weight(n: int, m: int) -> float:
    """Weight of degree n, index m >= 0: √((2 − δ_m0)(n − m)!/(n + m)!) (Nachbar et al. 2011, eq. 3)."""
    return math.sqrt((1 if m == 0 else 2) * math.factorial(n - m) / math.factorial(n + m))


def harmonics(direction: Float[Any, "*b 3"], order: int) -> Float[Any, "*b c"]:
    """Real spherical harmonics of directions: what a plane wave of amplitude 1 from there puts on each channel.

    Args:
        direction: vectors, FLU, of any length; only their direction counts. The zero vector has none and gives
            W = 1 and nothing else. Any array-API library (numpy, torch, ...); its dtype is kept.
        order: Ambisonic order N, 0..10.

    Returns:
        (N + 1)² channels, ACN order, SN3D weights.

    Raises:
        ShapeError: the order is outside 0..10 or the last axis is not 3.
    """
    channels = channel_count(order)
    if direction.shape[-1] != 3:
        raise ShapeError("direction", expected="a last axis of 3", got=str(tuple(direction.shape)))
    x, y, z, square = _unit(direction)
    xp = array_namespace(direction)
    legendre = _legendre(z, square, order)
    rows: list[Any] = [None] * channels
    cosine, sine = xp.ones_like(z), xp.zeros_like(z)
    for m in range(order + 1):
        for n in range(m, order + 1):
            scaled = legendre[n, m] * sn3d_weight(n, m)
            rows[n * n + n + m] = scaled * cosine
            if m > 0:
                rows[n * n + n - m] = scaled * sine
        # (x + iy)^(m+1) = (x + iy)^m · (x + iy): cos m·az and sin m·az with the factor (1 − z²)^(m/2)
        cosine, sine = cosine * x - sine * y, sine * x + cosine * y
    return xp.stack(rows, axis=-1)


def _unit(direction: Any) -> tuple[Any, Any, Any, Any]:
    """x, y, z of the unit vector, and its squared length: 1, or 0 for the zero vector."""
    xp = array_namespace(direction)
    # Scaled by the largest component first, so that the square neither overflows nor vanishes.
    largest = xp.max(xp.abs(direction), axis=-1, keepdims=True)
    present = largest > 0
    scaled = direction / xp.where(present, largest, xp.ones_like(largest))
    square = xp.sum(scaled * scaled, axis=-1, keepdims=True)
    unit = scaled / xp.sqrt(xp.where(present, square, xp.ones_like(square)))
    one = xp.where(present, xp.ones_like(square), xp.zeros_like(square))
    return unit[..., 0], unit[..., 1], unit[..., 2], one[..., 0]


def _legendre(z: Any, square: Any, order: int) -> dict[tuple[int, int], Any]:
    """P[n, m] for 0 <= m <= n <= N. `square` = |u|² keeps every term homogeneous of degree n − m, so u = 0 gives 0."""
    xp = array_namespace(z)
    legendre: dict[tuple[int, int], Any] = {(0, 0): xp.ones_like(z)}
    for m in range(order + 1):
        if m > 0:
            # DLMF 14.6.1 at the diagonal: P_mm = (2m − 1) P_(m−1)(m−1)
            legendre[m, m] = (2 * m - 1) * legendre[m - 1, m - 1]
        if m < order:
            legendre[m + 1, m] = (2 * m + 1) * z * legendre[m, m]
        for n in range(m + 2, order + 1):
            # DLMF 14.10.3: (n − m) P_nm = (2n − 1) z P_(n−1)m − (n + m − 1) P_(n−2)m
            ahead = (2 * n - 1) * z * legendre[n - 1, m]
            legendre[n, m] = (ahead - (n + m - 1) * square * legendre[n - 2, m]) / (n - m)
    return legendre
