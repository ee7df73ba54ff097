"""What sounds in the sky: birds and aircraft fly at a plausible height, weather is all around."""

import re

HEIGHTS_M: dict[str, float] = {
    "bird birds gull gulls seagull seagulls crow crows swallow swallows swift swifts pigeon pigeons songbird songbirds "
    "goose geese duck ducks bat bats": 15.0,
    "kite kites drone drones flag balloon balloons": 30.0,
    "helicopter": 200.0,
    "aircraft airplane aeroplane plane jet": 1000.0,
}
"""Height over the eye. Orders of magnitude: birds about and above the trees, helicopters and aircraft passing over."""

WEATHER = frozenset(
    {"thunder", "thunderstorm", "storm", "wind", "breeze", "rain", "rainfall", "drizzle", "hail", "snow", "snowfall"}
)
LOWEST_SINE = 0.2
"""Nearer to the horizon than 11.5°, height over this sine is the distance: five times the height."""


def words(label: str) -> frozenset[str]:
    """Its words, lower case."""
    return frozenset(re.findall(r"[a-z]+", label.lower()))


def is_weather(label: str) -> bool:
    """Whether its sound has no place in the sky."""
    return bool(words(label) & WEATHER)


def distance_m(label: str, sine_of_elevation: float) -> float | None:
    """How far away it flies when seen at that elevation; None for what nobody knows to fly."""
    found = [height for names, height in HEIGHTS_M.items() if words(label) & set(names.split())]
    return max(found) / max(sine_of_elevation, LOWEST_SINE) if found else None
