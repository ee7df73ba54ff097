"""Wind, and what it moves. Gusts follow the 1/f^(5/3) spectrum of turbulence; levels grow as powers of the speed."""

import numpy as np

from sonoworld.sound.grains import clicks, nearness, times
from sonoworld.sound.mood import Mood
from sonoworld.sound.ring import Signal, band_pass, control, low_pass, noise, phase, unit

STROUHAL = 0.2
"""Vortices leave a wire of diameter d at f = 0.2 v/d (Strouhal 1878)."""


def gusts(n: int, rng: np.random.Generator, mean_ms: float, turbulence: float) -> Signal:
    """Wind speed, m/s: log-normal gusts with the 1/f^(5/3) spectrum of turbulence."""
    return mean_ms * np.exp(1.2 * turbulence * control(n, rng, 5 / 3, 0.05, 4))


def wind(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Wind past ears and edges: a deep bed, a mid band that follows gusts, and faint whistles."""
    v = gusts(n, rng, 4 + 9 * mood.strength, 0.05 + 0.13 * rng.random() + 0.1 * mood.strength)
    w = v / v.mean()
    bed = noise(n, {25: 1, 60: 0, 130: 1, 250: -9, 500: -20, 1000: -29, 3000: -42, 10000: -60}, rng)
    middle = noise(n, {60: -20, 200: -6, 400: 0, 900: -8, 2500: -22, 10000: -50}, rng)
    y = bed * w**3 + (0.10 + 0.15 * mood.strength) * middle * w**4.5
    for d_m in np.exp(rng.uniform(np.log(0.0022), np.log(0.012), 3)):
        turns = 2 * np.pi * phase(np.clip(STROUHAL * v / d_m, 60, 4000))
        narrow = [unit(low_pass(rng.standard_normal(n), 12)) for _ in range(2)]
        whistle = narrow[0] * np.cos(turns) + narrow[1] * np.sin(turns)
        y += whistle * w**4 * rng.uniform(0.005, 0.04) * (0.4 + mood.strength)
    return y


def leaves(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """A crown of leaves in the wind: thousands of ticks that come and go with the gusts, over a soft bed."""
    v = gusts(n, rng, 4, 0.15 + 0.25 * mood.strength)
    g = np.clip(v / v.mean(), 0, 3) ** 2.5
    t = times(3000 + 5000 * mood.activity, n, rng, g)
    f = np.exp(rng.normal(np.log(3800 - 1200 * mood.size), 0.4, t.size))
    ticks = clicks(n, t, f, rng.uniform(0.001, 0.006, t.size), nearness(t.size, rng, 1, 12), 0.85, rng)
    ticks = band_pass(ticks, 1200, 9000, 1)
    bed = noise(n, {60: -4, 200: -6, 1000: -13, 3000: -9, 7000: -14, 12000: -26}, rng) * g
    return low_pass(unit(ticks) + (0.5 + 0.5 * mood.distance) * bed, 14000 - 9000 * mood.distance, 1)


def grass(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Dry grass brushing: finer, higher and softer than leaves."""
    v = gusts(n, rng, 3, 0.2 + 0.2 * mood.strength)
    g = np.clip(v / v.mean(), 0, 3) ** 2
    hiss = noise(n, {200: -22, 800: -10, 2500: -2, 5000: 0, 9000: -5, 16000: -18}, rng) * g
    t = times(2500 + 3000 * mood.activity, n, rng, g)
    f = np.exp(rng.normal(np.log(5200), 0.35, t.size))
    ticks = clicks(n, t, f, rng.uniform(0.0006, 0.003, t.size), nearness(t.size, rng, 0.6, 8), 0.9, rng)
    low = noise(n, {40: 0, 120: -3, 400: -16, 2000: -34, 10000: -50}, rng) * g**1.5
    return hiss + 0.5 * unit(band_pass(ticks, 2000, 12000, 1)) + 0.35 * low
