"""A picture on the sphere with given steps between neighbours, held near another one: screened Poisson, exactly.

Letters: q the picture wanted, p the one it is held near; g_u, g_v wanted steps to the right and downwards; φ elevation
of a row, φ+ of the border below it; Δ angle of a row, rad; L screening length, rad: what is narrower follows the steps,
what is wider follows p. Minimised, summed over all pixels (∫ |∇q − g|² + |q − p|²/L² dΩ on the sphere):

    (q[r, c+1] − q[r, c] − g_u)² / cos φ  +  (q[r+1, c] − q[r, c] − g_v)² · cos φ+  +  (Δ/L)² (q − p)² · cos φ

Columns wrap; at the poles cos φ+ is 0, so nothing flows beyond. Coefficients depend on the row only: a Fourier
transform along rows leaves one tridiagonal system for each frequency (Hockney 1965), solved for all of them at once
(Thomas). Weighed by cos φ, the mean of q is the mean of p.
"""

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.sphere import row_elevations


def solve(
    near: Float32[np.ndarray, "h w"],
    right: Float32[np.ndarray, "h w"],
    down: Float32[np.ndarray, "_ w"],
    length: float,
) -> Float32[np.ndarray, "h w"]:
    """The picture q: `near` is p, `right` is g_u (of the last column: to the first), `down` [h − 1, w] is g_v.

    `length` is L, rad.
    """
    height, width = near.shape
    cosine = np.cos(row_elevations(height))
    below = np.cos(np.pi / 2 - np.pi * np.arange(1, height) / height)
    hold = (np.pi / height / length) ** 2 * cosine
    flow_u = right / cosine[:, None]
    flow_v = down * below[:, None]
    b = hold[:, None] * near + np.roll(flow_u, 1, 1) - flow_u
    b[1:] += flow_v
    b[:-1] -= flow_v
    spectrum = np.fft.rfft(b, axis=1)
    turns = 2 - 2 * np.cos(2 * np.pi * np.arange(spectrum.shape[1]) / width)
    diagonal = hold + np.r_[below, 0.0] + np.r_[0.0, below]
    _thomas(diagonal[:, None] + turns / cosine[:, None], below, spectrum)
    return np.fft.irfft(spectrum, width, axis=1).astype(np.float32)


def _thomas(diagonal: Float64[np.ndarray, "h k"], between: Float64[np.ndarray, "_"], b: np.ndarray) -> None:
    """Solve in place, a column of `b` a system: `diagonal` as given, −`between` above and below it."""
    for r in range(1, len(b)):
        factor = between[r - 1] / diagonal[r - 1]
        diagonal[r] -= factor * between[r - 1]
        b[r] += factor * b[r - 1]
    b[-1] /= diagonal[-1]
    for r in range(len(b) - 2, -1, -1):
        b[r] = (b[r] + between[r] * b[r + 1]) / diagonal[r]
