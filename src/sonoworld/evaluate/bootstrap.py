"""Means and paired differences of methods with 95 % intervals: scenes, microphones and clips are drawn in turn.

Clips at one microphone are alike, and microphones in one scene: drawing clips alone would make intervals too narrow
(hierarchical bootstrap, Davison & Hinkley 1997, section 3.8). All methods see the same draws, so differences pair.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float64, Int64

from sonoworld.errors import InputError

Value = tuple[str, str, str, float]
"""Scene, mic, clip, value."""


@dataclass(frozen=True)
class Interval:
    """A mean with the bounds of its 95 % interval, and how many values it rests on or had to leave out.

    Attributes:
        mean: NaN where no value counts.
        low: bound at 2.5 %.
        high: bound at 97.5 %.
        count: values used.
        nan: values left out because they, or for a difference their partner, are NaN.
        infinite: values left out because they, or their partner, are ±∞: a mean would be nothing else.
    """

    mean: float
    low: float
    high: float
    count: int
    nan: int
    infinite: int = 0


@dataclass(frozen=True)
class Paired:
    """Means of methods, and of differences first − second over the clips that both have."""

    means: dict[str, Interval]
    differences: dict[tuple[str, str], Interval]


def paired(values: Mapping[str, Sequence[Value]], *, draws: int = 10_000, seed: int = 0) -> Paired:
    """Bootstrap the means of methods over the same draws of scene > mic > clip.

    Args:
        values: method -> its values; every method over the same clips.
        draws: resamplings.
        seed: of the draws.

    Returns:
        Intervals of every mean and of the difference of every ordered pair; draws in which no value
        counts are left out.

    Raises:
        InputError: no values, a clip twice, or methods over different clips.
    """
    keys, table = _table(values)
    weights = _weights(tuple(keys), draws, seed)
    means = {method: _interval(table[i], weights) for i, method in enumerate(values)}
    differences = {
        (a, b): _interval(_difference(table[i], table[j]), weights)
        for i, a in enumerate(values)
        for j, b in enumerate(values)
        if i != j
    }
    return Paired(means, differences)


def _table(values: Mapping[str, Sequence[Value]]) -> tuple[list[tuple[str, str, str]], Float64[np.ndarray, "m n"]]:
    if not values or not all(values.values()):
        raise InputError("the bootstrap needs at least one value of every method")
    rows = {method: {value[:3]: value[3] for value in list_} for method, list_ in values.items()}
    first = next(iter(rows))
    keys = sorted(rows[first])
    for method, row in rows.items():
        if len(row) != len(values[method]):
            raise InputError(f"{method}: a clip is there twice")
        if set(row) != set(keys):
            raise InputError(f"{method} and {first} were scored on different clips: {sorted(set(row) ^ set(keys))[:3]}")
    return keys, np.array([[row[key] for key in keys] for row in rows.values()], np.float64)


@lru_cache(maxsize=2)
def _weights(keys: tuple[tuple[str, str, str], ...], draws: int, seed: int) -> Int64[np.ndarray, "d n"]:
    """How often each clip is drawn: scenes with replacement, in each the microphones, at each the clips.

    All metrics of one evaluation ask for the same.
    """
    rng = np.random.default_rng(seed)
    tree: dict[str, dict[str, list[int]]] = {}
    for at, (scene, mic, _) in enumerate(keys):
        tree.setdefault(scene, {}).setdefault(mic, []).append(at)
    scenes = [list(mics.values()) for mics in tree.values()]
    weights = np.zeros((draws, len(keys)), np.int64)
    for drawn in weights:
        for scene in rng.integers(len(scenes), size=len(scenes)):
            mics = scenes[scene]
            for mic in rng.integers(len(mics), size=len(mics)):
                clips = mics[mic]
                for clip in rng.integers(len(clips), size=len(clips)):
                    drawn[clips[clip]] += 1
    weights.flags.writeable = False
    return weights


def _difference(first: Float64[np.ndarray, "n"], second: Float64[np.ndarray, "n"]) -> Float64[np.ndarray, "n"]:
    """First − second; ∞ − ∞ is left out as infinite, not as undefined."""
    finite = np.isfinite(first) & np.isfinite(second)
    unknown = np.isnan(first) | np.isnan(second)
    return np.subtract(first, second, out=np.where(unknown, np.nan, np.inf), where=finite)


def _interval(row: Float64[np.ndarray, "n"], weights: Int64[np.ndarray, "d n"]) -> Interval:
    known = np.isfinite(row)
    count, lost, infinite = int(known.sum()), int(np.isnan(row).sum()), int(np.isinf(row).sum())
    if count == 0:
        return Interval(math.nan, math.nan, math.nan, 0, lost, infinite)
    shares = weights[:, known]
    totals = shares.sum(axis=1)
    drawn = (shares[totals > 0] @ row[known]) / totals[totals > 0]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(float(row[known].mean()), float(low), float(high), count, lost, infinite)
