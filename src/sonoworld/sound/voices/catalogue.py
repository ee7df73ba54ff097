"""All voices by name, and which of them are events with silence between."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sonoworld.sound.colour import coloured, leaning
from sonoworld.sound.manner import Manner
from sonoworld.sound.noise import Wave
from sonoworld.sound.voices import (
    air,
    animals,
    birds,
    fire,
    household,
    insects,
    machines,
    people,
    places,
    rain,
    running_water,
    sea,
    vehicles,
)

EFFORT_DB = 1.2

Sound = Callable[[int, Manner, np.random.Generator], Wave]


@dataclass(frozen=True, slots=True)
class Voice:
    """How to make one loop of a class; `sparse`: levelled by its loudest event, not as a whole.

    `lean_db` per octave and `uneven_db` say how unlike the colours of two real ones are (`colour.py`). `effort_db` per
    octave is what strength adds where the voice itself knows nothing of it: pushed, blown and struck harder, most
    things get brighter (for speech, Traunmüller & Eriksson, JASA 107, 2000).
    """

    plain: Sound
    sparse: bool = False
    lean_db: float = 0.7
    uneven_db: float = 1.5
    effort_db: float = 0.0

    def sound(self, n: int, manner: Manner, rng: np.random.Generator) -> Wave:
        """One loop of n samples, of arbitrary level."""
        plain = coloured(self.plain(n, manner, rng), self.lean_db, self.uneven_db, rng)
        return leaning(plain, self.effort_db * manner.strength)


def _animal(
    throat: animals.Throat, fewest: int = 1, most: int = 1, lean_db: float = 0.7, uneven_db: float = 1.5
) -> Voice:
    def sound(n: int, manner: Manner, rng: np.random.Generator) -> Wave:
        count = max(1, round(rng.integers(fewest, most + 1) * manner.busier**0.6))
        return animals.calling(n, throat, count, manner, rng)

    return Voice(sound, most == 1, lean_db, uneven_db, EFFORT_DB)


VOICES: dict[str, Voice] = {
    "wind": Voice(air.wind),
    "leaves": Voice(air.leaves),
    "grass": Voice(air.grass, effort_db=EFFORT_DB),
    "rain": Voice(rain.rain, lean_db=1.5, uneven_db=3.0),
    "storm": Voice(rain.storm),
    "thunder": Voice(rain.thunder, sparse=True, effort_db=EFFORT_DB),
    "stream": Voice(running_water.stream),
    "river": Voice(running_water.river),
    "waterfall": Voice(running_water.waterfall),
    "fountain": Voice(running_water.fountain),
    "dripping": Voice(running_water.dripping, sparse=True),
    "tap": Voice(running_water.tap),
    "sea waves": Voice(sea.sea_waves, lean_db=1.2, uneven_db=2.5),
    "lapping": Voice(sea.lapping),
    "fire": Voice(fire.fire, lean_db=1.6, uneven_db=3.0),
    "birds": Voice(birds.birds, effort_db=EFFORT_DB),
    "owl": _animal(animals.OWL),
    "rooster": _animal(animals.ROOSTER, lean_db=1.5, uneven_db=3.0),
    "seagull": _animal(animals.GULL, 2, 4),
    "penguin": _animal(animals.PENGUIN, 2, 5),
    "crickets": Voice(insects.crickets, lean_db=0.3, uneven_db=1.0, effort_db=EFFORT_DB),
    "frogs": _animal(animals.FROG, 2, 6),
    "dog": _animal(animals.DOG, lean_db=1.3, uneven_db=3.0),
    "cat": _animal(animals.CAT),
    "cattle": _animal(animals.COW, 1, 3),
    "sheep": _animal(animals.SHEEP, 2, 4),
    "large animal": Voice(animals.large_animal, sparse=True, effort_db=EFFORT_DB),
    "horse": Voice(animals.horse, sparse=True),
    "crowd": Voice(people.crowd, effort_db=EFFORT_DB),
    "voices": Voice(people.voices, effort_db=EFFORT_DB),
    "footsteps": Voice(people.footsteps, sparse=True),
    "bicycle": Voice(vehicles.bicycle),
    "car pass": Voice(vehicles.car_pass, sparse=True),
    "traffic": Voice(places.traffic),
    "bus engine": Voice(vehicles.bus_engine),
    "motorcycle": Voice(vehicles.motorcycle),
    "train": Voice(vehicles.train),
    "boat": Voice(vehicles.boat),
    "boat engine": Voice(vehicles.boat_engine),
    "helicopter": Voice(vehicles.helicopter, lean_db=1.6, uneven_db=2.5, effort_db=EFFORT_DB),
    "aircraft": Voice(vehicles.aircraft),
    "rocket": Voice(vehicles.rocket),
    "horn": Voice(vehicles.horn, sparse=True, effort_db=EFFORT_DB),
    "siren": Voice(vehicles.siren),
    "chainsaw": Voice(machines.chainsaw, lean_db=0.9, uneven_db=2.5),
    "machine hum": Voice(machines.machine_hum),
    "air conditioner": Voice(machines.air_conditioner),
    "refrigerator": Voice(machines.refrigerator),
    "kitchen clatter": Voice(household.kitchen_clatter, sparse=True, effort_db=EFFORT_DB),
    "television murmur": Voice(household.television_murmur, effort_db=EFFORT_DB),
    "gramophone": Voice(household.gramophone),
    "music box": Voice(household.music_box),
    "clock tick": Voice(household.clock_tick, True, lean_db=1.3, uneven_db=3.0, effort_db=EFFORT_DB),
    "church bell": Voice(household.church_bell, effort_db=EFFORT_DB),
    "typewriter": Voice(household.typewriter, sparse=True, effort_db=EFFORT_DB),
    "room tone": Voice(places.room_tone, effort_db=EFFORT_DB),
    "city hum": Voice(places.city_hum, lean_db=0.4, uneven_db=1.0, effort_db=EFFORT_DB),
}
