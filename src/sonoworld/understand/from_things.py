"""What things may be heard: from detections to soundings, by what they are, how many, and where they stand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from sonoworld.perceive.around import Thing
from sonoworld.perceive.coco import ANIMALS, ROAD_VEHICLES
from sonoworld.types import Sounding, Spread
from sonoworld.understand.levels import LEVELS_DB

BACKEND = "embedded"
GROUP_RAD = float(np.radians(25))
"""People closer together than this are one company."""

CROWD = 4
NEAR_PERSON_RAD = float(np.radians(3.5))
"""A person lower than this is too far away to be heard alone."""

NEAR_VEHICLE_RAD = float(np.radians(6))
SMALL_ANIMAL_RAD = float(np.radians(3))
MAX_GROUPS = 3
PERSON_SCORE = 0.4
VEHICLE_SCORE = 0.35


@dataclass(frozen=True, slots=True)
class Place:
    """What the surroundings are, as far as things depend on it."""

    indoors: bool
    paved: bool


@dataclass(frozen=True, slots=True)
class Voice:
    """What a kind of thing sounds like: level key and label, prompt, and the least score that is believed."""

    label: str
    prompt: str
    least: float
    where: str = "anywhere"


VOICES: dict[str, Voice] = {
    "dog": Voice("dog", "a dog barking now and then", 0.45),
    "cat": Voice("cat", "a cat meowing now and then", 0.45),
    "cow": Voice("cattle", "cattle mooing and grazing", 0.45, "outdoors"),
    "sheep": Voice("sheep", "sheep bleating", 0.45, "outdoors"),
    "horse": Voice("horse", "a horse snorting, slow hoof footsteps", 0.45, "outdoors"),
    "bird": Voice("birds", "birds calling and fluttering", 0.42, "outdoors"),
    "elephant": Voice("large animal", "a large animal grazing, footsteps in grass", 0.55, "outdoors"),
    "bear": Voice("large animal", "a large animal walking, footsteps in leaves", 0.6, "outdoors"),
    "zebra": Voice("large animal", "a large animal grazing, footsteps in grass", 0.55, "outdoors"),
    "giraffe": Voice("large animal", "a large animal browsing, footsteps in grass", 0.55, "outdoors"),
    "train": Voice("train", "a train passing on its rails", 0.5, "outdoors"),
    "boat": Voice("boat engine", "a small boat engine idling on the water", 0.45, "outdoors"),
    "airplane": Voice("aircraft", "an aircraft flying over, far away", 0.5, "outdoors"),
    "clock": Voice("clock tick", "a clock ticking", 0.4, "indoors"),
    "tv": Voice("television murmur", "a television murmuring quietly", 0.42, "indoors"),
    "laptop": Voice("machine hum", "the quiet fan hum of a computer", 0.45, "indoors"),
    "refrigerator": Voice("refrigerator", "a refrigerator humming", 0.42, "indoors"),
    "oven": Voice("kitchen clatter", "kitchen clatter of pots and dishes", 0.45, "indoors"),
    "sink": Voice("tap", "water running from a tap into a sink", 0.45, "indoors"),
}
"""One sounding for the best thing of each kind. People and road vehicles are treated in company."""


def from_things(things: tuple[Thing, ...], place: Place) -> tuple[Sounding, ...]:
    """Soundings of things, most important first."""
    return (
        *_people([t for t in things if t.label == "person" and t.score >= PERSON_SCORE], things, place),
        *_vehicles([t for t in things if t.label in ROAD_VEHICLES and t.score >= VEHICLE_SCORE], place),
        *_bells(things, place),
        *_single(things, place),
    )


def _sounding(label: str, prompt: str, things: Sequence[Thing], confidence: float, reason: str) -> Sounding:
    """A point where these things are, to be looked for by their names."""
    mask, level_db = np.logical_or.reduce([t.mask for t in things]), LEVELS_DB[label]
    return Sounding(
        label, prompt, Spread.POINT, level_db, confidence, BACKEND,
        mask=mask, reason=reason, grounding=_names(things), visible=True,
    )  # fmt: skip


def _names(things: Sequence[Thing]) -> str:
    return ", ".join(dict.fromkeys(t.label for t in things))


def _score(things: Sequence[Thing]) -> str:
    best = max(t.score for t in things)
    return f"(score {best:.2f})" if len(things) == 1 else f"(best score {best:.2f})"


def _single(things: tuple[Thing, ...], place: Place) -> list[Sounding]:
    found: dict[str, Sounding] = {}
    for thing in things:
        voice = VOICES.get(thing.label)
        if voice is None or voice.label in found or objection(thing, place):
            continue
        count = sum(1 for t in things if t.label == thing.label)
        seen = f"a {thing.label}" if count == 1 else f"{count} of {thing.label}"
        found[voice.label] = _sounding(
            voice.label,
            voice.prompt,
            [thing],
            min(0.9, thing.score + 0.1),
            f"the detector sees {seen} {_score([thing])}",
        )
    return list(found.values())


def objection(thing: Thing, place: Place) -> str:
    """Why a thing of a kind that has a voice is not believed to be heard here, or ""."""
    voice = VOICES[thing.label]
    if thing.score < voice.least:
        return f"doubtful: the detector's score is under {voice.least:g}"
    if voice.where != "anywhere" and (voice.where == "indoors") != place.indoors:
        return f"its sound is expected {voice.where} only"
    if thing.label in ANIMALS and not _plausible_animal(thing):
        return "so small that it may be a stone or a tuft"
    return ""


def _plausible_animal(thing: Thing) -> bool:
    """Small patches of rock and grass look like animals: small ones need a better score."""
    return max(thing.width, thing.height) > SMALL_ANIMAL_RAD or thing.score > 0.6


def _bells(things: tuple[Thing, ...], place: Place) -> list[Sounding]:
    """A clock high up outdoors is a tower's; towers have bells."""
    high = [t for t in things if t.label == "clock" and t.direction[2] > np.sin(np.radians(8)) and not place.indoors]
    if not high or not place.paved:
        return []
    best = max(high, key=lambda t: (t.score, t.width))
    prompt = "a church bell ringing slowly in a tower"
    return [
        _sounding(
            "church bell",
            prompt,
            [best],
            0.35,
            f"the detector sees a clock, or a rose window, high on a building {_score([best])}",
        )
    ]


