"""Which words name which stuff or things, so that a sounding can be looked for in a picture."""

import re
from dataclasses import dataclass

from sonoworld.perceive.coco import ANIMALS, NAMES
from sonoworld.perceive.stuff import Stuff


@dataclass(frozen=True, slots=True)
class Target:
    """Where to look: things of these COCO labels first, else pixels of these kinds of stuff."""

    things: frozenset[str] = frozenset()
    stuff: frozenset[Stuff] = frozenset()


def _things(*labels: str) -> Target:
    return Target(things=frozenset(labels))


def _stuff(*kinds: Stuff) -> Target:
    return Target(stuff=frozenset(kinds))


_TREES = frozenset({Stuff.VEGETATION})
_GROUPS: dict[str, Target] = {
    "leaf leaves tree trees foliage forest jungle wood woods": _stuff(Stuff.VEGETATION),
    "bush bushes shrubs palm palms hedge branches rustle rustling": _stuff(Stuff.VEGETATION),
    "grass meadow lawn field reeds": _stuff(Stuff.GROUND, Stuff.VEGETATION),
    "crickets cicadas insects grasshoppers": _stuff(Stuff.GROUND, Stuff.VEGETATION),
    "river stream brook creek water lake pond sea ocean waves surf waterfall fountain rapids harbour harbor "
    "lapping shore frogs": _stuff(Stuff.WATER),
    "road street highway motorway pavement square": _stuff(Stuff.ROAD),
    "building buildings house houses wall church bell bells tower siren window air-conditioner shop cafe": _stuff(
        Stuff.BUILDING
    ),
    "gravel sand soil beach rock path ground": _stuff(Stuff.GROUND, Stuff.ROAD),
    "sky thunder": _stuff(Stuff.SKY),
    "traffic cars vehicles": Target(frozenset({"car", "bus", "truck", "motorcycle"}), frozenset({Stuff.ROAD})),
    "car taxi automobile horn": _things("car"),
    "bus buses coach tram": _things("bus"),
    "truck trucks lorry van": _things("truck", "car"),
    "motorcycle motorbike scooter": _things("motorcycle"),
    "bicycle bicycles bike bikes cyclist cyclists": _things("bicycle"),
    "train trains locomotive": _things("train"),
    "boat boats ship ferry yacht canoe": _things("boat"),
    "aircraft airplane aeroplane plane jet": _things("airplane"),
    "person people man woman child children voice voices speech talking talk crowd murmur pedestrian pedestrians "
    "footsteps steps hiker hikers laughter": _things("person"),
    "bird birds songbird songbirds birdsong ducks duck": Target(frozenset({"bird"}), _TREES),
    "seagull seagulls gull gulls": Target(frozenset({"bird"}), frozenset({Stuff.WATER})),
    "owl cuckoo": Target(frozenset({"bird"}), _TREES),
    "dog dogs barking": _things("dog"),
    "cat cats meowing": _things("cat"),
    "cattle cow cows": _things("cow"),
    "sheep lamb goat goats": _things("sheep"),
    "horse horses hoof hooves": _things("horse"),
    "animal animals": Target(ANIMALS),
    "television tv": _things("tv"),
    "clock ticking": _things("clock"),
    "refrigerator fridge": _things("refrigerator"),
    "oven kitchen stove": _things("oven", "microwave", "sink", "dining table"),
    "tap sink faucet": _things("sink"),
    "computer laptop typewriter keyboard typing": _things("laptop", "keyboard", "tv"),
    "phone": _things("cell phone"),
}

TARGETS: dict[str, Target] = {
    **{name: _things(name) for name in NAMES if " " not in name},
    **{word: target for words, target in _GROUPS.items() for word in words.split()},
}


def targets(label: str, prompt: str) -> tuple[Target, ...]:
    """Where to look for a sounding: by the words of its label, or of its prompt where the label has none we know.

    Things come before stuff: in "street dog" it is the dog.
    """
    for text in (label, prompt):
        found = [TARGETS[word] for word in re.findall(r"[a-z]+(?:-[a-z]+)*", text.lower()) if word in TARGETS]
        whole = [_things(name) for name in NAMES if " " in name and name in text.lower()]
        if whole or found:
            return tuple(sorted(dict.fromkeys((*whole, *found)), key=lambda target: not target.things))
    return ()
