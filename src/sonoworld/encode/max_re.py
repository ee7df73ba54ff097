"""Weights per degree that gather a decoded field's energy as far towards its source as it can be: max-rE.

Letters: N order, n degree, P_n Legendre polynomials, r_E length of the energy vector (1: all from one direction).
"""

import numpy as np
from jaxtyping import Float64

from sonoworld.encode.harmonics import channel_count


def max_re_weights(order: int) -> Float64[np.ndarray, "n"]:
    """w_n = P_n(r_E) for n = 0..N, with r_E the largest root of P_(N+1), the largest energy vector of order N.

    Zotter and Frank, All-round Ambisonic panning and decoding, J. Audio Eng. Soc. 60 (2012) 807, eq. 10; their
    closed form r_E ≈ cos(137.9°/(N + 1.51)) is within 0.003 of the root at
    N = 1 and within 0.001 above.

    Raises:
        ShapeError: the order is not in 0..10.
    """
    channel_count(order)
    # the largest root of P_(N+1) is the last node of the Gauss–Legendre rule with N + 1 nodes
    largest = np.polynomial.legendre.leggauss(order + 1)[0][-1]
    return np.polynomial.legendre.legvander(np.array([largest]), order)[0]
