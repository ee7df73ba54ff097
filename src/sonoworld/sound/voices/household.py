"""Things in and around houses that ring, tick and clatter: clocks, bells, music boxes, gramophones, dishes, keys."""

import numpy as np
from jaxtyping import Float64

from sonoworld.sound.grains import Grains, scatter, spread_log, struck
from sonoworld.sound.manner import Manner
from sonoworld.sound.modulation import Times, cycles, drift, poisson, spaced, thinned
from sonoworld.sound.noise import RATE_HZ, Wave, shaped, tilt, unit, white
from sonoworld.sound.resonance import band, lowpass, resonant, room
from sonoworld.sound.unsteady import loosened
from sonoworld.sound.voices.people import talker

Modal = Float64[np.ndarray, "q 3"]

BELL_PARTIALS = (0.5, 1.0, 1.2, 1.5, 2.0, 2.5, 2.67, 3.01, 4.17, 5.43, 6.8)
"""Hum, prime, tierce, quint, nominal and above, over the strike note (a minor-third bell)."""
BELL_GAINS = (0.5, 0.7, 0.8, 0.45, 1.0, 0.4, 0.35, 0.4, 0.35, 0.25, 0.18)
BELL_LASTING = (1.0, 0.75, 0.55, 0.45, 0.4, 0.3, 0.28, 0.22, 0.15, 0.1, 0.07)
BAR_PARTIALS = (1.0, 2.756, 5.404)
"""Modes of a free bar (Rayleigh, Theory of Sound, sec. 171)."""
SCALE = (0, 2, 4, 7, 9, 12, 14, 16)


def bell_modes(strike_hz: float, rng: np.random.Generator) -> Modal:
    """Rows (Hz, decay 1/s, gain) of a bell; every partial a pair a hair apart, which makes it beat."""
    last_s = 6 * np.sqrt(300 / strike_hz) * np.array(BELL_LASTING)
    gains = np.array(BELL_GAINS) * rng.uniform(0.7, 1.3, len(BELL_GAINS))
    split = rng.uniform(0, 0.0008, len(BELL_GAINS))
    pair = [np.stack([strike_hz * np.array(BELL_PARTIALS) * (1 + s * split), 6.9 / last_s, gains], 1) for s in (-1, 1)]
    return np.concatenate(pair)


