"""A whole way of cheap backends that count their calls: what the flow is tested on."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import Field

from sonoworld import testing
from sonoworld.backend import BACKEND_STAGES, Backend, Lifted, Options, Run
from sonoworld.encode import EncodeOptions
from sonoworld.localize import LocalizeOptions
from sonoworld.recipe import Choice, Recipe
from sonoworld.types import Clip, Sounding, Splats, Spread, Stage

CALLS: Counter[str] = Counter()


class Amount(Options):
    """The one option of every stage here."""

    amount: int = Field(default=1, description="any number; it goes into the result")


def _splats(amount: int, run: Run) -> Splats:
    n = 50
    means = run.rng.normal(size=(n, 3)).astype(np.float32) * amount + 4
    quats = np.tile(np.array([1, 0, 0, 0], np.float32), (n, 1))
    flat = np.zeros((n, 1, 3), np.float32)
    return Splats(means, np.full((n, 3), -3, np.float32), quats, np.full(n, 4, np.float32), flat)


def _soundings(amount: int) -> tuple[Sounding, ...]:
    mask = np.zeros((128, 256), bool)
    mask[70:90, 40:80] = True
    wind = Sounding("wind", "wind", Spread.AMBIENT, 40.0 + amount, 1.0, "fake")
    return wind, Sounding("stream", "a stream", Spread.AREA, 50.0, 1.0, "fake", mask=mask)


def _voice(amount: int, run: Run) -> Clip:
    samples = (run.rng.normal(size=4800) * 0.05 * amount).astype(np.float32)
    return Clip(samples, 48000, True, 23.0, "fake", "CC0-1.0")


def _answers(stage: Stage, amount: int) -> Callable[..., Any]:
    answers: dict[str, Callable[..., Any]] = {
        "calibrate": lambda photo, run: testing.tiny_camera(),
        "panorama": lambda photo, camera, run: testing.tiny_panorama(),
        "lift": lambda panorama, run: Lifted(testing.tiny_geometry()),
        "seed": lambda panorama, geometry, run: _splats(amount, run),
        "understand": lambda panorama, camera, run: _soundings(amount),
        "segment": lambda panorama, soundings, run: soundings,
        "sound": lambda sources, run: tuple(replace(s, clip=_voice(amount, run)) for s in sources),
    }
    return answers[stage]


def backend(stage: Stage, before: Callable[[], None] = lambda: None) -> Backend:
    """A cheap backend of a stage; `before` runs first (to fail, or to die)."""

    def make(options: Amount) -> Callable[..., Any]:
        def work(*inputs: Any) -> Any:
            CALLS[stage] += 1
            before()
            return _answers(stage, options.amount)(*inputs)

        return work

    return Backend(stage, "fake", "1", "cheap", Amount, make)


def recipe(before: dict[str, Callable[[], None]] | None = None, **amounts: int) -> Recipe:
    """All stages cheap; `amounts` sets the option of some."""
    hooks = before or {}
    choices = {
        stage: Choice(backend(stage, hooks.get(stage, lambda: None)), Amount(amount=amounts.get(stage, 1)))
        for stage in BACKEND_STAGES
    }
    return Recipe("small", choices, LocalizeOptions(), EncodeOptions())
