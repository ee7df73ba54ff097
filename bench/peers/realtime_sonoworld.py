"""The engine of this project, as a user calls it from Python: set_sources, set_listener, process, in every block.

python realtime_sonoworld.py native|numpy
"""

import sys
from typing import Literal

import numpy as np
from realtime_scene import BLOCK, POSES, RATE_HZ, SIGNAL_BLOCKS, SOURCES, scene, signal
from realtime_serve import About, Heard, Step, serve

from sonoworld import __version__
from sonoworld.encode.harmonics import harmonics
from sonoworld.encode.options import EncodeOptions
from sonoworld.render.engine import Engine
from sonoworld.render.hrtf import hrir
from sonoworld.types import Directivity

Name = Literal["native", "numpy"]
SCENES = ("moving", "all_on", "static", "single", "many")
MANY = 64
DIFFERS = "levels, distances, per-sample ramps, float32; 256 taps of KEMAR, MagLS"


class Ours:
    def __init__(self, executor: Name) -> None:
        self._executor: Name = executor

    def about(self) -> About:
        name = engine(self._executor, 5, SOURCES).executor
        return About(f"{__version__}: {name} at order 5", (1, 3, 5, 7), SCENES, DIFFERS)

    def prepare(self, scene: str, order: int) -> Step:
        return step(self._executor, scene, order)

    def impulse(self, order: int) -> Heard:
        """Reference: the filters of the direction ahead at 1 m (law of distance: 1/√(1 + 0.1²)), by their sum."""
        here = engine(self._executor, order, 1)
        here.set_source(0, [1.0, 0.0, 0.0])
        blocks = np.zeros((4, 1, BLOCK), np.float32)
        blocks[0, 0, 0] = 1
        response = np.concatenate([here.process(block) for block in blocks], 1)
        gains = harmonics(np.array([1.0, 0.0, 0.0]), order) / np.sqrt(1 + 0.1**2)
        return Heard(response, np.einsum("c,ect->et", gains, hrir("kemar", order, RATE_HZ)), True)


def engine(executor: Name, order: int, sources: int, all_on: bool = False) -> Engine:
    """`all_on`: air by ISO 9613-1, travel time and Doppler, and a cardioid for every source."""
    law = EncodeOptions(order=order, air="iso9613", delay=True) if all_on else None
    made = Engine(order, RATE_HZ, BLOCK, "kemar", sources, executor, law=law)
    if all_on:
        for q in range(sources):
            made.set_source(q, [2.0, 0.0, 0.0], directivity=Directivity(0.5, 1.0, np.array([-1.0, 0.0, 0.0])))
    return made


def step(executor: Name, name: str, order: int) -> Step:
    """One block of a scene: what is timed."""
    count = {"single": 1, "many": MANY}.get(name, SOURCES)
    here, made = scene(count), engine(executor, order, count, name == "all_on")
    positions, heads, angles = list(here.positions), list(here.heads), here.head_angles.tolist()
    inputs, levels_db = list(signal(count)), np.full(count, 100.0)
    made.set_sources(positions[0], levels_db)
    made.set_listener(heads[0], *angles[0])

    def moving(i: int) -> None:
        p = i % POSES
        yaw, pitch, roll = angles[p]
        made.set_sources(positions[p], levels_db)
        made.set_listener(heads[p], yaw, pitch, roll)
        made.process(inputs[i % SIGNAL_BLOCKS])

    def static(i: int) -> None:
        made.process(inputs[i % SIGNAL_BLOCKS])

    return static if name == "static" else moving


if __name__ == "__main__":
    chosen = sys.argv[1]
    serve(Ours("native" if chosen == "native" else "numpy"))