def church_bell(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """One or more bells swung in a tower, the clapper never twice alike."""
    out = np.zeros(n)
    period = rng.uniform(1.6, 3.2) * 1.3**-manner.strength
    for _ in range(max(1, round(rng.integers(1, 3) * manner.busier**0.7))):
        strike = rng.uniform(190, 480) / manner.larger
        times = spaced(period * rng.uniform(0.9, 1.15), 0.012, n, rng)
        out += struck(n, times, rng.uniform(0.8, 1.1, times.size), bell_modes(strike, rng), rng)
    return room(lowpass(out, 6000.0), 1.5, 0.25, rng)


def clock_tick(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """An escapement: three impacts a tick through wheel and case modes; tick and tock not quite alike."""
    period = float(rng.choice([0.2, 0.25, 0.4, 0.5, 0.75, 1.0, 1.0])) * rng.uniform(0.96, 1.04) * manner.larger**0.7
    pairs = spaced(2 * period, 0.004, n, rng)
    wheel = spread_log(900 / manner.larger, 7500 / manner.larger, 9, rng)
    case = rng.uniform(220, 900, 3) / manner.larger
    hz = np.concatenate([wheel, case])
    decay = np.concatenate([180 + 0.06 * wheel, np.full(3, 90.0)])
    gain = np.concatenate(
        [rng.uniform(0.2, 1, 9) * (2000 / wheel) ** rng.uniform(0, 0.6), np.full(3, rng.uniform(0.2, 0.8))]
    )
    out = np.zeros(n)
    tock, uneven = rng.uniform(0.25, 1.0), rng.uniform(0.1, 0.4)
    for late, pitch, loud in ((0.0, 1.0, 1.0), (period * rng.uniform(0.95, 1.05), rng.uniform(0.85, 1.15), tock)):
        modes = np.stack([hz * pitch, decay, gain], 1)
        each = loud * np.exp(rng.normal(0, uneven, pairs.size))
        for dt, force in (
            (0.0, 0.35),
            (rng.normal(0.006, 0.0006), 1.0),
            (rng.normal(0.014, 0.001), rng.uniform(0.3, 0.7)),
        ):
            out += struck(n, pairs + late + dt, force * each, modes, rng)
    quiet = shaped(n, tilt({40: 4, 150: 0, 500: -6, 3000: -16, 20000: -26}, rng.uniform(-2, 1.5)), rng)
    quiet = loosened(quiet, rng.uniform(0.1, 0.5), 0.3, 6, rng)
    heard = loosened(
        room(out, rng.uniform(0.25, 0.9), spread_log(0.15, 1.1, 1, rng)[0], rng), rng.uniform(0.1, 0.6), 0.2, 5, rng
    )
    return unit(heard) + spread_log(0.006, 0.6, 1, rng)[0] * quiet


def melody(n: int, note_s: float, base_hz: float, rng: np.random.Generator) -> tuple[Times, Times]:
    """Times and pitches of a tune that wanders up and down a pentatonic scale, with rests."""
    times = spaced(note_s, 0.01, n, rng)
    times.sort()
    walk = np.abs(np.mod(np.cumsum(rng.integers(-2, 3, times.size)) + 3, 14) - 7)  # reflected at both ends
    played = rng.random(times.size) < 0.8
    hz = base_hz * 2 ** (np.array(SCALE)[np.minimum(walk, 7).astype(int)] / 12)
    return times[played], hz[played]


def plucked(n: int, times: Times, hz: Times, lasting_s: float, rng: np.random.Generator) -> Wave:
    """Bars struck or plucked at times with pitches."""
    out = np.zeros(n)
    for ratio, gain in zip(BAR_PARTIALS, (1.0, 0.35, 0.12), strict=True):
        k = times.size
        decay = np.full(k, 6.9 / lasting_s * ratio**0.8)
        out += scatter(n, Grains(times, hz * ratio, decay, gain * rng.uniform(0.6, 1, k), attack_s=0.001), rng)
    return out


def music_box(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """A comb of steel teeth, two parts, the click of each pin."""
    note = rng.uniform(0.22, 0.4) * 1.3**-manner.strength
    base = rng.uniform(700, 1200) / manner.larger
    times, hz = melody(n, note, base, rng)
    low_times, low_hz = melody(n, 2 * note, base / 2, rng)
    tune = plucked(n, times, hz, 1.6, rng) + 0.5 * plucked(n, low_times, low_hz, 2.0, rng)
    clicks = Grains(times, np.full(times.size, 4500.0), np.full(times.size, 900.0), np.ones(times.size), noise=0.7)
    box = tuple((float(f), 0.2 * float(f), 0.4) for f in rng.uniform(300, 1500, 3))
    return unit(room(resonant(tune + 0.05 * scatter(n, clicks, rng), box, direct=1.0), 0.5, 0.15, rng))


def gramophone(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """An old record: a small tune through a horn, wow of the turntable, crackle once a turn and between."""
    turn_hz = float(rng.choice([0.55, 1.3]))  # 33 and 78 turns a minute
    tune = np.zeros(n)
    for octave, gain in ((1.0, 1.0), (0.5, 0.8), (1.5, 0.4)):
        times, hz = melody(n, rng.uniform(0.3, 0.5) * 1.2**-manner.strength, rng.uniform(290, 330) * octave, rng)
        tune += gain * plucked(n, times, hz, 0.9, rng)
    tune = _wow(tune, turn_hz, rng.uniform(0.0006, 0.002))
    horn = ((500.0, 300.0, 0.8), (1100.0, 500.0, 1.0), (2300.0, 900.0, 0.6))
    crackles = poisson(rng.uniform(8, 40), n, rng)
    scratch = spaced(1 / turn_hz, 0.0, n, rng)
    times = np.concatenate([crackles, scratch])
    k = times.size
    ticks = scatter(
        n, Grains(times, rng.uniform(1500, 6000, k), np.full(k, 1500.0), rng.exponential(1, k), noise=0.8), rng
    )
    hiss = shaped(n, {200: -10, 1000: 0, 4000: -3, 9000: -20}, rng)
    return unit(resonant(band(tune, 250, 4000), horn, direct=0.3)) + 0.1 * unit(ticks) + rng.uniform(0.02, 0.08) * hiss


def _wow(wave: Wave, hz: float, depth_s: float) -> Wave:
    """Time bent back and forth, a whole number of times around the loop."""
    n = wave.size
    bent = np.arange(n) + depth_s * RATE_HZ * np.sin(2 * np.pi * cycles(np.full(n, hz)))
    return np.interp(bent, np.arange(n), wave, period=n)


def typewriter(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Keys in bursts: a clack of the type bar through the frame."""
    typing = (drift(n, rng, 1, 0.1, 0.8) > -0.5 - 0.8 * manner.density).astype(np.float64)
    times = thinned(spaced(rng.uniform(0.1, 0.22) * 1.3**-manner.strength, 0.25, n, rng), typing, rng)
    hz = spread_log(300, 7000, 10, rng)
    modes = np.stack([hz, 60 + 0.05 * hz, rng.uniform(0.3, 1, 10)], 1)
    body = struck(n, times, rng.uniform(0.6, 1, times.size), modes, rng)
    body += 0.4 * struck(n, times - 0.03, rng.uniform(0.3, 1, times.size), modes, rng)
    return unit(room(body, 0.3, 0.15, rng)) + 0.003 * white(n, rng)


def kitchen_clatter(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Dishes, pots and cutlery, set down and knocked together in small bouts."""
    out = np.zeros(n)
    active = np.clip(0.4 + 0.6 * drift(n, rng, 1, 0.1, 1.5), 0, 1)
    for low, lasting_s in ((300, 0.25), (900, 0.12), (1800, 0.2), (2500, 0.08)):
        times = thinned(poisson(3 * manner.busier, n, rng), active, rng)
        hz = low * np.array([1, 1.6, 2.3, 3.1, 4.4]) * rng.uniform(0.9, 1.3, 5)
        modes = np.stack([hz, 6.9 / lasting_s * rng.uniform(0.7, 2, 5), rng.uniform(0.2, 1, 5)], 1)
        out += struck(n, times, rng.exponential(0.5, times.size), modes, rng)
    return unit(room(out, 0.5, 0.2, rng)) + 0.01 * shaped(n, {50: 0, 400: -8, 3000: -22}, rng)


def television_murmur(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Someone speaking on a television in a room, music under it."""
    talk = unit(talker(n, 0.1, rng)) + 0.5 * unit(talker(n, 0.6, rng))
    times, hz = melody(n, rng.uniform(0.3, 0.6), rng.uniform(200, 330), rng)
    speaker = band(talk + rng.uniform(0.1, 0.5) * unit(plucked(n, times, hz, 0.8, rng)), 180, 4500)
    return unit(room(speaker, 0.4, 0.3, rng)) + 0.02 * shaped(n, {60: 0, 300: -8, 3000: -24}, rng)
