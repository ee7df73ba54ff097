"""Who hears which pair of methods for which scene, in which order and on which side, so that nothing favours anyone.

Letters: n scenes, p pairs of methods. Every listener meets all n·p trials in p rounds: in each a scene comes once,
and rounds take turns so that over p listeners every scene meets every pair in every round. The order of scenes in a
round is a row of a balanced Latin square (Williams 1949): over its rows each scene stands equally often at every
place, and follows every other equally often. Sides: for each trial a method stands equally often left and right over
two listeners, and within a listener over the scenes of a pair.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from sonoworld.errors import InputError

CRITERIA = {
    "spatial": "Which sound fits better to where things are in the picture?",
    "semantic": "Which sound fits better to what is seen?",
    "overall": "Which would you rather listen to with this picture?",
}
"""Name -> question, asked for every pair."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One forced choice: the same scene with the sound of two methods."""

    scene: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Design:
    """All trials of all listeners.

    Attributes:
        methods: at least two.
        scenes: at least two.
        criteria: name -> question.
        listeners: one tuple of trials for each, in order.
        seed: of the sides.
    """

    methods: tuple[str, ...]
    scenes: tuple[str, ...]
    criteria: Mapping[str, str]
    listeners: tuple[tuple[Trial, ...], ...]
    seed: int


def balanced_latin_square(n: int) -> list[list[int]]:
    """Rows of 0 … n − 1; each number equally often at each place, each pair of neighbours equally often in each order.

    Args:
        n: at least 1.

    Returns:
        n rows, or 2n where n is odd, since there n are not enough.
    """
    first = [0]
    for step in range(1, n):  # 0, 1, n − 1, 2, n − 2, …: all differences of neighbours occur once
        first.append((step + 1) // 2 if step % 2 else n - step // 2)
    rows = [[(number + row) % n for number in first] for row in range(n)]
    return rows if n % 2 == 0 else rows + [row[::-1] for row in rows]


def plan(
    methods: tuple[str, ...],
    scenes: tuple[str, ...],
    listeners: int,
    *,
    criteria: Mapping[str, str] = CRITERIA,
    seed: int = 0,
) -> Design:
    """Lay out a study.

    Args:
        methods: names, at least two.
        scenes: names, at least two.
        listeners: how many may take part. Multiples of twice the number of scenes are balanced in full.
        criteria: name -> question.
        seed: of the sides.

    Returns:
        The trials.

    Raises:
        InputError: too few of something, or a name twice.
    """
    for what, names, least in (("methods", methods, 2), ("scenes", scenes, 2), ("criteria", tuple(criteria), 1)):
        if len(names) < least or len(set(names)) != len(names):
            raise InputError(f"{what}: expected at least {least}, each once, got {', '.join(names) or 'none'}")
    if listeners < 1:
        raise InputError(f"listeners: expected at least 1, got {listeners}")
    pairs = list(combinations(methods, 2))
    rows = balanced_latin_square(len(scenes))
    turned = _turned(len(scenes), len(pairs), np.random.default_rng(seed))
    heard = [
        tuple(
            _trial(scenes[s], pairs[pair], turned=bool(turned[s, pair] ^ (listener % 2)))
            for round_ in range(len(pairs))
            for s in rows[(listener + round_ * _STRIDE) % len(rows)]
            for pair in [(s + listener + round_) % len(pairs)]
        )
        for listener in range(listeners)
    ]
    return Design(methods, scenes, dict(criteria), tuple(heard), seed)


_STRIDE = 5
"""Rounds of one listener take different rows of the square."""


def _trial(scene: str, pair: tuple[str, str], *, turned: bool) -> Trial:
    return Trial(scene, pair[1], pair[0]) if turned else Trial(scene, *pair)


def _turned(scenes: int, pairs: int, rng: np.random.Generator) -> np.ndarray:
    """For each pair half of the scenes, drawn."""
    return np.stack([rng.permutation(np.arange(scenes) % 2) for _ in range(pairs)], axis=1)


def to_json(design: Design) -> dict[str, Any]:
    """Plain values for `json.dumps`."""
    return asdict(design)


def from_json(plain: Mapping[str, Any]) -> Design:
    """What `to_json` made, read back.

    Raises:
        InputError: a field is missing or of the wrong kind.
    """
    try:
        listeners = tuple(
            tuple(Trial(str(t["scene"]), str(t["first"]), str(t["second"])) for t in trials)
            for trials in plain["listeners"]
        )
        names = (tuple(map(str, plain["methods"])), tuple(map(str, plain["scenes"])))
        criteria = {str(k): str(v) for k, v in plain["criteria"].items()}
        return Design(*names, criteria, listeners, int(plain["seed"]))
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise InputError(f"this is not the key of a study: {error!r}") from error
