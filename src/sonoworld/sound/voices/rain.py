"""Rain on ground, leaves and roofs; storm with thunder."""

import numpy as np

from sonoworld.sound.grains import Grains, bubbles, nearness, place, scatter, spread_log
from sonoworld.sound.manner import Manner
from sonoworld.sound.modulation import drift, gusts, poisson
from sonoworld.sound.noise import RATE_HZ, Wave, shaped, tilt, unit
from sonoworld.sound.resonance import band, highpass, lowpass, resonant, room
from sonoworld.sound.unsteady import loosened
from sonoworld.sound.voices.air import wind

FAR_DROPS = {60: 0, 250: 0, 1000: -4, 3000: -7, 9000: -12, 20000: -22}
"""Spectrum of the many drops too far to tell apart: about −2.6 dB per octave, as measured."""


def rain(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """A bed of far drops, ticks of near ones, and bubbles where they fall in puddles."""
    heavy = float(np.clip(rng.uniform(0.15, 0.85) + 0.45 * manner.strength + 0.2 * manner.density, 0.0, 1.3))
    swell = np.exp(spread_log(0.03, 0.3, 1, rng)[0] * drift(n, rng, 0.6, 0.1, 8))
    bed = shaped(n, tilt(FAR_DROPS, rng.uniform(-2.2, 0.4) - 0.5 * manner.strength), rng) * swell
    ticks = unit(_ticks(n, 300 + 5000 * heavy, rng))
    puddles = unit(_puddles(n, 30 + 200 * heavy * rng.random(), rng))
    near = spread_log(0.2, 1.0, 1, rng)[0] * (1.9 - heavy) / 1.4
    out = bed + near * ticks + spread_log(0.03, 0.5, 1, rng)[0] * puddles
    return loosened(out, spread_log(0.03, 0.3, 1, rng)[0], 0.5, 12, rng)


def _ticks(n: int, rate_per_s: float, rng: np.random.Generator) -> Wave:
    times = poisson(rate_per_s, n, rng)
    k = times.size
    surface_hz = rng.uniform(1700, 3600)  # stone is brighter than soil
    hz = surface_hz * np.exp(rng.normal(0, 0.6, k))
    drops = Grains(
        times, hz, 1 / rng.uniform(0.0004, 0.0025, k), nearness(k, rng, spread_log(0.3, 1.2, 1, rng)[0], 30), noise=0.6
    )
    ticks = band(scatter(n, drops, rng), 400, 6000)
    if rng.random() < 0.35:  # a roof, a bin, a car: one surface with its own resonances
        modes = tuple((hz, 0.25 * hz, 0.7) for hz in spread_log(250, 2500, 4, rng))
        return resonant(ticks, modes, direct=1.0)
    return ticks


def _puddles(n: int, rate_per_s: float, rng: np.random.Generator) -> Wave:
    times = poisson(rate_per_s, n, rng)
    radius = spread_log(0.0004, 0.003, times.size, rng)
    return bubbles(n, times, radius, nearness(times.size, rng, 0.8, 20), rng)


def thunder(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """One or two strokes heard from all along their crooked channels (Few 1969; Ribner & Roy 1982)."""
    out = np.zeros(n)
    for at in np.sort(rng.random(max(1, round(rng.integers(1, 3) * manner.busier**0.7)))) * n / RATE_HZ:
        nearest_m = rng.uniform(400, 1500) * 2**manner.distance
        out += lowpass(_stroke(n, at, nearest_m, rng), 2.5e6 / nearest_m**1.25)
    rumble = room(out, 3.0, 1.0, rng, 700.0)
    envelope = np.maximum(lowpass(np.abs(rumble), 4.0), 0)
    tearing = shaped(n, {200: -8, 500: 0, 1500: -8, 4000: -20, 12000: -40}, rng) * envelope**2
    return unit(rumble) + 0.35 * unit(tearing)


def _stroke(n: int, at_s: float, nearest_m: float, rng: np.random.Generator) -> Wave:
    """Arrivals of N-waves, one from each 5 m step of a random walk from cloud to ground; aligned steps clap."""
    steps = 1500
    height = np.linspace(0, 4000, steps)
    sway = np.cumsum(rng.normal(0, 5, (steps, 2)), axis=0)
    distance = np.sqrt((nearest_m + sway[:, 0]) ** 2 + sway[:, 1] ** 2 + height**2)
    strength = rng.exponential(1, steps) / distance / (1 + np.abs(np.gradient(distance)) / 2)
    lengths = spread_log(0.0015, 0.009, steps, rng) * RATE_HZ
    heard = np.zeros(n)
    arrivals = at_s + (distance - distance.min()) / 343
    for loud, length, at in zip(strength, lengths.astype(int), arrivals, strict=True):
        place(heard, np.linspace(loud, -loud, length), float(at))
    return heard


def storm(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Thunder, wind and rain."""
    far = highpass(lowpass(thunder(n, manner, rng), rng.uniform(250, 600), 2), rng.uniform(60, 110), 2)
    far *= np.exp(rng.uniform(0.2, 0.5) * drift(n, rng, 0.2, 1, 7))
    out = unit(far) + rng.uniform(0.2, 0.6) * unit(wind(n, manner, rng))
    return out + spread_log(0.003, 0.06, 1, rng)[0] * 1.6**manner.strength * unit(rain(n, manner, rng)) * gusts(
        n, rng, rng.uniform(0.2, 0.6)
    )
