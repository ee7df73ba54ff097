"""A worker of bench/realtime.py in Python: it stays alive, and times blocks when it is told to.

One line in, one line of JSON out: `run SCENE ORDER WARM BLOCKS` -> {"ns": [...]}, `impulse ORDER` -> {"response",
"reference", "exact"}; a line about itself at the start; it ends with its input. Only NumPy is needed.
"""

import gc
import json
import os
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count, islice
from typing import Any, Protocol

import numpy as np

TURN_S = 0.5
"""A turn ends after so long, with fewer blocks than asked for."""

Step = Callable[[int], object]
"""One block of pose i mod `POSES`, in full: what is timed."""


@dataclass(frozen=True, slots=True)
class About:
    """What a worker says first: name and version, where it can run, and in what its work differs from ours."""

    version: str
    orders: tuple[int, ...]
    scenes: tuple[str, ...]
    differs: str


@dataclass(frozen=True, slots=True)
class Heard:
    """Answer [2 t] to an impulse straight ahead in sample 0, and what the filters alone make of it [2 t].

    `exact`: the reference holds all that the system does; else only the HRIRs themselves.
    """

    response: np.ndarray
    reference: np.ndarray
    exact: bool


class System(Protocol):
    """What a peer's file implements."""

    def about(self) -> About:
        """Said once, at the start."""
        ...

    def prepare(self, scene: str, order: int) -> Step:
        """A fresh renderer of one scene."""
        ...

    def impulse(self, order: int) -> Heard:
        """The answer to an impulse, block by block."""
        ...


def serve(system: System) -> None:
    """Answer orders until the input ends. What the system itself prints goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    steps: dict[tuple[str, int], tuple[Step, Iterator[int]]] = {}
    _answer(answers, asdict(system.about()))
    for line in sys.stdin:
        word, *values = line.split()
        if word == "run":
            scene, order, warm, blocks = values[0], *map(int, values[1:])
            if (scene, order) not in steps:
                steps[scene, order] = system.prepare(scene, order), count()
            _answer(answers, {"ns": timed(*steps[scene, order], warm, blocks)})
        else:
            heard = system.impulse(int(values[0]))
            both = {"response": heard.response.tolist(), "reference": heard.reference.tolist()}
            _answer(answers, {**both, "exact": heard.exact})


def timed(step: Step, poses: Iterator[int], warm: int, blocks: int) -> list[int]:
    """Nanoseconds of up to `blocks` steps after `warm` untimed ones, with the garbage collector at rest."""
    clock = time.perf_counter_ns
    for _ in range(warm):
        step(next(poses))
    ns = [0] * blocks
    done = 0
    with _no_collection():
        end = clock() + int(1e9 * TURN_S)
        for i in islice(poses, blocks):
            begin = clock()
            step(i)
            after = clock()
            ns[done] = after - begin
            done += 1
            if after > end:
                break
    return ns[:done]


@contextmanager
def _no_collection() -> Generator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _answer(answers: Any, value: dict[str, object]) -> None:
    answers.write(json.dumps(value) + "\n")
    answers.flush()
