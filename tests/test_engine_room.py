"""A room in the engine: the kernel against its NumPy twin, and both against closed forms."""

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoworld.acoustics.biquads import wall_biquads
from sonoworld.acoustics.filters import reflection_filters
from sonoworld.acoustics.room import shoebox
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.travel import SPEED_OF_SOUND_M_S, branch_filters, interpolation_table
from sonoworld.errors import ShapeError
from sonoworld.render.engine import Engine
from sonoworld.render.engine_numpy import NumpyExecutor
from sonoworld.render.engine_room import EngineRoom
from sonoworld.render.executor import Executor, Plan, Shape
from sonoworld.render.hrtf import hrir
from sonoworld.render.native import NativeExecutor, native_widths
from sonoworld.types import Directivity
from wasm_executor import wasm_executor

RATE, INPUTS = 48000, 5
BANDS = np.array([0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6])
AIM = Directivity(0.5, 2.0, np.array([1.0, 0.0, 0.0]))


def made(late_taps: int = 900, walls: int = 6, sends: tuple[float, ...] = (1.0, 0.7, 0.0, 1.0, 0.0)) -> EngineRoom:
    alpha = np.clip(BANDS * np.linspace(0.4, 1.5, 6)[:, None], 0, 0.95)
    box = shoebox((6.0, 4.5, 3.0), (2.5, 2.0, 1.4), alpha)
    noise = np.random.default_rng(1).standard_normal((4, late_taps)) * 10 ** (-2 * np.arange(late_taps) / late_taps)
    return EngineRoom(
        np.ascontiguousarray(box.normals[:walls]),
        np.ascontiguousarray(box.offsets_m[:walls]),
        wall_biquads(alpha[:walls], RATE),
        (0.05 * noise).astype(np.float32) if late_taps else None,
        np.array(sends, np.float32),
    )


def walk(executor: Executor, block: int, blocks: int = 24, bed: int | None = None) -> np.ndarray:
    """A head that walks, turns and jumps, with sources at rest, moving, and far outside."""
    rng = np.random.default_rng(5)
    executor.place(0, np.array([1.0, 0.5, 0.2]), 0.8, Shape(), AIM)
    executor.place(1, np.array([-1.0, -0.5, 0.0]), 1.0, Shape(), None)
    executor.place(2, np.array([2.0, 1.0, 0.0]), 1.0, Shape(), None)
    if bed is not None:
        executor.bed(rng.standard_normal(((bed + 1) ** 2, 700)).astype(np.float32) * np.float32(0.1), bed, True)
    out: list[np.ndarray] = []
    for k in range(blocks):
        step = k * block / 256
        if k == 7:
            executor.place(3, np.array([0.4, 1.9, 0.3]), 0.5, Shape(), None)
        if k > 9:
            executor.place(1, np.array([-1.0 + 0.008 * step, -0.5, 0.0]), 1.0, Shape(), None)
        if k == 15:
            executor.remove(3)
        head = np.array([0.007 * step, 0.0 if k < 18 else 1.5 + 0.03 * step, 0.1])
        executor.listener(head, 0.05 * k, 0.02 * k, 0.0)
        ears = np.empty((2, block), np.float32)
        assert executor.process(rng.standard_normal((INPUTS, block)).astype(np.float32), ears)
        out.append(ears)
    return np.concatenate(out, axis=1)


def plan(room: EngineRoom | None, block: int, law: EncodeOptions) -> Plan:
    return Plan(law.order, RATE, block, INPUTS, hrir("kemar", law.order, RATE), law, room)


@pytest.mark.parametrize("lanes", [width for _, width in native_widths()])
@pytest.mark.parametrize(
    ("block", "law", "room"),
    [
        (256, EncodeOptions(), made()),
        (128, EncodeOptions(order=1, alpha=0.05), made(late_taps=129)),
        (64, EncodeOptions(order=1), made(late_taps=1700)),
        (100, EncodeOptions(order=2, delay=True), made(late_taps=0)),
        (37, EncodeOptions(order=1), made(walls=3)),
        (512, EncodeOptions(order=4), made(walls=0)),
    ],
)
def test_the_kernel_is_its_twin(lanes: int, block: int, law: EncodeOptions, room: EngineRoom) -> None:
    heard, expected = (
        walk(make, block)
        for make in (NativeExecutor(plan(room, block, law), lanes), NumpyExecutor(plan(room, block, law)))
    )
    dry = walk(NumpyExecutor(plan(None, block, law)), block)
    assert np.abs(expected - dry).max() > 0.1 * np.abs(dry).max()
    np.testing.assert_allclose(heard, expected, atol=1e-5 * float(np.abs(expected).max()))


@pytest.mark.parametrize("law", [EncodeOptions(order=2), EncodeOptions(order=1, delay=True)])
def test_web_assembly_is_its_twin_too(law: EncodeOptions) -> None:
    expected = walk(NumpyExecutor(plan(made(2500), 128, law)), 128)
    with wasm_executor(plan(made(2500), 128, law)) as executor:
        heard = walk(executor, 128)
    np.testing.assert_allclose(heard, expected, atol=1e-5 * float(np.abs(expected).max()))


@pytest.mark.parametrize("bed", [0, 2])
def test_room_and_bed_together(bed: int) -> None:
    law, room = EncodeOptions(order=2), made()
    heard, expected = (
        walk(make, 64, bed=bed) for make in (NativeExecutor(plan(room, 64, law)), NumpyExecutor(plan(room, 64, law)))
    )
    np.testing.assert_allclose(heard, expected, atol=1e-5 * float(np.abs(expected).max()))


