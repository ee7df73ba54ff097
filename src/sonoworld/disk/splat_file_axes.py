"""The same splats in other axes.

Letters: R rotation from the old axes to the new; d unit direction; b(d) harmonics of one degree l as a row; c their
coefficients. A colour seen from d is b(d) c. Turned, it is seen from R d: b(R d) c' = b(d) c for all d, so c' = M c
with b(d) M = b(Rᵀ d). M is found from more directions than harmonics; it is exact, as degrees do not mix.
"""

import numpy as np
from jaxtyping import Float64

from sonoworld.types import Splats

DIRECTIONS = 32


def turned(splats: Splats, rotation: Float64[np.ndarray, "3 3"]) -> Splats:
    """Splats in axes to which `rotation` leads from theirs; places, rotations and higher harmonics turn together."""
    if np.array_equal(rotation, np.eye(3)):
        return splats
    sh = splats.sh.copy()
    for degree in range(1, round(np.sqrt(sh.shape[1]))):
        own = slice(degree * degree, (degree + 1) ** 2)
        sh[:, own] = np.matmul(harmonics_rotation(rotation, degree).astype(np.float32), splats.sh[:, own])
    return Splats(
        means=splats.means @ rotation.T.astype(np.float32),
        log_scales=splats.log_scales,
        quats=_product(_quaternion(rotation), splats.quats),
        opacity_logits=splats.opacity_logits,
        sh=sh,
    )


def harmonics_rotation(rotation: Float64[np.ndarray, "3 3"], degree: int) -> Float64[np.ndarray, "m m"]:
    """M of the 3DGS harmonics of one degree 1..3, m = 2 degree + 1."""
    i = np.arange(DIRECTIONS) + 0.5
    z, azimuth = 1 - 2 * i / DIRECTIONS, np.pi * (1 + np.sqrt(5)) * i  # evenly over the sphere, a golden spiral
    d = np.stack([np.sqrt(1 - z * z) * np.cos(azimuth), np.sqrt(1 - z * z) * np.sin(azimuth), z], -1)
    return np.linalg.lstsq(_harmonics(d, degree), _harmonics(d @ rotation, degree), rcond=None)[0]


def _harmonics(d: Float64[np.ndarray, "n 3"], degree: int) -> Float64[np.ndarray, "n m"]:
    """Sloan 2008, "Stupid Spherical Harmonics Tricks", appendix A2, with the signs of the 3DGS reference code.

    Up to a factor common to one degree, which M does not see.
    """
    x, y, z = d.T
    xx, yy, zz = x * x, y * y, z * z
    if degree == 1:
        return np.stack([-y, z, -x], -1)
    if degree == 2:
        two = [2 * x * y, -2 * y * z, (3 * zz - 1) / np.sqrt(3), -2 * x * z, xx - yy]
        return np.stack(two, -1)
    three = [
        -np.sqrt(5 / 8) * y * (3 * xx - yy),
        np.sqrt(15) * x * y * z,
        -np.sqrt(3 / 8) * y * (5 * zz - 1),
        0.5 * z * (5 * zz - 3),
        -np.sqrt(3 / 8) * x * (5 * zz - 1),
        np.sqrt(15 / 4) * z * (xx - yy),
        -np.sqrt(5 / 8) * x * (xx - 3 * yy),
    ]
    return np.stack(three, -1)


def _quaternion(rotation: Float64[np.ndarray, "3 3"]) -> Float64[np.ndarray, "4"]:
    """A rotation as wxyz, the first part that is not 0 positive.

    Bar-Itzhack 2000, "New method for extracting the quaternion from a rotation matrix": the eigenvector of the
    largest eigenvalue of K.
    """
    (a, b, c), (d, e, f), (g, h, i) = rotation
    K = [
        [a + e + i, h - f, c - g, d - b],
        [h - f, a - e - i, b + d, c + g],
        [c - g, b + d, e - a - i, f + h],
        [d - b, c + g, f + h, i - a - e],
    ]
    q = np.linalg.eigh(np.array(K))[1][:, -1]
    q[np.abs(q) < 1e-12] = 0
    return q * np.sign(q[np.flatnonzero(q)[0]])


def _product(first: Float64[np.ndarray, "4"], quats: np.ndarray) -> np.ndarray:
    """`first · q` for every row q, wxyz (Hamilton), float32."""
    w, x, y, z = first.astype(np.float32)
    left = np.array([[w, -x, -y, -z], [x, w, -z, y], [y, z, w, -x], [z, -y, x, w]], np.float32)
    return quats @ left.T
