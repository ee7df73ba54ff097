"""Engines, machines, bells, rooms and cities: what people made."""

import numpy as np

from sonoworld.sound.events import clicks, times
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
    phase,
    place,
    resonate,
    unit,
)
from sonoworld.sound.voices.life import crowd

SPEED_OF_SOUND = 343.0


def _harmonics(turns: Signal, count: int, slope: float, rng: np.random.Generator) -> Signal:
    """Harmonics falling as h^−slope, each with its own phase."""
    parts = (np.sin(h * turns + rng.uniform(0, 6)) / h**slope for h in range(1, count + 1))
    return unit(sum(parts, np.zeros(turns.size)))


def _engine(n: int, rng: np.random.Generator, firing_hz: float, drift: float) -> Signal:
    """A combustion engine: firing harmonics that wander, exhaust resonances, mechanical noise in step."""
    turns = 2 * np.pi * phase(firing_hz * np.exp(drift * control(n, rng, 1, 0.1, 1)))
    half = _harmonics(turns / 2 if phase_whole(turns) else turns, 14, 0.9, rng)
    body = 0.8 * _harmonics(turns, 24, 0.8, rng) + 0.4 * half
    body = resonate(
        body, {rng.uniform(80, 160): (60, 1.0), rng.uniform(250, 500): (160, 0.7), rng.uniform(900, 1600): (500, 0.3)}
    )
    rattle = noise(n, {100: -10, 500: -2, 1500: 0, 4000: -8, 12000: -24}, rng) * (1 + 0.6 * np.sin(turns))
    return unit(body) + 0.22 * rattle


def phase_whole(turns: Signal) -> bool:
    """Whether half of these turns still closes on the ring: an even number of cycles."""
    return round(float(turns[-1]) / (2 * np.pi)) % 2 == 0


