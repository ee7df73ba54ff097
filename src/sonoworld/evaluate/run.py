"""One evaluation: every method at every microphone, scored against every recording there."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32

from sonoworld.evaluate import spatial
from sonoworld.evaluate.datasets.foa_folder import RATE_HZ, read_foa
from sonoworld.evaluate.datasets.values import Anchors, Microphone
from sonoworld.evaluate.judging import Score, by_direction
from sonoworld.evaluate.results import Row
from sonoworld.frames import Pose

Renderer = Callable[[Anchors, Pose, int, np.random.Generator], Float32[np.ndarray, "4 t"]]
"""(anchors, world_from_head, samples, rng) -> [W, Y, Z, X]."""

PREDICTED_S, RECORDED_S = 5.0, 8.0
"""Both clips are cut around their middles, as the release does."""


@dataclass(frozen=True, slots=True)
class Method:
    """A renderer, how many draws of it are averaged (1 where nothing is random), and by which anchors it works.

    `each_clip` is for those who are told something about every single recording: their view is "NAME/CLIP".
    """

    name: str
    render: Renderer
    draws: int = 1
    view: str = "given"
    each_clip: bool = False


@dataclass(frozen=True, slots=True)
class Station:
    """One microphone of one scene, and what the methods are given there.

    Attributes:
        scene: its id.
        mic: id of the microphone.
        pose: world_from_head.
        notes: what the rows shall say, for example the part of the benchmark.
    """

    scene: str
    mic: str
    pose: Pose
    notes: Mapping[str, str] = field(default_factory=dict[str, str])


def recorded(microphone: Microphone) -> dict[str, Float32[np.ndarray, "4 t"]]:
    """The recordings of a microphone, cut as the release cuts them.

    Raises:
        InputError: a recording cannot be read.
    """
    return {clip.id: spatial.centre_clip(read_foa(clip.path), RECORDED_S, RATE_HZ) for clip in microphone.recordings}


def scored(
    station: Station,
    references: Mapping[str, Float32[np.ndarray, "4 t"]],
    view: Callable[[str], Anchors],
    methods: Sequence[Method],
    seed: int,
    score: Score = by_direction,
) -> list[Row]:
    """All methods at one microphone against each recording there; the scores of several draws are averaged.

    Args:
        station: the place.
        references: clip -> [W, Y, Z, X].
        view: name -> the anchors that methods of this view work by.
        methods: in the order of the rows.
        seed: of all draws.
        score: what is measured.
    """
    rows: list[Row] = []
    for method in methods:
        made: dict[str, list[Float32[np.ndarray, "4 t"]]] = {}
        for clip, reference in references.items():
            name = f"{method.view}/{clip}" if method.each_clip else method.view
            if name not in made:
                anchors = view(name)
                made[name] = [estimated(station, anchors, method, seed, draw) for draw in range(method.draws)]
            found = [score(estimate, reference) for estimate in made[name]]
            provenance = {**station.notes, "draws": str(method.draws)}
            rows.append(Row(method.name, station.scene, station.mic, clip, averaged(found), provenance))
    return rows


def estimated(
    station: Station, anchors: Anchors, method: Method, seed: int, draw: int = 0
) -> Float32[np.ndarray, "4 t"]:
    """What a method gives at a microphone."""
    rng = _rng(seed, station, method, draw)
    return method.render(anchors, station.pose, round(PREDICTED_S * RATE_HZ), rng)


def averaged(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean of every metric over draws; NaN in one draw is NaN in all, and counted."""
    return {name: math.fsum(one[name] for one in found) / len(found) for name in found[0]}


def _rng(seed: int, station: Station, method: Method, draw: int) -> np.random.Generator:
    key = f"{station.scene}/{station.mic}/{method.name}/{draw}"
    return np.random.default_rng([seed, int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")])
