"""What things may be heard: from detections to soundings, by what they are, how many, and where they stand."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

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
        *_people([t for t in things if t.label == "person" and t.score >= 0.4], things, place),
        *_vehicles([t for t in things if t.label in ROAD_VEHICLES and t.score >= 0.35], place),
        *_bells(things, place),
        *_single(things, place),
    )


def _sounding(label: str, prompt: str, mask: Bool[np.ndarray, "h w"], confidence: float, reason: str) -> Sounding:
    return Sounding(label, prompt, Spread.POINT, LEVELS_DB[label], confidence, BACKEND, mask=mask, reason=reason)


def _union(things: Iterable[Thing]) -> Bool[np.ndarray, "h w"]:
    return np.logical_or.reduce([t.mask for t in things])


def _single(things: tuple[Thing, ...], place: Place) -> list[Sounding]:
    found: dict[str, Sounding] = {}
    for thing in things:
        voice = VOICES.get(thing.label)
        if voice is None or thing.score < voice.least or voice.label in found:
            continue
        if voice.where != "anywhere" and (voice.where == "indoors") != place.indoors:
            continue
        if thing.label in ANIMALS and not _plausible_animal(thing):
            continue
        count = sum(1 for t in things if t.label == thing.label)
        seen = f"a {thing.label}" if count == 1 else f"{count} of {thing.label}"
        found[voice.label] = _sounding(
            voice.label, voice.prompt, thing.mask, min(0.9, thing.score + 0.1), f"the detector sees {seen}"
        )
    return list(found.values())


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
    return [_sounding("church bell", prompt, best.mask, 0.35, "a clock or rose window high on a building")]


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
        mask = _union([*group, *riding])
        reason = f"the detector sees {len(group)} cyclist(s)"
        return _sounding("bicycle", "bicycle wheels and chain rolling past", mask, confidence, reason)
    if len(group) >= CROWD:
        prompt = "the murmur of a crowd of people" + ("" if place.indoors else " walking and talking outdoors")
        reason = f"the detector sees {len(group)} people together"
        level = LEVELS_DB["crowd murmur"] - (4.0 if len(group) < 8 else 0.0)
        return Sounding(
            "crowd murmur", prompt, Spread.AREA, level, confidence, BACKEND, mask=_union(group), reason=reason
        )
    if len(group) >= 2 or place.indoors:
        names = "a person" if len(group) == 1 else f"{len(group)} people"
        prompt = f"speech-like voices of {names} talking calmly"
        return _sounding("voices", prompt, _union(group), confidence, f"the detector sees {names}")
    ground = "on pavement" if place.paved else "on a grassy path"
    return _sounding("footsteps", f"footsteps {ground}", group[0].mask, confidence, "the detector sees one person")


def _vehicles(vehicles: list[Thing], place: Place) -> list[Sounding]:
    if place.indoors or not vehicles:
        return []
    found: list[Sounding] = []
    large = [t for t in vehicles if t.label in ("bus", "truck", "motorcycle") and t.width > np.radians(4)]
    if large:
        best = max(large, key=lambda t: (t.width * t.score, t.score))
        label = "motorcycle" if best.label == "motorcycle" else f"{best.label} engine"
        confidence = min(0.9, best.score + 0.1)
        found.append(_sounding(label, f"a {label} idling", best.mask, confidence, f"the detector sees a {best.label}"))
    if len(vehicles) >= 3:
        reason = f"the detector sees {len(vehicles)} road vehicles"
        prompt = "street traffic, cars passing slowly"
        level, confidence = LEVELS_DB["traffic"], min(0.8, 0.4 + 0.05 * len(vehicles))
        found.append(
            Sounding("traffic", prompt, Spread.AREA, level, confidence, BACKEND, mask=_union(vehicles), reason=reason)
        )
        return found
    near = [t for t in vehicles if t.label == "car" and t.width >= NEAR_VEHICLE_RAD]
    if near:
        best = max(near, key=lambda t: (t.width, t.score))
        reason = "the detector sees a car; it may be parked"
        found.append(_sounding("car pass", "a car passing by", best.mask, best.score * 0.8, reason))
    return found
