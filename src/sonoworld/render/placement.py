"""Sources of a world put into the engine: which inputs are whose, and where they are now.

Letters: o listener, c centroid at rest, p(t) place on the path, all m, world; σ fade with distance.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float64

from sonoworld.encode.listener import Track
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.propagate import fade
from sonoworld.encode.voices import Voices
from sonoworld.encode.way import moving_way
from sonoworld.frames import Pose
from sonoworld.render.engine import Engine
from sonoworld.types import FULL_SCALE_DB, Directivity, Spread


def input_rows(everyone: Sequence[Voices]) -> list[slice]:
    """Inputs of every source, one per voice: ambience first, since it moves with the head."""
    rows: dict[int, slice] = {}
    at = 0
    for i in sorted(range(len(everyone)), key=lambda i: everyone[i].source.spread is not Spread.AMBIENT):
        rows[i] = slice(at, at + len(everyone[i].signals))
        at = rows[i].stop
    return [rows[i] for i in range(len(everyone))]


class Placement:
    """Keeps an engine's sources where they belong as the head and the sources move.

    The clips carry the levels, so that every source is placed with gain 1 at 1 m.

    Args:
        engine: with an input for every voice.
        everyone: all voices, in the order of the sources.
        law: of distance and delay, the engine's.
    """

    def __init__(self, engine: Engine, everyone: Sequence[Voices], law: EncodeOptions) -> None:
        self._engine, self._law = engine, law
        self._ambient = sum(voices.source.spread is Spread.AMBIENT for voices in everyone)
        rows = zip(everyone, input_rows(everyone), strict=True)
        self._placed = [(voices, row.start) for voices, row in rows if voices.source.spread is not Spread.AMBIENT]
        self._moving = [(voices, row) for voices, row in self._placed if voices.source.path is not None]
        self._last = [np.full(6, np.nan)] * len(self._moving)
        # Ambience stays in the middle of the head; under the paper's law, which is infinite there, 1 m ahead.
        self._beside = np.array([1.0 if law.mode == "paper" else 0.0, 0.0, 0.0])
        self._ambient_db = FULL_SCALE_DB - 20 * math.log10(float(fade(self._beside, law)))
        for row in range(self._ambient):
            # all round: of a cap as wide as the sphere only W is left
            engine.set_source(row, self._beside, self._ambient_db, math.pi)
        for voices, row in self._placed:
            self._put(voices, row, np.zeros(3), voices.source.directivity)

    @property
    def moves(self) -> bool:
        """Whether any source has a path."""
        return bool(self._moving)

    def surround(self, origin: Float64[np.ndarray, "3"]) -> None:
        """Take ambience along to a head's place."""
        if self._ambient:
            places = np.tile(origin + self._beside, (self._ambient, 1))
            self._engine.set_sources(places, np.full(self._ambient, self._ambient_db))

    def carry(self, head: Pose, time_s: float) -> None:
        """Put sources with paths where they are heard from at a time; those that did not move are left alone."""
        track, times_s = Track.still(head), np.array([time_s])
        for k, (voices, row) in enumerate(self._moving):
            way = moving_way(voices.source, track, times_s, self._law)
            shift = head.origin - way.origins[0]
            aim = voices.source.directivity
            if aim is not None and way.facing is not None:
                aim = replace(aim, facing=way.facing[0])
            now = np.concatenate([shift, np.zeros(3) if aim is None else aim.facing])
            if not np.array_equal(now, self._last[k]):
                self._last[k] = now
                self._put(voices, row, shift, aim)

    def _put(self, voices: Voices, row: int, shift: Float64[np.ndarray, "3"], aim: Directivity | None) -> None:
        source = voices.source
        points = np.asarray(source.points, np.float64) + shift
        place = np.asarray(source.weights, np.float64) @ points
        if source.spread is Spread.POINT:
            self._engine.set_source(row, place, directivity=aim)
        elif voices.labels is None:
            self._engine.set_source(row, place, spread=(points, source.weights), directivity=aim)
        else:
            self._engine.set_source(row, place, spread=(points, source.weights, voices.labels), directivity=aim)
