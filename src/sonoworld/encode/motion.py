"""Sources on their way: where they are, where they face, and from where they are heard.

Letters: t time, s; p(t) place on the path; o listener, m; c speed of sound; τ the time at which what is heard at t was
sent: τ + |p(τ) − o|/c = t. A sound is heard from where its source was when it was sent, so a source that comes nearer
at speed v is heard at f·c/(c − v).
"""

import numpy as np
from jaxtyping import Float64

from sonoworld.encode.propagate import distance
from sonoworld.encode.travel import SPEED_OF_SOUND_M_S
from sonoworld.types import Motion

_HALVINGS = 60


def places(path: Motion, times_s: Float64[np.ndarray, "n"]) -> Float64[np.ndarray, "n 3"]:
    """Places of the centroid at any times, m, world."""
    t = _on_path(path, times_s)
    return np.stack([np.interp(t, path.times_s, path.positions[:, axis]) for axis in range(3)], -1)


def headings(path: Motion, times_s: Float64[np.ndarray, "n"]) -> Float64[np.ndarray, "n 3"] | None:
    """Unit directions of travel; while the source rests, that of its last way, before it first moves that of its first.

    None for a path that leads nowhere.
    """
    legs = np.diff(path.positions, axis=0)
    lengths = np.linalg.norm(legs, axis=1)
    moving = np.flatnonzero(lengths > 0)
    if len(moving) == 0:
        return None
    leg = np.searchsorted(path.times_s, _on_path(path, times_s), side="right") - 1
    last = np.searchsorted(moving, leg, side="right") - 1
    # before the first way: a loop comes from its last one
    chosen = moving[last if path.loops else np.maximum(last, 0)]
    return legs[chosen] / lengths[chosen, None]


def sent_at(
    path: Motion, times_s: Float64[np.ndarray, "n"], origins: Float64[np.ndarray, "n 3"], near_m: float
) -> Float64[np.ndarray, "n"]:
    """Τ for listeners at `origins` at times t, with d = √(|x|² + ε²): what they hear then was sent at these times.

    By bisection: below the speed of sound there is one answer. Where a path is faster or jumps, one of those there are.
    """
    farthest = np.max([distance(key - origins, near_m) for key in path.positions], axis=0)
    early, late = times_s - farthest / SPEED_OF_SOUND_M_S, times_s
    for _ in range(_HALVINGS):
        middle = (early + late) / 2
        arrives = middle + distance(places(path, middle) - origins, near_m) / SPEED_OF_SOUND_M_S
        late = np.where(arrives > times_s, middle, late)
        early = np.where(arrives > times_s, early, middle)
    return late


def _on_path(path: Motion, times_s: Float64[np.ndarray, "n"]) -> Float64[np.ndarray, "n"]:
    first, last = path.times_s[0], path.times_s[-1]
    return first + np.mod(times_s - first, last - first) if path.loops else times_s
