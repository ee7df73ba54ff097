"""The sea and lakes: breaking waves, small waves lapping at the shore or a hull."""

import numpy as np

from sonoworld.sound.grains import bubbles, nearness, place, spread_log
from sonoworld.sound.manner import Manner
from sonoworld.sound.modulation import around, drift, poisson, spaced, thinned
from sonoworld.sound.noise import RATE_HZ, Wave, shaped, tilt, unit
from sonoworld.sound.resonance import lowpass, resonant
from sonoworld.sound.unsteady import loosened


def sea_waves(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Breakers that rise, fall and hiss out over a far roar; each wave is a few crests that break apart in time."""
    period = spread_log(3.8, 10, 1, rng)[0] * 1.2 ** (manner.size + 0.5 * manner.strength)
    low, middle, fizz = np.zeros(n), np.zeros(n), np.zeros(n)
    for at in spaced(period, 0.08, n, rng):
        height = rng.uniform(0.5, 1.2)
        for lag, part in ((0.0, 1.0), (rng.uniform(0.6, 1.5), 0.45), (rng.uniform(1.2, 3), 0.25)):
            rise, fall = rng.uniform(0.3, 0.7), rng.uniform(0.7, 2.2)
            crest = _crest(n, at + lag, rise, fall) * part * height
            low += crest
            middle += crest**1.2
            fizz += _crest(n, at + lag + 0.5, 0.35, 1.5 * fall) * part * height
    bright = rng.uniform(-0.8, 0.8)
    broken = np.exp(rng.uniform(0.1, 0.3) * drift(n, rng, 0.3, 2, 20))
    out = rng.uniform(0.4, 1.0) * low * shaped(n, {30: -3, 120: 0, 400: -1, 900: -8, 3000: -22, 20000: -50}, rng)
    out += (
        0.9
        * middle
        * broken
        * shaped(n, tilt({100: -14, 400: -4, 1200: 0, 3000: -4, 8000: -12, 20000: -24}, bright), rng)
    )
    churned = np.exp(rng.uniform(0.1, 0.35) * drift(n, rng, 0.3, 2, 20))
    out += (
        rng.uniform(0.15, 0.35) * churned * fizz * shaped(n, {500: -20, 2000: -3, 5000: 0, 10000: -3, 20000: -12}, rng)
    )
    out += _foam(n, middle, rng) * float(np.std(out)) * rng.uniform(0.05, 0.15)
    roar = {40: -2, 120: 0, 400: -2, 1500: -8, 6000: -20, 20000: -38}
    far = spread_log(0.04, 1.1, 1, rng)[0] * (1 + 0.6 * manner.distance) * 1.2**manner.strength
    heard = unit(out) + far * shaped(n, roar, rng) * np.exp(0.12 * drift(n, rng, 1, 0.1, 3))
    return loosened(heard, spread_log(0.03, 0.4, 1, rng)[0], 0.3, 12, rng)


def _crest(n: int, at_s: float, rise_s: float, fall_s: float) -> Wave:
    """Envelope of one crest: exponential rise, exponential fall, rounded at the top."""
    after = around(n, at_s)
    return lowpass(np.exp(np.minimum(after, 0) / rise_s - np.maximum(after, 0) / fall_s), 3.0)


def _foam(n: int, activity: Wave, rng: np.random.Generator) -> Wave:
    times = thinned(poisson(900, n, rng), activity / activity.max(), rng)
    radius = spread_log(0.0004, 0.004, times.size, rng)
    return unit(bubbles(n, times, radius, nearness(times.size, rng, 1, 20), rng))


def lapping(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Small waves against a shore, a pier or a hull: soft splashes, each with its cluster of bubbles."""
    out = np.zeros(n)
    splash = {60: -6, 200: -1, 600: 0, 2500: -6, 8000: -14, 20000: -26}
    for at in spaced(rng.uniform(0.45, 1.1) / manner.busier**0.5, 0.35, n, rng):
        length = rng.uniform(0.25, 0.9)
        m = int(length * RATE_HZ)
        u = np.linspace(0, 1, m)
        shape = np.sin(np.pi * np.sqrt(u)) ** 2 * np.exp(-2 * u)
        force = np.exp(rng.normal(0, 0.5 + 0.2 * manner.strength))
        place(out, 0.5 * force * shape * shaped(m, tilt(splash, rng.uniform(-1, 1)), rng), at)
        k = int(rng.integers(15, 90))
        times = at + rng.beta(1.5, 3, k) * length
        radius = spread_log(0.0008, 0.007 * manner.larger, k, rng)
        out += force * 0.5 * bubbles(n, times, radius, (radius / 0.004) ** 0.8 * rng.random(k) ** 2, rng)
    hull = tuple((float(hz), 0.2 * float(hz), 0.5) for hz in rng.uniform(90, 380, 3))
    bed = shaped(n, {40: 0, 200: -2, 1000: -8, 6000: -18, 20000: -30}, rng)
    return unit(resonant(out, hull, direct=1.0)) + rng.uniform(0.1, 0.25) * bed
