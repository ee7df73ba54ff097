"""Where are we: indoors or out, town or nature, paved or not.

Shares are parts of the solid angle of what the photo itself shows.
"""

from dataclasses import dataclass

import numpy as np

from sonoworld.perceive.around import Thing
from sonoworld.perceive.coco import INDOOR, STREET_AND_FIELD, VEHICLES
from sonoworld.perceive.seen import Seen
from sonoworld.perceive.stuff import Stuff
from sonoworld.perceive.survey import Survey

INDOOR_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Probabilities 0..1 of `indoors`, and of `town` given outdoors; `paved` underfoot."""

    indoors_probability: float
    town: float
    paved: bool

    @property
    def indoors(self) -> bool:
        """Whether it is taken for a room."""
        return self.indoors_probability > INDOOR_THRESHOLD


def surroundings(seen: Seen, *, indoors: bool | None = None) -> Surroundings:
    """Weigh the evidence of stuff and things; `indoors`, where it is said, is believed."""
    view, things = seen.view, seen.things
    share = view.share
    vehicles = sum(t.score for t in things if t.label in VEHICLES and t.score >= 0.4)
    town = float(np.clip(view.man_made + 0.15 * vehicles + share[Stuff.ROAD] * 0.5 - 0.8 * _green(view), 0, 1))
    paved = bool(share[Stuff.ROAD] > max(share[Stuff.GROUND], 0.04))
    return Surroundings(_indoors(view, things) if indoors is None else float(indoors), town, paved)


def _green(view: Survey) -> float:
    return float(view.share[Stuff.VEGETATION])


def _indoors(view: Survey, things: tuple[Thing, ...]) -> float:
    """Logistic sum of hand-set evidence: furniture and missing sky against vehicles, leaves and open sky."""
    furniture = sum(t.score for t in things if t.label in INDOOR)
    outdoors = sum(t.score for t in things if t.label in STREET_AND_FIELD and t.score >= 0.4)
    sky = view.sky_overhead
    no_sky = 0.0 if sky is None else float(np.clip(1 - sky / 0.15, 0, 1))
    open_sky = view.stuff.open_sky * float(np.clip(view.share[Stuff.SKY] / 0.10, 0, 1))
    leaves = float(np.clip(_green(view) / 0.15, 0, 1))
    log_odds = (
        -1.6
        + 2.0 * min(furniture, 2.0)
        - 2.0 * min(outdoors, 2.0)
        + 2.2 * (view.man_made - 0.5)
        + 1.6 * no_sky
        - 2.2 * open_sky
        - 2.5 * leaves
    )
    return float(1 / (1 + np.exp(-log_odds)))
