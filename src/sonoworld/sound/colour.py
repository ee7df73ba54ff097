"""Colour by place and distance: no two real recordings of a kind are equally bright, so no two seeds are either.

Letters: n samples; f frequency, Hz.
"""

import numpy as np

from sonoworld.sound.noise import Wave, curve_gain
from sonoworld.sound.resonance import filtered

AUDIBLE_HZ = (20.0, 20000.0)
PIVOT_HZ = 700.0
KNOTS_HZ = (40.0, 90.0, 200.0, 450.0, 1000.0, 2200.0, 4800.0, 10500.0, 20000.0)
MOST = 2.0
"""Deviations beyond that many sigmas are brought back to it."""


def coloured(wave: Wave, lean_db: float, uneven_db: float, rng: np.random.Generator) -> Wave:
    """The loop leaning by a random slope (sigma `lean_db` per octave) with random hills (sigma `uneven_db`).

    The hills are an octave or so wide: ground, walls and air between a source and its listener.
    """
    slope, *hills = np.clip(rng.standard_normal(1 + len(KNOTS_HZ)), -MOST, MOST)
    level = [
        lean_db * slope * np.log2(hz / PIVOT_HZ) + uneven_db * hill for hz, hill in zip(KNOTS_HZ, hills, strict=True)
    ]
    curve = {hz: float(db) for hz, db in zip(KNOTS_HZ, level, strict=True)}
    return filtered(wave, curve_gain(wave.size, curve).astype(np.complex128))


def leaning(wave: Wave, db: float) -> Wave:
    """The loop with `db` more for every octave up; 0 leaves it as it is."""
    if db == 0:
        return wave
    curve = {hz: db * float(np.log2(hz / PIVOT_HZ)) for hz in AUDIBLE_HZ}
    return filtered(wave, curve_gain(wave.size, curve).astype(np.complex128))
