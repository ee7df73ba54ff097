"""Machines that run: chainsaw, motors, air conditioners, refrigerators."""

import numpy as np

from sonoworld.sound.grains import spread_log
from sonoworld.sound.manner import Manner
from sonoworld.sound.modulation import cycles, drift, tone
from sonoworld.sound.noise import Wave, shaped, tilt, unit
from sonoworld.sound.resonance import lowpass, resonant, room
from sonoworld.sound.unsteady import loosened
from sonoworld.sound.voices.vehicles import combustion

MAINS_HZ = (50.0, 60.0)


def chainsaw(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """A two-stroke under a restless throttle, chain noise and the saw in the wood."""
    pulled = drift(n, rng, 1, 0.1, rng.uniform(0.4, 1.5)) + rng.uniform(-0.4, 0.9) + 0.5 * manner.strength > 0
    depth = rng.uniform(0.1, 0.9)  # from steady sawing to revving
    load = 0.12 * drift(n, rng, 1, 0.6, 4)  # the wood gives way, the chain bites
    throttle = np.maximum(1 - depth * (1 - np.clip(lowpass(pulled.astype(np.float64), 1.3), 0, 1)) + load, 0.05)
    hz = (rng.uniform(35, 55) + rng.uniform(55, 120) * throttle) * (
        1 + spread_log(0.004, 0.02, 1, rng)[0] * drift(n, rng, 0.5, 0.5, 25)
    )
    exhaust = np.tanh(1.2 * combustion(n, hz, rng.uniform(0.05, 0.25), rng)) * (0.2 + 0.8 * throttle)
    teeth = {200: -12, 800: -2, 2000: 0, 5000: -4, 10000: -12, 20000: -24}
    gate = 0.4 + np.exp(-5 * np.mod(cycles(hz), 1))
    chain = shaped(n, tilt(teeth, rng.uniform(-1.5, 0.5)), rng) * gate * throttle ** rng.uniform(0.2, 1.2)
    low = shaped(n, {60: -4, 150: 0, 400: -6, 1500: -20}, rng) * (0.4 + 0.6 * throttle)
    out = exhaust + spread_log(0.08, 0.5, 1, rng)[0] * chain + spread_log(0.05, 0.3, 1, rng)[0] * low
    out = loosened(out, rng.uniform(0.15, 0.45), 0.2, 3, rng)
    return room(out, 0.5, rng.uniform(0.05, 0.4), rng)


def machine_hum(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """A motor and its fan: mains harmonics, blade tones, air."""
    mains = float(rng.choice(MAINS_HZ))
    partials = tuple(float(a) / h for h, a in enumerate(rng.uniform(0.1, 1, 10), 1))
    hum = unit(tone(cycles(np.full(n, 2 * mains)), partials))
    turning = np.full(n, rng.uniform(18, 45) / manner.larger) * (1 + 0.002 * drift(n, rng, 1, 0.1, 2))
    blades = unit(tone(cycles(turning) * rng.integers(5, 12), (1.0, 0.4, 0.2, 0.1)))
    wobble = 1 + 0.08 * np.sin(2 * np.pi * cycles(turning))
    air = shaped(n, {60: -4, 200: 0, 700: -5, 2500: -14, 9000: -28}, rng)
    loud = 1.4**manner.strength
    return air + rng.uniform(0.1, 0.7) * loud * hum * wobble + rng.uniform(0.05, 0.35) * blades * wobble


def air_conditioner(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Air through a grille, a blower's blade tone, a compressor's hum."""
    grille = {50: 0, 150: 1, 400: -2, 1000: -6, 3000: -13, 8000: -24, 18000: -38}
    air = shaped(n, tilt(grille, rng.uniform(-1, 1) + 0.4 * manner.strength), rng)
    air *= np.exp(0.04 * drift(n, rng, 1, 0.2, 4))
    blade_hz = rng.uniform(110, 320)
    blades = unit(tone(cycles(np.full(n, blade_hz) * (1 + 0.003 * drift(n, rng, 1, 0.1, 2))), (1.0, 0.35, 0.15)))
    hum = unit(tone(cycles(np.full(n, 2 * float(rng.choice(MAINS_HZ)))), (1.0, 0.4, 0.15, 0.08)))
    return air + rng.uniform(0.03, 0.2) * blades + rng.uniform(0.03, 0.25) * hum


def refrigerator(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """A compressor on rubber feet: strong mains harmonics with a slow beat, a little rattle, little air."""
    mains = float(rng.choice(MAINS_HZ))
    slip = mains * (1 - rng.uniform(0.01, 0.05))  # an induction motor turns a little slower than the mains
    hum = unit(tone(cycles(np.full(n, 2 * mains)), tuple(float(a) for a in rng.uniform(0.05, 1, 6) / np.arange(1, 7))))
    motor = unit(tone(cycles(np.full(n, slip)), tuple(float(a) for a in rng.uniform(0.1, 1, 8) / np.arange(1, 9))))
    cabinet = tuple((float(hz), 0.1 * float(hz), 0.6) for hz in rng.uniform(120, 700, 4))
    air = shaped(n, {40: 0, 150: -4, 500: -12, 2000: -26, 9000: -42}, rng)
    body = resonant(hum + rng.uniform(0.4, 1) * motor + 0.2 * air, cabinet, direct=0.6)
    return unit(body) + rng.uniform(0.15, 0.4) * 1.3**manner.strength * air
