"""What is heard from everywhere, though nothing in the photo shows it: air, birds, a town, a room."""

from sonoworld.perceive.stuff import Stuff
from sonoworld.perceive.survey import Survey
from sonoworld.types import Sounding, Spread
from sonoworld.understand.setting import Setting
from sonoworld.understand.surfaces import BACKEND

GREEN_FOR_BIRDS = 0.04


def ambience(view: Survey, setting: Setting) -> tuple[Sounding, ...]:
    """One bed for the place, and birds where there is green."""
    if setting is Setting.ROOM:
        return (_ambient("room tone", "the quiet tone of a room", 28.0, 0.8, "a room: no sky, straight walls"),)
    if setting is Setting.TOWN:
        bed = _ambient("city hum", "the distant hum of a city", 50.0, 0.6, "a built-up place under the sky")
    else:
        bed = _ambient("wind", "a light wind in the open", 42.0, 0.6, "outdoors, away from buildings")
    green = float(view.share[Stuff.VEGETATION])
    if green < GREEN_FOR_BIRDS:
        return (bed,)
    level_db = 46.0 if setting is Setting.NATURE else 42.0
    confidence = round(min(0.6, 0.35 + green / 2), 3)
    birds = _ambient("birds", "a few songbirds around", level_db, confidence, f"{green:.0%} of the photo is trees")
    return bed, birds


def _ambient(label: str, prompt: str, level_db: float, confidence: float, reason: str) -> Sounding:
    return Sounding(label, prompt, Spread.AMBIENT, level_db, confidence, BACKEND, reason=reason)
