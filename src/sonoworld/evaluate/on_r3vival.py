"""R3VIVAL from the photo to rows: three loudspeakers given as boxes, the recipe's world, the measured direct sound.

Only azimuths count: the photo is squeezed in height. All estimates are made of the same distances, masks and clips.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from sonoworld.disk.photo import read_photo
from sonoworld.errors import InputError
from sonoworld.evaluate import drawn, methods
from sonoworld.evaluate.datasets import r3vival
from sonoworld.evaluate.datasets.values import Anchors
from sonoworld.evaluate.kept import Kept, Scored, all_scored, station_key
from sonoworld.evaluate.predicted import recipe_anchors
from sonoworld.evaluate.run import Station, estimated, scored
from sonoworld.frames import Pose
from sonoworld.recipe import load, to_toml
from sonoworld.types import Sounding, Spread

HEIGHT_PX = 512
LEVEL_DB = 70.0


@dataclass(frozen=True, slots=True)
class R3vivalRun:
    """What is run: the folder, a recipe, `names` of baselines."""

    root: Path
    recipe: str
    seed: int
    names: tuple[str, ...]


def run_r3vival(run: R3vivalRun, parts: Path, *, workers: int, told: Callable[[str], None], stamp: str) -> Kept:
    """Score every method on the responses of the loudspeakers that the photo shows.

    Raises:
        InputError: no photo, or none of its loudspeakers among the responses.
    """
    seen = _seen(run)
    asked = (repr(replace(run, root=Path(), recipe="")), to_toml(load(run.recipe)), stamp)
    photo = run.root / r3vival.PHOTO
    keys = [station_key(f"{one.condition}, {one.source}", asked, (photo, one.path)) for one in seen]
    return all_scored(partial(_scored, run), keys, parts, workers=workers, told=told)


def _seen(run: R3vivalRun) -> list[r3vival.Response]:
    found = [one for one in r3vival.read_r3vival(run.root) if one.source in r3vival.SEEN_BOXES]
    if not found:
        raise InputError(f"{run.root}: expected responses of {', '.join(r3vival.SEEN_BOXES)}, found none")
    return found


def _scored(run: R3vivalRun, at: int) -> Scored:
    seen = _seen(run)
    response = seen[at]
    references = {"direct": r3vival.direct_sound(response), "room": r3vival.first_order_response(response)}
    station = Station(
        response.condition, response.source, Pose(np.eye(3), np.zeros(3)), {"distances": run.recipe, "places": "boxes"}
    )
    named = methods.chosen(run.names, truth=False, ablations=False)
    anchors = _anchors(run, response.source)
    rows = tuple(scored(station, references, lambda _: anchors, named, run.seed))
    if not drawn.is_drawn(at, len(seen)):
        return Scored(rows)
    shown = {m.name: estimated(station, anchors, m, run.seed) for m in named if m.name in drawn.PICTURED}
    known = ((f"loudspeaker {response.source}", r3vival.named_direction(response)),)
    return Scored(rows, drawn.station_pictures(station, references, shown, anchors, known))


@lru_cache(maxsize=3)
def _anchors(run: R3vivalRun, source: str) -> Anchors:
    photo = read_photo(run.root / r3vival.PHOTO)
    rgb = r3vival.photo_panorama(photo.rgb, HEIGHT_PX)
    mask = r3vival.photo_mask(r3vival.SEEN_BOXES[source], HEIGHT_PX)
    speaker = Sounding("loudspeaker", "a person speaking", Spread.POINT, LEVEL_DB, 1.0, "given", mask=mask)
    return recipe_anchors(rgb, load(run.recipe), (speaker,), run.seed)
