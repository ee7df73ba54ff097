"""Fixed beams and linear unmixing: the plain ways, and the baselines of the learnt ones.

Letters: u direction; y(u) SN3D harmonics; N order; K sources; A = [a_1 … a_K] gains; R covariances; x mixture.
Every beam gives a source's image at W: a plane wave from its direction passes with gain 1.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.encode.harmonics import channel_degrees
from sonoworld.learn.separation.spatial import Target, diffuse_covariance

_SMALLEST = 1e-3


def cardioid_weights(targets: Sequence[Target], order: int) -> Float64[np.ndarray, "k c"]:
    """(1 + cos θ)/2 towards each source, of first order whatever the mixture's."""
    degrees = np.array(channel_degrees(order))
    share = np.where(degrees == 0, 0.5, np.where(degrees == 1, 0.5, 0.0))
    return np.stack([share * target.gains for target in targets])


def sharpest_weights(targets: Sequence[Target], order: int) -> Float64[np.ndarray, "k c"]:
    """Highest directivity: w_n ∝ (2n + 1)/(N + 1)² on SN3D (Rafaely, Spherical Array Processing, 2015, section 5.3)."""
    degrees = np.array(channel_degrees(order))
    share = (2 * degrees + 1) / (order + 1) ** 2
    return np.stack([share * target.gains for target in targets])


def ls_weights(targets: Sequence[Target]) -> Float64[np.ndarray, "k c"]:
    """W = pinv(A): every source alone, the others silenced, as far as there are channels."""
    return np.linalg.pinv(np.stack([target.gains for target in targets], -1), rcond=_SMALLEST)


def lcmv_weights(
    targets: Sequence[Target], mixture: Float32[np.ndarray, "c t"], loading: float = 1e-2
) -> Float64[np.ndarray, "k c"]:
    """Least power under W A = I: (A^T R^-1 A)^+ A^T R^-1 (Frost, Proc. IEEE 60 (1972) 926), R of the mixture.

    `loading` (share of R's power) is added as a diffuse field: sources that no beam can hold apart do not blow up.
    """
    A = np.stack([target.gains for target in targets], -1)
    x = np.asarray(mixture, np.float64)
    heard = x @ x.T / x.shape[1]
    order = math.isqrt(len(heard)) - 1
    back = np.linalg.solve(heard + (loading * heard[0, 0] + 1e-12) * diffuse_covariance(order), A)
    return np.linalg.pinv(A.T @ back, rcond=_SMALLEST) @ back.T
