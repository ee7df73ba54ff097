"""Wind, and what it moves: leaves, grass, storm."""

import numpy as np

from sonoworld.sound.grains import Grains, nearness, scatter, spread_log
from sonoworld.sound.manner import Manner
from sonoworld.sound.modulation import cycles, drift, gusts, poisson, thinned
from sonoworld.sound.noise import Wave, shaped, tilt, unit
from sonoworld.sound.resonance import band, lowpass

STROUHAL = 0.2
"""Vortices behind a rod of diameter d in wind v come at f = 0.2 v / d (Strouhal 1878)."""


def wind(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Rumble ~ v³, a middle band that opens with the gusts, and the tones of a few edges and twigs."""
    mean_speed = rng.uniform(5, 10) * 1.5**manner.strength
    speed = gusts(n, rng, rng.uniform(0.03, 0.13) * (1 + 0.4 * manner.strength))
    power = speed**3
    rumble = {25: -2, 60: 0, 130: 2, 250: -10, 500: -24, 1000: -32, 3000: -40, 10000: -56}
    middle = {60: -20, 200: -6, 400: 0, 900: -6, 2500: -12, 10000: -30}
    tone = rng.uniform(-1.0, 1.0)
    out = shaped(n, tilt(rumble, tone), rng) * power
    out += spread_log(0.03, 0.16, 1, rng)[0] * 1.6**manner.strength * shaped(n, tilt(middle, tone), rng) * power**1.5
    for _ in range(rng.integers(1, 5)):
        out += spread_log(0.004, 0.04, 1, rng)[0] * _edge(n, mean_speed * speed, rng) * speed**4
    return out


def _edge(n: int, speed: Wave, rng: np.random.Generator) -> Wave:
    """The narrow band sung by one edge, its pitch following the wind."""
    hz = STROUHAL * speed / np.exp(rng.uniform(np.log(0.0025), np.log(0.012)))
    turns = 2 * np.pi * cycles(np.clip(hz, 60.0, 4000.0))
    still, turned = (unit(lowpass(rng.standard_normal(n), 14.0, 2)) for _ in range(2))
    return still * np.cos(turns) + turned * np.sin(turns)


def leaves(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Thousands of leaf taps a second, as many as the gusts allow, over a soft rush of air through the crown."""
    speed = gusts(n, rng, rng.uniform(0.22, 0.42))
    swing = np.minimum(speed, 3.0) ** 2.2
    rate = rng.uniform(2500, 8000) * manner.busier**0.5 * 1.6**manner.strength
    times = thinned(poisson(rate, n, rng), np.minimum(swing / 3, 1.0), rng)
    k = times.size
    pitch = rng.uniform(2400, 4200) / manner.larger
    hz = pitch * np.exp(rng.normal(0, 0.45, k))
    taps = Grains(times, hz, 1 / rng.uniform(0.0008, 0.006, k), nearness(k, rng, 1.5, 12), noise=0.85)
    dry = band(scatter(n, taps, rng), 900, 9000)
    rush = shaped(n, {60: -6, 200: -3, 700: 0, 2500: -4, 6000: -10, 16000: -24}, rng) * swing
    return unit(dry) + rng.uniform(0.5, 1.1) * unit(rush) + 0.25 * shaped(n, {60: 0, 200: -6, 1000: -18}, rng)


def grass(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Blades brushing each other: a thin, high, even hiss that comes in waves, a few dry strokes in it."""
    speed = gusts(n, rng, rng.uniform(0.25, 0.45))
    swing = np.minimum(speed, 3.0) ** 2
    centre = rng.uniform(3500, 6000) / manner.larger
    hiss = {200: -30, centre / 4: -12, centre: 0, 2 * centre: -6, 20000: -22}
    waves = shaped(n, hiss, rng) * swing
    times = thinned(poisson(rng.uniform(200, 700) * manner.busier, n, rng), np.minimum(swing / 3, 1.0), rng)
    k = times.size
    strokes = Grains(
        times, rng.uniform(2000, 7000, k), 1 / rng.uniform(0.004, 0.02, k), nearness(k, rng, 1, 8), None, 1.0, 0.004
    )
    air = shaped(n, {40: 0, 150: -3, 500: -14, 2000: -30}, rng) * speed**2
    return unit(waves) + 0.7 * unit(band(scatter(n, strokes, rng), 1500, 9000)) + rng.uniform(0.3, 0.6) * air


def far_rush(n: int, rng: np.random.Generator) -> Wave:
    """The bed under outdoor sounds: air and far things, mostly below 500 Hz, hardly moving."""
    bed = {40: 4, 150: 0, 500: -10, 1500: -20, 4000: -28, 10000: -38, 20000: -50}
    return shaped(n, tilt(bed, rng.uniform(-1, 1)), rng) * np.exp(0.12 * drift(n, rng, 1, 0.1, 3))
