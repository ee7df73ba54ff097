"""Rain on ground, leaves and roofs; storm with thunder."""

import numpy as np

from sonoworld.sound.grains import Grains, bubbles, nearness, scatter, spread_log
from sonoworld.sound.manner import Manner
from sonoworld.sound.modulation import drift, poisson
from sonoworld.sound.noise import Wave, shaped, tilt, unit
from sonoworld.sound.resonance import band, resonant

FAR_DROPS = {60: 0, 250: 0, 1000: -4, 3000: -7, 9000: -12, 20000: -22}
"""Spectrum of the many drops too far to tell apart: about −2.6 dB per octave, as measured."""


def rain(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """A bed of far drops, ticks of near ones, and bubbles where they fall in puddles."""
    heavy = float(np.clip(rng.uniform(0.15, 0.85) + 0.45 * manner.strength + 0.2 * manner.density, 0.0, 1.3))
    swell = np.exp(rng.uniform(0.05, 0.15) * drift(n, rng, 1, 0.05, 2))
    bed = shaped(n, tilt(FAR_DROPS, rng.uniform(-1.2, 1.0) - 0.5 * manner.strength), rng) * swell
    ticks = unit(_ticks(n, 300 + 5000 * heavy, rng))
    puddles = unit(_puddles(n, 30 + 200 * heavy * rng.random(), rng))
    near = rng.uniform(0.5, 1.0) * (1.9 - heavy) / 1.4
    return bed + near * ticks + rng.uniform(0.05, 0.4) * puddles


def _ticks(n: int, rate_per_s: float, rng: np.random.Generator) -> Wave:
    times = poisson(rate_per_s, n, rng)
    k = times.size
    surface_hz = rng.uniform(1700, 3600)  # stone is brighter than soil
    hz = surface_hz * np.exp(rng.normal(0, 0.6, k))
    drops = Grains(times, hz, 1 / rng.uniform(0.0004, 0.0025, k), nearness(k, rng, 0.5, 30), noise=0.6)
    ticks = band(scatter(n, drops, rng), 500, 9000)
    if rng.random() < 0.35:  # a roof, a bin, a car: one surface with its own resonances
        modes = tuple((hz, 0.25 * hz, 0.7) for hz in spread_log(250, 2500, 4, rng))
        return resonant(ticks, modes, direct=1.0)
    return ticks


def _puddles(n: int, rate_per_s: float, rng: np.random.Generator) -> Wave:
    times = poisson(rate_per_s, n, rng)
    radius = spread_log(0.0004, 0.003, times.size, rng)
    return bubbles(n, times, radius, nearness(times.size, rng), rng)
