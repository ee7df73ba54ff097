"""Many short sounds: drops, bubbles, crackles, struck modes. One kernel adds them all, around the loop.

Letters: n samples; k grains; r bubble radius, m; d decay, 1/s.
"""

from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from jaxtyping import Float64
from numba import njit

from sonoworld.sound.modulation import Times
from sonoworld.sound.noise import RATE_HZ, Wave

PerGrain = Float64[np.ndarray, "k"]
TABLE = 1 << 16


@dataclass(frozen=True, slots=True)
class Grains:
    """k decaying sines or bursts of noise: start s, pitch Hz, decay 1/s, amplitude.

    `noise` 0 = pure sine, 1 = pure noise; `rise` makes the pitch climb by this factor per decay time; `attack_s` is
    the straight rise of the envelope.
    """

    times: Times
    hz: PerGrain
    decay: PerGrain
    amplitude: PerGrain
    rise: PerGrain | None = None
    noise: float = 0.0
    attack_s: float = 0.0


@njit(cache=True)
@no_type_check  # compiled by numba, which cannot see through the checker of the tests
def _add(out: np.ndarray, columns: np.ndarray, table: np.ndarray, noise: float, attack_s: float, rate: float) -> None:
    n = out.size
    for k in range(columns.shape[1]):
        start, hz, d, a, chirp, offset = columns[:, k]
        length = min(int(6.9 / d * rate) + 4, n)  # e^-6.9 = −60 dB
        fade = np.exp(-d / rate)
        turn = np.exp(2j * np.pi * hz / rate)
        bend = np.exp(2j * np.pi * hz * chirp * d / (rate * rate))
        wheel = complex(a, 0.0)
        level = a
        attack = max(attack_s * rate, 1.0)
        j = int(start * rate) % n
        o = int(offset)
        for i in range(length):
            up = min(1.0, i / attack)
            out[j] += up * ((1 - noise) * wheel.imag + noise * level * table[o])
            wheel = wheel * turn * fade
            turn = turn * bend
            level *= fade
            j += 1
            if j == n:
                j = 0
            o = (o + 1) & 65535  # TABLE − 1


def scatter(n: int, grains: Grains, rng: np.random.Generator) -> Wave:
    """All grains added up; those that pass the end of the loop go on at its start."""
    out = np.zeros(n)
    count = grains.times.size
    rise = np.zeros(count) if grains.rise is None else grains.rise
    offset = rng.integers(0, TABLE, count).astype(np.float64)
    hz = np.minimum(grains.hz, 0.4 * RATE_HZ)
    columns = np.stack([grains.times, hz, grains.decay, grains.amplitude, rise, offset])
    _add(out, columns, rng.standard_normal(TABLE), grains.noise, grains.attack_s, float(RATE_HZ))
    return out


def nearness(k: int, rng: np.random.Generator, nearest_m: float = 0.4, farthest_m: float = 25.0) -> PerGrain:
    """1/distance of k places spread evenly over a disc around the listener."""
    return 1 / np.sqrt(rng.uniform(nearest_m**2, farthest_m**2, k))


def spread_log(low: float, high: float, k: int, rng: np.random.Generator) -> PerGrain:
    """K values, evenly over log between two."""
    return np.exp(rng.uniform(np.log(low), np.log(high), k))


def minnaert_hz(radius_m: PerGrain) -> PerGrain:
    """Pitch of an air bubble in water: f = sqrt(3 γ p0 / ρ) / (2 π r) = 3.26 / r (Minnaert 1933)."""
    return np.sqrt(3 * 1.4 * 101_325.0 / 998.0) / (2 * np.pi * radius_m)


def bubbles(n: int, times: Times, radius_m: PerGrain, amplitude: PerGrain, rng: np.random.Generator) -> Wave:
    """Bubbles; a third of them near the surface, whose pitch rises (van den Doel 2005, sec. 3)."""
    decay = 0.13 / radius_m + 0.0072 * radius_m**-1.5  # thermal and radiation losses, van den Doel 2005
    rise = np.where(rng.random(times.size) < 0.35, rng.uniform(0, 0.12, times.size), 0.0)
    grains = Grains(times, minnaert_hz(radius_m), decay, amplitude, rise, attack_s=0.0006)
    return scatter(n, grains, rng)


def place(out: Wave, sound: Float64[np.ndarray, "m"], at_s: float) -> None:
    """Add a sound into a loop at a time, in place, around the end."""
    at = int(at_s * RATE_HZ) % out.size
    for begin in range(0, sound.size, out.size):
        piece = sound[begin : begin + out.size]
        first = min(piece.size, out.size - at)
        out[at : at + first] += piece[:first]
        out[: piece.size - first] += piece[first:]


def struck(n: int, times: Times, force: PerGrain, modes: Float64[np.ndarray, "q 3"], rng: np.random.Generator) -> Wave:
    """A body hit at times with forces; modes are rows of (Hz, decay 1/s, gain), hit a little differently each time."""
    q, k = len(modes), times.size
    gains = np.outer(force, modes[:, 2]) * rng.uniform(0.7, 1.2, (k, q))
    each = Grains(np.repeat(times, q), np.tile(modes[:, 0], k), np.tile(modes[:, 1], k), gains.reshape(-1))
    return scatter(n, each, rng)
