"""Sources nearer than the loudspeakers an HRTF was measured with: near-field-compensated Ambisonics.

Letters: r distance of the source, R that of the HRTF's measurement, m; n degree; k = ω/c; h_n spherical Hankel of the
second kind; θ_n reverse Bessel polynomial, q its roots; K = 2·rate of the bilinear transform.
F_n = [h_n(kr)/h_n(kR)]·[h_0(kR)/h_0(kr)] = (R/r)^n·θ_n(jkr)/θ_n(jkR): what curved wave fronts add to degree n, with
distance and delay taken out (Daniel, Spatial sound encoding including near field effect, AES 23rd Conference, 2003).
It is 1 at high frequencies and (R/r)^n at 0 Hz.
"""

from functools import cache
from math import factorial

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.encode.travel import SPEED_OF_SOUND_M_S

REFERENCE_M = 1.4
"""R: the distance at which the KEMAR was measured. Sources beyond are taken as they are."""

NEAREST_M = 0.25
"""Nearer sources sound as from here; at a head's surface the law ends."""

MOST_BOOST_DB = 30.0
"""No degree is raised by more at 0 Hz: it takes r as large as that needs (degrees 1 and 2 never do). High degrees of a
measured HRTF are noise at low frequencies: unlimited, degree 7 of the KEMAR at 0.25 m would be 60 dB above W."""

SETTLES_S = 0.1
"""After this long a filter remembers less than 1e-10 of what was before (its slowest pole: R/c = 4.1 ms)."""


def near_field_sections(
    distance_m: Float64[np.ndarray, "*b"], rate_hz: int, order: int, most_boost_db: float = MOST_BOOST_DB
) -> tuple[Float64[np.ndarray, "*b s 6"], ...]:
    """F_n of degrees 0..order as second-order sections (b0 b1 b2 a0 a1 a2, as SciPy has them); degree 0 has none.

    Poles and zeros by the bilinear transform: exact at 0 Hz and at half the rate.

    Args:
        distance_m: r; held between `NEAREST_M` and `REFERENCE_M`.
        rate_hz: of the signals.
        order: 0..10.
        most_boost_db: see `MOST_BOOST_DB`; infinity for the plain law.
    """
    r = np.clip(distance_m, NEAREST_M, REFERENCE_M)
    found: list[Float64[np.ndarray, "*b s 6"]] = [np.zeros((*r.shape, 0, 6))]
    for n in range(1, order + 1):
        least = REFERENCE_M * 10.0 ** (-most_boost_db / (20 * n))
        zeros = _sections(n, np.maximum(r, least), rate_hz)
        poles = np.broadcast_to(_sections(n, np.asarray(REFERENCE_M), rate_hz), zeros.shape)
        found.append(np.concatenate([zeros, poles], -1) / poles[..., :1])
    return tuple(found)


def near_field_roots(order: int) -> Float64[np.ndarray, "s 2"]:
    """Roots q (real, imaginary) of every section of degrees 1..order, in order: all a kernel needs."""
    return np.array([(q.real, q.imag) for n in range(1, order + 1) for q in _roots(n)])


def through_near_field(
    x: Float32[np.ndarray, "v t"], sections: Float64[np.ndarray, "k s 6"], block: int
) -> Float32[np.ndarray, "v t"]:
    """Signals through a filter whose zeros move: in every block each section fades from the old ones to the new ones.

    The poles never move, so nothing has to be carried from one filter to another, and nothing rings when they change.

    Args:
        x: starts at a boundary; the first `SETTLES_S` of the result are not yet settled.
        sections: of one degree, at the block boundaries, t = (k − 1)·block; or one filter throughout.
        block: B.
    """
    from scipy.signal import lfilter  # noqa: PLC0415  half a second to import

    y = x.astype(np.float64)
    for s in range(sections.shape[1]):
        inner = np.asarray(lfilter([1.0], sections[0, s, 3:], y, axis=-1))
        y = np.zeros_like(inner)
        for tap, level in enumerate(_ramp(sections[:, s, :3], block, y.shape[1])):
            y[:, tap:] += level[tap:] * inner[:, : inner.shape[1] - tap]
    return y.astype(np.float32)


def _ramp(values: Float64[np.ndarray, "k n"], block: int, samples: int) -> Float64[np.ndarray, "n t"]:
    """Straight lines per sample between boundaries, (t + 1)/B; one row alone stays."""
    if len(values) == 1:
        return np.repeat(values.T, samples, 1)
    r = np.arange(1, block + 1) / block
    return (values[:-1].T[..., None] + np.diff(values.T)[..., None] * r).reshape(values.shape[1], samples)


def _sections(n: int, r: Float64[np.ndarray, "*b"], rate_hz: int) -> Float64[np.ndarray, "*b s 3"]:
    """Π (s − q·c/r) as polynomials in 1/z: s = K(1 − 1/z)/(1 + 1/z), times (1 + 1/z) per root."""
    K, w = 2.0 * rate_hz, SPEED_OF_SOUND_M_S / r
    rows: list[Float64[np.ndarray, "*b 3"]] = []
    for q in _roots(n):
        turn, size = -q.real * w, (abs(q) * w) ** 2
        if q.imag == 0:
            rows.append(np.stack([K + turn, turn - K, 0 * w], -1))
        else:
            even, odd = K * K + size, 2 * turn * K
            rows.append(np.stack([even + odd, 2 * (size - K * K), even - odd], -1))
    return np.stack(rows, -2)


@cache
def _roots(n: int) -> tuple[complex, ...]:
    """Roots of θ_n(s) = Σ_k (n + k)!/((n − k)! k! 2^k)·s^(n − k) (Grosswald 1978), one of each conjugate pair."""
    coefficients = [factorial(n + k) / (factorial(n - k) * factorial(k) * 2**k) for k in range(n + 1)]
    roots = sorted((complex(q) for q in np.roots(coefficients)), key=abs)
    real = [complex(q.real) for q in roots if abs(q.imag) < 1e-9 * abs(q)]
    return (*(q for q in roots if q.imag >= 1e-9 * abs(q)), *real)
