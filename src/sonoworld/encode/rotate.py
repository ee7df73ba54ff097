"""Rotation of Ambisonic signals of any order (Ivanic and Ruedenberg, J. Phys. Chem. 100 (1996) 6342; erratum 1998).

Letters: R rotation of vectors; R_n its (2n + 1)² block for degree n, rows and columns m = −n..n; u, v, w the
coefficients of table 1, U, V, W the functions of table 2, P_i those of its last rows. SN3D and N3D differ by one
factor per degree, so they share the blocks.
"""

import math
from functools import cache
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device
from jaxtyping import Float

from sonoworld.encode.harmonics import channel_count
from sonoworld.errors import ShapeError


def rotation_matrix(R: Float[Any, "*b 3 3"], order: int) -> Float[Any, "*b c c"]:
    """The matrix that turns a sound field as R turns vectors: Y(R v) = M Y(v).

    A field known in world axes becomes one in head axes with `rotation_matrix(world_from_head.rotation.T, order)`.

    Args:
        R: rotations of FLU vectors, orthonormal (not checked).
        order: Ambisonic order, 0..10.

    Returns:
        Orthogonal matrices for ACN channels, SN3D or N3D alike, in the dtype of R.

    Raises:
        ShapeError: the order is outside 0..10, or R is not [..., 3, 3].
    """
    channels = channel_count(order)
    if tuple(R.shape[-2:]) != (3, 3):
        raise ShapeError("rotation", expected="[..., 3, 3]", got=str(tuple(R.shape)))
    xp = array_namespace(R)
    batch = tuple(R.shape[:-2])

    def zeros(rows: int, columns: int) -> Any:
        return xp.zeros((*batch, rows, columns), dtype=R.dtype, device=device(R))

    block = zeros(1, 1) + 1
    first = _degree_one(R)
    rows = [xp.concat([block, zeros(1, channels - 1)], axis=-1)]
    for n in range(1, order + 1):
        block = first if n == 1 else _next_block(first, block, n)
        left, right = n * n, channels - (n + 1) ** 2
        rows.append(xp.concat([zeros(2 * n + 1, left), block, zeros(2 * n + 1, right)], axis=-1))
    return xp.concat(rows, axis=-2)


def _degree_one(R: Any) -> Any:
    """Degree 1 is R itself with its axes in ACN order (y, z, x)."""
    xp = array_namespace(R)
    axes = (1, 2, 0)
    return xp.stack([xp.stack([R[..., i, j] for j in axes], axis=-1) for i in axes], axis=-2)


def _next_block(first: Any, block: Any, n: int) -> Any:
    """R_n from R_1 and R_(n−1): eq. 8.1, R_n = u·U + v·V + w·W, all rows and columns at once."""
    xp = array_namespace(first)
    minus, zero, plus = (_p(first, block, i) for i in (-1, 0, 1))
    terms = [xp.asarray(t, dtype=first.dtype, device=device(first)) for t in (*_coefficients(n), *_selections(n))]
    u, v, w, same, v_plus, v_minus, w_plus, w_minus = terms
    return (
        u * xp.matmul(same, zero)
        + v * (xp.matmul(v_plus, plus) + xp.matmul(v_minus, minus))
        + w * (xp.matmul(w_plus, plus) + xp.matmul(w_minus, minus))
    )


def _p(first: Any, block: Any, i: int) -> Any:
    """P_i(μ, m') of table 2: rows μ of degree n − 1, columns m' = −n..n."""
    xp = array_namespace(first)
    row = first[..., i + 1, :]
    r_minus, r_zero, r_plus = (row[..., k][..., None, None] for k in range(3))
    lowest, highest = block[..., :1], block[..., -1:]
    return xp.concat(
        [
            r_plus * lowest + r_minus * highest,  # m' = −n
            r_zero * block,  # |m'| < n
            r_plus * highest - r_minus * lowest,  # m' = n
        ],
        axis=-1,
    )


@cache
def _coefficients(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """u, v, w of table 1 as [m, m'] arrays."""
    u, v, w = (np.zeros((2 * n + 1, 2 * n + 1)) for _ in range(3))
    for m in range(-n, n + 1):
        a, centre = abs(m), m == 0
        for k in range(-n, n + 1):
            below = (n + k) * (n - k) if abs(k) < n else 2 * n * (2 * n - 1)
            at = (m + n, k + n)
            u[at] = math.sqrt((n + m) * (n - m) / below)
            v[at] = 0.5 * math.sqrt((1 + centre) * (n + a - 1) * (n + a) / below) * (1 - 2 * centre)
            w[at] = 0.0 if centre else -0.5 * math.sqrt(max(0, (n - a - 1) * (n - a)) / below)
    return u, v, w


@cache
def _selections(n: int) -> tuple[np.ndarray, ...]:
    """Which rows of P_0, P_1, P_−1 make U, V and W (table 2, with the 1998 erratum), as [m, μ] matrices."""
    same, v_plus, v_minus, w_plus, w_minus = (np.zeros((2 * n + 1, 2 * n - 1)) for _ in range(5))

    def put(matrix: np.ndarray, m: int, mu: int, value: float) -> None:
        if abs(mu) < n:  # outside, the coefficient u or w is 0
            matrix[m + n, mu + n - 1] = value

    root2 = math.sqrt(2)
    for m in range(-n, n + 1):
        put(same, m, m, 1.0)
        if m == 0:
            put(v_plus, 0, 1, 1.0)
            put(v_minus, 0, -1, 1.0)
        elif m > 0:
            put(v_plus, m, m - 1, root2 if m == 1 else 1.0)
            put(v_minus, m, 1 - m, 0.0 if m == 1 else -1.0)
            put(w_plus, m, m + 1, 1.0)
            put(w_minus, m, -m - 1, 1.0)
        else:
            put(v_plus, m, m + 1, 0.0 if m == -1 else 1.0)
            put(v_minus, m, -m - 1, root2 if m == -1 else 1.0)
            put(w_plus, m, m - 1, 1.0)
            put(w_minus, m, 1 - m, -1.0)
    return same, v_plus, v_minus, w_plus, w_minus
