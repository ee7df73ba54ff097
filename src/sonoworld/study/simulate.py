"""Answers as people might give them: to try a study out, and to see how many listeners it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sonoworld.errors import InputError
from sonoworld.study.answers import Key
from sonoworld.study.headphones import CHOICES
from sonoworld.study.site import FORMAT


@dataclass(frozen=True, slots=True)
class People:
    """How simulated people are.

    Attributes:
        strengths: method -> natural logarithm of Bradley and Terry's strength, for every criterion alike.
        scene_sd: by how much strengths differ from scene to scene, standard deviation.
        person_sd: likewise from person to person.
        loudspeakers: share of people without headphones, who guess.
    """

    strengths: Mapping[str, float]
    scene_sd: float = 0.3
    person_sd: float = 0.3
    loudspeakers: float = 0.0


def answers(key: Key, people: People, *, seed: int = 0) -> list[dict[str, Any]]:
    """One document for each listener of the design, as the site saves it.

    Raises:
        InputError: a method has no strength.
    """
    methods = key.design.methods
    if lacking := set(methods) - set(people.strengths):
        raise InputError(f"strengths: expected one for each method, {', '.join(sorted(lacking))} has none")
    rng = np.random.default_rng(seed)
    by_scene = {
        s: dict(zip(methods, rng.normal(0, people.scene_sd, len(methods)), strict=True)) for s in key.design.scenes
    }
    return [_person(key, people, by_scene, number, rng) for number in range(1, len(key.design.listeners) + 1)]


def _person(
    key: Key, people: People, by_scene: Mapping[str, Mapping[str, float]], number: int, rng: np.random.Generator
) -> dict[str, Any]:
    guesses = bool(rng.random() < people.loudspeakers)
    own = dict(zip(key.design.methods, rng.normal(0, people.person_sd, len(key.design.methods)), strict=True))
    said: list[dict[str, Any]] = []
    for trial in key.design.listeners[number - 1]:
        first, second = (people.strengths[m] + own[m] + by_scene[trial.scene][m] for m in (trial.first, trial.second))
        chance = 0.5 if guesses else 1 / (1 + np.exp(first - second))
        choices = {criterion: int(rng.random() < chance) for criterion in key.design.criteria}
        said.append({"choices": choices, "plays": [1, 1], "seconds": 20.0})
    checks = [int(rng.integers(CHOICES)) if guesses and kind == "pitch" else answer for kind, answer in key.checks]
    return {"format": FORMAT, "study": key.study, "listener": number, "checks": checks, "answers": said}