@pytest.mark.parametrize("executor", ["native", "numpy"])
def test_one_wall_is_a_mirror(executor: Literal["native", "numpy"]) -> None:
    """An impulse comes back from a wall that takes nothing as if from the image, later by the longer way."""
    wall = EngineRoom(
        np.array([[1.0, 0, 0]]),
        np.array([3.0]),
        wall_biquads(np.full((1, 8), 1e-4), RATE),
        None,
        np.ones(1, np.float32),
    )
    place, block = np.array([0.0, 2.0, 0.0]), 256
    law = EncodeOptions(order=1, near_m=1e-3)
    outs: list[np.ndarray] = []
    for room, at in ((wall, place), (None, place), (None, np.array([6.0, 2.0, 0.0]))):
        engine = Engine(1, RATE, block, max_sources=1, executor=executor, law=law, room=room)
        engine.set_source(0, at)
        engine.set_listener([0, 0, 0], 0.3, 0.0)
        x = np.zeros((16, 1, block), np.float32)
        x[0, 0, 0] = 1.0
        outs.append(np.concatenate([engine.process(part) for part in x], axis=1))
    echo = outs[0] - outs[1]
    later = (np.hypot(6.0, 2.0) - 2.0) / SPEED_OF_SOUND_M_S * RATE
    n = echo.shape[1]
    shifted = np.fft.rfft(outs[2], n) * np.exp(-2j * np.pi * np.fft.rfftfreq(n) * later)
    band = slice(n * 200 // RATE, n * 16000 // RATE)
    missed = np.fft.rfft(echo, n)[:, band] - shifted[:, band]
    assert np.sum(np.abs(missed) ** 2) < 1e-4 * np.sum(np.abs(shifted[:, band]) ** 2)


@pytest.mark.parametrize("executor", ["native", "numpy"])
def test_the_late_field_turns_with_the_head(executor: Literal["native", "numpy"]) -> None:
    """A late field that comes from the left alone is a source on the left, however the head is turned."""
    taps = np.zeros((4, 400), np.float32)
    taps[0, 300] = taps[1, 300] = 0.5
    none = np.zeros((0, 3)), np.zeros(0), np.zeros((0, 2, 5), np.float32)
    for yaw in (0.0, 1.0, -2.5):
        outs: list[np.ndarray] = []
        for late in (True, False):
            room = EngineRoom(*none, taps, np.ones(1, np.float32)) if late else None
            engine = Engine(1, RATE, 128, max_sources=1, executor=executor, law=EncodeOptions(order=1), room=room)
            engine.set_listener([0, 0, 0], yaw, 0.0)
            engine.set_source(
                0, [0.0, 1e6, 0.0] if late else [0.0, 1.0, 0.0], 100 if late else 100 + 20 * np.log10(0.5)
            )
            x = np.zeros((8, 1, 128), np.float32)
            x[0 if late else 2, 0, 0 if late else 300 - 256] = 1.0
            outs.append(np.concatenate([engine.process(part) for part in x], axis=1))
        np.testing.assert_allclose(outs[0], outs[1], atol=0.004)


def test_the_branches_are_the_table() -> None:
    u = 2 * np.arange(513) / 512 - 1
    made_of = np.polynomial.polynomial.polyvander(u, 4) @ branch_filters()
    frequency = np.exp(1j * np.outer(np.arange(16) - 7, np.linspace(0, 2 * np.pi / 3, 100)))
    assert np.abs((made_of - interpolation_table()) @ frequency).max() < 2e-3  # -54 dB up to 16 kHz


@settings(max_examples=25)
@given(st.lists(st.floats(0.01, 0.9), min_size=8, max_size=8))
def test_biquads_stand_for_the_wall(alpha: list[float]) -> None:
    from scipy.signal import sosfilt  # noqa: PLC0415

    absorption = np.array([alpha])
    sos = np.insert(wall_biquads(absorption, RATE)[0].astype(np.float64), 3, 1.0, axis=1)
    taps = reflection_filters(np.eye(1, dtype=np.int64), absorption, RATE)[0]
    impulse = np.zeros(4096)
    impulse[0] = 1.0
    response = np.asarray(sosfilt(sos, impulse))
    assert np.abs(response[-500:]).max() < 1e-3 * np.abs(response).max()  # stable
    assert np.sum((response[: len(taps)] - taps) ** 2) < 0.1 * np.sum(taps**2)


def test_a_smooth_wall_is_met_closely() -> None:
    from scipy.signal import sosfilt  # noqa: PLC0415

    sos = np.insert(wall_biquads(BANDS[None], RATE)[0].astype(np.float64), 3, 1.0, axis=1)
    taps = reflection_filters(np.eye(1, dtype=np.int64), BANDS[None], RATE)[0]
    impulse = np.eye(1, len(taps))[0]
    assert np.sum((np.asarray(sosfilt(sos, impulse)) - taps) ** 2) < 1e-4 * np.sum(taps**2)


def test_rooms_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ShapeError, match="sends"):
        Engine(1, max_sources=3, room=made())
    with pytest.raises(ShapeError, match="physical"):
        Engine(1, max_sources=INPUTS, law=EncodeOptions(mode="paper"), room=made())
    broken = replace(made(), offsets_m=np.array([np.nan, 1, 1, 1, 1, 1]))
    with pytest.raises(ShapeError, match="finite"):
        Engine(1, max_sources=INPUTS, room=broken)