def _groups(people: list[Thing]) -> list[list[Thing]]:
    """People by company: single linkage within 25°."""
    groups: list[list[Thing]] = []
    for person in people:
        near = [g for g in groups if any(_angle(person.direction, other.direction) < GROUP_RAD for other in g)]
        groups = [g for g in groups if g not in near] + [[person, *(t for g in near for t in g)]]
    return groups


def _angle(a: Float64[np.ndarray, "3"], b: Float64[np.ndarray, "3"]) -> float:
    return float(np.arccos(np.clip(a @ b, -1, 1)))


def _people(people: list[Thing], things: tuple[Thing, ...], place: Place) -> list[Sounding]:
    bicycles = [t for t in things if t.label == "bicycle"]
    groups = sorted(_groups(people), key=lambda g: (-sum(t.height for t in g), -g[0].score))
    found = [_company(g, bicycles, place) for g in groups if len(g) >= CROWD or _near(g)]
    return found[:MAX_GROUPS]


def _near(group: list[Thing]) -> bool:
    return max(t.height for t in group) >= NEAR_PERSON_RAD


def _company(group: list[Thing], bicycles: list[Thing], place: Place) -> Sounding:
    score = max(t.score for t in group)
    confidence = min(0.9, score + 0.05 * len(group))
    riding = [b for b in bicycles if any((b.mask & t.mask).any() for t in group)]
    if riding and len(group) < CROWD:
        reason = f"the detector sees {len(group)} cyclist(s) {_score(group)}"
        return _sounding("bicycle", "bicycle wheels and chain rolling past", [*group, *riding], confidence, reason)
    if len(group) >= CROWD:
        prompt = "the murmur of a crowd of people" + ("" if place.indoors else " walking and talking outdoors")
        reason = f"the detector sees {len(group)} people together {_score(group)}"
        level = LEVELS_DB["crowd murmur"] - (4.0 if len(group) < 8 else 0.0)
        crowd = _sounding("crowd murmur", prompt, group, confidence, reason)
        return replace(crowd, spread=Spread.AREA, level_db=level)
    if len(group) >= 2 or place.indoors:
        names = "a person" if len(group) == 1 else f"{len(group)} people"
        prompt = f"speech-like voices of {names} talking calmly"
        return _sounding("voices", prompt, group, confidence, f"the detector sees {names} {_score(group)}")
    ground = "on pavement" if place.paved else "on a grassy path"
    return _sounding(
        "footsteps", f"footsteps {ground}", group[:1], confidence, f"the detector sees one person {_score(group)}"
    )


def _vehicles(vehicles: list[Thing], place: Place) -> list[Sounding]:
    if place.indoors or not vehicles:
        return []
    found: list[Sounding] = []
    large = [t for t in vehicles if t.label in ("bus", "truck", "motorcycle") and t.width > np.radians(4)]
    if large:
        best = max(large, key=lambda t: (t.width * t.score, t.score))
        label = "motorcycle" if best.label == "motorcycle" else f"{best.label} engine"
        confidence = min(0.9, best.score + 0.1)
        found.append(
            _sounding(
                label, f"a {label} idling", [best], confidence, f"the detector sees a {best.label} {_score([best])}"
            )
        )
    if len(vehicles) >= 3:
        reason = f"the detector sees {len(vehicles)} road vehicles {_score(vehicles)}"
        prompt = "street traffic, cars passing slowly"
        confidence = min(0.8, 0.4 + 0.05 * len(vehicles))
        found.append(replace(_sounding("traffic", prompt, vehicles, confidence, reason), spread=Spread.AREA))
        return found
    near = [t for t in vehicles if t.label == "car" and t.width >= NEAR_VEHICLE_RAD]
    if near:
        best = max(near, key=lambda t: (t.width, t.score))
        reason = f"the detector sees a car {_score([best])}; it may be parked"
        found.append(_sounding("car pass", "a car passing by", [best], best.score * 0.8, reason))
    return found
