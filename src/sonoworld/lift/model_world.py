"""From what a model of depth says of a panorama to a world: views merged, brought to metres, sky and gaps filled in.

A map may hold metres, or, where a model knows shapes only, units that the eye's height over the ground turns into
metres.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from sonoworld.backend import Lift, Lifted, Run
from sonoworld.errors import InputError, StageError
from sonoworld.lift.disparity_fit import fitted
from sonoworld.lift.given import GivenDepthOptions
from sonoworld.lift.given_distances import geometry
from sonoworld.lift.given_map import InverseMap
from sonoworld.lift.model_options import TurnsOptions, ViewsOptions, WorldOptions
from sonoworld.lift.view_depth import Look, Seen, look_around, panorama_view, tile_disparity, tile_view, turned
from sonoworld.lift.view_merge import Merged, merge
from sonoworld.tiles import sphere_tiles
from sonoworld.types import Geometry, Panorama

ADVICE = "is it the right model for this picture? lift.camera_height_m sets the scale by the ground instead"
GIVEN_SKY: dict[str, Literal["auto", "file", "parse", "none"]] = {
    "auto": "auto",
    "model": "file",
    "parse": "parse",
    "none": "none",
}
LOOKED = 0.65
"""Share of the work that is done once all views have been looked at."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Whose distances they are, for messages, and whether they are metres."""

    who: str
    metric: bool


def lift_by_views(look: Look, options: ViewsOptions, *, who: str, metric: bool) -> Lift:
    """The stage function of a model that sees depth in perspective pictures. `metric`: its depths are metres."""

    def lift(panorama: Panorama, run: Run) -> Lifted:
        height = panorama.rgb.shape[0]
        tiles = sphere_tiles(options.side_px, options.fov_deg, options.overlap)
        looks = look_around(panorama.rgb, tiles, look, options.batch, run)
        merged = merge([tile_view(found, tile, height) for found, tile in zip(looks, tiles, strict=True)], height)
        return Lifted(world(merged, panorama, options, run, Spoken(who, metric=metric)))

    return lift


def lift_by_disparity(look: Look, options: ViewsOptions, *, who: str) -> Lift:
    """The stage function of a model that sees inverse depth up to a scale and a shift of each view's own."""

    def lift(panorama: Panorama, run: Run) -> Lifted:
        height = panorama.rgb.shape[0]
        tiles = sphere_tiles(options.side_px, options.fov_deg, options.overlap)
        looks = look_around(panorama.rgb, tiles, look, options.batch, run)
        views = [tile_disparity(found, tile, height) for found, tile in zip(looks, tiles, strict=True)]
        merged = merge(fitted(views, height), height)
        return Lifted(world(merged, panorama, options, run, Spoken(who, metric=False)))

    return lift


def lift_by_turns(look: Look, options: TurnsOptions, spoken: Spoken, *, rows: int, batch: int) -> Lift:
    """The stage function of a model that sees distance in whole panoramas of `rows` rows, `batch` of them at a time."""

    def lift(panorama: Panorama, run: Run) -> Lifted:
        height = panorama.rgb.shape[0]
        found: list[Seen] = []
        while len(found) < options.turns:
            run.tell(0.6 * len(found) / options.turns, f"turn {len(found) + 1} of {options.turns}")
            some = range(len(found), min(len(found) + batch, options.turns))
            found += look([turned(panorama.rgb, turn, options.turns, rows) for turn in some])
        merged = merge([panorama_view(one, i, options.turns, height) for i, one in enumerate(found)], height)
        return Lifted(world(merged, panorama, options, run, spoken))

    return lift


def world(merged: Merged, panorama: Panorama, options: WorldOptions, run: Run, spoken: Spoken) -> Geometry:
    """The world of a model's map. Valid is what the model says and views agree on.

    Raises:
        StageError: the distances cannot be metres, or there is nothing to scale them by.
    """
    run.tell(LOOKED, f"{spoken.who}: {merged.report()}")
    s = np.where(merged.solid, 1 / merged.distance, 0).astype(np.float32)
    seen = InverseMap(s, merged.solid | merged.far, merged.far)
    told = replace(run, tell=lambda fraction, note="": run.tell(LOOKED + (1 - LOOKED) * fraction, note))
    try:
        made = geometry(seen, panorama, told, _as_given(options, spoken), ADVICE)
    except InputError as error:
        raise StageError(str(error)) from error
    agree = merged.spread <= np.log1p(options.trust)
    return replace(made, valid=made.valid & (agree | made.sky))


def _as_given(options: WorldOptions, spoken: Spoken) -> GivenDepthOptions:
    """A model's map is a given map of the panorama: of metres, or of units that the ground turns into metres."""
    knows = spoken.metric and options.camera_height_m is None
    return GivenDepthOptions(
        path=spoken.who,
        shows="panorama",
        holds="distance" if knows else "disparity",
        unit_m=1.0 if knows else None,
        camera_height_m=options.camera_height_m,
        array=None,
        sky=GIVEN_SKY[options.sky],
        sky_from=None,
        sky_radius_m=options.sky_radius_m,
    )
