"""Many small events on a ring: bubbles, drops, crackles, ticks.

Letters: r bubble radius, m; f Hz; d decay, 1/s; a amplitude; t start, s; ξ rise of a bubble's pitch.
"""

import numpy as np
from jaxtyping import Float64
from numba import njit

from sonoworld.sound.ring import RATE_HZ, Signal

Events = Float64[np.ndarray, "k"]


def times(rate_per_s: float, n: int, rng: np.random.Generator, activity: Signal | None = None) -> Events:
    """Start times of a Poisson process on the ring, thinned by `activity` (relative to its maximum)."""
    seconds = n / RATE_HZ
    t = np.sort(rng.random(rng.poisson(rate_per_s * seconds))) * seconds
    if activity is None:
        return t
    level = np.clip(activity / activity.max(), 0, 1)
    return t[rng.random(t.size) < level[np.minimum((t * RATE_HZ).astype(int), n - 1)]]


def nearness(k: int, rng: np.random.Generator, nearest_m: float = 0.4, farthest_m: float = 25.0) -> Events:
    """Amplitudes 1/distance of events spread evenly over a disc around the listener."""
    return 1 / np.sqrt(rng.uniform(nearest_m**2, farthest_m**2, k))


def log_uniform(low: float, high: float, k: int, rng: np.random.Generator) -> Events:
    """Values spread evenly in their logarithm."""
    return np.exp(rng.uniform(np.log(low), np.log(high), k))


def bubbles(n: int, t: Events, radius_m: Events, amplitude: Events, rise: Events) -> Signal:
    """Ringing air bubbles in water: f = 3.26/r (Minnaert 1933), d = 0.13/r + 0.0072 r^−1.5, f(t) = f (1 + ξ d t).

    Damping and rise after van den Doel, Physically based models for liquid sounds (ACM TAP 2005).
    """
    f = np.minimum(3.26 / radius_m, 18_000.0)
    d = 0.13 / radius_m + 0.0072 * radius_m**-1.5
    y = np.zeros(n)
    _ring_bubbles(y, np.stack([t, f, d, amplitude, rise], 1), float(RATE_HZ))
    return y


@njit(cache=True)
def _ring_bubbles(y: np.ndarray, events: np.ndarray, rate: float) -> None:  # pragma: no cover  compiled
    n = y.size
    for t, f, d, a, rise in events:
        start = int(t * rate)
        length = min(n, max(8, int(6.9 / d * rate)))
        cycles = 0.0
        for i in range(length):
            s = i / rate
            cycles += f * (1 + rise * d * s) / rate
            attack = min(1.0, i / (0.0006 * rate))
            y[(start + i) % n] += a * attack * np.exp(-d * s) * np.sin(2 * np.pi * cycles)


def clicks(
    t: Events, f: Events, decay_s: Events, amplitude: Events, noisiness: float, on: tuple[int, np.random.Generator]
) -> Signal:
    """Decaying grains, each between a tone at f (noisiness 0) and a noise burst (1), `on` a ring (n, rng)."""
    n, rng = on
    y = np.zeros(n)
    longest = min(n, int(6.9 * float(decay_s.max(initial=1e-4)) * RATE_HZ) + 4)
    hiss = rng.standard_normal(longest + 4096)
    offsets = rng.integers(0, 4096, t.size).astype(np.float64)
    _ring_clicks(y, np.stack([t, f, 1 / decay_s, amplitude, offsets], 1), noisiness, hiss, float(RATE_HZ))
    return y


@njit(cache=True)
def _ring_clicks(
    y: np.ndarray, events: np.ndarray, mix: float, hiss: np.ndarray, rate: float
) -> None:  # pragma: no cover  compiled
    n = y.size
    for t, f, d, a, offset in events:
        start = int(t * rate)
        length = min(n, int(6.9 / d * rate) + 4)
        first = int(offset)
        for i in range(length):
            s = i / rate
            tone = np.sin(2 * np.pi * f * s)
            y[(start + i) % n] += a * np.exp(-d * s) * (mix * hiss[first + i] + (1 - mix) * tone)
