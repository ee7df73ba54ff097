"""The way between a source and a listener, at every block boundary, whichever of them moves.

Letters: k boundaries; t time, s; o listener, c centroid of the source at rest, p(t) place on its path, all m, world.
A moving source is one at rest with a listener at o − (p − c): all that is heard depends on the difference.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from sonoworld.encode.directivity import directivity_gain
from sonoworld.encode.listener import Track
from sonoworld.encode.motion import headings, places, sent_at
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.propagate import distance
from sonoworld.types import Source


@dataclass(frozen=True, slots=True)
class Way:
    """`rotations` world_from_head; `origins` o − (p − c), m; `facing` the source's axis, unit, world, if it has one.

    One row alone (k = 1) stands for a way that does not change.
    """

    rotations: Float64[np.ndarray, "k 3 3"]
    origins: Float64[np.ndarray, "k 3"]
    facing: Float64[np.ndarray, "k 3"] | None

    def __len__(self) -> int:
        return len(self.origins)

    def after(self, boundaries: int) -> "Way":
        """Without the first boundaries; a way that does not change stays."""
        if len(self) == 1 or boundaries == 0:
            return self
        facing = None if self.facing is None else self.facing[boundaries:]
        return Way(self.rotations[boundaries:], self.origins[boundaries:], facing)


def way_between(source: Source, track: Track, span: tuple[int, int], options: EncodeOptions, rate_hz: int) -> Way:
    """The way at the boundaries span[0]..span[1] (included) of a track; before the first pose the head rests there."""
    if source.path is None:
        part = track.cut(*span)
        return Way(part.rotations, part.origins, _facing(source, None, len(part.origins)))
    part = track.every(*span)
    times_s = np.arange(span[0], span[1] + 1) * (track.block / rate_hz)
    return moving_way(source, part, times_s, options)


def moving_way(source: Source, track: Track, times_s: Float64[np.ndarray, "k"], options: EncodeOptions) -> Way:
    """The way of a source at the times of a track's poses. With `options.delay`, from where its sound was sent."""
    if source.path is None or source.centroid is None:
        return Way(track.rotations, track.origins, _facing(source, None, len(times_s)))
    if options.delay:
        times_s = sent_at(source.path, times_s, track.origins, softening_m(options))
    shift = places(source.path, times_s) - source.centroid
    heading = headings(source.path, times_s) if source.path.faces_ahead else None
    return Way(track.rotations, track.origins - shift, _facing(source, heading, len(times_s)))


def _facing(
    source: Source, heading: Float64[np.ndarray, "k 3"] | None, count: int
) -> Float64[np.ndarray, "k 3"] | None:
    if source.directivity is None:
        return None
    return np.tile(source.directivity.facing, (count, 1)) if heading is None else heading


def way_length(source: Source, way: Way, options: EncodeOptions) -> Float64[np.ndarray, "k"]:
    """D from the listener to the centroid under the options' law, m.

    Raises:
        ValueError: an ambient source, which is nowhere.
    """
    if source.centroid is None:
        raise ValueError(f"source {source.id} is ambient: expected one with a place")
    return distance(source.centroid - way.origins, softening_m(options))


def aim(
    source: Source, offset: Float64[np.ndarray, "*b 3"], facing: Float64[np.ndarray, "*f 3"] | None, near_m: float
) -> Float64[np.ndarray, "*b"]:
    """Factor of the source's directivity towards the listener; 1 without one. `offset` in world axes, m."""
    if source.directivity is None or facing is None:
        return np.ones(offset.shape[:-1])
    return directivity_gain(offset, facing, source.directivity.pattern, source.directivity.sharpness, near_m)


def softening_m(options: EncodeOptions) -> float:
    """Ε of d = √(|x|² + ε²): the paper's law has none."""
    return 0.0 if options.mode == "paper" else options.near_m
