"""All classes of sound by name, with the words that ask for them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sonoworld.sound.manner import Manner
from sonoworld.sound.mood import Mood
from sonoworld.sound.ring import Signal
from sonoworld.sound.voices import air, life, rain, running_water, sea, water, works

Voice = Callable[[int, np.random.Generator, Mood], Signal]


def _by_manner(voice: Callable[[int, Manner, np.random.Generator], Signal]) -> Voice:
    """A voice that takes a manner (−1..1) where the mood is 0..1."""

    def speak(n: int, rng: np.random.Generator, mood: Mood) -> Signal:
        scales = (2 * value - 1 for value in (mood.strength, mood.distance, mood.activity, mood.size))
        return voice(n, Manner(*scales), rng)

    return speak


@dataclass(frozen=True, slots=True)
class Class:
    """A class of sound: its voice, and words or phrases that mean it (singular; the name itself counts too)."""

    name: str
    voice: Voice
    words: tuple[str, ...]


CLASSES: tuple[Class, ...] = (
    Class("wind", _by_manner(air.wind), ("breeze", "gust", "storm wind", "windy", "air movement")),
    Class(
        "leaves",
        _by_manner(air.leaves),
        (
            "tree",
            "forest",
            "foliage",
            "rustling",
            "rustle",
            "wind in leaves",
            "wind in the trees",
            "bush",
            "shrub",
            "palm",
            "hedge",
            "vegetation",
            "canopy",
            "wood",
        ),
    ),
    Class("grass", _by_manner(air.grass), ("meadow", "field", "reed", "lawn", "hay", "wind in grass", "crop")),
    Class("rain", _by_manner(rain.rain), ("drizzle", "shower", "raindrop", "downpour")),
    Class("thunder", works.thunder, ("lightning", "thunderstorm", "storm")),
    Class(
        "stream",
        _by_manner(running_water.stream),
        ("brook", "creek", "trickle", "rivulet", "gurgling", "water flowing", "babbling"),
    ),
    Class("river", _by_manner(running_water.river), ("rapids", "canal", "flowing river")),
    Class("waterfall", _by_manner(running_water.waterfall), ("cascade", "falls", "weir")),
    Class("fountain", water.fountain, ("water jet", "splash", "splashing")),
    Class("sea waves", _by_manner(sea.sea_waves), ("sea", "ocean", "wave", "surf", "beach", "shore", "coast")),
    Class(
        "lapping",
        _by_manner(sea.lapping),
        (
            "lake",
            "lapping lake",
            "pond",
            "harbour",
            "harbor",
            "boat lapping",
            "water lapping",
            "lagoon",
            "still water",
            "pool",
            "water",
        ),
    ),
    Class("dripping", water.dripping, ("drip", "drop", "leak", "cave")),
    Class("fire", works.fire, ("fireplace", "campfire", "flame", "bonfire", "burning", "stove")),
    Class(
        "birds",
        life.birds,
        (
            "bird",
            "birdsong",
            "songbird",
            "sparrow",
            "chirping",
            "tweet",
            "dawn chorus",
            "robin",
            "blackbird",
            "lark",
            "finch",
        ),
    ),
    Class("owl", life.owl, ("hoot",)),
    Class("crickets", life.crickets, ("cricket", "cicada", "insect", "grasshopper", "bee", "katydid")),
    Class("frogs", life.frogs, ("frog", "toad", "croak")),
    Class("dog", life.dog, ("bark", "barking", "puppy", "hound")),
    Class("cat", life.cat, ("meow", "kitten", "purr")),
    Class("rooster", life.rooster, ("cock", "crow", "chicken", "hen", "rooster crow")),
    Class("cattle", life.cattle, ("cow", "moo", "bull", "ox", "horse", "elephant", "bear")),
    Class("sheep", life.sheep, ("goat", "lamb", "bleat", "zebra")),
    Class("seagull", life.seagull, ("gull", "penguin", "seabird", "tern")),
    Class(
        "crowd", life.crowd, ("crowd murmur", "people", "murmur", "audience", "restaurant", "cafe", "market", "chatter")
    ),
    Class(
        "voices",
        life.voices,
        ("voice", "speech", "talking", "person", "man", "woman", "child", "conversation", "hiker", "pedestrian"),
    ),
    Class("footsteps", life.footsteps, ("footstep", "walking", "walker", "step", "hiking")),
    Class("bicycle", works.bicycle, ("bike", "cyclist", "cycling")),
    Class(
        "car pass", works.car_pass, ("car", "passing car", "taxi", "automobile", "vehicle", "motorcycle", "motorbike")
    ),
    Class("traffic", works.traffic, ("road", "street", "highway", "street traffic", "busy road")),
    Class(
        "engine",
        works.engine,
        ("bus", "truck", "lorry", "bus engine", "truck engine", "idling", "diesel", "tractor", "motor"),
    ),
    Class("train", works.train, ("railway", "rail", "tram", "subway", "locomotive")),
    Class("boat engine", works.boat_engine, ("boat", "ship", "ferry", "motorboat")),
    Class("aircraft", works.aircraft, ("aeroplane", "airplane", "plane", "jet", "rocket")),
    Class("helicopter", works.helicopter, ("chopper", "rotor")),
    Class("siren", works.siren, ("horn", "ambulance", "alarm", "police", "car horn")),
    Class("chainsaw", works.chainsaw, ("saw", "lawn mower", "leaf blower")),
    Class(
        "machine hum",
        works.hum,
        ("hum", "machine", "transformer", "generator", "electric", "computer", "oven", "microwave"),
    ),
    Class("air conditioner", works.fan, ("fan", "ventilation", "ventilator", "air conditioning", "hvac")),
    Class("refrigerator", works.refrigerator, ("fridge", "freezer", "compressor")),
    Class("tap", water.tap, ("faucet", "sink", "running tap")),
    Class("kitchen clatter", works.kitchen, ("kitchen", "dish", "plate", "cutlery", "clatter", "cooking")),
    Class("television murmur", works.television, ("television", "tv", "radio")),
    Class("music box", works.music_box, ("gramophone", "music", "record player", "piano", "song")),
    Class("clock tick", works.clock, ("clock", "tick", "ticking", "watch")),
    Class("church bell", works.bell, ("bell", "church", "chime", "tower bell")),
    Class("typewriter", works.typewriter, ("typing", "keyboard")),
    Class("room tone", works.room_tone, ("room", "indoor", "interior", "quiet room", "silence", "house")),
    Class(
        "city hum", works.city, ("city", "town", "urban", "skyline", "far traffic", "city ambience", "plaza", "square")
    ),
)

BY_NAME = {one.name: one for one in CLASSES}
