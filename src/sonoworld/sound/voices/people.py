"""People: speech-like voices, crowds, footsteps. Nobody says a word: vowels and hisses in the rhythm of talk."""

import numpy as np

from sonoworld.sound.grains import Grains, nearness, scatter, spread_log
from sonoworld.sound.manner import Manner
from sonoworld.sound.modulation import Times, cycles, drift, poisson, pulses, spaced
from sonoworld.sound.noise import Wave, shaped, unit, white
from sonoworld.sound.resonance import Modes, band, highpass, lowpass, resonant_each, room

VOWELS_HZ = (
    (730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480),
    (570, 840, 2410), (640, 1190, 2390), (490, 1350, 1690),
)  # fmt: skip
"""First three formants of American English vowels, men (Peterson & Barney 1952)."""


def talker(n: int, pausing: float, rng: np.random.Generator) -> Wave:
    """One speech-like voice: glottal pulses through moving vowels, fricatives between; `pausing` 0..1."""
    high = rng.random() < 0.5
    hz = rng.uniform(170, 240) if high else rng.uniform(90, 140)
    melody = hz * np.exp(0.13 * drift(n, rng, 1, 0.3, 4)) * (1 + 0.012 * drift(n, rng, 0, 10, 60))
    glottis = unit(lowpass(pulses(cycles(melody)), 700.0)) + 0.04 * white(n, rng)
    weights = np.stack([drift(n, rng, 0, 1, 5) ** 2 for _ in range(3)])
    vowels: list[Modes] = []
    for _ in weights:
        size = rng.uniform(0.95, 1.12) * (1.15 if high else 1.0)
        f1, f2, f3 = (size * f for f in VOWELS_HZ[rng.integers(len(VOWELS_HZ))])
        vowels.append(((f1, 90, 1.0), (f2, 110, 0.5), (f3, 170, 0.25)))
    spoken = np.sum(weights / weights.sum(axis=0) * resonant_each(glottis, vowels), axis=0)
    syllables = np.clip(0.45 + 1.1 * drift(n, rng, 0, 2.5, 5.5), 0, 1.6)
    hiss = shaped(n, {1000: -18, 3000: -2, 5000: 0, 8000: -4, 18000: -16}, rng) * np.clip(
        drift(n, rng, 0, 2, 8) - 1, 0, 3
    )
    talks = np.clip(0.9 - pausing + 1.6 * drift(n, rng, 1, 0.1, 0.8), 0, 1)
    return (spoken * syllables + 0.03 * hiss) * talks


def voices(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """One to a few people talking, in turn more than at once."""
    count = max(1, round(rng.integers(1, 4) * manner.busier**0.5))
    out = np.zeros(n)
    for _ in range(count):
        out += rng.uniform(0.5, 1) * unit(talker(n, 0.35 + 0.15 * count, rng))
    quiet = shaped(n, {40: 0, 300: -6, 3000: -20, 20000: -34}, rng)
    return unit(room(out, rng.uniform(0.25, 0.7), rng.uniform(0.1, 0.3), rng)) + 0.01 * quiet


def crowd(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Many voices in a room or a square, things set down and moved among them."""
    count = round(float(np.clip(rng.integers(6, 13) * manner.busier**0.4, 4, 18)))
    out = np.zeros(n)
    for _ in range(count):
        out += nearness(1, rng, 1, 5)[0] * talker(n, 0.5, rng)
    chest, mouth = band(out, 140, rng.uniform(200, 320), 2), highpass(out, 2500)
    slow = np.exp(0.25 * drift(n, rng, 1, 0.3, 1.2))
    muffled = unit(chest) * slow + spread_log(0.12, 0.3, 1, rng)[0] * unit(mouth)
    murmur = unit(room(muffled, rng.uniform(0.4, 0.9), rng.uniform(0.4, 0.9), rng, 5000))
    clatter = room(_clatter(n, rng.uniform(1, 5) * manner.busier, rng), 0.6, 0.5, rng, 6000)
    bed = shaped(n, {40: -3, 120: 0, 300: -8, 1000: -30, 4000: -38, 20000: -44}, rng)
    return murmur + rng.uniform(0.3, 0.8) * bed + spread_log(0.01, 0.05, 1, rng)[0] * unit(clatter)


def _clatter(n: int, rate_per_s: float, rng: np.random.Generator) -> Wave:
    """Cups, cutlery, chairs."""
    bright, dull = poisson(rate_per_s, n, rng), poisson(0.6 * rate_per_s, n, rng)
    k, q = bright.size, dull.size
    cups = Grains(bright, rng.uniform(2200, 6500, k), 1 / rng.uniform(0.008, 0.03, k), rng.exponential(0.25, k))
    thuds = Grains(dull, rng.uniform(90, 700, q), 1 / rng.uniform(0.01, 0.03, q), rng.exponential(2.0, q), noise=0.4)
    return scatter(n, cups, rng) + scatter(n, thuds, rng)


def footsteps(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """One walker or, where it is busy, a few."""
    walkers = (_walker(n, manner, rng) / (1 + other) for other in range(max(1, round(manner.busier))))
    return unit(sum(walkers, np.zeros(n))) + 0.004 * white(n, rng)


def _walker(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Heel, then toe; grains of the ground crushed under each; shoes and ground by the seed."""
    period = rng.uniform(0.46, 0.66) * 1.2 ** (manner.size - manner.strength)
    steps = spaced(period, 0.03, n, rng)
    toes = steps + rng.uniform(0.09, 0.15)
    hard, loose = rng.uniform(0.3, 1), rng.uniform(0.05, 1) ** 2
    out = _thud(n, steps, (60, 380, 0.03), 1.0, rng) + hard * _thud(n, steps, (400, 3000, 0.006), 0.6, rng)
    out += 0.5 * _thud(n, toes, (500, 5000, 0.05), loose, rng) + loose * _thud(n, steps, (800, 7000, 0.06), 0.8, rng)
    return unit(room(out, rng.uniform(0.2, 0.7), 0.15, rng))


def _thud(n: int, at: Times, how: tuple[float, float, float], gain: float, rng: np.random.Generator) -> Wave:
    """Forty grains per step in a band, thinning out over a time: `how` = (low Hz, high Hz, s)."""
    low, high, spread_s = how
    count = 40
    times = (at[:, None] + rng.exponential(spread_s, (at.size, count))).reshape(-1)
    k = times.size
    force = np.repeat(rng.uniform(0.7, 1.1, at.size), count) * rng.random(k)
    grains = Grains(times, spread_log(low, high, k, rng), np.full(k, 1 / 0.003), force, noise=0.7)
    return gain * unit(band(scatter(n, grains, rng), low, high))
