"""Birds, insects, frogs, animals, people. Voiced sounds are source and filter; songs are syllables in phrases."""

from collections.abc import Mapping

import numpy as np

from sonoworld.sound.events import clicks, nearness, times
from sonoworld.sound.mood import Mood
from sonoworld.sound.ring import (
    RATE_HZ,
    Signal,
    band_pass,
    control,
    echo,
    high_pass,
    low_pass,
    noise,
    place,
    resonate,
    unit,
)


def _outdoor_bed(n: int, rng: np.random.Generator) -> Signal:
    return noise(n, {40: 4, 200: 0, 600: -14, 1500: -22, 4000: -26, 9000: -34, 20000: -44}, rng)


def _tone(f: Signal, partials: tuple[float, ...]) -> Signal:
    turns = 2 * np.pi * np.cumsum(f) / RATE_HZ
    return sum((a * np.sin((k + 1) * turns) for k, a in enumerate(partials)), np.zeros(f.size))


def _syllable(rng: np.random.Generator, base_hz: float, harmonic: float, taste: np.ndarray) -> Signal:
    """One bird syllable: sweep, arch, trill, buzz or whistle."""
    kind = str(rng.choice(["sweep", "arch", "trill", "buzz", "whistle"], p=taste))
    low, high = {"sweep": (0.04, 0.15), "arch": (0.06, 0.2), "trill": (0.15, 0.5), "buzz": (0.1, 0.3)}.get(
        kind, (0.15, 0.4)
    )
    seconds = rng.uniform(low, high)
    u = np.linspace(0, 1, int(seconds * RATE_HZ))
    f = base_hz * np.exp(rng.normal(0, 0.18))
    e = np.sin(np.pi * u ** rng.uniform(0.5, 1)) ** 0.7
    if kind == "sweep":
        f = f * np.exp(rng.choice([-1, 1]) * rng.uniform(0.2, 0.6) * (u - 0.5))
    elif kind == "arch":
        f = f * np.exp(rng.choice([-1, 1]) * rng.uniform(0.1, 0.4) * np.sin(np.pi * u))
    elif kind == "trill":
        rate = rng.uniform(18, 45)
        f = f * np.exp(rng.uniform(0.05, 0.2) * np.sin(2 * np.pi * rate * u * seconds))
        e = e * (0.55 + 0.45 * np.sin(2 * np.pi * rate * u * seconds + 1))
    elif kind == "buzz":
        f = f * np.exp(0.06 * np.sin(2 * np.pi * rng.uniform(70, 150) * u * seconds) - 0.15 * u)
    else:
        f = f * np.exp(rng.normal(0, 0.06) * u + 0.01 * np.sin(2 * np.pi * 7 * u * seconds))
    return e * _tone(f, (1.0, harmonic, 0.3 * harmonic))


