"""Vehicles: cars passing, engines, bicycles, trains, boats, aircraft, horns and sirens.

Letters: h order of a harmonic; d nearest distance, m; v speed, m/s; c speed of sound, m/s.
"""

import numpy as np

from sonoworld.sound.grains import spread_log, struck
from sonoworld.sound.manner import Manner
from sonoworld.sound.modulation import around, cycles, drift, poisson, pulses, spaced, tone
from sonoworld.sound.noise import RATE_HZ, Wave, shaped, tilt, unit, white
from sonoworld.sound.resonance import comb, highpass, lowpass, resonant, room
from sonoworld.sound.unsteady import loosened
from sonoworld.sound.voices.sea import lapping

C_M_S = 343.0


def passing(n: int, nearest_m: float, speed_m_s: float, rng: np.random.Generator) -> Wave:
    """One car going by on a straight line: tyres and engine over 1/distance, pitch falling as it passes.

    Amplitude is that of a source of RMS 1 at 1 m, so about 1/`nearest_m` at its loudest.
    """
    after = around(n, rng.random() * n / RATE_HZ)
    distance = np.sqrt(nearest_m**2 + (speed_m_s * after) ** 2)
    receding = speed_m_s**2 * after / distance
    doppler = C_M_S / (C_M_S + receding)
    tyres = {80: -10, 300: -5, 900: 0, 1800: -7, 5000: -20, 20000: -42}
    tyre = shaped(n, tilt(tyres, rng.uniform(-1, 1)), rng)
    partials = tuple(float(a) * h**-0.7 for h, a in enumerate(rng.uniform(0.3, 1, 15), 1))
    engine = unit(tone(cycles(rng.uniform(25, 60) * doppler), partials))
    fade = np.cos(np.pi * np.clip(after / (n / RATE_HZ), -0.5, 0.5)) ** 2  # out of hearing where the loop closes
    return fade / distance * (tyre + rng.uniform(0.2, 0.9) * engine)


