"""Fire: lapping flames, hiss, crackle (Farnell's three parts)."""

import numpy as np

from sonoworld.sound.grains import Grains, scatter, spread_log
from sonoworld.sound.manner import Manner
from sonoworld.sound.modulation import drift, poisson, thinned
from sonoworld.sound.noise import Wave, shaped, tilt, unit
from sonoworld.sound.resonance import band
from sonoworld.sound.unsteady import loosened


def fire(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Flames below 250 Hz, gas hissing from wood, crackles that drag others after them, rare deep pops."""
    lean = rng.uniform(-1, 1) + 0.5 * manner.size
    lapping = shaped(n, tilt({20: 2, 90: 0, 250: -8, 600: -18, 1500: -26, 20000: -50}, -lean), rng)
    lapping *= np.exp(rng.uniform(0.1, 0.6) * drift(n, rng, rng.uniform(0.1, 0.9), 0.4, 22))
    hiss = shaped(n, {500: -20, 1500: -3, 5000: 0, 16000: -8}, rng) * np.maximum(0, drift(n, rng, 0.5, 0.3, 6)) ** 3
    bed = shaped(n, {100: -6, 1000: 0, 8000: -3, 20000: -12}, rng)
    crackle = (
        spread_log(0.06, 1.2, 1, rng)[0] * 1.3 ** (manner.strength + manner.density) * unit(_crackles(n, manner, rng))
    )
    out = lapping * 1.3**manner.size + rng.uniform(0.01, 0.06) * unit(hiss) + rng.uniform(0.02, 0.12) * bed
    out = out + crackle + spread_log(0.02, 0.35, 1, rng)[0] * unit(_pops(n, rng))
    return loosened(out, spread_log(0.04, 0.45, 1, rng)[0], 0.4, 15, rng)


def _crackles(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    activity = np.exp(rng.uniform(0.6, 1.1) * drift(n, rng, 1, 0.1, 4))
    rate = np.exp(rng.uniform(np.log(6), np.log(260))) * manner.busier
    first = thinned(poisson(rate, n, rng), activity / activity.max(), rng)
    followers = rng.integers(0, 7, first.size)
    lags = rng.exponential(0.03, int(followers.sum()))
    times = np.concatenate([first, np.repeat(first, followers) + lags])
    k = times.size
    decay = 1 / np.exp(rng.normal(np.log(0.0011), 0.6, k))
    hz = np.exp(rng.normal(np.log(rng.uniform(2000, 4000)), 0.5, k))
    sharp = scatter(n, Grains(times, hz, decay, np.exp(rng.normal(0, 1.0, k)), noise=0.75), rng)
    return 0.6 * band(sharp, 1200, 9000) + rng.uniform(0.3, 0.8) * band(sharp, 300, 1500)


def _pops(n: int, rng: np.random.Generator) -> Wave:
    times = poisson(rng.uniform(0.4, 2), n, rng)
    k = times.size
    decay = 1 / rng.uniform(0.004, 0.012, k)
    return scatter(n, Grains(times, rng.uniform(250, 900, k), decay, np.exp(rng.normal(0, 0.5, k)), noise=0.5), rng)