def birds(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Several singers at their own distances, each with a small repertoire sung in phrases."""
    y = np.zeros(n)
    for _ in range(1 + round(4 * mood.activity + rng.random())):
        taste = rng.dirichlet(np.full(5, 0.7))
        base = np.exp(rng.uniform(np.log(2000), np.log(5200))) * (1.25 - 0.5 * mood.size)
        repertoire = [_syllable(rng, base, rng.uniform(0.02, 0.2), taste) for _ in range(int(rng.integers(2, 5)))]
        far = rng.uniform(1, 3 + 6 * mood.distance)
        x = np.zeros(n)
        t = rng.uniform(0, 1.5)
        while t < n / RATE_HZ - 0.2:
            motif = int(rng.integers(len(repertoire)))
            gap = rng.uniform(0.03, 0.12)
            for _ in range(int(rng.integers(3, 10))):
                motif = int(rng.integers(len(repertoire))) if rng.random() < 0.3 else motif
                place(x, repertoire[motif], int(t * RATE_HZ), rng.uniform(0.6, 1))
                t += repertoire[motif].size / RATE_HZ + gap
            t += rng.uniform(0.5, 3.5 - 2 * mood.activity)
        y += echo(low_pass(x, 9000 / (1 + 0.15 * far), 1), rng.uniform(0.4, 1.2), 0.25 * np.sqrt(far), rng) / far
    return unit(y) + 0.12 * _outdoor_bed(n, rng)


def _calls(n: int, rng: np.random.Generator, call: Signal, rate_per_s: float) -> Signal:
    """A call repeated now and then, at least once."""
    y = np.zeros(n)
    starts = times(rate_per_s, n, rng)
    for t in starts if starts.size else np.array([rng.uniform(0, n / RATE_HZ)]):
        place(y, call, int(t * RATE_HZ), rng.uniform(0.6, 1.0))
    return y


def owl(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Soft hoots in a phrase, with the wood answering."""
    f0 = rng.uniform(330, 480) * (1.2 - 0.4 * mood.size)
    phrase = np.zeros(int(3.2 * RATE_HZ))
    for at, seconds in ((0.0, 0.5), (1.1, 0.15), (1.4, 0.15), (1.7, 0.9)):
        u = np.linspace(0, 1, int(seconds * RATE_HZ))
        hoot = np.sin(np.pi * u) ** 0.6 * _tone(f0 * (1 + 0.03 * np.sin(np.pi * u)), (1.0, 0.12, 0.05))
        place(phrase, hoot, int(at * RATE_HZ))
    return echo(_calls(n, rng, phrase, 0.15), 1.6, 0.5, rng, 2500) + 0.01 * _outdoor_bed(n, rng)


def crickets(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Several insects out of step; chirp rate from the temperature (Dolbear 1897)."""
    y = np.zeros(n)
    chirps_per_s = (40 + 7 * (rng.uniform(17, 26) - 10)) / 60  # Dolbear: N = 40 + 7 (T − 10) chirps a minute
    for _ in range(3 + int(7 * mood.activity)):
        f, rate, pulses = rng.normal(4700, 250), rng.uniform(24, 34), int(rng.integers(3, 5))
        chirp = np.zeros(int((pulses + 1) / rate * RATE_HZ))
        u = np.linspace(0, 1, int(0.6 / rate * RATE_HZ))
        for i in range(pulses):
            pulse = np.sin(np.pi * u) ** 0.6 * (1 + 0.25 * i) * _tone(f * (1 - 0.02 * u), (1.0, 0.04))
            place(chirp, pulse, int(i / rate * RATE_HZ))
        count = max(1, round(n / RATE_HZ * chirps_per_s * rng.uniform(0.93, 1.07)))
        x = np.zeros(n)
        for k in range(count):
            place(x, chirp, int((k + rng.normal(0, 0.03)) * n / count) + int(rng.integers(n)) * (k < 0))
        y += nearness(1, rng, 1, 12)[0] * np.roll(echo(x, 0.35, 0.35, rng), int(rng.integers(n)))
    bed = noise(n, {40: 0, 150: -2, 400: -12, 1500: -24, 4000: -28, 5000: -24, 7000: -34, 20000: -45}, rng)
    return unit(y) + 0.35 * bed


def frogs(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """A pond of croakers: pulse trains through throat resonances, in turns."""
    y = np.zeros(n)
    for _ in range(2 + int(6 * mood.activity)):
        pulses, rate = int(rng.integers(4, 14)), rng.uniform(18, 45)
        f = rng.uniform(500, 1800) * (1.3 - 0.6 * mood.size)
        croak = np.zeros(int((pulses / rate + 0.1) * RATE_HZ))
        u = np.arange(int(0.03 * RATE_HZ)) / RATE_HZ
        for i in range(pulses):
            place(croak, np.exp(-140 * u) * np.sin(2 * np.pi * f * u), int(i / rate * RATE_HZ), 0.5 + 0.5 * i / pulses)
        y += nearness(1, rng, 1, 8)[0] * _calls(n, rng, croak, rng.uniform(0.4, 1.2))
    return echo(y, 0.5, 0.3, rng) + 0.01 * _outdoor_bed(n, rng)


def _voiced(f0: Signal, rng: np.random.Generator, jitter: float) -> Signal:
    """A pulse train at f0 with jitter, softened as by a glottis."""
    cycles = np.cumsum(f0 * (1 + jitter * rng.standard_normal(f0.size).cumsum() / np.sqrt(f0.size))) / RATE_HZ
    pulses = np.diff(np.floor(cycles), prepend=0.0)
    return low_pass(pulses - pulses.mean(), 1200, 1)


def _formants(x: Signal, modes: Mapping[float, tuple[float, float]]) -> Signal:
    padded = np.r_[x, np.zeros(2048)]
    return resonate(padded, modes)


def dog(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Barks in groups: arched pitch, rough, through a muzzle's formants (source and filter)."""
    size = 0.7 + 0.8 * mood.size
    base = rng.uniform(380, 620) / size
    scale = rng.uniform(0.92, 1.08) / size**0.7
    y = np.zeros(n)
    t = rng.uniform(0, 1)
    while t < n / RATE_HZ - 0.3:
        for _ in range(int(rng.integers(1, 5))):
            u = np.linspace(0, 1, int(rng.uniform(0.11, 0.22) * size**0.4 * RATE_HZ))
            f0 = base * np.exp(rng.normal(0, 0.05)) * (0.65 + 0.55 * np.sin(np.pi * u**0.75))
            e = np.minimum(1, u / 0.12) * np.exp(-3 * np.maximum(u - 0.35, 0)) * np.minimum(1, (1 - u) / 0.15)
            source = (unit(_voiced(f0, rng, 0.05)) + 0.25 * rng.standard_normal(u.size)) * e
            bark = _formants(
                source,
                {650 * scale: (120, 1.0), 1150 * scale: (160, 0.9), 2500 * scale: (260, 0.35), 3700: (350, 0.15)},
            )
            place(y, bark, int(t * RATE_HZ), rng.uniform(0.7, 1))
            t += rng.uniform(0.28, 0.5)
        t += rng.uniform(0.6, 3.5 - 2 * mood.activity)
    y = y / np.abs(y).max()
    return echo(low_pass(y, 12000 - 8000 * mood.distance, 1), 0.5, 0.15 + 0.3 * mood.distance, rng)


def _throat(
    on: tuple[int, np.random.Generator],
    contour: tuple[tuple[float, float], ...],
    modes: Mapping[float, tuple[float, float]],
    breath: float,
    rate_per_s: float,
) -> Signal:
    """A call with pitch contour (s, Hz) and formants, repeated `on` a ring (n, rng)."""
    n, rng = on
    seconds = contour[-1][0]
    u = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    f0 = np.interp(u, [c[0] for c in contour], [c[1] for c in contour]) * rng.uniform(0.9, 1.1)
    e = np.minimum(1, u / 0.06) * np.minimum(1, (seconds - u) / 0.15)
    source = (unit(_voiced(f0, rng, 0.03)) + breath * rng.standard_normal(u.size)) * e
    return echo(_calls(n, rng, _formants(source, modes), rate_per_s), 0.6, 0.25, rng)


def cat(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Meows: a vowel that opens and closes on a rising and falling pitch."""
    s = 1.3 - 0.5 * mood.size
    contour = ((0.0, 420 * s), (0.2, 620 * s), (0.5, 560 * s), (0.8, 400 * s))
    return _throat((n, rng), contour, {900 * s: (150, 1.0), 1700 * s: (200, 0.8), 3200: (350, 0.3)}, 0.05, 0.25)


def rooster(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """The four-part crow."""
    base = rng.uniform(480, 640)
    parts = ((0.0, 0.8), (0.16, 1.05), (0.3, 1.15), (0.48, 1.1), (0.65, 1.45), (1.2, 1.4), (1.7, 1.1), (1.95, 0.8))
    u = np.arange(int(1.95 * RATE_HZ)) / RATE_HZ
    f0 = base * np.interp(u, [p[0] for p in parts], [p[1] for p in parts]) * (1 + 0.01 * np.sin(2 * np.pi * 11 * u))
    gaps = np.interp(
        u,
        [0, 0.03, 0.15, 0.18, 0.22, 0.36, 0.42, 0.5, 0.6, 0.75, 1.3, 1.95],
        [0, 0.6, 0.5, 0.08, 0.6, 0.1, 0.7, 0.15, 0.8, 1, 0.9, 0],
    )
    partials = tuple(float(np.exp(-0.5 * (np.log2(h * base * 1.2 / 1150) / 0.6) ** 2) + 0.01) for h in range(1, 14))
    crow = gaps * (_tone(f0, partials) + 0.08 * rng.standard_normal(u.size))
    return echo(
        _calls(n, rng, crow, 0.05 + 0.15 * mood.activity), rng.uniform(0.5, 1.2), 0.3, rng
    ) + 1e-4 * _outdoor_bed(n, rng)


def cattle(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Lowing."""
    s = 1.2 - 0.4 * mood.size
    contour = ((0.0, 110 * s), (0.3, 150 * s), (1.2, 160 * s), (1.8, 120 * s))
    return _throat((n, rng), contour, {320 * s: (90, 1.0), 800 * s: (140, 0.6), 2300: (300, 0.15)}, 0.08, 0.15)


def sheep(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Bleats with their shaking voice."""
    s = 1.3 - 0.5 * mood.size
    u = np.arange(int(0.9 * RATE_HZ)) / RATE_HZ
    f0 = 260 * s * (1 + 0.06 * np.sin(2 * np.pi * 8 * u))
    e = (0.6 + 0.4 * np.sin(2 * np.pi * 8 * u)) * np.minimum(1, u / 0.05) * np.minimum(1, (0.9 - u) / 0.1)
    bleat = _formants(unit(_voiced(f0, rng, 0.03)) * e, {700 * s: (120, 1.0), 1500 * s: (180, 0.7), 2800: (300, 0.3)})
    return echo(_calls(n, rng, bleat, 0.2 + 0.6 * mood.activity), 0.6, 0.25, rng) + 1e-4 * _outdoor_bed(n, rng)


def seagull(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Falling cries, several in a row."""
    s = rng.uniform(0.9, 1.15) * (1.2 - 0.4 * mood.size)
    contour = ((0.0, 900 * s), (0.08, 1500 * s), (0.25, 1250 * s), (0.45, 900 * s))
    rate = 0.5 + 1.2 * mood.activity
    return _throat((n, rng), contour, {1400 * s: (250, 1.0), 2700 * s: (350, 0.7), 4200: (600, 0.3)}, 0.05, rate)


_VOWELS = (
    (730, 1090, 2440),
    (270, 2290, 3010),
    (300, 870, 2240),
    (530, 1840, 2480),
    (570, 840, 2410),
    (640, 1190, 2390),
)
"""First three formants of American English vowels, Hz (Peterson and Barney 1952)."""


def _talker(n: int, rng: np.random.Generator) -> Signal:
    f0 = float(rng.choice([rng.uniform(95, 140), rng.uniform(170, 240)]))
    pitch = f0 * np.exp(0.12 * control(n, rng, 1, 0.3, 4))
    glottis = unit(_voiced(pitch, rng, 0.015)) + 0.04 * rng.standard_normal(n)
    weights = np.abs(np.stack([control(n, rng, 0, 1, 5) for _ in range(3)])) ** 2
    weights /= weights.sum(0)
    x = np.zeros(n)
    for w in weights:
        F = np.array(_VOWELS[int(rng.integers(len(_VOWELS)))]) * rng.uniform(0.95, 1.12) * (1.1 if f0 > 150 else 1.0)
        x += w * resonate(glottis, {float(F[0]): (90, 1.0), float(F[1]): (110, 0.5), float(F[2]): (170, 0.25)})
    talking = np.clip(2 * control(n, rng, 1, 0.1, 0.8) + 0.3, 0, 1)
    syllables = np.clip(0.5 + 1.1 * control(n, rng, 0, 2, 5.5), 0, 1.6)
    hiss = band_pass(rng.standard_normal(n), 3000, 7500) * np.clip(control(n, rng, 0, 2, 8) - 1, 0, 3)
    return (unit(x) * syllables + 0.1 * hiss) * talking


def crowd(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """A murmur of many talkers in a room."""
    y = sum((nearness(1, rng, 1, 5)[0] * _talker(n, rng) for _ in range(6 + int(6 * mood.activity))), np.zeros(n))
    y = echo(low_pass(y, 3500, 1), rng.uniform(0.5, 1.0), 0.9, rng, 2500)
    return unit(y) + 0.4 * noise(n, {40: 4, 120: 0, 300: -8, 1000: -24, 20000: -44}, rng)


def voices(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """One or two people talking, not to be understood."""
    y = sum((_talker(n, rng) for _ in range(1 + (mood.activity > 0.5))), np.zeros(n))
    return echo(low_pass(y, 6000 - 3500 * mood.distance, 1), 0.4, 0.15 + 0.4 * mood.distance, rng)


def footsteps(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Heel, then toe, with grit; a whole number of steps goes round the ring."""
    y = np.zeros(n)
    count = max(2, round(n / RATE_HZ / rng.uniform(0.48, 0.62)))
    grit = rng.uniform(300, 900)
    for k in range(count):
        at = (k + rng.normal(0, 0.02)) * n / RATE_HZ / count
        for late, level, low, high, spread in (
            (0.0, 1.0, 60, 400, 0.03), (0.0, 0.6, 300, 2500, 0.02), (rng.uniform(0.10, 0.14), 0.5, grit, 5000, 0.05),
        ):  # fmt: skip
            t = np.mod(at + late + rng.exponential(spread, 40), n / RATE_HZ)
            y += level * clicks(t, rng.uniform(low, high, 40), np.full(40, 0.003), rng.random(40), 0.7, (n, rng))
    return echo(low_pass(y, 9000 - 5000 * mood.distance, 1), 0.4, 0.15, rng) + 1e-3 * unit(
        high_pass(rng.standard_normal(n), 60)
    )
