"""What an engine takes besides time: memory when it is built, and allocations in every block.

python realtime_footprint.py memory native|numpy ORDER   -> {"mib": ...}
python realtime_footprint.py allocations native|numpy ORDER BLOCKS (with the counter of realtime_allocations.cpp)
"""

import ctypes
import gc
import json
import sys
from collections.abc import Callable

import numpy as np
import psutil
from realtime_scene import BLOCK, POSES, SOURCES, scene
from realtime_sonoworld import Name, engine

from sonoworld.render.engine import Engine


def memory_mib(executor: Name, order: int) -> float:
    """Growth of the resident set by an engine and its first two blocks, in a process that built another before.

    The other one is of order 2, so that libraries are loaded and this engine's filters are not.
    """
    inputs = np.zeros((SOURCES, BLOCK), np.float32)
    first = engine(executor, 2, SOURCES)
    first.process(inputs)
    gc.collect()
    process = psutil.Process()
    before = process.memory_info().rss
    made = engine(executor, order, SOURCES)
    made.process(inputs)
    made.process(inputs)
    return (process.memory_info().rss - before) / 2**20


def allocations(executor: Name, order: int, blocks: int) -> dict[str, float]:
    """Calls of malloc and its kin per block of everything moving, small objects in Python's own pools apart.

    `into`: `process` into a given array; `all_on`: so too, with air, delay and directivity; `as_it_is`: `process`
    makes its own array. `known`: what the counter says of one `np.empty` of a block for two ears, which must be 1.
    """
    counter = ctypes.CDLL(None).allocations_so_far
    counter.restype = ctypes.c_longlong
    plain, full, here = engine(executor, order, SOURCES), engine(executor, order, SOURCES, True), scene()
    positions, heads, angles = list(here.positions), list(here.heads), here.head_angles.tolist()
    inputs, levels_db = np.full((SOURCES, BLOCK), 0.1, np.float32), np.full(SOURCES, 100.0)
    ears = np.empty((2, BLOCK), np.float32)

    def block(made: Engine, i: int, out: np.ndarray | None) -> None:
        made.set_sources(positions[i % POSES], levels_db)
        made.set_listener(heads[i % POSES], *angles[i % POSES])
        made.process(inputs, out)

    def per_block(step: Callable[[int], object]) -> float:
        for i in range(100):
            step(i)
        before = counter()
        for i in range(blocks):
            step(i)
        return (counter() - before) / blocks

    return {
        "known": per_block(lambda i: np.empty((2, BLOCK), np.float32)),
        "into": per_block(lambda i: block(plain, i, ears)),
        "all_on": per_block(lambda i: block(full, i, ears)),
        "as_it_is": per_block(lambda i: block(plain, i, None)),
    }


if __name__ == "__main__":
    what, chosen, at = sys.argv[1], sys.argv[2], int(sys.argv[3])
    name: Name = "native" if chosen == "native" else "numpy"
    said = {"mib": memory_mib(name, at)} if what == "memory" else allocations(name, at, int(sys.argv[4]))
    print(json.dumps(said))
