"""Where the photo was taken: in a room, in a town or in nature. It decides which sounds are thinkable."""

from enum import StrEnum

from sonoworld.perceive.stuff import Stuff
from sonoworld.perceive.survey import Survey

TOWN_MAN_MADE = 0.6
TOWN_SHARE = 0.2
ROOM_SKY_OVERHEAD = 0.06
ROOM_SKY = 0.03


class Setting(StrEnum):
    """Kind of place."""

    ROOM = "room"
    TOWN = "town"
    NATURE = "nature"


def judge(view: Survey, indoors: bool | None, room_evidence: float) -> Setting:
    """The kind of place.

    `indoors` is what the user says; `room_evidence` what things say: > 0 for rooms, < 0 for outdoors, 0 for nothing.
    """
    built = float(view.share[Stuff.ROAD] + view.share[Stuff.BUILDING])
    town = view.man_made > TOWN_MAN_MADE and built > TOWN_SHARE
    if indoors or (indoors is None and _in_room(view, room_evidence, town=town)):
        return Setting.ROOM
    return Setting.TOWN if town else Setting.NATURE


def _in_room(view: Survey, room_evidence: float, *, town: bool) -> bool:
    """Things that stand in rooms decide; without any, straight lines everywhere and no sky at all."""
    if abs(room_evidence) >= 1:
        return room_evidence > 0
    no_sky = view.share[Stuff.SKY] < ROOM_SKY and (view.sky_overhead or 0.0) < ROOM_SKY_OVERHEAD
    little_green = view.share[Stuff.VEGETATION] < 0.05
    return bool(town and no_sky and little_green)
