"""Water: rain, running water, waves, drips. Bubbles ring (Minnaert), drops tick, broken water hisses."""

import numpy as np

from sonoworld.sound.events import bubbles, clicks, log_uniform, nearness, times
from sonoworld.sound.mood import Mood
from sonoworld.sound.ring import RATE_HZ, Signal, band_pass, control, echo, low_pass, noise, resonate, unit


def rain(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """A bed of far drops, ticks of near ones, and bubbles in puddles; heavier is denser and fuller below."""
    heavy = mood.strength
    swell = 1 + 0.1 * control(n, rng, 1, 0.05, 2)
    spectrum = {
        60.0: 6 * heavy - 6 + rng.uniform(-2, 2), 250.0: 5 * heavy - 4, 1000.0: -4.0, 3000.0: -7 + rng.uniform(-2, 3),
        9000.0: -13 + rng.uniform(-3, 4), 20000.0: -24.0,
    }  # fmt: skip
    t = times(600 + 5500 * heavy, n, rng)
    f = np.exp(rng.normal(np.log(2500), 0.6, t.size))
    drops = clicks(t, f, rng.uniform(0.0004, 0.0025, t.size), nearness(t.size, rng, 0.5, 30), 0.6, (n, rng))
    t = times(40 + 250 * rng.random(), n, rng)
    rise = rng.uniform(0, 0.08, t.size)
    puddles = bubbles(n, t, log_uniform(0.0004, 0.003, t.size, rng), nearness(t.size, rng), rise)
    y = noise(n, spectrum, rng) * swell + rng.uniform(0.4, 0.7) * (1.5 - heavy) * unit(band_pass(drops, 500, 9000, 1))
    y += rng.uniform(0.05, 0.35) * unit(puddles)
    return low_pass(y, 18000 - 12000 * mood.distance, 1)


def _running(n: int, rng: np.random.Generator, rate_per_s: float, largest_m: float) -> Signal:
    """Bubbles of all sizes, p(r) ~ r^−2, with an activity that wanders."""
    activity = np.exp(0.5 * control(n, rng, 1, 0.2, 6))
    t = times(rate_per_s, n, rng, activity)
    low, high = 1 / largest_m, 1 / 0.00035
    r = 1 / (low + rng.random(t.size) * (high - low))
    a = (r / 0.001) ** 0.8 * rng.random(t.size) ** 2 * nearness(t.size, rng, 1, 6)
    rise = np.where(rng.random(t.size) < 0.35, rng.uniform(0, 0.12, t.size), 0.0)
    return unit(bubbles(n, t, r, a, rise))


def stream(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """A brook: many small bubbles over a murmuring bed."""
    y = _running(n, rng, 8000 + 14000 * mood.activity, 0.003 + 0.003 * mood.size)
    bed = noise(n, {50: -4, 200: -1, 500: 0, 1200: -4, 3000: -12, 8000: -22, 20000: -36}, rng)
    return y + (0.5 + 0.6 * mood.strength) * bed * np.exp(0.15 * control(n, rng, 0.6, 0.3, 10))


def river(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Wider and lower than a stream: the bed leads, bubbles add detail."""
    y = _running(n, rng, 9000 + 9000 * mood.activity, 0.006)
    bed = noise(n, {40: -1, 150: 0, 500: -1, 1200: -5, 3000: -12, 8000: -22, 20000: -34}, rng)
    bed *= np.exp(0.15 * control(n, rng, 0.8, 0.1, 6))
    return (0.55 - 0.3 * mood.distance) * y + (0.8 + 0.4 * mood.strength) * bed


def waterfall(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """A wall of broken water."""
    low = 3 * mood.size
    bed = noise(n, {30: low - 3, 150: low, 600: -1, 1500: -4, 4000: -9, 10000: -18, 20000: -28}, rng)
    return bed * np.exp(0.06 * control(n, rng, 0.5, 0.2, 12)) + 0.25 * _running(n, rng, 16000, 0.004)


def fountain(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Jets falling back on water: bright hiss and large splashing bubbles."""
    hiss = noise(n, {100: -16, 400: -8, 1500: -2, 4000: 0, 9000: -5, 18000: -16}, rng)
    splash = _running(n, rng, 6000 + 6000 * mood.strength, 0.006)
    return hiss * np.exp(0.1 * control(n, rng, 0.5, 0.5, 8)) + (0.7 + 0.4 * mood.activity) * splash


def sea_waves(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Crests that rise, break low, then fizz; a far roar below them. Whole waves go round the ring."""
    seconds = n / RATE_HZ
    y = 0.18 * noise(n, {40: -2, 120: 0, 400: -2, 1500: -10, 6000: -22, 20000: -40}, rng)
    low = noise(n, {30: -3, 120: 0, 400: -1, 900: -8, 3000: -22, 20000: -50}, rng)
    middle = noise(n, {100: -16, 400: -4, 1200: 0, 3000: -4, 8000: -12, 20000: -24}, rng)
    fizz = noise(n, {500: -20, 2000: -3, 5000: 0, 10000: -3, 20000: -12}, rng)
    count = max(1, round(seconds / rng.uniform(5, 9)))
    clock = np.arange(n) / RATE_HZ
    for start in (np.arange(count) + rng.uniform(-0.12, 0.12, count)) * (seconds / count):
        for lag, level in ((0.0, 1.0), (rng.uniform(0.8, 3), 0.45), (rng.uniform(2, 4), 0.3)):
            decay = rng.uniform(1.2, 2.4) * (0.7 + 0.6 * mood.size)
            u = np.mod(clock - start - lag + seconds / 3, seconds) - seconds / 3
            rise = rng.uniform(0.3, 0.8)
            e = level * rng.uniform(0.6, 1.2) * np.where(u < 0, np.exp(u / rise), np.exp(-u / decay))
            late = np.clip(u - 0.25, 0, None)
            f = level * np.exp(-late / (1.5 * decay)) * (1 - np.exp(-late / 0.5))
            y += (0.5 + 0.5 * mood.strength) * 0.8 * low * e + 0.85 * middle * e**1.2 + 0.2 * fizz * f
    return low_pass(y, 16000 - 11000 * mood.distance, 1)


def lapping(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Small waves at a shore or a hull: clusters of bubbles and soft slaps."""
    y = 0.08 * noise(n, {40: 3, 120: 0, 400: -5, 1500: -11, 6000: -18, 20000: -30}, rng)
    for start in times(0.8 + 1.4 * mood.activity, n, rng):
        k = int(rng.integers(15, 90))
        t = np.mod(start + np.sort(rng.beta(1.5, 3, k)) * rng.uniform(0.25, 0.8), n / RATE_HZ)
        r = log_uniform(0.001, 0.010, k, rng)
        y += 0.35 * bubbles(n, t, r, (r / 0.004) ** 0.8 * rng.random(k) ** 2, rng.uniform(0, 0.1, k))
    slap = control(n, rng, 0.5, 0.3, 2)
    soft = noise(n, {60: -3, 200: 0, 700: -3, 2500: -9, 8000: -20, 20000: -34}, rng)
    y += (0.2 + 0.3 * mood.strength) * soft * np.clip(slap, 0, None) ** 2
    return y + 0.3 * resonate(y, dict.fromkeys(rng.uniform(80, 350, 3).tolist(), (25.0, 1.0)))


def dripping(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Single drops into water in an echoing place."""
    t = times(0.8 + 2.5 * mood.activity, n, rng)
    r = log_uniform(0.001, 0.004, t.size, rng)
    y = bubbles(n, t, r, rng.uniform(0.3, 1, t.size), rng.uniform(0.02, 0.1, t.size))
    ticks = clicks(t, 4000 + 3000 * rng.random(t.size), np.full(t.size, 0.0008), np.full(t.size, 0.25), 0.7, (n, rng))
    return echo(y + ticks, 0.6 + 1.2 * mood.size, 0.35, rng) + 1e-4 * rng.standard_normal(n)


def tap(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """A tap running into a sink: steady hiss, bubbles, and the basin's ringing."""
    hiss = noise(n, {100: -14, 500: -6, 1500: 0, 5000: -3, 12000: -10, 20000: -20}, rng)
    y = hiss * np.exp(0.08 * control(n, rng, 0.5, 1, 12)) + 0.5 * _running(n, rng, 5000, 0.004)
    return echo(y + 0.4 * resonate(y, dict.fromkeys(rng.uniform(250, 1800, 4).tolist(), (18.0, 1.0))), 0.4, 0.2, rng)
