"""Animals as throats: a pitch path, a loudness path, and a coloured row of harmonics."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from sonoworld.sound.grains import place, spread_log, struck
from sonoworld.sound.manner import Manner
from sonoworld.sound.modulation import spaced
from sonoworld.sound.noise import RATE_HZ, Wave, shaped, tilt, unit
from sonoworld.sound.resonance import room
from sonoworld.sound.unsteady import loosened
from sonoworld.sound.voices.birds import call
from sonoworld.sound.voices.people import footsteps

Path = tuple[tuple[float, float], ...]


def along(path: Path, u: Float64[np.ndarray, "m"]) -> Float64[np.ndarray, "m"]:
    """A path of (place, value) points, joined by straight lines, at places u."""
    return np.interp(u, [place for place, _ in path], [value for _, value in path])


@dataclass(frozen=True, slots=True)
class Throat:
    """A kind of call: pitch Hz and length s (ranges); paths of pitch and loudness over 0..1; colour; roughness.

    `colour` = (peak Hz, width octaves). `rough` 0..1 adds fast shaking and breath. `rest_s`: between bouts (range);
    `bout`: calls in a bout (range); `gap`: from one call's start to the next one's, in lengths of the call (range).
    """

    hz: tuple[float, float]
    length_s: tuple[float, float]
    pitch: Path
    loudness: Path
    colour: tuple[float, float]
    rough: float
    rest_s: tuple[float, float]
    bout: tuple[int, int] = (1, 1)
    gap: tuple[float, float] = (1.15, 2.2)


DOG = Throat(
    (240, 620), (0.11, 0.28), ((0, 0.65), (0.3, 1.2), (1, 0.7)), ((0, 0), (0.1, 1), (0.4, 0.8), (1, 0)),
    (740, 0.75), 0.5, (0.3, 2.2), (1, 6), (1.4, 2.8),
)  # fmt: skip
CAT = Throat(
    (420, 650), (0.5, 1.1), ((0, 0.8), (0.35, 1.25), (1, 0.75)), ((0, 0), (0.15, 0.7), (0.5, 1), (1, 0)),
    (1500, 0.8), 0.08, (2.5, 6), (1, 2),
)  # fmt: skip
COW = Throat(
    (95, 170), (1.1, 2.2), ((0, 0.8), (0.4, 1.15), (0.8, 1.05), (1, 0.8)), ((0, 0), (0.2, 0.8), (0.7, 1), (1, 0)),
    (520, 1.1), 0.15, (3, 6), (1, 2),
)  # fmt: skip
SHEEP = Throat(
    (230, 420), (0.6, 1.2), ((0, 1), (0.3, 1.05), (1, 0.85)), ((0, 0), (0.1, 1), (0.7, 0.8), (1, 0)),
    (1300, 1.0), 0.35, (2, 5), (1, 2),
)  # fmt: skip
HORSE = Throat(
    (500, 900), (0.9, 1.6), ((0, 1.2), (0.2, 1.5), (1, 0.5)), ((0, 0), (0.1, 1), (0.6, 0.7), (1, 0)),
    (1600, 0.9), 0.5, (6, 12),
)  # fmt: skip
LARGE = Throat(
    (50, 90), (0.7, 1.6), ((0, 0.9), (0.4, 1.1), (1, 0.8)), ((0, 0), (0.2, 1), (1, 0)),
    (260, 1.2), 0.7, (3, 7),
)  # fmt: skip
ROOSTER = Throat(
    (450, 740), (1.2, 2.2),
    ((0, 0.8), (0.08, 1.05), (0.1, 0.95), (0.21, 1.2), (0.25, 1.1), (0.33, 1.45), (0.62, 1.4), (0.87, 1.1), (1, 0.8)),
    (
        (0, 0), (0.06, 0.8), (0.09, 0.03), (0.14, 0.8), (0.18, 0.04),
        (0.23, 0.9), (0.28, 0.05), (0.36, 1), (0.55, 0.6), (0.68, 0.8), (0.85, 0.4), (1, 0),
    ),
    (1400, 0.75), 0.33, (1.5, 5),
)  # fmt: skip
OWL = Throat(
    (320, 480), (0.25, 0.6), ((0, 0.95), (0.4, 1.05), (1, 0.93)), ((0, 0), (0.3, 1), (0.7, 0.8), (1, 0)),
    (380, 0.35), 0.03, (2.5, 5), (2, 5),
)  # fmt: skip
GULL = Throat(
    (700, 1150), (0.25, 0.7), ((0, 0.8), (0.25, 1.25), (1, 0.85)), ((0, 0), (0.15, 1), (0.6, 0.8), (1, 0)),
    (2300, 0.8), 0.2, (1, 3), (2, 7),
)  # fmt: skip
PENGUIN = Throat(
    (190, 320), (0.4, 1.0), ((0, 0.8), (0.5, 1.15), (1, 0.8)), ((0, 0), (0.2, 1), (0.8, 0.9), (1, 0)),
    (1100, 1.0), 0.5, (1, 3), (2, 6),
)  # fmt: skip
FROG = Throat(
    (120, 260), (0.12, 0.35), ((0, 0.9), (0.5, 1.1), (1, 1.0)), ((0, 0), (0.1, 1), (0.8, 0.8), (1, 0)),
    (1200, 0.7), 0.6, (0.5, 1.6), (2, 8),
)  # fmt: skip


def one_call(throat: Throat, size: float, rng: np.random.Generator) -> Float64[np.ndarray, "m"]:
    """One call of an animal; `size` lengthens and lowers it."""
    m = int(rng.uniform(*throat.length_s) * size**0.4 * RATE_HZ)
    u = np.linspace(0, 1, m)
    pitch = along(throat.pitch, u)
    shake = np.interp(u, np.linspace(0, 1, 60), 1 + 0.12 * throat.rough * rng.standard_normal(60))
    hz = rng.uniform(*throat.hz) / size * pitch * shake
    loud = along(throat.loudness, u) * (
        1 - 0.4 * throat.rough * (1 + np.sin(np.pi * np.cumsum(hz) / RATE_HZ)) / 2  # every second pulse weaker
    )
    colour = (throat.colour[0] / size**0.7 * rng.uniform(0.85, 1.15), throat.colour[1])
    loud = loud * np.exp(0.9 * throat.rough * np.interp(u, *_wander(m, 34.0, rng)))
    voiced = call(hz, loud, colour, 24, rng)
    breath = (
        shaped(m, {colour[0] / 16: -24, colour[0] / 4: -12, colour[0]: 0, 3 * colour[0]: -10, 20000: -38}, rng) * loud
    )
    return voiced + (0.03 + 0.25 * throat.rough) * float(np.std(voiced)) * breath


def _wander(m: int, hz: float, rng: np.random.Generator) -> tuple[Float64[np.ndarray, "p"], Float64[np.ndarray, "p"]]:
    """Places 0..1 and random values, about `hz` a second."""
    points = max(3, round(m / RATE_HZ * hz))
    return np.linspace(0, 1, points), rng.standard_normal(points)


def calling(n: int, throat: Throat, count: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """`count` animals, each with its own size, place and rests."""
    out = np.zeros(n)
    bout_s = float(np.mean(throat.gap) * np.mean(throat.bout) * np.mean(throat.length_s))
    for _ in range(count):
        size = manner.larger * rng.uniform(0.8, 1.25)
        mine = np.zeros(n)
        for bout in spaced(bout_s + rng.uniform(*throat.rest_s) * count**0.7 / manner.busier**0.4, 0.15, n, rng):
            at = float(bout)
            for _ in range(rng.integers(throat.bout[0], throat.bout[1] + 1)):
                sound = one_call(throat, size, rng)
                place(mine, sound * rng.uniform(0.6, 1), at)
                at += sound.size / RATE_HZ * rng.uniform(*throat.gap)
        out += room(mine, rng.uniform(0.25, 1.4), spread_log(0.08, 0.8, 1, rng)[0], rng) / rng.uniform(1, 1 + count)
    out = loosened(out, rng.uniform(0.15, 0.6), 0.5, 5, rng)
    air = {40: 0, 150: 0, 400: -4, 1500: -13, 5000: -25, 20000: -45}
    quiet = shaped(n, tilt(air, rng.uniform(-1, 2)), rng)
    return out / np.abs(out).max() + 10 ** (-rng.uniform(36, 72) / 20) * quiet


def horse(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Hooves at a walk, four to a stride, now and then a whinny."""
    return unit(_hooves(n, manner, rng)) + 0.7 * unit(calling(n, HORSE, 1, manner, rng))


def _hooves(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Four hooves, each with its own pitch, hollow on hard ground and dull on soft."""
    beat_s = rng.uniform(0.22, 0.36) * 1.3**-manner.strength
    hard = rng.uniform(0.2, 1.0)
    out = np.zeros(n)
    strides = spaced(4 * beat_s, 0.01, n, rng)
    for leg in range(4):
        hollow = rng.uniform(420, 1300) * np.array([1, 1.7, 2.6]) / manner.larger
        hz = np.array([rng.uniform(70, 110), *hollow])
        modes = np.stack([hz, np.array([60, 140, 200, 280.0]), np.array([1.2, hard, 0.6 * hard, 0.3 * hard])], 1)
        times = strides + leg * beat_s * rng.uniform(0.95, 1.05)
        out += struck(n, times, rng.uniform(0.6, 1.0, times.size), modes, rng)
    return room(out, rng.uniform(0.2, 0.6), 0.12, rng)


def large_animal(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Heavy steps and deep breath."""
    return unit(footsteps(n, manner, rng)) + 0.6 * unit(calling(n, LARGE, 1, manner, rng))
