"""What may sound where somebody points: first what is seen to be there, then what such stuff sounds like."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from sonoworld import sphere
from sonoworld.perceive.seen import look
from sonoworld.perceive.stuff import Stuff
from sonoworld.types import Panorama, Sounding, Spread
from sonoworld.understand.from_things import VOICES
from sonoworld.understand.levels import default_level_db

MOST = 8
NEAR_RAD = float(np.radians(2))
"""Things and soundings this near to the click count as clicked."""

_P, _A, _W = Spread.POINT, Spread.AREA, Spread.AMBIENT
STUFF: dict[Stuff, tuple[tuple[str, str, Spread], ...]] = {
    Stuff.SKY: (
        ("birds", "songbirds singing", _P),
        ("wind", "a light wind", _W),
        ("aircraft", "an aircraft flying over, far away", _P),
    ),
    Stuff.VEGETATION: (
        ("birds", "songbirds singing in a tree", _P),
        ("leaves", "wind rustling in the leaves of trees", _A),
        ("crickets", "crickets chirping", _A),
    ),
    Stuff.WATER: (
        ("stream", "a small stream babbling over stones", _A),
        ("lapping lake", "a still lake, small waves lapping at the shore", _A),
        ("sea waves", "sea waves breaking on the shore", _A),
        ("river", "a shallow river flowing over stones", _A),
    ),
    Stuff.GROUND: (
        ("grass", "wind in dry grass", _A),
        ("footsteps", "footsteps on a grassy path", _P),
        ("crickets", "crickets chirping", _A),
    ),
    Stuff.ROAD: (
        ("footsteps", "footsteps on pavement", _P),
        ("car pass", "a car passing by", _P),
        ("traffic", "street traffic, cars passing slowly", _A),
    ),
    Stuff.BUILDING: (
        ("voices", "speech-like voices of 2 people talking calmly", _P),
        ("church bell", "a church bell ringing slowly in a tower", _P),
        ("air conditioner", "a quiet air conditioner humming", _P),
    ),
    Stuff.OTHER: (
        ("voices", "speech-like voices of a person talking calmly", _P),
        ("dog", "a dog barking now and then", _P),
        ("machine hum", "the quiet hum of a machine", _P),
    ),
}
"""What the stuff under a click may sound like, likeliest first."""

THINGS: dict[str, tuple[str, str]] = {
    "person": ("voices", "speech-like voices of a person talking calmly"),
    "bicycle": ("bicycle", "bicycle wheels and chain rolling past"),
    "car": ("car pass", "a car passing by"),
    "bus": ("bus engine", "a bus engine idling"),
    "truck": ("truck engine", "a truck engine idling"),
    "motorcycle": ("motorcycle", "a motorcycle idling"),
    **{thing: (voice.label, voice.prompt) for thing, voice in VOICES.items()},
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What may sound there; `why` is for people."""

    label: str
    prompt: str
    spread: Spread
    level_db: float
    why: str


def suggestions(
    panorama: Panorama, soundings: tuple[Sounding, ...], direction: Float64[np.ndarray, "3"]
) -> tuple[Suggestion, ...]:
    """What may sound in a direction (unit, world), likeliest first, each label once; never none.

    Raises:
        BackendMissingError: the install lacks the detector.
    """
    near = _cap(direction, panorama.known.shape[0])
    seen = look(panorama, detect=True)
    found: list[Suggestion] = []
    for thing in seen.things:
        if thing.label in THINGS and (thing.mask & near).any():
            label, prompt = THINGS[thing.label]
            found.append(_suggestion(label, prompt, Spread.POINT, f"the detector sees a {thing.label} here"))
    for s in soundings:
        if s.mask is not None and (s.mask & near).any():
            why = (
                f"understood when the world was made: {s.reason}" if s.reason else "understood when the world was made"
            )
            found.append(Suggestion(s.label, s.prompt, s.spread, s.level_db, why))
    stuff = Stuff(int(np.bincount(seen.view.labels[near], minlength=len(Stuff)).argmax()))
    found += [_suggestion(*words, f"this looks like {stuff.name.lower()}") for words in STUFF[stuff]]
    first: dict[str, Suggestion] = {}
    for one in found:
        first.setdefault(one.label, one)
    return tuple(first.values())[:MOST]


def _suggestion(label: str, prompt: str, spread: Spread, why: str) -> Suggestion:
    return Suggestion(label, prompt, spread, default_level_db(label, prompt, spread), why)


def _cap(direction: Float64[np.ndarray, "3"], height: int) -> Bool[np.ndarray, "h w"]:
    cap = sphere.pixel_directions(height) @ direction > np.cos(NEAR_RAD)
    cap[sphere.nearest_pixel(direction, height)] = True
    return cap