def car_pass(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Single cars, one or a few in a loop, and little else."""
    out = 0.004 * shaped(n, {40: 4, 150: 0, 500: -8, 1200: -14, 4000: -30}, rng)
    for _ in range(max(1, round(rng.integers(1, 3) * manner.busier**0.6))):
        out += passing(n, rng.uniform(3, 8), rng.uniform(7, 15) * 1.4**manner.strength, rng)
    return out


def combustion(n: int, firing_hz: Wave, rough: float, rng: np.random.Generator) -> Wave:
    """An engine's exhaust: one blow-down per firing, uneven from cycle to cycle, through a pipe; RMS 1."""
    phase = cycles(firing_hz)
    uneven = 1 + rough * white(n, rng)
    cylinder = 1 + 0.25 * np.cos(np.pi * np.floor(phase + 0.5)) * rng.random()
    blow = lowpass(pulses(phase) * uneven * cylinder, 150.0 + 3 * float(firing_hz.mean()))
    piped = comb(blow, rng.uniform(0.0015, 0.006), rng.uniform(0.3, 0.6))
    modes = tuple(
        (float(hz), 0.4 * float(hz), float(g))
        for hz, g in zip(spread_log(90, 1600, 5, rng), rng.uniform(0.3, 1, 5), strict=True)
    )
    return unit(resonant(piped, modes, direct=0.3))


def bus_engine(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """A heavy diesel standing or pulling: slow firing, knock in the middle band, fan and gears."""
    hz = rng.uniform(28, 48) * 1.5**manner.strength / manner.larger**0.5 * np.exp(0.04 * drift(n, rng, 1, 0.1, 1.5))
    exhaust = combustion(n, hz, 0.3, rng)
    gate = np.exp(-4 * np.mod(cycles(hz), 1))
    knock = shaped(n, {300: -12, 900: -2, 2000: 0, 4500: -6, 12000: -24}, rng) * gate
    fan = shaped(n, {60: -3, 200: 0, 900: -8, 4000: -24}, rng)
    return exhaust + rng.uniform(0.15, 0.45) * unit(knock) + rng.uniform(0.1, 0.4) * fan


def motorcycle(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """A motorcycle idling and blipping its throttle."""
    throttle = np.clip(0.4 + 0.35 * manner.strength + 0.6 * drift(n, rng, 1.5, 0.1, 1), 0, 1.6)
    hz = (rng.uniform(26, 42) + rng.uniform(40, 90) * throttle) * (1 + 0.015 * drift(n, rng, 0, 1, 25))
    rasp = shaped(n, {300: -12, 1200: 0, 4000: -6, 12000: -20}, rng) * np.exp(-5 * np.mod(cycles(hz), 1))
    return np.tanh(combustion(n, hz, 0.25, rng) * (0.6 + 0.8 * throttle)) + 0.3 * rasp * (0.3 + throttle)


def boat_engine(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """A small diesel in a wooden or steel hull, and the water it pushes aside, splashing along the planks."""
    hz = rng.uniform(14, 34) * 1.6**manner.strength * np.exp(0.03 * drift(n, rng, 1, 0.1, 2))
    hull = tuple((float(f), 0.15 * float(f), 1.0) for f in rng.uniform(70, 420, 4))
    engine = unit(resonant(combustion(n, hz, 0.35, rng), hull, direct=0.4))
    return hull_water(n, manner, rng) + rng.uniform(0.25, 0.6) * engine


def boat(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """A boat under sail, at oars or at its mooring: water along the hull, the timber knocking now and then."""
    times = poisson(rng.uniform(0.15, 0.6), n, rng)
    timber = np.array([95.0, 180, 330, 560, 900]) * rng.uniform(0.8, 1.3, 5) / manner.larger
    modes = np.stack([timber, np.array([40, 55, 80, 120, 180.0]), np.array([1, 0.8, 0.6, 0.35, 0.2])], 1)
    knocks = lowpass(struck(n, times, rng.exponential(0.6, times.size), modes, rng), 2500.0)
    return hull_water(n, manner, rng) + rng.uniform(0.05, 0.2) * unit(knocks)


def hull_water(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Water along a hull: a broad wash that swells and splashes as the boat dips, bubbles in every splash."""
    swell = np.exp(rng.uniform(0.3, 0.55) * drift(n, rng, 1.6, 0.3, 1.6) + 0.15 * drift(n, rng, 0.5, 1.5, 10))
    curve = {40: 0, 80: 1, 200: -1, 400: -5, 800: -8, 1500: -11, 3000: -15, 6000: -19, 12000: -25, 20000: -36}
    wash = shaped(n, tilt(curve, rng.uniform(-0.8, 0.5)), rng) * swell
    splashes = unit(lapping(n, manner, rng))
    return unit(wash) + rng.uniform(0.3, 0.7) * splashes


def bicycle(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Freewheel clicks coming and going, tyres on the ground, chain."""
    speed = rng.uniform(0.8, 1.3) * 1.3**manner.strength
    clicks = pulses(cycles(np.full(n, rng.uniform(18, 34) * speed) * (1 + 0.04 * drift(n, rng, 1, 0.1, 1))))
    pawls = tuple((float(f), 0.1 * float(f), 1.0) for f in rng.uniform(1800, 7000, 4))
    coasting = np.clip(0.5 + 1.5 * drift(n, rng, 1, 0.1, 0.6), 0, 1)
    ratchet = unit(resonant(lowpass(clicks * coasting, 12000.0), pawls))
    tyre = shaped(n, {80: -8, 300: -2, 900: 0, 2500: -8, 8000: -22}, rng) * np.exp(0.2 * drift(n, rng, 0.7, 0.5, 12))
    chain = shaped(n, {800: -14, 3000: 0, 8000: -6}, rng) * (1 - coasting) * np.maximum(drift(n, rng, 0, 8, 30), 0)
    return rng.uniform(0.5, 1.0) * ratchet + tyre + 0.4 * unit(chain)


def train(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Wheels over joints: pairs of axles, two bogies a coach; rolling noise that swells with each."""
    speed = rng.uniform(9, 20) * 1.4**manner.strength
    axle_m, bogie_m = rng.uniform(1.9, 2.7), rng.uniform(11, 17)
    coaches = spaced(rng.uniform(22, 27) / speed, 0.004, n, rng)
    times = (coaches[:, None] + np.array([0, axle_m, bogie_m, bogie_m + axle_m]) / speed).reshape(-1)
    rail_hz = np.array([70, 140, 310, 620, 1350, 2700]) * rng.uniform(0.8, 1.25, 6)
    modes = np.stack([rail_hz, np.array([18, 24, 35, 60, 110, 160.0]), np.array([1.3, 1, 0.7, 0.45, 0.25, 0.1])], 1)
    clacks = unit(
        lowpass(room(struck(n, times, rng.uniform(0.6, 1.2, times.size), modes, rng), 0.5, 0.5, rng, 1500), 4000)
    )
    heard = np.maximum(lowpass(np.abs(clacks), 1.6, 2), 0)
    rolling = {
        30: -16,
        60: -11,
        120: -2,
        200: 0,
        300: -6,
        600: -16,
        1200: -21,
        2500: -27,
        6000: -38,
        12000: -47,
        20000: -56,
    }
    roar = shaped(n, tilt(rolling, rng.uniform(-1, 1)), rng) * np.exp(0.2 * drift(n, rng, 1, 0.1, 5))
    squeal = np.sin(2 * np.pi * cycles(np.full(n, rng.uniform(1500, 3500)))) * np.maximum(
        drift(n, rng, 1, 0.2, 2) - 1, 0
    )
    swell = (heard / heard.mean()) ** rng.uniform(0.3, 0.7) * np.exp(0.35 * drift(n, rng, 1, 0.3, 0.9))
    rough = np.exp(0.35 * drift(n, rng, 0.3, 4, 16))
    clack = rng.uniform(0.1, 0.35) * clacks * swell
    return roar * (0.1 + swell * rough) + clack + rng.uniform(0, 0.05) * squeal


def helicopter(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """Blade slap and tail rotor over broad noise that drifts on its own in every band, and the tones of the gears."""
    hz = rng.uniform(9, 25) / manner.larger**0.5
    gated = spread_log(0.12, 2.5, 1, rng)[0]  # from a steady roar in the cabin to the slap of one flying over
    phase = cycles(hz * (1 + 0.01 * drift(n, rng, 1, 0.1, 2)))
    slap = np.exp(-(((np.mod(phase, 1) - 0.5) / rng.uniform(0.06, 0.16)) ** 2))
    noise = np.zeros(n)
    for centre, db in ((60, -8), (130, -3), (300, 0), (700, -1), (1500, -6), (3500, -17), (9000, -30)):
        part = shaped(n, {centre / 3: -24, centre: 0, 3 * centre: -24, 24000: -55}, rng)
        lag = rng.random() if centre > 200 else 0.0  # other echoes, other parts of the blade
        beat = np.roll(slap, int(lag * RATE_HZ / hz))
        noise += 10 ** ((db + rng.uniform(-5, 5)) / 20) * unit(
            part * (1 + gated * rng.uniform(0.4, 1.6) * (1 if centre < 1000 else 2) * beat)
        )
    echoes = tuple((hz, 0.08 * hz, 0.9) for hz in spread_log(120, 4000, 14, rng))  # cabin and ground
    noise = loosened(resonant(noise, echoes, direct=rng.uniform(0.2, 0.7)), rng.uniform(0.03, 0.25), 0.3, 8, rng)
    thump = unit(highpass(lowpass(np.gradient(slap), 250.0), 60.0, 2))
    out = unit(noise) + spread_log(0.06, 0.6, 1, rng)[0] * thump * np.exp(0.3 * drift(n, rng, 1, 0.1, 3))
    tail = tone(phase * round(rng.uniform(4, 6)), tuple(1 / h**0.7 for h in range(1, 16)))
    out += rng.uniform(0.05, 0.5) * unit(tail) * np.exp(0.3 * drift(n, rng, 0.5, 0.3, 6))
    for gear in spread_log(350, 2600, int(rng.integers(2, 7)), rng):
        mesh = np.sin(2 * np.pi * cycles(gear * (1 + 0.004 * drift(n, rng, 1, 0.1, 3))))
        out += rng.uniform(0.05, 0.4) * (gear / 400) ** -0.8 * mesh * np.exp(0.4 * drift(n, rng, 0.6, 0.3, 6))
    return out * np.exp(spread_log(0.03, 0.3, 1, rng)[0] * drift(n, rng, 1.5, 0.1, 1.5))


def aircraft(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """A jet overhead: jet noise whose highs come and go through the air, the whine of its fans."""
    jet = {25: -6, 60: 0, 200: 1, 500: 0, 1200: -6, 3000: -16, 8000: -32, 20000: -60}
    low = shaped(n, tilt(jet, rng.uniform(-1.5, 0.5) + 0.5 * manner.strength), rng)
    high = shaped(n, {300: -18, 900: 0, 2500: -6, 8000: -26}, rng)
    after = around(n, rng.random() * n / RATE_HZ) / (n / RATE_HZ)
    over = 0.35 + 0.65 * np.cos(np.pi * after) ** 2
    air = np.exp(0.3 * drift(n, rng, 1, 0.2, 4))
    whine_hz = rng.uniform(900, 2600) * (1 - 0.06 * np.sin(2 * np.pi * after)) * (1 + 0.002 * drift(n, rng, 1, 0.2, 4))
    whine = tone(cycles(whine_hz), (1.0, 0.3)) * air
    return over * (low * air**0.5 + rng.uniform(0.2, 0.6) * high * air * over + rng.uniform(0.01, 0.08) * whine)


def rocket(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """A rocket at full thrust: deep jet noise, torn by steepened waves that crackle (Ffowcs Williams et al. 1975)."""
    thrust = {25: -2, 60: 1, 120: 0, 300: -4, 800: -9, 2500: -17, 8000: -30, 20000: -46}
    roar = shaped(n, tilt(thrust, rng.uniform(-1, 1) - 0.4 * manner.size), rng) * np.exp(
        0.25 * drift(n, rng, 0.8, 0.3, 8)
    )
    torn = highpass(np.maximum(roar - rng.uniform(1.2, 2.0), 0) ** 2, 250.0)  # compressions are steep and sharp
    return unit(roar) + rng.uniform(0.15, 0.5) * 1.3**manner.strength * unit(torn)


def horn(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """A car's two-tone horn (or one low tone for a large one), pressed a few times."""
    base = rng.uniform(330, 450) / manner.larger**2
    blown = unit(sum((_reed(n, base * ratio, rng) for ratio in (1.0, rng.choice([1.19, 1.26]))), np.zeros(n)))
    pressed = np.zeros(n)
    for at in spaced(rng.uniform(2.5, 5) / manner.busier**0.7, 0.15, n, rng)[: round(4 * manner.busier)]:
        after = around(n, at)
        pressed = np.maximum(pressed, (after > 0) & (after < rng.uniform(0.15, 1.2) * manner.larger))
    return room(blown * np.clip(lowpass(pressed, 25.0), 0, 1), 1.0, 0.3, rng, 3000) + 1e-3 * shaped(
        n, {50: 0, 1000: -20}, rng
    )


def _reed(n: int, hz: float, rng: np.random.Generator) -> Wave:
    steady = cycles(np.full(n, hz) * (1 + 0.001 * drift(n, rng, 1, 0.5, 8)))
    return tone(steady, tuple(float(a) for a in np.exp(-0.12 * np.arange(12)) * rng.uniform(0.4, 1, 12)))


def siren(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
    """A siren: wail, yelp, or two tones in turn."""
    period = float(rng.choice([4.5, 0.35, 1.3])) * 1.2**-manner.strength
    turns = cycles(np.full(n, 1 / period))
    kind = rng.integers(2)
    sweep = 0.5 - 0.5 * np.cos(2 * np.pi * turns) if kind == 0 else (np.mod(turns, 1) < 0.5).astype(np.float64)
    smooth = np.clip(lowpass(sweep, 20.0), 0, 1)
    low = rng.uniform(420, 700)
    hz = low * (2.0 if kind == 0 else 1.335) ** smooth
    sung = highpass(tone(cycles(hz), tuple(1 / h for h in range(1, 9))), 300.0)
    return room(unit(sung), 1.4, 0.5, rng, 3500)
