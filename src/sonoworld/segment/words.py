"""Which words mean which stuff or thing. Small on purpose: what is not here is honestly not found."""

import itertools
import re

from sonoworld.perceive.coco import NAMES
from sonoworld.perceive.stuff import Stuff

STUFF: dict[Stuff, tuple[str, ...]] = {
    Stuff.SKY: ("sky", "cloud", "clouds", "sun"),
    Stuff.VEGETATION: (
        "leaves", "leaf", "foliage", "tree", "trees", "forest", "wood", "woods", "bush", "bushes", "hedge", "shrub",
        "shrubs", "vegetation", "jungle", "palm", "palms", "crickets", "insects", "cicadas",
    ),
    Stuff.WATER: (
        "water", "lake", "pond", "river", "stream", "creek", "brook", "sea", "ocean", "wave", "waves", "surf", "shore",
        "canal", "harbour", "harbor", "waterfall", "fountain", "rapids", "frogs",
    ),
    Stuff.GROUND: ("grass", "lawn", "meadow", "field", "ground", "soil", "sand", "beach", "path", "gravel", "rock"),
    Stuff.ROAD: ("road", "street", "traffic", "pavement", "asphalt", "highway", "square", "sidewalk", "plaza"),
    Stuff.BUILDING: ("building", "buildings", "house", "houses", "wall", "church", "tower", "facade", "window", "bell"),
}  # fmt: skip

THINGS: dict[str, tuple[str, ...]] = {
    "person": (
        "people", "man", "woman", "child", "children", "crowd", "voice", "voices", "pedestrian", "pedestrians", "hiker",
        "hikers", "talking", "footsteps", "cyclist", "cyclists",
    ),
    "bicycle": ("bike", "bikes", "bicycles"),
    "car": ("cars", "taxi", "automobile", "vehicle", "vehicles"),
    "motorcycle": ("motorbike", "scooter", "motorcycles"),
    "airplane": ("aeroplane", "aircraft", "plane", "jet"),
    "bus": ("buses", "coach"),
    "train": ("tram", "trains", "locomotive"),
    "truck": ("lorry", "trucks", "van"),
    "boat": ("boats", "ship", "ferry", "canoe"),
    "bird": ("birds", "seagull", "seagulls", "gull", "owl", "duck", "ducks", "penguin", "penguins"),
    "cat": ("cats", "kitten"),
    "dog": ("dogs", "puppy", "barking"),
    "horse": ("horses",),
    "sheep": ("goat", "goats", "lamb"),
    "cow": ("cows", "cattle", "bull"),
    "tv": ("television", "screen", "monitor"),
    "refrigerator": ("fridge", "freezer"),
    "sink": ("tap", "faucet"),
    "oven": ("stove", "cooker"),
    "clock": ("clocks", "ticking"),
    "laptop": ("computer",),
    "keyboard": ("typing", "typewriter"),
}  # fmt: skip

_STUFF = {word: stuff for stuff, words in STUFF.items() for word in words}
_THINGS = {name: name for name in NAMES} | {word: name for name, words in THINGS.items() for word in words}


def meaning(label: str, prompt: str) -> Stuff | str | None:
    """What a sounding is about: a kind of stuff, the COCO name of a thing, or None.

    The label speaks before the prompt, things before stuff, and of several words the last: in "wind in the leaves of
    trees" it is the trees, in "street dog" the dog.
    """
    for text in (label, prompt):
        words = re.findall(r"[a-z]+", text.lower())
        pairs = [f"{a} {b}" for a, b in itertools.pairwise(words)]
        things = [_THINGS[word] for word in (*words, *pairs) if word in _THINGS]
        if things:
            return things[-1]
        stuff = [_STUFF[word] for word in words if word in _STUFF]
        if stuff:
            return stuff[-1]
    return None