def engine(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """An idling bus or truck."""
    y = _engine(n, rng, rng.uniform(22, 34) * (1.4 - 0.6 * mood.size) * (0.8 + 0.6 * mood.strength), 0.02)
    return low_pass(y, 7000 - 4500 * mood.distance, 1)


def boat_engine(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """A slow marine engine over wash."""
    wash = noise(n, {60: -3, 200: 0, 800: -4, 3000: -10, 10000: -24}, rng) * np.exp(0.2 * control(n, rng, 1, 0.2, 4))
    return _engine(n, rng, rng.uniform(12, 22) * (1.3 - 0.5 * mood.size), 0.02) + 0.5 * wash


def car_pass(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Cars going by: tyre band and engine, level as 1/r, Doppler; each pass wraps round the ring."""
    y = 0.02 * noise(n, {40: 0, 120: -3, 500: -12, 2000: -24, 10000: -44}, rng)
    seconds = n / RATE_HZ
    count = 1 + int(2 * mood.activity)
    for k in range(count):
        nearest, v = rng.uniform(4, 8 + 20 * mood.distance), rng.uniform(7, 13 + 8 * mood.strength)
        u = np.mod(np.arange(n) / RATE_HZ - (k + rng.uniform(0.2, 0.8)) * seconds / count + seconds / 2, seconds)
        along = v * (u - seconds / 2)
        r = np.hypot(nearest, along)
        gain = (nearest / r) ** 1.3
        gain *= np.minimum(1, np.minimum(u, seconds - u) / 0.5)  # nothing is left of it where the ring closes
        doppler = SPEED_OF_SOUND / (SPEED_OF_SOUND + v * along / r)
        turns = 2 * np.pi * np.cumsum(rng.uniform(28, 50) * doppler) / RATE_HZ
        tyres = noise(n, {80: -10, 300: -5, 900: 0, 1800: -6, 5000: -20, 20000: -42}, rng)
        y += gain * (0.5 * tyres + 0.3 * _harmonics(turns, 16, 0.8, rng))
    return y


def traffic(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """A street: many cars far and near, engines, tyres, a low rumble."""
    bed = noise(n, {30: -4, 60: 2, 120: 2, 250: -2, 600: -5, 1000: -6, 2000: -14, 4000: -26, 10000: -44}, rng)
    y = bed * np.exp((0.1 + 0.15 * rng.random()) * control(n, rng, 1, 0.05, 1.5))
    for _ in range(2):
        y += (0.5 + 0.5 * mood.activity) * 0.6 * car_pass(n, rng, mood) / 0.35
    idle = _engine(n, rng, rng.uniform(24, 40), 0.04)
    return low_pass(
        y + 0.15 * idle * np.clip(0.6 + 0.5 * control(n, rng, 1, 0.1, 0.6), 0, 2), 9000 - 6000 * mood.distance, 1
    )


def train(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Rolling rumble and the joints: two bogies of two axles over rails of equal length."""
    rumble = noise(n, {30: 0, 60: 2, 150: -2, 400: -9, 1000: -15, 2500: -22, 6000: -34, 20000: -52}, rng)
    seconds = n / RATE_HZ
    joints = max(1, round(seconds * rng.uniform(9, 18) * (0.7 + 0.6 * mood.strength) / 25.0))
    speed = joints * 25.0 / seconds
    t = np.mod(np.add.outer(np.arange(joints) * 25.0, [0.0, 2.5, 17.0, 19.5]).ravel() / speed, seconds)
    y = np.zeros(n)
    for f, decay, g in (
        (70, 18, 1.3),
        (140, 24, 1.0),
        (310, 35, 0.7),
        (620, 60, 0.45),
        (1350, 110, 0.25),
        (2700, 160, 0.1),
    ):
        tone = np.full(t.size, f * rng.uniform(0.9, 1.1))
        y += clicks(t, tone, np.full(t.size, 1 / decay), g * rng.uniform(0.7, 1.1, t.size), 0.25, (n, rng))
    return rumble * np.exp(0.1 * control(n, rng, 1, 0.1, 5)) + 0.6 * unit(
        low_pass(echo(y, 0.5, 0.5, rng, 1500), 4000, 1)
    )


def bicycle(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """A freewheel's ticking over tyres on a path."""
    rate = rng.uniform(14, 26) * (0.7 + 0.6 * mood.strength)
    count = max(4, round(n / RATE_HZ * rate))
    t = np.mod((np.arange(count) + rng.normal(0, 0.03, count)) * n / RATE_HZ / count, n / RATE_HZ)
    ticks = clicks(t, rng.normal(5200, 300, count), np.full(count, 0.0012), rng.uniform(0.6, 1, count), 0.4, (n, rng))
    tyres = noise(n, {100: -8, 400: -2, 1200: 0, 4000: -6, 10000: -20}, rng) * np.exp(
        0.2 * control(n, rng, 0.5, 0.5, 8)
    )
    return unit(resonate(ticks, {3100: (300, 1.0), 5600: (500, 1.0)})) + 0.6 * tyres


def aircraft(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """A jet far above: roar that swells and shifts, with a whine."""
    roar = noise(n, {30: -2, 80: 0, 250: -2, 700: -7, 1800: -16, 5000: -32, 12000: -50}, rng)
    turns = 2 * np.pi * phase(rng.uniform(600, 1400) * np.exp(0.01 * control(n, rng, 1, 0.05, 0.5)))
    return roar * np.exp(0.25 * control(n, rng, 1.5, 0.05, 1)) + 0.06 * (0.3 + mood.strength) * np.sin(turns)


def helicopter(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Blade slap, tail rotor, gears, each band with its own slow gain."""
    cycles = phase(rng.uniform(11, 24) * np.exp(0.01 * control(n, rng, 1, 0.1, 2)))
    slap = np.exp(-(((cycles % 1.0 - 0.5) / rng.uniform(0.06, 0.14)) ** 2))
    pulse = unit(low_pass(-np.gradient(slap), 250))
    wash = noise(n, {30: -2, 80: 0, 300: -4, 700: -9, 1500: -16, 3000: -26, 6000: -39, 20000: -64}, rng)
    y = rng.uniform(0.3, 0.8) * pulse * np.exp(0.3 * control(n, rng, 1, 0.1, 1.5))
    y += wash * (0.6 + rng.uniform(0.3, 1.2) * slap) * np.exp(0.3 * control(n, rng, 1, 0.1, 2))
    tail = 2 * np.pi * cycles * round(rng.uniform(4.2, 5.8))
    y += 0.15 * _harmonics(tail, 11, 1.0, rng) * np.exp(0.3 * control(n, rng, 1, 0.1, 1.5))
    for f in np.exp(rng.uniform(np.log(350), np.log(1600), 3)):
        y += 0.1 * np.sin(2 * np.pi * phase(f * np.exp(0.004 * control(n, rng, 1, 0.1, 3))))
    return low_pass(y, 8000 - 5000 * mood.distance, 1)


def siren(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """A two-tone or wailing siren, echoed by the street."""
    sweeps = max(1, round(n / RATE_HZ * rng.uniform(0.2, 0.5) * (0.7 + 0.6 * mood.strength)))
    u = np.arange(n) / n * sweeps
    f = 900 * np.exp(0.45 * np.sin(2 * np.pi * u)) if rng.random() < 0.5 else np.where(u % 1 < 0.5, 660.0, 880.0)
    y = np.tanh(2 * _harmonics(2 * np.pi * phase(f), 6, 1.2, rng))
    return echo(band_pass(y, 300, 4000, 1), 1.2, 0.3 + 0.5 * mood.distance, rng, 3000)


def chainsaw(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """A two-stroke at changing throttle."""
    throttle = np.clip(0.5 + 0.9 * control(n, rng, 1, 0.1, 0.8) + 0.4 * (mood.strength - 0.5), 0, 1)
    cycles = phase((45 + rng.uniform(60, 100) * throttle) * (1 + 0.02 * control(n, rng, 0.5, 0.5, 25)))
    pulses = np.diff(np.floor(cycles), prepend=0.0) * (1 + 0.25 * rng.standard_normal(n))
    f = (rng.uniform(160, 260), rng.uniform(450, 700), rng.uniform(1000, 1500), rng.uniform(2300, 3200))
    y = unit(resonate(pulses, dict(zip(f, ((120, 0.5), (250, 1.0), (500, 1.0), (900, 0.8)), strict=True))))
    chain = noise(n, {200: -12, 800: -2, 2000: 0, 5000: -4, 10000: -12, 20000: -24}, rng)
    return np.tanh(1.2 * y) * (0.25 + 0.75 * throttle) + 0.5 * chain * (0.4 + np.exp(-5 * (cycles % 1))) * (
        0.25 + throttle
    )


def hum(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """A machine's hum: mains harmonics with a beat, and a breath of noise."""
    turns = 2 * np.pi * phase(np.full(n, float(rng.choice([100.0, 120.0]))))
    beat = 1 + 0.15 * np.sin(2 * np.pi * np.arange(n) / n * max(1, round(n / RATE_HZ * 0.7)))
    y = _harmonics(turns, 8, 1.3 - 0.6 * mood.strength, rng) * beat
    return y + 0.4 * noise(n, {50: -6, 200: 0, 800: -8, 3000: -18, 10000: -34}, rng)


def fan(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """An air conditioner: rushing air, blade line with sidebands, a motor below."""
    air = noise(n, {40: -4, 120: 0, 400: -3, 1200: -8, 4000: -17, 12000: -32}, rng)
    blades = 2 * np.pi * phase(np.full(n, rng.uniform(90, 220) * (0.7 + 0.6 * mood.strength)))
    return (
        air * np.exp(0.04 * control(n, rng, 1, 0.2, 3))
        + 0.25 * _harmonics(blades, 4, 1.0, rng)
        + 0.15 * hum(n, rng, mood)
    )


def refrigerator(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """A compressor behind a door: low hum, a rattle, a gurgle now and then."""
    y = low_pass(hum(n, rng, mood), 700, 2)
    return unit(y) + 0.1 * noise(n, {60: 0, 300: -10, 1500: -26, 8000: -44}, rng)


def _struck(rng: np.random.Generator, modes: tuple[tuple[float, float, float], ...], seconds: float) -> Signal:
    """A struck body: (Hz, amplitude, T60 s) modes in slightly split pairs."""
    u = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    y = np.zeros(u.size)
    for f, a, t60 in modes:
        for split in (-0.0004, 0.0004):
            y += (
                0.5
                * a
                * np.exp(-6.9 * u / t60)
                * np.sin(2 * np.pi * f * (1 + split * rng.random() * 2) * u + rng.uniform(0, 6))
            )
    return y * np.minimum(1, (seconds - u) / 0.05)


BELL_PARTIALS = (
    (0.5, 0.5, 1.0), (1.0, 0.7, 0.75), (1.2, 0.8, 0.55), (1.5, 0.45, 0.45), (2.0, 1.0, 0.4), (2.5, 0.4, 0.3),
    (2.67, 0.35, 0.28), (3.01, 0.4, 0.22), (4.17, 0.35, 0.15), (5.43, 0.25, 0.1), (6.8, 0.18, 0.07),
)  # fmt: skip
"""Hum, prime, tierce, quint, nominal... of a church bell: ratio to the prime, amplitude, share of the decay time."""


def bell(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """A church bell, struck a whole number of times round the ring."""
    prime = rng.uniform(180, 420) * (1.3 - 0.6 * mood.size)
    decay = 6 * np.sqrt(300 / prime)
    stroke = _struck(rng, tuple((prime * r, a, decay * d) for r, a, d in BELL_PARTIALS), min(decay, n / RATE_HZ))
    y = np.zeros(n)
    count = max(1, round(n / RATE_HZ / rng.uniform(1.6, 3.2) * (0.5 + mood.activity)))
    for k in range(count):
        place(y, stroke, int((k + rng.normal(0, 0.01)) * n / count), rng.uniform(0.85, 1))
    return echo(low_pass(y, 9000 - 6000 * mood.distance, 1), 1.5, 0.2 + 0.3 * mood.distance, rng)


def clock(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Tick and tock: three impacts of the escapement, wheels and case ringing; whole periods round the ring."""
    period = float(rng.choice([0.2, 0.25, 0.33, 0.5, 0.5, 1.0])) * (0.8 + 0.4 * mood.size)
    count = 2 * max(1, round(n / RATE_HZ / period / 2))
    wheels = [
        (f, rng.uniform(0.2, 1) * (2000 / f) ** 0.4, 6.9 / (180 + 0.06 * f))
        for f in np.exp(rng.uniform(np.log(900), np.log(7500), 9))
    ]
    case = [(f, 0.5, 6.9 / 90) for f in rng.uniform(250, 900, 3)]
    y = np.zeros(n)
    strokes = [_struck(rng, tuple((f * q, a, t) for f, a, t in (*wheels, *case)), 0.12) for q in (1.0, 1.05)]
    for k in range(count):
        at = int((k + (0.03 if k % 2 else -0.03)) * n / count)
        for late, g in ((0.0, 0.35), (0.006, 1.0), (0.014, 0.6 if k % 2 else 0.4)):
            place(y, strokes[k % 2], at + int(late * RATE_HZ), g * rng.uniform(0.9, 1.1))
    return echo(y, 0.3, 0.12, rng)


def typewriter(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Keys in bursts, a type bar's clack each."""
    active = np.clip(control(n, rng, 1, 0.1, 0.8) + 0.5, 0, None)
    t = times(9 + 6 * mood.activity, n, rng, active)
    y = clicks(t, rng.normal(2600, 300, t.size), np.full(t.size, 0.006), rng.uniform(0.5, 1, t.size), 0.6, (n, rng))
    y += clicks(t, rng.normal(420, 60, t.size), np.full(t.size, 0.02), rng.uniform(0.3, 0.6, t.size), 0.3, (n, rng))
    return echo(y, 0.35, 0.2, rng) + 2e-3 * rng.standard_normal(n)


def kitchen(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Plates, cutlery, pans."""
    y = np.zeros(n)
    for t in times(1.5 + 2.5 * mood.activity, n, rng):
        f0 = rng.uniform(700, 3200)
        modes = tuple(
            (f0 * q, rng.uniform(0.2, 1), rng.uniform(0.05, 0.5))
            for q in (1.0, 1.63, 2.31, 2.95, 4.1)
            if f0 * q < 16000
        )
        place(y, _struck(rng, modes, 0.6), int(t * RATE_HZ), rng.exponential(0.6))
    return echo(y, 0.5, 0.25, rng) + 2e-3 * rng.standard_normal(n)


def television(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Talk and music through a small loudspeaker, in the next room."""
    music = music_box(n, rng, mood) * np.clip(control(n, rng, 1, 0.05, 0.3), 0, 1)
    return echo(
        band_pass(unit(crowd(n, rng, Mood(0.5, 0.5, 0.0, 0.5))) + 0.4 * unit(music), 200, 4500, 1), 0.5, 0.4, rng, 3000
    )


def music_box(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """A comb of steel bars (1 : 2.76 : 5.40) wandering over a pentatonic scale, as from an old record."""
    scale = 440 * 2 ** (np.array([0, 2, 4, 7, 9, 12, 14, 16]) / 12) * (1.5 - 0.7 * mood.size)
    y = np.zeros(n)
    count = max(4, round(n / RATE_HZ * rng.uniform(2.5, 4)))
    note = int(rng.integers(scale.size))
    for k in range(count):
        note = int(np.clip(note + rng.integers(-2, 3), 0, scale.size - 1))
        if rng.random() < 0.8:
            f = float(scale[note])
            place(
                y, _struck(rng, ((f, 1.0, 1.8), (2.76 * f, 0.3, 0.5), (5.40 * f, 0.1, 0.15)), 1.5), int(k * n / count)
            )
    t = times(12, n, rng)
    crackle = clicks(
        t, rng.uniform(1500, 6000, t.size), np.full(t.size, 0.0006), rng.exponential(0.2, t.size), 0.9, (n, rng)
    )
    return band_pass(echo(y, 0.6, 0.2, rng), 150, 9000, 1) + 0.2 * crackle * np.abs(y).max()


def fire(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """Lapping flames, hiss, crackles that drag others along, pops (after Farnell's three parts)."""
    lap = noise(n, {20: 2, 90: 0, 250: -8, 600: -18, 1500: -26, 20000: -50}, rng) * np.exp(
        0.35 * control(n, rng, 1, 0.3, 12)
    )
    hiss = unit(high_pass(rng.standard_normal(n), 1000) * np.maximum(0, control(n, rng, 0.5, 0.3, 6)) ** 3)
    first = times(40 + 180 * mood.activity, n, rng, np.exp(0.9 * control(n, rng, 1, 0.1, 4)))
    followers = [t + np.cumsum(rng.exponential(0.012, int(rng.integers(0, 7)))) for t in first]
    t = np.mod(np.concatenate([first, *followers]), n / RATE_HZ)
    f, decay = np.exp(rng.normal(np.log(3000), 0.5, t.size)), np.exp(rng.normal(np.log(0.0011), 0.6, t.size))
    c = clicks(t, f, np.minimum(decay, 0.01), np.exp(rng.normal(0, 1.0, t.size)), 0.75, (n, rng))
    c = unit(0.6 * band_pass(c, 1200, 9000, 1) + 0.5 * band_pass(c, 300, 1500, 1))
    p = times(1.2, n, rng)
    pops = clicks(
        p,
        rng.uniform(250, 900, p.size),
        rng.uniform(0.004, 0.012, p.size),
        np.exp(rng.normal(0, 0.5, p.size)),
        0.5,
        (n, rng),
    )
    return (0.6 + 0.8 * mood.strength) * lap + 0.03 * hiss + rng.uniform(0.25, 0.6) * c + 0.2 * unit(pops)


def thunder(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """N-waves from a tortuous channel, arriving as r/c, with far rain and wind (after Few; Ribner and Roy)."""
    seconds, k = n / RATE_HZ, 1500
    y = np.zeros(n)
    for event in range(2):
        ground = 400 + 1500 * mood.distance + rng.uniform(0, 600)
        xy = np.cumsum(rng.normal(0, 6, (k, 2)), 0)
        r = np.sqrt((ground + xy[:, 0]) ** 2 + xy[:, 1] ** 2 + np.linspace(0, 4000, k) ** 2)
        t = np.mod((r - r.min()) / SPEED_OF_SOUND + (event + rng.uniform(0.1, 0.5)) * seconds / 2, seconds)
        w = rng.exponential(1, k) / r / (1 + np.abs(np.gradient(r)) / 2)
        impulses = np.bincount((t * RATE_HZ).astype(int) % n, w, minlength=n)
        wave = np.zeros(n)
        length = int(rng.uniform(0.003, 0.007) * RATE_HZ)
        place(wave, np.linspace(1, -1, length), 0)
        y += low_pass(np.fft.irfft(np.fft.rfft(impulses) * np.fft.rfft(wave), n), 2.5e6 / ground**1.25, 1)
    y = unit(echo(y, 3.0, 1.0, rng, 700))
    rain = noise(n, {60: 0, 250: -3, 1000: -8, 3000: -13, 9000: -20, 20000: -32}, rng)
    return y + (0.01 + 0.03 * mood.strength) * rain


def room_tone(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """A quiet room: air, far pipes, a trace of mains."""
    air = noise(n, {25: 2, 60: 0, 150: -6, 400: -14, 1000: -22, 3000: -32, 10000: -44}, rng)
    return air * np.exp(0.05 * control(n, rng, 1, 0.05, 1)) + (0.05 + 0.1 * mood.strength) * hum(n, rng, mood)


def city(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
    """A city from a distance: low roar, far cars, clanks, a murmur."""
    bed = noise(n, {30: -2, 60: 4, 120: 2, 250: -4, 500: -9, 1000: -14, 2000: -24, 4000: -34, 10000: -46}, rng)
    y = bed * np.exp(0.15 * control(n, rng, 1, 0.1, 3)) + 0.5 * car_pass(n, rng, Mood(0.5, 0.8, mood.activity, 0.5))
    t = times(2 + 6 * mood.activity, n, rng)
    f = np.exp(rng.uniform(np.log(150), np.log(6000), t.size))
    clanks = clicks(
        t, f, rng.uniform(0.005, 0.04, t.size), 0.25 * np.exp(rng.normal(-0.7, 0.9, t.size)), 0.35, (n, rng)
    )
    return y + 0.3 * echo(clanks, 1.2, 0.5, rng, 2000)
