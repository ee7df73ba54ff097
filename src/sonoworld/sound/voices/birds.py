"""Birds: songbirds as phrases of syllables, owls, roosters, gulls and penguins as calls with harmonics."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from sonoworld.sound.grains import place, spread_log
from sonoworld.sound.manner import Manner
from sonoworld.sound.modulation import drift
from sonoworld.sound.noise import RATE_HZ, Wave, unit
from sonoworld.sound.resonance import lowpass, room
from sonoworld.sound.voices.air import far_rush

Sound = Float64[np.ndarray, "m"]
KINDS = ("sweep", "arch", "trill", "buzz", "whistle")
LENGTH_S = {
    "sweep": (0.025, 0.15),
    "arch": (0.03, 0.2),
    "trill": (0.15, 0.9),
    "buzz": (0.1, 0.3),
    "whistle": (0.15, 0.4),
}


@dataclass(frozen=True, slots=True)
class Singer:
    """A bird: its pitch, how strong its second partial is, and how it likes its syllables (chance of each kind)."""

    hz: float
    second: float
    likes: Float64[np.ndarray, "5"]


def birds(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """A few singers at their own distances over a quiet outdoor bed."""
    count = max(1, round(rng.integers(2, 7) * manner.busier**0.7))
    out = np.zeros(n)
    for _ in range(count):
        hz = np.exp(rng.uniform(np.log(1200), np.log(5200))) / manner.larger
        singer = Singer(hz, rng.uniform(0.02, 0.25), rng.dirichlet([0.9, 0.7, 1.0, 0.6, 0.3]))
        near = 1 / rng.uniform(1, 7)
        song = lowpass(_song(n, singer, rng.uniform(0.6, 4) / manner.busier**0.3, rng), 9000 / (1 + 0.15 / near))
        swell = np.exp(rng.uniform(0.1, 0.6) * drift(n, rng, 1, 0.1, 0.9))
        out += near * swell * room(song, rng.uniform(0.3, 1.3), 0.25 / np.sqrt(near), rng)
    return unit(out) + rng.uniform(0.2, 0.7) * far_rush(n, rng)


def _song(n: int, singer: Singer, rest_s: float, rng: np.random.Generator) -> Wave:
    """Phrases of repeated and changing syllables with rests between them."""
    out = np.zeros(n)
    repertoire = [_syllable(singer, rng) for _ in range(rng.integers(2, 6))]
    seconds = n / RATE_HZ
    begin = rng.random() * seconds
    at = 0.0
    while at < seconds - 1.5:
        gap = spread_log(0.01, 0.1, 1, rng)[0]
        which = rng.integers(len(repertoire))
        loud = np.exp(rng.normal(0, 0.7))
        for _ in range(rng.integers(2, 10)):
            if rng.random() < 0.3:
                which = rng.integers(len(repertoire))
            syllable = repertoire[which]
            place(out, syllable * loud * rng.uniform(0.6, 1), begin + at)
            at += syllable.size / RATE_HZ + gap * rng.uniform(0.6, 1.8)
        at += rest_s * rng.uniform(0.6, 2.5)
    return out


def _syllable(singer: Singer, rng: np.random.Generator) -> Sound:
    kind = str(rng.choice(KINDS, p=singer.likes))
    length = rng.uniform(*LENGTH_S[kind])
    u = np.linspace(0, 1, int(length * RATE_HZ))
    bend = _bend(kind, u, length, rng)
    turns = 2 * np.pi * np.cumsum(singer.hz * np.exp(rng.normal(0, 0.16) + bend)) / RATE_HZ
    swell = np.sin(np.pi * u ** rng.uniform(0.5, 1)) ** 0.7
    if kind == "trill":
        swell *= 0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(12, 40) * u * length)
    return swell * (np.sin(turns) + singer.second * (np.sin(2 * turns) + 0.3 * np.sin(3 * turns)))


def _bend(kind: str, u: Sound, length_s: float, rng: np.random.Generator) -> Sound:
    """Pitch path of a syllable, log of frequency."""
    sign = rng.choice([-1, 1])
    if kind == "sweep":
        return sign * rng.uniform(0.2, 0.6) * (u - 0.5)
    if kind == "arch":
        return sign * rng.uniform(0.1, 0.4) * np.sin(np.pi * u)
    if kind == "trill":
        return rng.uniform(0.05, 0.2) * np.sin(2 * np.pi * rng.uniform(18, 45) * u * length_s)
    if kind == "buzz":
        return 0.06 * np.sin(2 * np.pi * rng.uniform(70, 150) * u * length_s) - 0.15 * u
    return rng.normal(0, 0.06) * u + 0.01 * np.sin(2 * np.pi * 7 * u * length_s)


def call(hz: Sound, loudness: Sound, colour: tuple[float, float], partials: int, rng: np.random.Generator) -> Sound:
    """A voiced call: harmonics of `hz` under a bell-shaped spectrum with peak and width `colour` = (Hz, octaves)."""
    turn = np.exp(2j * np.pi * np.cumsum(hz) / RATE_HZ)
    wheel = np.ones(hz.size, np.complex128)
    octaves, highest = np.log2(hz / colour[0]), float(hz.max())
    grid = np.linspace(-8, 8, 400)
    peak = np.exp(-0.5 * (grid / colour[1]) ** 2) + 0.01
    out = np.zeros(hz.size)
    for order in range(1, partials + 1):
        if order * highest > 0.45 * RATE_HZ:
            break
        gain = np.interp(np.log2(order) + octaves, grid, peak)
        wheel = wheel * turn
        out += gain * (wheel * np.exp(1j * rng.uniform(0, 6))).imag
    return out * loudness
