"""How loud things are: dB SPL at 1 m in daily life; for ambience, where the listener stands.

Most are orders of magnitude from public noise tables (songbird 67-91, large dog 96, passenger car 95 at 90 km/h and
about 20 less at a crawl, speech 62, noisy crowd 70, surf 84, wind in trees 43); fountains, streams, footsteps,
room tone, fire, roosters, gulls, frogs and music boxes are our own estimates. An area's level is that of all of it, as
if it were 1 m away: a wood at 68 is heard from 20 m at 42, which is what such tables give for wind in trees. A church
bell up close would be 110; one that nobody has seen ringing is kept at 90.
"""

import re

from sonoworld.types import Spread

LEVELS_DB: dict[str, float] = {
    "wind": 38.0,
    "leaves": 68.0,
    "grass": 58.0,
    "river": 68.0,
    "stream": 58.0,
    "sea waves": 80.0,
    "lapping lake": 60.0,
    "birds": 74.0,
    "footsteps": 52.0,
    "voices": 62.0,
    "crowd murmur": 70.0,
    "bicycle": 55.0,
    "car pass": 76.0,
    "bus engine": 82.0,
    "truck engine": 84.0,
    "motorcycle": 85.0,
    "traffic": 78.0,
    "train": 95.0,
    "boat engine": 78.0,
    "aircraft": 110.0,
    "dog": 90.0,
    "cat": 62.0,
    "cattle": 80.0,
    "sheep": 75.0,
    "horse": 65.0,
    "large animal": 60.0,
    "church bell": 90.0,
    "clock tick": 38.0,
    "television murmur": 60.0,
    "refrigerator": 42.0,
    "kitchen clatter": 60.0,
    "tap": 52.0,
    "machine hum": 42.0,
    "air conditioner": 32.0,
    "room tone": 28.0,
    "city hum": 50.0,
    "crickets": 42.0,
    "rain": 50.0,
    "storm": 65.0,
    "thunder": 75.0,
    "waterfall": 75.0,
    "fountain": 55.0,
    "dripping": 40.0,
    "fire": 50.0,
    "owl": 75.0,
    "rooster": 100.0,
    "seagull": 85.0,
    "penguin": 80.0,
    "frogs": 75.0,
    "helicopter": 120.0,
    "rocket": 130.0,
    "horn": 110.0,
    "siren": 115.0,
    "chainsaw": 105.0,
    "gramophone": 65.0,
    "music box": 50.0,
    "typewriter": 65.0,
}

BY_SPREAD_DB = {Spread.POINT: 65.0, Spread.AREA: 60.0, Spread.AMBIENT: 42.0}
"""Where no word is known."""


def named_level_db(text: str) -> float | None:
    """DB SPL at 1 m of the longest name above that occurs in a text; None where none does."""
    words = f" {' '.join(re.findall(r'[a-z]+', text.lower()))} "
    named = [name for name in LEVELS_DB if f" {name} " in words]
    return LEVELS_DB[max(named, key=len)] if named else None


def default_level_db(label: str, prompt: str, spread: Spread) -> float:
    """DB SPL at 1 m of a sound nobody gave a level: by the longest name above in its label, else in its prompt."""
    named = named_level_db(label)
    if named is None:
        named = named_level_db(prompt)
    return BY_SPREAD_DB[spread] if named is None else named
