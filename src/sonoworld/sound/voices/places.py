"""Places heard as a whole: rooms, cities, roads with traffic."""

import numpy as np

from sonoworld.sound.grains import Grains, scatter, spread_log
from sonoworld.sound.manner import Manner
from sonoworld.sound.modulation import cycles, drift, poisson, tone
from sonoworld.sound.noise import Wave, shaped, tilt, unit
from sonoworld.sound.resonance import highpass, room
from sonoworld.sound.voices.people import talker
from sonoworld.sound.voices.vehicles import passing

MAINS_HZ = (50.0, 60.0)


def room_tone(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Air in a room: low noise coloured by a few room modes, a trace of mains hum, far ventilation."""
    air = shaped(n, tilt({30: 2, 80: 0, 250: -8, 800: -18, 3000: -28, 12000: -40}, rng.uniform(-1, 1.5)), rng)
    vent = shaped(n, {80: -12, 250: 0, 600: -6, 2000: -20, 8000: -36}, rng)
    hum = tone(cycles(np.full(n, rng.choice(MAINS_HZ))), (0.4, 1.0, 0.15, 0.4, 0.05, 0.15))
    slow = np.exp(0.1 * drift(n, rng, 1, 0.1, 1))
    return (
        air * slow + rng.uniform(0, 0.5) * vent * slow + rng.uniform(0, 0.15) * unit(hum) * (1 - 0.3 * manner.distance)
    )


def city_hum(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """A city from far above or behind: low roar of all its roads, rare single things through many echoes."""
    roar = {30: -7, 60: -1, 120: 1, 250: -3, 500: -6, 1000: -11, 2000: -23, 4000: -36, 10000: -50}
    out = shaped(n, tilt(roar, rng.uniform(-1, 1)), rng) * np.exp(0.15 * drift(n, rng, 1, 0.1, 2))
    for _ in range(rng.integers(1, 4)):
        out += rng.uniform(0.1, 0.3) * _engine_far(n, rng)
    echoes = room(_clanks(n, 2.5 * manner.busier, rng), 1.8, 1.0, rng, 1800)
    return out + rng.uniform(0.08, 0.3) * unit(echoes) + rng.uniform(0, 0.12) * _people_far(n, rng)


def traffic(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """A road: the roar of all, cars passing one after another, engines pulling, clanks."""
    roar = {30: -2, 60: 4, 120: 2, 250: -4, 600: -8, 1100: -10, 2200: -19, 4000: -30, 10000: -46}
    bed = shaped(n, tilt(roar, rng.uniform(-0.8, 0.8)), rng) * np.exp(0.18 * drift(n, rng, 1, 0.1, 2))
    cars = np.zeros(n)
    for _ in range(max(2, round(rng.integers(3, 7) * manner.busier**0.7))):
        nearest = rng.uniform(5, 25)
        cars += passing(n, nearest, rng.uniform(7, 17) * 1.3**manner.strength, rng) * rng.uniform(0.4, 1.2) / nearest
    engines = unit(sum((_engine_far(n, rng) for _ in range(3)), np.zeros(n)))
    clanks = unit(room(_clanks(n, 4, rng), 1.0, 0.5, rng, 2000))
    return rng.uniform(0.4, 0.9) * bed + unit(cars) + rng.uniform(0.1, 0.35) * engines + rng.uniform(0.05, 0.2) * clanks


def _engine_far(n: int, rng: np.random.Generator) -> Wave:
    hz = rng.uniform(45, 140) * np.exp(0.06 * drift(n, rng, 1, 0.1, 0.7))
    partials = tuple(float(a) / h for h, a in enumerate(rng.uniform(0.3, 1, 7), 1))
    return unit(tone(cycles(hz), partials)) * np.clip(0.6 + 0.5 * drift(n, rng, 1, 0.1, 0.6), 0, 2)


def _clanks(n: int, rate_per_s: float, rng: np.random.Generator) -> Wave:
    times = poisson(rate_per_s, n, rng)
    k = times.size
    force = np.exp(rng.normal(-0.7, 0.9, k))
    return scatter(
        n, Grains(times, spread_log(150, 6000, k, rng), 1 / rng.uniform(0.005, 0.04, k), force, noise=0.35), rng
    )


def _people_far(n: int, rng: np.random.Generator) -> Wave:
    talk = sum((talker(n, 0.7, rng) for _ in range(3)), np.zeros(n))
    return unit(highpass(room(talk, 1.2, 1.0, rng, 1800), 350))
