"""What the answers of a study say, with 95 % intervals over people and scenes.

Listeners and scenes are both drawn with replacement, and an answer counts as often as both were drawn (Owen, Annals of
Applied Statistics 2007, section 3): another study would have other people, and other scenes. Who failed the headphone
check is left out, and counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from sonoworld.errors import InputError
from sonoworld.study import preference
from sonoworld.study.answers import Key, Listener, wore_headphones


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with the bounds of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Finding:
    """The answers to one question.

    Attributes:
        strengths: method -> β of Bradley and Terry, mean 0.
        chosen: (method, other) -> share of answers for the first, 0..1, and how many were asked.
        asked: (method, other) -> number of answers.
        first: share of answers for what was on the first side; ½ if sides do not matter.
    """

    strengths: Mapping[str, Estimate]
    chosen: Mapping[tuple[str, str], Estimate]
    asked: Mapping[tuple[str, str], int]
    first: float


@dataclass(frozen=True, slots=True)
class Analysis:
    """A whole study.

    Attributes:
        findings: criterion -> finding.
        listeners: numbers of those who count.
        left_out: numbers of those who failed the headphone check.
    """

    findings: Mapping[str, Finding]
    listeners: tuple[int, ...]
    left_out: tuple[int, ...]


def analyse(people: Sequence[Listener], key: Key, *, draws: int = 2000, seed: int = 0) -> Analysis:
    """Strengths and shares for every criterion.

    Args:
        people: all who answered.
        key: of the study.
        draws: of listeners and scenes.
        seed: of the draws.

    Returns:
        The findings.

    Raises:
        InputError: nobody wore headphones.
    """
    kept = [person for person in people if wore_headphones(person, key)]
    left_out = tuple(person.number for person in people if person not in kept)
    if not kept:
        raise InputError(f"none of {len(people)} listeners passed the headphone check: nothing to analyse")
    rng = np.random.default_rng(seed)
    who = _drawn(len(kept), draws, rng)
    where = _drawn(len(key.design.scenes), draws, rng)
    findings = {name: _finding(kept, key, name, who, where) for name in key.design.criteria}
    return Analysis(findings, tuple(person.number for person in kept), left_out)


def _drawn(n: int, draws: int, rng: np.random.Generator) -> Float64[np.ndarray, "d n"]:
    """How often each is drawn; the first row is what was observed."""
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=draws).astype(np.float64)
    return np.concatenate([np.ones((1, n)), drawn])


def _finding(
    people: Sequence[Listener],
    key: Key,
    criterion: str,
    who: Float64[np.ndarray, "d p"],
    where: Float64[np.ndarray, "d s"],
) -> Finding:
    methods = list(key.design.methods)
    scenes = {name: at for at, name in enumerate(key.design.scenes)}
    wins = np.zeros((len(people), len(scenes), len(methods), len(methods)))
    first = total = 0
    for row, person in enumerate(people):
        for choice in (c for c in person.choices if c.criterion == criterion):
            wins[row, scenes[choice.scene], methods.index(choice.chosen), methods.index(choice.other)] += 1
            first += choice.was_first
            total += 1
    drawn = np.einsum("dp,ds,psij->dij", who, where, wins, optimize=True)
    beta = preference.strengths(drawn)
    asked = drawn + np.swapaxes(drawn, 1, 2)
    shares = np.divide(drawn, asked, out=np.full(drawn.shape, np.nan), where=asked > 0)
    pairs = [(i, j) for i in range(len(methods)) for j in range(len(methods)) if i != j and asked[0, i, j] > 0]
    return Finding(
        {name: _estimate(beta[:, i]) for i, name in enumerate(methods)},
        {(methods[i], methods[j]): _estimate(shares[:, i, j]) for i, j in pairs},
        {(methods[i], methods[j]): round(float(asked[0, i, j])) for i, j in pairs},
        first / total,
    )


def _estimate(drawn: Float64[np.ndarray, "d"]) -> Estimate:
    """The observed value (first) with the bounds of the others; draws without any such answer are left out."""
    low, high = np.nanquantile(drawn[1:], (0.025, 0.975))
    return Estimate(float(drawn[0]), float(low), float(high))
