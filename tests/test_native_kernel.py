"""The portable C++ kernel, compiled here by zig (from PyPI, so that no compiler is needed), equals the NumPy engine.

The kernel is not yet part of the install: `Engine(executor="native")` says so. This keeps it true until it is.
"""

import ctypes
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sonoworld.encode.area import cap_gains
from sonoworld.frames import world_from_head_rotation
from sonoworld.render.engine import Engine
from sonoworld.render.hrtf import hrir

KERNEL = Path(__file__).parent.parent / "native" / "kernel.cpp"
SOURCES = 6


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    library = tmp_path_factory.mktemp("kernel") / "kernel.so"
    flags = ["-std=c++17", "-O2", "-shared", "-fPIC", "-fno-exceptions", "-DSONOWORLD_LANES=4"]
    command = [sys.executable, "-m", "ziglang", "c++", *flags, str(KERNEL), "-o", str(library)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    loaded = ctypes.CDLL(str(library))
    loaded.sonoworld_make.restype = ctypes.c_void_p
    pointer, integer, real = ctypes.c_void_p, ctypes.c_int, ctypes.c_float
    for name, kinds in {
        "make": [integer, integer, integer, pointer, integer],
        "free": [pointer],
        "set_source": [pointer, integer, pointer, real, pointer, integer],
        "set_surface": [pointer, integer, pointer, integer, real],
        "set_sources": [pointer, integer, pointer, pointer],
        "set_listener": [pointer, pointer, pointer],
        "remove": [pointer, integer],
        "process": [pointer, pointer, pointer],
    }.items():
        getattr(loaded, f"sonoworld_{name}").argtypes = kinds
    return loaded


def at(array: np.ndarray) -> int:
    assert array.flags.c_contiguous
    return array.ctypes.data


@pytest.mark.parametrize(("order", "block"), [(1, 128), (3, 256), (5, 64), (7, 512)])
def test_the_kernel_equals_the_engine(kernel: ctypes.CDLL, order: int, block: int) -> None:
    rng = np.random.default_rng(order)
    filters = np.ascontiguousarray(hrir("kemar", order, 48_000))
    handle = kernel.sonoworld_make(order, block, SOURCES, at(filters), filters.shape[2])
    assert handle
    engine = Engine(order=order, block=block, max_sources=SOURCES)
    place = np.array([2.0, 1.0, 0.0])
    per_channel = cap_gains(0.6, order)
    cap = np.array([per_channel[n * n] for n in range(order + 1)], np.float32)  # one factor per degree
    engine.set_source(4, place, 100.0, 0.6)
    kernel.sonoworld_set_source(handle, 4, at(place), 1.0, at(cap), order)
    wall = rng.standard_normal((30, 3)) + np.array([0.0, 3.0, 0.0])
    weights = np.full(30, 1 / 30)
    engine.set_source(5, [0.0, 0.0, 0.0], 94.0, (wall, weights))
    surface = np.ascontiguousarray(np.c_[wall, weights])
    kernel.sonoworld_set_surface(handle, 5, at(surface), 30, 10 ** (-6 / 20))
    ours: list[np.ndarray] = []
    theirs: list[np.ndarray] = []
    for step in range(8):
        positions = rng.standard_normal((3, 3)) * 2
        gains = rng.uniform(0.1, 1, 3).astype(np.float32)
        engine.set_sources(positions, 100 + 20 * np.log10(gains.astype(np.float64)))
        kernel.sonoworld_set_sources(handle, 3, at(positions), at(gains))
        turn = np.ascontiguousarray(world_from_head_rotation(0.3 * step, 0.1, 0.02 * step))
        origin = np.array([0.1 * step, 0.0, 0.0])
        engine.set_listener(origin, 0.3 * step, 0.1, 0.02 * step)
        kernel.sonoworld_set_listener(handle, at(turn), at(origin))
        if step == 6:
            engine.remove_source(4)
            kernel.sonoworld_remove(handle, 4)
        inputs = rng.standard_normal((SOURCES, block)).astype(np.float32)
        out = np.zeros((2, block), np.float32)
        kernel.sonoworld_process(handle, at(inputs), at(out))
        ours.append(engine.process(inputs))
        theirs.append(out)
    kernel.sonoworld_free(handle)
    expected = np.concatenate(ours, 1)
    assert np.abs(np.concatenate(theirs, 1) - expected).max() <= 1e-6 * np.abs(expected).max()


def test_the_kernel_refuses_nonsense(kernel: ctypes.CDLL) -> None:
    filters = np.zeros((2, 4, 16), np.float32)
    assert not kernel.sonoworld_make(1, 100, 4, at(filters), 16), "a block that is no power of two"
    assert not kernel.sonoworld_make(9, 128, 4, at(filters), 16), "an order beyond the kernel's"
    handle = kernel.sonoworld_make(1, 128, 4, at(filters), 16)
    nowhere = np.array([np.nan, 0.0, 0.0])
    assert kernel.sonoworld_set_source(handle, 0, at(nowhere), 1.0, None, 1) == -1
    assert kernel.sonoworld_set_source(handle, 4, at(np.zeros(3)), 1.0, None, 1) == -1
    kernel.sonoworld_free(handle)
