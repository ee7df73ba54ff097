"""What walls give back as two biquads each, for those who have no time for 512 taps.

Letters: h response, of which h_0 comes at once; H Hankel matrix of h_1, h_2, ...; its eigenvectors V with the largest
|λ| span the states that matter (Kung, Asilomar 1978; balanced truncation, Moore, IEEE TAC 26, 1981).
"""

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.acoustics.filters import reflection_filters

SECTIONS = 2
_LEAST = 1e-6
"""States that carry less of h than this are left out: a hard wall is a number."""


def wall_biquads(absorption: Float64[np.ndarray, "w b"], rate_hz: int) -> Float32[np.ndarray, "w 2 5"]:
    """Biquads in series for every wall: b0 b1 b2 a1 a2 (a0 = 1); stable. Stands for `reflection_filters`."""
    if len(absorption) == 0:
        return np.zeros((0, SECTIONS, 5), np.float32)
    alike, which = np.unique(absorption, axis=0, return_inverse=True)
    filters = reflection_filters(np.eye(len(alike), dtype=np.int64), alike, rate_hz)
    made = np.stack([_reduced(h.astype(np.float64)) for h in filters])
    return made[which.ravel()].astype(np.float32)


def _reduced(h: Float64[np.ndarray, "t"]) -> Float64[np.ndarray, "2 5"]:
    from scipy.linalg import hankel  # noqa: PLC0415  heavy
    from scipy.signal import ss2zpk, zpk2sos  # noqa: PLC0415

    values, vectors = np.linalg.eigh(hankel(h[1:]))
    order = np.argsort(-np.abs(values))[: 2 * SECTIONS]
    order = order[np.abs(values[order]) > _LEAST]
    sections = np.tile([1.0, 0, 0, 0, 0], (SECTIONS, 1))
    sections[0, 0] = h[0]
    if len(order) == 0:
        return sections
    scale = np.sqrt(np.abs(values[order]))
    seen = vectors[:, order] * scale  # observability; reachability is its mirror by the signs of λ
    A = np.linalg.lstsq(seen[:-1], seen[1:], rcond=None)[0]
    b = np.sign(values[order])[:, None] * seen[:1].T
    zeros, poles, gain = ss2zpk(A, b, seen[:1], np.array([[h[0]]]))
    made = np.asarray(zpk2sos(zeros, poles, gain))
    sections[: len(made)] = made[:, [0, 1, 2, 4, 5]]
    sections[len(made) :, 0] = 1.0
    return sections
