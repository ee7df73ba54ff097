"""Crickets, cicadas and other insects of meadow and night."""

import numpy as np

from sonoworld.sound.grains import nearness, place
from sonoworld.sound.manner import Manner
from sonoworld.sound.modulation import cycles, drift, spaced
from sonoworld.sound.noise import RATE_HZ, Wave, shaped, tilt, unit
from sonoworld.sound.resonance import room


def crickets(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Several chirping insects out of step, one or two that trill on, and the night behind them."""
    celsius = rng.uniform(15, 28)
    chirps_per_s = (40 + 7 * (celsius - 10)) / 60  # Dolbear 1897, metric form
    out = np.zeros(n)
    for _ in range(max(1, round(rng.integers(3, 9) * manner.busier**0.7))):
        chirper = _chirper(n, chirps_per_s * rng.uniform(0.9, 1.1), rng)
        sings = np.exp(rng.uniform(0.3, 0.6) * drift(n, rng, 1, 0.1, 1.2))
        out += nearness(1, rng, 2, 9)[0] * sings * room(chirper, 0.35, 0.35, rng)
    out = unit(out)
    for _ in range(rng.integers(0, 3)):
        out += rng.uniform(0.08, 0.35) * _triller(n, rng)
    night = {40: 3, 100: 0, 200: -6, 400: -11, 800: -16, 1500: -24, 3000: -30, 6000: -36, 12000: -35, 20000: -46}
    return out + rng.uniform(0.75, 1.3) * shaped(n, tilt(night, rng.uniform(-0.5, 0.5)), rng)


def _chirper(n: int, chirps_per_s: float, rng: np.random.Generator) -> Wave:
    """One male: chirps of 3-4 wing strokes, each a swelling tone that falls slightly."""
    out = np.zeros(n)
    strokes, strokes_per_s, hz = rng.integers(2, 6), rng.uniform(22, 36), rng.normal(4500, 280)
    u = np.linspace(0, 1, int(0.6 / strokes_per_s * RATE_HZ))
    turns = 2 * np.pi * hz * np.cumsum(1 - 0.02 * u) / RATE_HZ
    stroke = np.sin(np.pi * u) ** 0.6 * (np.sin(turns) + 0.04 * np.sin(2 * turns))
    for at in spaced(1 / chirps_per_s, 0.03, n, rng):
        for order in range(strokes):
            place(out, (1 + 0.25 * order) * stroke, at + order / strokes_per_s)
    return out


def _triller(n: int, rng: np.random.Generator) -> Wave:
    """An insect that sings on: a high tone, beaten by its wings, swelling slowly."""
    hz = np.exp(rng.uniform(np.log(3700), np.log(5400)))
    tone = np.sin(2 * np.pi * cycles(np.full(n, hz) * (1 + 0.003 * drift(n, rng, 1, 0.2, 5))))
    beat = 0.5 + 0.5 * np.sin(2 * np.pi * cycles(np.full(n, rng.uniform(30, 65))))
    return unit(tone * beat**2 * np.exp(0.3 * drift(n, rng, 1, 0.1, 2)))
