"""What is seen and not heard, with the reason: for people who miss something in a world."""

from collections.abc import Iterable, Iterator

import numpy as np

from sonoworld.perceive.around import Thing
from sonoworld.perceive.coco import ROAD_VEHICLES
from sonoworld.perceive.seen import Seen
from sonoworld.perceive.stuff import Stuff
from sonoworld.types import Sounding
from sonoworld.understand.from_things import (
    NEAR_PERSON_RAD,
    PERSON_SCORE,
    VEHICLE_SCORE,
    VOICES,
    Place,
    objection,
)

LEAST_OF_PICTURE = 0.005
"""Stuff below this share of what the photo shows is not worth a word."""

COVERED = 0.5
"""A thing is heard when a sounding that looks for its kind has so much of its mask."""

STUFF: dict[Stuff, tuple[str, frozenset[str]]] = {
    Stuff.WATER: ("water", frozenset({"sea waves", "river", "stream", "lapping lake"})),
    Stuff.VEGETATION: ("trees and bushes", frozenset({"leaves"})),
}


def unheard(seen: Seen, heard: tuple[Sounding, ...], place: Place) -> tuple[tuple[str, str], ...]:
    """Things and stuff that no sounding stands for, each with the reason; equal ones may come several times."""
    return (*_things(seen.things, heard, place), *_stuff(seen, heard, place))


def _things(things: tuple[Thing, ...], heard: tuple[Sounding, ...], place: Place) -> Iterator[tuple[str, str]]:
    for thing in things:
        if not any(_stands_for(sounding, thing) for sounding in heard):
            yield thing.label, _why(thing, heard, place)


def _stands_for(sounding: Sounding, thing: Thing) -> bool:
    if sounding.mask is None or thing.label not in sounding.grounding.split(", "):
        return False
    return int((sounding.mask & thing.mask).sum()) >= COVERED * int(thing.mask.sum())


def _why(thing: Thing, heard: Iterable[Sounding], place: Place) -> str:
    if thing.label == "person" and thing.score < PERSON_SCORE:
        return f"doubtful: the detector's score is under {PERSON_SCORE:g}"
    if thing.label == "person":
        return "too far away to be heard alone" if thing.height < NEAR_PERSON_RAD else "others are heard before it"
    if thing.label in ROAD_VEHICLES and thing.label not in VOICES:
        if thing.score < VEHICLE_SCORE:
            return f"doubtful: the detector's score is under {VEHICLE_SCORE:g}"
        return "no road vehicles are expected indoors" if place.indoors else "too small, or stands still"
    if thing.label not in VOICES:
        return "makes no sound of its own"
    if why := objection(thing, place):
        return why
    voice = VOICES[thing.label].label
    return f"{voice} is heard from another one" if any(s.label == voice for s in heard) else "others are more certain"


def _stuff(seen: Seen, heard: tuple[Sounding, ...], place: Place) -> Iterator[tuple[str, str]]:
    for kind, (name, labels) in STUFF.items():
        share = float(np.asarray(seen.view.share)[kind])
        if share >= LEAST_OF_PICTURE and not any(s.label in labels for s in heard):
            why = "not expected indoors" if place.indoors else "too little of it, or it does not look like it enough"
            yield f"what looks like {name}, {share:.0%} of the picture", why
