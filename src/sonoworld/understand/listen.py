"""From a panorama to what can be heard in it: what is seen, weighed, named, and cut to a handful."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool

from sonoworld.backend import Run, Understand, nobody
from sonoworld.perceive.seen import Seen, look
from sonoworld.perceive.stuff import Stuff
from sonoworld.types import Camera, Panorama, Sounding, Spread
from sonoworld.understand.embedded import EmbeddedOptions
from sonoworld.understand.from_stuff import from_stuff, large_enough, percent, seen_area
from sonoworld.understand.from_things import Place, from_things
from sonoworld.understand.levels import LEVELS_DB
from sonoworld.understand.surroundings import Surroundings, surroundings
from sonoworld.understand.unheard import unheard

BACKEND = "embedded"
QUIET_ROAD_CONFIDENCE = 0.35


def listener(options: EmbeddedOptions) -> Understand:
    """The stage function of `understand.embedded`."""

    def understand(panorama: Panorama, camera: Camera | None, run: Run) -> tuple[Sounding, ...]:
        del camera
        run.tell(0.0, "stuff and things")
        seen = look(panorama, detect=options.detect)
        run.tell(0.9, "what can be heard")
        return soundings(panorama, seen, options, run.leave_out)

    return understand


def soundings(
    panorama: Panorama, seen: Seen, options: EmbeddedOptions, leave_out: Callable[[str, str], None] = nobody
) -> tuple[Sounding, ...]:
    """What sounds in a panorama: ambience first, then by confidence; at most `options.most`.

    `leave_out(what, why)` is told of what is seen and not among them.
    """
    place = surroundings(seen, indoors=options.indoors)
    where = Place(place.indoors, place.paved)
    things = from_things(seen.things, where)
    stuff = from_stuff(panorama.rgb, seen.view, place)
    road = () if options.detect else _road(seen, place)
    around = _ambience(seen, place)
    if any(s.label == "birds" for s in things):
        for guess in (s for s in stuff if s.label == "birds"):
            leave_out(guess.label, f"birds are seen, no others are supposed: {guess.reason}")
        stuff = tuple(s for s in stuff if s.label != "birds")
    ranked = sorted((*things, *stuff, *road), key=lambda s: -s.confidence)
    found = (*around, *ranked)
    for sounding in found[options.most :]:
        leave_out(sounding.label, f"less certain than the {options.most} that are kept (understand.most)")
    for what, why in unheard(seen, found, where):
        leave_out(what, why)
    return found[: options.most]


def _ambience(seen: Seen, place: Surroundings) -> tuple[Sounding, ...]:
    """What is around everywhere: room tone, city hum, wind."""
    if place.indoors:
        reason = "walls, furniture or no open sky: this looks like a room"
        return (
            _ambient("room tone", "quiet room tone", place.indoors_probability, reason),
            _ambient("air conditioner", "a quiet air conditioner humming", 0.3, "rooms often have ventilation"),
        )
    wind = "sky overhead" if seen.view.share[Stuff.SKY] > 0.02 else "outdoors"
    if place.town > 0.55:
        reason = "upright lines of buildings, roads or vehicles: this looks like a town"
        return (
            _ambient("city hum", "distant city hum", 0.3 + 0.5 * place.town, reason),
            _ambient("wind", "a light wind", 0.4, wind),
        )
    return (_ambient("wind", "gentle wind in the open", 0.75, f"{wind}, away from town"),)


def _ambient(label: str, prompt: str, confidence: float, reason: str) -> Sounding:
    level_db = LEVELS_DB[label]
    return Sounding(label, prompt, Spread.AMBIENT, level_db, confidence, BACKEND, reason=reason, visible=False)


def _road(seen: Seen, place: Surroundings) -> tuple[Sounding, ...]:
    """Without a detector, a road in a town is taken to carry traffic, with little confidence."""
    mask: Bool[np.ndarray, "h w"] = seen_area(seen.view, Stuff.ROAD)
    if place.indoors or place.town < 0.6 or not large_enough(seen.view, mask):
        return ()
    reason = f"a road is {percent(seen.view, mask)}; vehicles were not looked for"
    level = LEVELS_DB["traffic"] - 4.0
    prompt = "street traffic, cars passing slowly"
    return (
        Sounding(
            "traffic", prompt, Spread.AREA, level, QUIET_ROAD_CONFIDENCE, BACKEND,
            mask=mask, reason=reason, grounding="road", visible=True,
        ),
    )  # fmt: skip
