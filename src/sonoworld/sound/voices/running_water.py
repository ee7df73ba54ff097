"""Running water: streams, rivers, waterfalls, fountains, drips, taps. All bubbles, more or less of them."""

import numpy as np

from sonoworld.sound.grains import bubbles, nearness
from sonoworld.sound.manner import Manner
from sonoworld.sound.modulation import drift, poisson, spaced, thinned
from sonoworld.sound.noise import Wave, shaped, tilt, unit
from sonoworld.sound.resonance import resonant, room


def water(n: int, rate_per_s: float, smallest_m: float, largest_m: float, rng: np.random.Generator) -> Wave:
    """Bubbles of running water: radii with density r⁻², crowding where the flow drives air under; RMS 1."""
    flow = np.exp(rng.uniform(0.35, 0.6) * drift(n, rng, 1, 0.2, 6))
    times = thinned(poisson(rate_per_s * 3, n, rng), np.minimum(flow / 3, 1.0), rng)
    k = times.size
    radius = 1 / rng.uniform(1 / largest_m, 1 / smallest_m, k)  # density ~ r⁻²
    loudness = (radius / 0.001) ** 0.8 * rng.random(k) ** 2 * nearness(k, rng, 1, 6)
    return unit(bubbles(n, times, radius, loudness, rng))


def _bed(n: int, centre_hz: float, rng: np.random.Generator) -> Wave:
    """What is left of bubbles too many to hear apart."""
    curve = {centre_hz / 8: -5, centre_hz / 2: -1, centre_hz: 0, 2.5 * centre_hz: -6, 8 * centre_hz: -18, 20000: -32}
    return shaped(n, tilt(curve, rng.uniform(-0.7, 0.7)), rng) * np.exp(0.12 * drift(n, rng, 0.6, 0.3, 10))


def stream(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """A brook over stones: babbling bubbles over a bed, several little falls of different size."""
    rate = rng.uniform(3500, 9000) * 1.8**manner.strength
    size = manner.larger
    fine = water(n, rate, 0.0004, 0.0035 * size, rng)
    coarse = water(n, rate / 12, 0.0015, 0.007 * size, rng)
    bed = _bed(n, rng.uniform(450, 1100) / size, rng)
    return fine + rng.uniform(0.2, 0.6) * coarse + rng.uniform(0.7, 1.3) * bed


def river(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """A wide flow: a broad low bed, bubbles only near the bank."""
    near = water(n, rng.uniform(3000, 7000), 0.0006, 0.006, rng)
    low = shaped(n, {40: -3, 120: 0, 400: -2, 1200: -8, 4000: -18, 16000: -34}, rng)
    bed = _bed(n, rng.uniform(500, 900) * 1.3**manner.strength, rng)
    slow = np.exp(0.15 * drift(n, rng, 1, 0.1, 1.5))
    return 0.8 * low * slow + bed + rng.uniform(0.25, 0.5) * 0.7**manner.strength * near


def waterfall(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Nearly steady roar, deeper the larger the fall, with spray and a few bubbles on top."""
    roar = {30: -3, 150: 0, 600: -1, 1500: -4, 4000: -9, 10000: -18, 20000: -28}
    lean = rng.uniform(-0.8, 0.8) - 0.8 * manner.size - 0.3 * manner.strength
    spray = shaped(n, {1000: -20, 3000: -4, 7000: 0, 14000: -6}, rng) * np.exp(0.25 * drift(n, rng, 0.5, 0.5, 12))
    plunge = shaped(n, {30: -6, 90: 0, 300: -6, 1000: -20}, rng) * np.exp(0.3 * drift(n, rng, 0.5, 0.4, 8))
    out = shaped(n, tilt(roar, lean), rng) * np.exp(0.07 * drift(n, rng, 0.5, 0.2, 12))
    out += rng.uniform(0.05, 0.2) * spray + rng.uniform(0.1, 0.4) * plunge
    return out + rng.uniform(0.15, 0.35) * water(n, 6000, 0.0005, 0.004, rng)


def fountain(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """A jet falling back into its basin: fine bright bubbles, steady splash."""
    splash = shaped(n, {150: -14, 500: -4, 1500: 0, 5000: -3, 12000: -12, 20000: -22}, rng)
    fine = water(n, rng.uniform(6000, 11000) * 1.5**manner.strength, 0.0003, 0.0025 * manner.larger, rng)
    return fine + rng.uniform(0.5, 1.1) * splash * np.exp(0.15 * drift(n, rng, 0.5, 0.4, 10))


def dripping(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Single drops into still water: a tick, then one or two rising bubbles, in a hollow place."""
    out = np.zeros(n)
    for _ in range(max(1, round(rng.integers(1, 4) * manner.busier**0.6))):
        times = spaced(rng.uniform(0.5, 2.2) * 1.5**-manner.strength, 0.06, n, rng)
        radius = rng.uniform(0.0012, 0.004) * manner.larger * rng.uniform(0.9, 1.1, times.size)
        loudness = rng.uniform(0.6, 1.0, times.size) * rng.uniform(0.3, 1)
        out += bubbles(n, times + 0.02, radius, loudness, rng)
        out += 0.4 * bubbles(n, times + rng.uniform(0.05, 0.09), 0.6 * radius, loudness, rng)
    return room(out, rng.uniform(0.5, 2.0), rng.uniform(0.1, 0.4), rng)


def tap(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Water from a tap into a sink: hiss of the nozzle, splash, the basin's own resonances."""
    hiss = shaped(n, {300: -16, 1500: -4, 4000: 0, 9000: -4, 18000: -14}, rng)
    splash = water(n, rng.uniform(3000, 7000) * 1.5**manner.strength, 0.0004, 0.003, rng)
    basin = tuple((float(hz), 0.12 * float(hz), 0.8) for hz in rng.uniform(250, 2200, 5))
    return unit(resonant(splash + 0.3 * hiss, basin, direct=0.6)) + rng.uniform(0.3, 0.8) * hiss
