"""What a recipe finds in a panorama, as anchors: distances, what sounds, where, and its sound."""

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from sonoworld.backend import Lifted, Run
from sonoworld.errors import StageError
from sonoworld.evaluate.datasets.values import Anchors
from sonoworld.localize import localize
from sonoworld.recipe import Recipe
from sonoworld.types import Clip, Geometry, Panorama, Sounding, Source, Spread, Stage
from sonoworld.understand.levels import default_level_db

AREA_WORDS = {"stream", "river", "fountain", "waterfall", "water", "pool", "waves", "sea", "rain", "leaves"}
AMBIENT_WORDS = {"wind", "traffic", "city", "crowd", "ambience", "crickets"}


def recipe_anchors(
    rgb: UInt8[np.ndarray, "h w 3"], recipe: Recipe, said: Sequence[Sounding] | None, seed: int
) -> Anchors:
    """Run the stages of a recipe on a panorama.

    Args:
        rgb: the panorama.
        recipe: whose lift, understand, segment, localize and sound are used.
        said: what sounds, by somebody who knows (what has no mask is looked for); None asks `understand`.
        seed: of all stages.

    Raises:
        BackendMissingError: a stage cannot run here.
        StageError: a stage failed.
    """
    panorama = Panorama(np.array(rgb), np.ones(rgb.shape[:2], np.bool_))
    geometry = recipe_geometry(panorama, recipe, seed)
    soundings = tuple(said) if said is not None else _stage(recipe, "understand")(panorama, None, _run(seed, 1))
    placed: tuple[Sounding, ...] = _stage(recipe, "segment")(panorama, soundings, _run(seed, 2))
    clips = tuple(_voiced(sounding, panorama, geometry, recipe, seed) for sounding in placed)
    return Anchors(panorama.rgb, geometry, placed, clips)


def recipe_geometry(panorama: Panorama, recipe: Recipe, seed: int) -> Geometry:
    """The distances that a recipe's lift sees."""
    lifted: Lifted = _stage(recipe, "lift")(panorama, _run(seed, 0))
    return lifted.geometry


def known_soundings(labels: Sequence[str]) -> tuple[Sounding, ...]:
    """Labels without places, as `known_sources.json` has them; how each fills space, by its words."""
    return tuple(
        Sounding(label, label, spread := _spread(label), default_level_db(label, label, spread), 1.0, "known_sources")
        for label in labels
    )


def _spread(label: str) -> Spread:
    words = set(re.findall(r"[a-z]+", label.lower()))
    if words & AREA_WORDS:
        return Spread.AREA
    return Spread.AMBIENT if words & AMBIENT_WORDS else Spread.POINT


def _voiced(sounding: Sounding, panorama: Panorama, geometry: Geometry, recipe: Recipe, seed: int) -> Clip:
    located = localize((sounding,), geometry, panorama.known, recipe.localize)
    voiced: tuple[Source, ...] = _stage(recipe, "sound")(located[:1], _run(seed, 3))
    clip = voiced[0].clip
    if clip is None:
        raise StageError(f"sound: expected a sound for {sounding.label!r}, got none")
    return clip


def _stage(recipe: Recipe, name: Stage):
    choice = recipe.choices[name]
    return choice.backend.make(choice.options)


def _run(seed: int, stage: int) -> Run:
    return Run(np.random.default_rng([seed, stage]))
