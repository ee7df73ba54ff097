"""The compiled kernel against the NumPy executor, at every width this machine can run, and while two threads use it."""

import threading

import numpy as np
import pytest

from sonoworld.encode.area import cap_gains
from sonoworld.encode.options import EncodeOptions
from sonoworld.errors import BackendMissingError
from sonoworld.render import native
from sonoworld.render.engine import Engine
from sonoworld.render.engine_numpy import NumpyExecutor
from sonoworld.render.executor import Executor, Plan, Shape
from sonoworld.render.hrtf import hrir
from sonoworld.render.native import NativeExecutor
from sonoworld.types import Directivity

SOURCES = 13
LAWS = {
    "plain": EncodeOptions(),
    "all": EncodeOptions(air="iso9613", delay=True),
    "alpha": EncodeOptions(alpha=0.05),
    "near": EncodeOptions(near_field=True),
    "near and late": EncodeOptions(near_field=True, delay=True),
}


def furnish(e: Executor, order: int, rng: np.random.Generator) -> None:
    """A cap, a surface, a source that faces somewhere, surfaces that do: one whole, one in parts with both lobes."""
    wall, weights = rng.standard_normal((30, 3)) + np.array([0.0, 3.0, 0.0]), np.full(30, 1 / 30)
    cap = cap_gains(0.6, order)[[n * n for n in range(order + 1)]]
    aim = Directivity(0.6, 1.5, np.array([0.6, 0.8, 0.0]))
    eight = Directivity(1.0, 1.2, np.array([0.0, 0.0, 1.0]))
    e.place(4, np.array([2.0, 1.0, 0.0]), 1.0, Shape(cap=cap), None)
    e.place(5, np.zeros(3), 0.5, Shape(points=wall, weights=weights), None)
    e.place(6, np.array([1.0, -2.0, 0.5]), 0.7, Shape(), aim)
    e.place(7, np.zeros(3), 0.5, Shape(points=wall + 1, weights=weights), aim)
    labels = (np.arange(30) % 3).astype(np.int32)
    assert e.place(9, np.zeros(3), 0.5, Shape(points=wall - [0, 5, 0], weights=weights, labels=labels), eight)
    assert not e.place(8, np.zeros(3), 0.5, Shape(points=wall, weights=weights, labels=labels), None)
    assert not e.place(10, np.ones(3), 1.0, Shape(), None)


def happen(e: Executor, step: int, order: int, rng: np.random.Generator) -> None:
    """What changes before block `step`: sources and head move and rest, a bed comes and goes, one source jumps."""
    places, levels, bed = (
        rng.choice([0.5, 2.0]) * rng.standard_normal((3, 3)),
        rng.uniform(80, 100, 3),
        rng.standard_normal((order**2, 300)),
    )
    events = {
        9: lambda: e.bed((0.1 * bed).astype(np.float32), order - 1, True),
        16: lambda: e.remove(4),
        20: lambda: e.bed(None, 0, True),
    }
    events.get(step, lambda: True)()
    if step < 14 or step in (17, 25):
        assert e.move(places, levels)
    if step in (3, 4, 5, 11, 12, 26):
        assert e.listener(np.array([0.1 * step, 0.0, 0.0]), 0.3 * step, 0.1, 0.02 * step)
    if step > 12:
        e.place(8, np.array([40.0 + 30 * rng.standard_normal(), 5.0, 2.0]), 3.0, Shape(), None)


