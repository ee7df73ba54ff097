"""The synthetic benchmark from nothing to rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from sonoworld.evaluate import drawn, methods
from sonoworld.evaluate.datasets.sonoscene360 import microphone_pose, read_sonoscene360
from sonoworld.evaluate.datasets.synthetic import (
    SyntheticSize,
    oracle_anchors,
    planned,
    take_of,
    with_levels_of,
    write_synthetic,
)
from sonoworld.evaluate.datasets.synthetic_layout import Layout
from sonoworld.evaluate.datasets.values import Anchors, Dataset
from sonoworld.evaluate.judging import scoring
from sonoworld.evaluate.kept import Kept, Scored, all_scored, station_key
from sonoworld.evaluate.predicted import known_soundings, recipe_anchors, recipe_geometry
from sonoworld.evaluate.run import PREDICTED_S, Method, Station, estimated, recorded, scored
from sonoworld.recipe import load, to_toml
from sonoworld.types import Panorama


@dataclass(frozen=True, slots=True)
class SyntheticRun:
    """What is run: `names` of baselines, ablations or not, by which recipe and CLAP, and where."""

    root: Path
    size: SyntheticSize
    seed: int
    names: tuple[str, ...]
    ablations: bool
    recipe: str = "embedded"
    clap: str | None = None


def run_synthetic(run: SyntheticRun, parts: Path, *, workers: int, told: Callable[[str], None], stamp: str) -> Kept:
    """Write the scenes (once for each program), read them back as a SonoScene360 tree, and score every method there.

    Args:
        run: what.
        parts: folder of what earlier runs made.
        workers: processes.
        told: hears of progress.
        stamp: of the program; parts of another stamp are not taken over.
    """
    made_by = run.root / "made_by.txt"
    if not made_by.is_file() or made_by.read_text("utf-8") != stamp:
        told("writing the scenes")
        write_synthetic(run.root, run.size, run.seed)
        made_by.write_text(stamp, encoding="utf-8")
    asked = (repr(replace(run, root=Path(), recipe="")), to_toml(load(run.recipe)), stamp)
    dataset = read_sonoscene360(run.root, "synthetic")
    keys = [
        station_key(f"{scene.id}, {mic.id}", asked, mic.files) for scene in dataset.scenes for mic in scene.microphones
    ]
    return all_scored(partial(_scored, run), keys, parts, workers=workers, told=told)


def chosen(run: SyntheticRun) -> tuple[Method, ...]:
    """The methods of a run; a recipe is not asked about closed forms, which are no scenes."""
    return methods.chosen(run.names, truth=True, ablations=run.ablations, seen=run.size.tier != "T0")


def stations(dataset: Dataset) -> Sequence[tuple[str, str]]:
    """(scene, microphone) in order."""
    return [(scene.id, mic.id) for scene in dataset.scenes for mic in scene.microphones]


def _scored(run: SyntheticRun, at: int) -> Scored:
    dataset = read_sonoscene360(run.root, "synthetic")
    places = stations(dataset)
    scene_id, mic_id = places[at]
    number = next(i for i, scene in enumerate(dataset.scenes) if scene.id == scene_id)
    scene = dataset.scenes[number]
    mic = next(mic for mic in scene.microphones if mic.id == mic_id)
    given, references = _given(run, number), recorded(mic)
    station = Station(scene_id, mic_id, microphone_pose(mic.marks, given.geometry), given.notes)
    named = chosen(run)

    def view(name: str) -> Anchors:
        kind, _, clip = name.partition("/")
        if kind == "levels":
            at_clip = next(i for i, one in enumerate(mic.recordings) if one.id == clip)
            take = take_of(run.size, run.seed, number, scene.microphones.index(mic), at_clip)
            return with_levels_of(given, _layout(run, number), take)
        return _view(run, number, scene.known_sources, name)

    rows = scored(station, references, view, named, run.seed, scoring(run.clap, scene, mic_id))
    if not drawn.is_drawn(at, len(places)):
        return Scored(tuple(rows))
    shown = {m.name: estimated(station, view(m.view), m, run.seed) for m in named if m.name in drawn.PICTURED}
    known = drawn.true_directions(given, station.pose)
    return Scored(tuple(rows), drawn.station_pictures(station, references, shown, given, known))


def _layout(run: SyntheticRun, number: int) -> Layout:
    return planned(run.size, run.seed)[number]


@lru_cache(maxsize=1)
def _given(run: SyntheticRun, number: int) -> Anchors:
    return oracle_anchors(_layout(run, number), run.size.height_px, PREDICTED_S)


@lru_cache(maxsize=4)
def _view(run: SyntheticRun, number: int, labels: tuple[str, ...], view: str) -> Anchors:
    """`given`: the truth; `depth`, `masks`: the recipe's in its place; `known`, `unknown`: all by the recipe.

    The microphones stand where they stand: only what is seen changes, and what is given keeps its clips and levels.
    """
    given = _given(run, number)
    if view == "given":
        return given
    recipe = load(run.recipe)
    panorama = Panorama(np.array(given.rgb), np.ones(given.rgb.shape[:2], np.bool_))
    if view == "depth":
        return replace(given, geometry=recipe_geometry(panorama, recipe, run.seed))
    if view == "unknown":
        return recipe_anchors(given.rgb, recipe, None, run.seed)
    unplaced = tuple(replace(sounding, mask=None) for sounding in given.soundings)
    if view == "masks":
        found = recipe_anchors(given.rgb, recipe, unplaced, run.seed)
        return replace(found, geometry=given.geometry, clips=given.clips)
    return recipe_anchors(given.rgb, recipe, known_soundings(labels), run.seed)
