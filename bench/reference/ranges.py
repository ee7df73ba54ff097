"""What voices are held against: ranges of real recordings where there are some, of physics where there are none.

`sounds.json`: eight classes, 14 to 16 recordings each, measured by `texture.py`. `few.json`: eight more, 1 to 16
recordings each, which are not at hand any more; an earlier program measured them, whose medians differ from those of
`texture.py` by as much as TOLERANCE (RMS over the ten classes that both have measured), so their ranges are widened by
that; it counted onsets in another way, so those are left out. EXPECTED: for all other voices, what source and
literature let one expect; wide on purpose, it catches what is wrong rather than what is not quite right.
"""

import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
SOUNDS, FEW = (json.loads((HERE / name).read_text())["classes"] for name in ("sounds.json", "few.json"))
TOLERANCE = {"centroid_oct": 0.23, "env_cv": 0.30, "mod": 0.54}
ENOUGH = 5
"""From so many recordings on p10 to p90 says something about how much they vary."""

MODULATION = tuple(f"mod{i}" for i in range(6))
HELD = ("centroid_oct", "env_cv", "onsets", *MODULATION)

EXPECTED: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    # centroid Hz, envelope CV, onsets a second
    "air conditioner": ((200, 1000), (0, 0.25), (0, 0.3)),  # a blower's octave bands fall above 1 kHz
    "aircraft": ((150, 1000), (0.1, 0.8), (0, 0.5)),  # jet noise, highs lost on the way
    "bicycle": ((800, 4500), (0.1, 0.9), (0, 3)),  # pawls ring at 2 to 7 kHz, tyres near 1 kHz
    "boat engine": ((100, 1500), (0.1, 0.8), (0, 1)),
    "bus engine": ((80, 700), (0.1, 0.8), (0, 3)),  # six-cylinder diesel: fires 30 to 100 times a second
    "car pass": ((350, 1500), (0.4, 2), (0, 1)),  # tyre noise peaks near 1 kHz (Sandberg & Ejsmont 2002)
    "cat": ((600, 2500), (0.5, 4), (0.1, 2)),  # meows: 400 to 700 Hz and their harmonics
    "cattle": ((200, 1000), (0.3, 3), (0.1, 2)),
    "church bell": ((150, 1500), (0.3, 2), (0.2, 2.5)),
    "dripping": ((600, 4000), (1, 6), (0.5, 6)),  # bubbles of 1 to 5 mm: 0.7 to 3 kHz (Minnaert 1933)
    "footsteps": ((100, 1500), (0.8, 4), (1, 4)),  # 1.5 to 2.3 steps a second, heel and toe
    "fountain": ((1000, 4500), (0.05, 0.4), (0, 0.5)),
    "frogs": ((500, 3000), (0.4, 3), (0.5, 6)),
    "gramophone": ((250, 2000), (0.3, 1.5), (0.5, 6)),  # horn: 300 Hz to 4 kHz
    "grass": ((1500, 7000), (0.2, 1.2), (0, 3)),
    "horn": ((350, 2500), (0.4, 3), (0.2, 2.5)),  # 350 to 500 Hz, rich in harmonics
    "horse": ((150, 1500), (0.8, 3), (1.5, 6)),  # four beats of a walk, 0.8 to 1.2 strides a second
    "kitchen clatter": ((900, 6000), (0.7, 4), (1, 8)),
    "lapping": ((400, 1800), (0.4, 1.8), (0.3, 3)),
    "large animal": ((60, 700), (0.6, 3), (0.5, 4)),
    "leaves": ((1200, 6000), (0.2, 1), (0, 2)),
    "machine hum": ((80, 800), (0, 0.3), (0, 0.3)),
    "motorcycle": ((80, 900), (0.2, 1), (0, 3)),
    "music box": ((700, 4000), (0.2, 1.2), (0.5, 6)),
    "owl": ((250, 650), (0.5, 4), (0.2, 3)),  # tawny and horned owls hoot at 300 to 500 Hz
    "penguin": ((350, 2500), (0.3, 2), (0.2, 4)),
    "refrigerator": ((60, 350), (0, 0.3), (0, 0.3)),  # mains harmonics
    "river": ((300, 1500), (0.05, 0.4), (0, 0.5)),
    "rocket": ((60, 800), (0.1, 1), (0, 2)),
    "room tone": ((50, 500), (0.05, 0.4), (0, 0.3)),  # falls by about 5 dB an octave (NC, RC curves)
    "seagull": ((1200, 4500), (0.4, 3), (0.5, 4)),
    "sheep": ((500, 2500), (0.3, 3), (0.2, 3)),
    "siren": ((450, 2500), (0, 0.8), (0, 2)),  # 440 to 1800 Hz, with harmonics
    "stream": ((600, 3000), (0.05, 0.5), (0, 1)),
    "tap": ((1200, 6000), (0.05, 0.6), (0, 2)),
    "television murmur": ((250, 1500), (0.4, 1.5), (1, 6)),
    "thunder": ((30, 350), (0.4, 2.5), (0, 3)),  # strongest near 100 Hz (Few 1969)
    "traffic": ((150, 1100), (0.1, 0.8), (0, 1)),
    "typewriter": ((600, 4500), (0.8, 5), (3, 12)),
    "voices": ((300, 1200), (0.5, 2), (1.5, 7)),  # long-term speech spectrum; syllables 3 to 6 a second
    "waterfall": ((350, 3000), (0.03, 0.3), (0, 0.3)),
}


def middle(rows: list[dict[str, float]]) -> dict[str, float]:
    """Median over seeds of every statistic."""
    return {key: float(np.median([row[key] for row in rows])) for key in rows[0]}


def recordings_of(name: str) -> int:
    """How many real recordings a voice is held against; 0: none, but physics."""
    return int((SOUNDS | FEW)[name]["recordings"]) if name in SOUNDS | FEW else 0


def held_to(name: str) -> dict[str, tuple[float, float]]:
    """The range of every statistic that a voice is held to, in the units of `texture.py`."""
    if name in SOUNDS:
        ranges = SOUNDS[name]["p10_p50_p90"]
        return {key: (ranges[key][0], ranges[key][2]) for key in HELD}
    if name in FEW:
        ranges = FEW[name]["p10_p50_p90"]
        wider = {key: TOLERANCE["mod" if key in MODULATION else key] for key in HELD if key in ranges}
        return {key: (ranges[key][0] - more, ranges[key][2] + more) for key, more in wider.items()}
    hz, cv, onsets = EXPECTED[name]
    low_cv, high_cv = np.log(np.maximum(cv, 1e-3))
    return {
        "centroid_oct": (float(np.log2(hz[0])), float(np.log2(hz[1]))),
        "env_cv": (float(low_cv), float(high_cv)),
        "onsets": onsets,
    }


def outside(name: str, rows: list[dict[str, float]]) -> tuple[int, list[str]]:
    """How many statistics were held against a range, and those whose median over seeds lies outside of it."""
    found, ranges = middle(rows), held_to(name)
    out = [
        f"{key} {found[key]:.2f} ({low:.2f} to {high:.2f})"
        for key, (low, high) in ranges.items()
        if not low <= found[key] <= high
    ]
    return len(ranges), out
