"""SonoScene360, or any tree in its layout, to rows: the recipe sees, and every renderer works by what it saw."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from sonoworld.disk.photo import read_photo
from sonoworld.evaluate import drawn, methods, semantic, spatial
from sonoworld.evaluate.baselines.files import Submission
from sonoworld.evaluate.datasets.sonoscene360 import microphone_pose, read_sonoscene360
from sonoworld.evaluate.datasets.values import Anchors, Dataset, Microphone
from sonoworld.evaluate.judging import scoring
from sonoworld.evaluate.kept import Kept, Scored, all_scored, station_key
from sonoworld.evaluate.on_synthetic import stations
from sonoworld.evaluate.predicted import known_soundings, recipe_anchors
from sonoworld.evaluate.results import Row
from sonoworld.evaluate.run import PREDICTED_S, RATE_HZ, Station, averaged, estimated, recorded, scored
from sonoworld.recipe import load, to_toml


@dataclass(frozen=True, slots=True)
class RecordingsRun:
    """What is run: the tree, a recipe, `names` of baselines, files of other methods, and a CLAP where one is asked."""

    root: Path
    recipe: str
    seed: int
    names: tuple[str, ...]
    ablations: bool = True
    submissions: tuple[Submission, ...] = ()
    most_clips: int | None = None
    clap: str | None = None


def run_recordings(run: RecordingsRun, parts: Path, *, workers: int, told: Callable[[str], None], stamp: str) -> Kept:
    """Score every method, and every submission, at every microphone (up to `most_clips` recordings).

    Raises:
        InputError: the tree, or a submission, is not complete.
    """
    dataset = read_sonoscene360(run.root)
    named = tuple((one.name, one.format) for one in run.submissions)
    plain = replace(run, root=Path(), recipe="", submissions=())
    asked = (repr(plain), repr(named), to_toml(load(run.recipe)), stamp)
    keys: list[str] = []
    for scene_id, mic_id in _places(run, dataset):
        scene = next(scene for scene in dataset.scenes if scene.id == scene_id)
        mic = next(mic for mic in scene.microphones if mic.id == mic_id)
        theirs = (one.file(scene_id, mic_id) for one in run.submissions)
        known = repr((scene.known_sources, sorted({text for m in scene.microphones for _, text in m.annotations})))
        keys.append(station_key(f"{scene_id}, {mic_id}", (*asked, known), (scene.panorama, *mic.files, *theirs)))
    return all_scored(partial(_scored, run), keys, parts, workers=workers, told=told)


def _places(run: RecordingsRun, dataset: Dataset) -> list[tuple[str, str]]:
    """Whole microphones, one of each scene after the other, until the clips are enough."""
    counts = {(s.id, m.id): len(m.recordings) for s in dataset.scenes for m in s.microphones}
    order = list(stations(dataset))
    if run.most_clips is None:
        return order
    rank = {place: sum(other[0] == place[0] for other in order[:at]) for at, place in enumerate(order)}
    taken: list[tuple[str, str]] = []
    for place in sorted(order, key=lambda p: (rank[p], order.index(p))):
        if sum(counts[p] for p in taken) + counts[place] <= run.most_clips:
            taken.append(place)
    return [place for place in order if place in taken]


def _scored(run: RecordingsRun, at: int) -> Scored:
    dataset = read_sonoscene360(run.root)
    places = _places(run, dataset)
    scene_id, mic_id = places[at]
    scene = next(scene for scene in dataset.scenes if scene.id == scene_id)
    mic = next(mic for mic in scene.microphones if mic.id == mic_id)
    references, score = recorded(mic), scoring(run.clap, scene, mic_id)
    known = _anchors(run, scene.panorama, scene.known_sources)
    station = Station(scene_id, mic_id, microphone_pose(mic.marks, known.geometry), {"recipe": run.recipe})
    named = methods.chosen(run.names, truth=False, ablations=run.ablations)

    def view(name: str) -> Anchors:
        return _anchors(run, scene.panorama, None if name == "unknown" else scene.known_sources)

    rows = scored(station, references, view, named, run.seed, score)
    for submission in run.submissions:
        estimate = spatial.centre_clip(submission.read(scene_id, mic_id), PREDICTED_S, RATE_HZ)
        for clip, reference in references.items():
            found = averaged([score(estimate, reference)])
            rows.append(Row(submission.name, scene_id, mic_id, clip, found, {"files": submission.format}))
    if not drawn.is_drawn(at, len(places)):
        return Scored(tuple(rows))
    shown = {m.name: estimated(station, view(m.view), m, run.seed) for m in named if m.name in drawn.PICTURED}
    return Scored(tuple(rows), drawn.station_pictures(station, references, shown, known, _annotated(mic)))


def _annotated(mic: Microphone) -> list[drawn.Named]:
    """What people noted to hear from one of six directions, head axes."""
    found: list[drawn.Named] = []
    for direction, label in mic.annotations:
        channel, sign = semantic.DIRECTIONS[direction]
        found.append((label, sign * np.eye(3)[{3: 0, 1: 1, 2: 2}[channel]]))
    return found


@lru_cache(maxsize=2)
def _anchors(run: RecordingsRun, panorama: Path, labels: tuple[str, ...] | None) -> Anchors:
    """What the recipe sees, told of these labels; None lets it find out."""
    rgb = read_photo(panorama, panorama=True).rgb
    said = None if labels is None else known_soundings(labels)
    return recipe_anchors(rgb, load(run.recipe), said, run.seed)