def rendered(executor: Executor, block: int, order: int) -> np.ndarray:
    rng = np.random.default_rng(order)
    furnish(executor, order, rng)
    parts: list[np.ndarray] = []
    for step in range(30):
        happen(executor, step, order, rng)
        out = np.empty((2, block), np.float32)
        assert executor.process(rng.standard_normal((SOURCES, block)).astype(np.float32), out)
        parts.append(out)
    return np.concatenate(parts, 1)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(
    ("order", "block"), [(1, 128), (3, 256), (5, 64), (7, 512), (3, 100), (2, 7), (5, 1000), (4, 256)]
)
def test_every_width_equals_numpy(order: int, block: int, law: str) -> None:
    laws = LAWS[law].model_copy(update={"order": order})
    plan = Plan(order, 48000, block, SOURCES, hrir("kemar", order), laws)
    expected = rendered(NumpyExecutor(plan), block, order)
    peak = np.abs(expected).max()
    assert peak > 0.01
    for _, lanes in native.native_widths():
        got = rendered(NativeExecutor(plan, lanes), block, order)
        assert np.abs(got - expected).max() <= 1e-6 * peak, f"{lanes} lanes"


def test_long_filters_are_partitioned() -> None:
    rng = np.random.default_rng(3)
    filters = rng.standard_normal((2, 9, 1500)).astype(np.float32)
    plan = Plan(2, 48000, 64, SOURCES, filters, EncodeOptions(order=2))
    expected = rendered(NumpyExecutor(plan), 64, 2)
    got = rendered(NativeExecutor(plan), 64, 2)
    assert np.abs(got - expected).max() <= 1e-6 * np.abs(expected).max()


def test_setting_and_processing_from_two_threads() -> None:
    # Every block must come from one whole state: left and right of a pair that always moves together stay apart by
    # the same factor, whichever state was taken.
    engine = Engine(order=3, max_sources=2, block=64)
    x = np.zeros((2, 64), np.float32)
    x[0] = 1
    stop = threading.Event()

    def wander() -> None:
        rng = np.random.default_rng(0)
        while not stop.is_set():
            place = rng.standard_normal(3)
            engine.set_sources(np.stack([place, -place]), np.array([100.0, 100.0]))
            engine.set_source(1, place, spread=(rng.standard_normal((40, 3)), np.full(40, 1 / 40)))
            engine.set_bed(np.zeros((4, 100), np.float32))

    thread = threading.Thread(target=wander)
    thread.start()
    try:
        blocks = [engine.process(x) for _ in range(3000)]
    finally:
        stop.set()
        thread.join()
    assert np.isfinite(np.concatenate(blocks, 1)).all()
    # σ <= 1/near = 10 for each source: nothing torn ever gets louder
    bound = 2 * 10 * np.abs(hrir("kemar", 3)).sum((1, 2)).max()
    assert max(float(np.abs(block).max()) for block in blocks) < bound


def test_nonsense_is_refused_and_changes_nothing() -> None:
    plan = Plan(1, 48000, 64, 2, hrir("kemar", 1), EncodeOptions(order=1))
    executor = NativeExecutor(plan)
    executor.place(0, np.array([1.0, 0.0, 0.0]), 1.0, Shape(), None)
    x, before, after = (np.ones((2, 64), np.float32), *np.zeros((2, 2, 64), np.float32))
    for _ in range(8):
        executor.process(x, before)
    assert not executor.place(2, np.zeros(3), 1.0, Shape(), None)
    assert not executor.place(0, np.array([np.nan, 0.0, 0.0]), 1.0, Shape(), None)
    assert not executor.move(np.full((1, 3), np.inf), np.array([100.0]))
    assert not executor.move(np.zeros((3, 3)), np.zeros(3))
    assert not executor.listener(np.array([0.0, np.nan, 0.0]), 0.0, 0.0, 0.0)
    executor.process(x, after)
    np.testing.assert_array_equal(after, before)
    assert not executor.process(np.ones((3, 64), np.float32), after)


def test_a_missing_kernel_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    native.kernel_module.cache_clear()
    monkeypatch.setattr(native, "MODULE", "sonoworld.products.native.absent")
    with pytest.raises(BackendMissingError, match=r"executor='numpy'"):
        Engine()
    monkeypatch.undo()
    native.kernel_module.cache_clear()
    assert "lanes" in Engine().executor
