"""What a source puts on every Ambisonic channel as the way between it and the listener changes.

Letters: v voices; k block boundaries; c channels; m surface points.
"""

import numpy as np
from jaxtyping import Float64, Int64

from sonoworld.encode.area import ambient_gains, area_gains, point_gains, split_gains
from sonoworld.encode.listener import Track
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.propagate import fade
from sonoworld.encode.rotate import rotation_matrix
from sonoworld.encode.way import Way, aim, moving_way, softening_m
from sonoworld.types import Source, Spread

_AREA_STRIDE = 4
"""Areas are summed at every fourth block boundary (about 20 ms) in world axes, and turned at each."""


def source_gains(
    source: Source, track: Track, options: EncodeOptions, time_s: float = 0.0
) -> Float64[np.ndarray, "k c"]:
    """Gains of a source's undivided sound in head axes at every pose of a track, all at one time."""
    times_s = np.full(len(track.origins), time_s)
    return voice_gains(source, None, moving_way(source, track, times_s, options), options)[:, 0]


def voice_gains(
    source: Source, labels: Int64[np.ndarray, "m"] | None, way: Way, options: EncodeOptions
) -> Float64[np.ndarray, "k v c"]:
    """Gains in head axes at every boundary, level at 1 m taken as 1.

    With `labels` (the part of every surface point) there is a voice for the undivided sound and one for each part.
    """
    if source.spread is Spread.AMBIENT:
        return np.tile(ambient_gains(options.order), (len(way), 1, 1))
    if source.spread is Spread.POINT:
        world = source.centroid - way.origins
        sigma = fade(world, options) * aim(source, world, way.facing, softening_m(options))
        return point_gains(np.einsum("kji,kj->ki", way.rotations, world), sigma, options.order)[:, None]
    gains = _area_gains(source, labels, way, options)
    # Field in world axes into head axes: R = head_from_world.
    turn = rotation_matrix(np.swapaxes(way.rotations, 1, 2), options.order)
    return np.matmul(gains, np.swapaxes(turn, 1, 2))


def _area_gains(
    source: Source, labels: Int64[np.ndarray, "m"] | None, way: Way, options: EncodeOptions
) -> Float64[np.ndarray, "k v c"]:
    """Gains of an area in world axes at every boundary: summed at some, linear in between."""
    count = len(way)
    turns = way.facing is not None and not np.all(way.facing == way.facing[0])
    if np.all(way.origins == way.origins[0]) and not turns:
        return np.repeat(_area_at(source, labels, way, np.zeros(1, np.int64), options), count, 0)
    at = np.unique(np.append(np.arange(0, count, _AREA_STRIDE), count - 1))
    known = _area_at(source, labels, way, at, options)
    left = np.clip(np.searchsorted(at, np.arange(count), side="right") - 1, 0, len(at) - 2)
    share = (np.arange(count) - at[left]) / (at[left + 1] - at[left])
    return known[left] + share[:, None, None] * (known[left + 1] - known[left])


def _area_at(
    source: Source,
    labels: Int64[np.ndarray, "m"] | None,
    way: Way,
    at: Int64[np.ndarray, "n"],
    options: EncodeOptions,
) -> Float64[np.ndarray, "n v c"]:
    weights = np.asarray(source.weights, np.float64)
    offset = np.asarray(source.points, np.float64)[None] - way.origins[at, None]
    facing = None if way.facing is None else way.facing[at, None]
    sigma = fade(offset, options) * aim(source, offset, facing, softening_m(options))
    if labels is None:
        return area_gains(offset, weights, sigma, options.order)[:, None]
    return split_gains(offset, weights, sigma, labels, options.order)
