"""The engine against one-shot convolution, at any block size, and without steps when things move."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import fftconvolve
from scipy.spatial.transform import Rotation

from sonoworld.encode.area import area_gains, cap_gains
from sonoworld.encode.harmonics import harmonics
from sonoworld.encode.nearfield import near_field_sections, through_near_field
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.rotate import rotation_matrix
from sonoworld.errors import ShapeError
from sonoworld.frames import world_from_head_rotation
from sonoworld.render.convolve import BlockConvolver, convolved
from sonoworld.render.engine import Engine
from sonoworld.render.hrtf import hrir

RNG = np.random.default_rng(0)


@pytest.fixture(params=["native", "numpy"])
def executor(request: pytest.FixtureRequest) -> str:
    return request.param


def run(engine: Engine, x: np.ndarray) -> np.ndarray:
    """All of x [q t] through the engine; the end is padded to whole blocks."""
    q, t = x.shape
    blocks = -(-t // engine.block)
    inputs = np.zeros((engine.max_sources, blocks * engine.block), np.float32)
    inputs[:q, :t] = x
    parts = [engine.process(inputs[:, i * engine.block : (i + 1) * engine.block]) for i in range(blocks)]
    return np.concatenate(parts, 1)[:, :t]


def one_shot(x: np.ndarray, gains: np.ndarray, filters: np.ndarray) -> np.ndarray:
    field = gains.T @ x.astype(float)
    wet = fftconvolve(field[None], filters.astype(float), axes=-1)
    return wet.sum(1)[:, : x.shape[1]]


@given(
    block=st.sampled_from([1, 7, 64, 100, 128, 256, 300, 512, 1000]),
    taps=st.sampled_from([1, 16, 100, 256, 300]),
    t=st.integers(1, 900),
)
def test_block_convolution_is_convolution(block: int, taps: int, t: int) -> None:
    rng = np.random.default_rng(block + taps)
    filters = rng.standard_normal((2, 4, taps)).astype(np.float32)
    x = rng.standard_normal((4, -(-t // block) * block)).astype(np.float32)
    stream = BlockConvolver(filters, block)
    got = np.concatenate([stream.process(x[:, i : i + block]) for i in range(0, x.shape[1], block)], 1)
    wanted = one_shot(x, np.eye(4), filters)
    assert np.abs(got - wanted).max() < 1e-6 * np.abs(wanted).max() + 1e-6


@pytest.mark.parametrize("block", [32, 128, 256, 480, 1024])
@pytest.mark.parametrize("order", [1, 3, 5])
def test_engine_is_one_shot_convolution(block: int, order: int, executor: str) -> None:
    engine = Engine(order=order, block=block, max_sources=5, executor=executor)
    positions = RNG.standard_normal((3, 3)) * 3
    levels = np.array([100.0, 94.0, 88.0])
    engine.set_sources(positions, levels)
    engine.set_listener([0.3, -0.2, 0.1], 0.5, 0.2, -0.1)
    x = 0.1 * RNG.standard_normal((3, 3000)).astype(np.float32)
    offset = (positions - [0.3, -0.2, 0.1]) @ world_from_head_rotation(0.5, 0.2, -0.1)
    gains = harmonics(offset, order) / np.sqrt((offset**2).sum(1) + 0.01)[:, None]
    wanted = one_shot(x, gains * 10 ** ((levels[:, None] - 100) / 20), hrir("kemar", order))
    assert np.abs(run(engine, x) - wanted).max() < 1e-6 * np.abs(wanted).max()
    assert engine.added_samples == 0


def test_spreads_are_caps_and_surfaces(executor: str) -> None:
    x = 0.1 * RNG.standard_normal((3, 1024)).astype(np.float32)
    points = RNG.standard_normal((20, 3)) + np.array([0.0, 3.0, 0.0])
    weights = np.full(20, 0.05)
    engine = Engine(order=4, max_sources=3, executor=executor)
    engine.set_source(0, [2.0, 0.0, 0.0], spread=0.6)
    engine.set_source(1, [0.0, 0.0, 0.0], level_db=94, spread=(points, weights))
    far = harmonics(np.array([1.0, 0, 0]), 4) / np.sqrt(4.01)
    sigma = 1 / np.sqrt((points**2).sum(1) + 0.01)
    gains = np.stack([far * cap_gains(0.6, 4), 10 ** (-6 / 20) * area_gains(points, weights, sigma, 4)])
    wanted = one_shot(x[:2], gains, hrir("kemar", 4))
    # source 2 was never placed: silent whatever comes in
    assert np.abs(run(engine, x) - wanted).max() < 1e-6 * np.abs(wanted).max()


def test_a_near_source_is_filtered_degree_by_degree(executor: str) -> None:
    order, place = 4, np.array([0.3, 0.2, 0.1])
    engine = Engine(order=order, max_sources=1, executor=executor, law=EncodeOptions(near_field=True))
    engine.set_source(0, place)
    x = 0.1 * RNG.standard_normal((1, 4096)).astype(np.float32)
    d = np.sqrt((place**2).sum() + 0.01)
    sections = near_field_sections(np.array([d]), 48000, order)
    rows = np.concatenate(
        [np.repeat(through_near_field(x, one, 256) if n else x, 2 * n + 1, 0) for n, one in enumerate(sections)]
    )
    gains = np.diag(harmonics(place, order) / d)
    wanted = one_shot(rows, gains, hrir("kemar", order))
    assert np.abs(run(engine, x) - wanted).max() < 1e-6 * np.abs(wanted).max()


def test_a_bed_turns_against_the_head(executor: str) -> None:
    bed = 0.1 * RNG.standard_normal((9, 1500)).astype(np.float32)
    engine = Engine(order=3, max_sources=1, executor=executor)
    engine.set_bed(bed, loop=False)
    engine.set_listener([5.0, 1.0, 0.0], 0.7, -0.3, 0.2)
    got = run(engine, np.zeros((1, 2000), np.float32))
    R = world_from_head_rotation(0.7, -0.3, 0.2)
    turned = np.zeros((16, 2000))
    turned[:9, :1500] = rotation_matrix(R.T, 2) @ bed
    wanted = one_shot(turned, np.eye(16), hrir("kemar", 3))
    assert np.abs(got - wanted).max() < 1e-6 * np.abs(wanted).max()


def test_a_looped_bed_has_no_seam(executor: str) -> None:
    t = np.arange(4800)
    bed = np.sin(2 * np.pi * 100 * t / 4800)[None].astype(np.float32)
    engine = Engine(order=1, max_sources=1, executor=executor)
    engine.set_bed(bed)
    got = run(engine, np.zeros((1, 20000), np.float32))
    assert np.abs(got[:, 1000:5800] - got[:, 5800:10600]).max() < 1e-5
    engine.set_bed(None)
    assert np.abs(run(engine, np.zeros((1, 600), np.float32))[:, 300:]).max() < 1e-6


@pytest.mark.parametrize("order", [1, 5])
def test_a_turning_head_has_no_zipper(order: int, executor: str) -> None:
    # 1 kHz, head 90°/s: outside 900..1100 Hz less than −80 dB, for a source and for a bed
    rate, block = 48000, 256
    engine = Engine(order=order, max_sources=1, executor=executor)
    engine.set_source(0, [2.0, 1.0, 0.3])
    tone = np.sin(2 * np.pi * 1000 * np.arange(rate) / rate).astype(np.float32)
    bed = np.outer(harmonics(np.array([0.2, -1.0, 0.1]), order), tone).astype(np.float32)
    engine.set_bed(bed)
    parts = []
    for i in range(rate // block):
        engine.set_listener([0.0, 0.0, 0.0], np.deg2rad(90) * (i + 1) * block / rate, 0.0)
        parts.append(engine.process(tone[None, i * block : (i + 1) * block]))
    out = np.concatenate(parts, 1)[:, 1024:].astype(float)
    power = (np.abs(np.fft.rfft(out * np.blackman(out.shape[1]))) ** 2).sum(0)
    f = np.fft.rfftfreq(out.shape[1], 1 / rate)
    outside = (f < 900) | (f > 1100)
    assert 10 * np.log10(power[outside].sum() / power.sum()) < -80


def test_changes_fade_over_one_block(executor: str) -> None:
    engine = Engine(order=1, block=256, max_sources=2, executor=executor)
    engine.set_source(0, [2.0, 0.0, 0.0])
    x = np.ones((2, 256), np.float32)
    for _ in range(3):
        before = engine.process(x)
    engine.set_source(1, [2.0, 0.0, 0.0])
    engine.process(x)
    engine.process(x)
    after = engine.process(x)
    np.testing.assert_allclose(after, 2 * before, rtol=1e-4)
    engine.remove_source(1)
    engine.process(x)
    engine.process(x)
    np.testing.assert_allclose(engine.process(x), before, rtol=1e-4)


def test_whole_recordings_are_the_stream() -> None:
    x = RNG.standard_normal((4, 20001)).astype(np.float32)
    filters = hrir("kemar", 1)
    wanted = one_shot(x, np.eye(4), filters)
    assert np.abs(convolved(x, filters) - wanted).max() < 1e-6 * np.abs(wanted).max()


def test_rotating_everything_changes_nothing(executor: str) -> None:
    x = 0.1 * RNG.standard_normal((2, 512)).astype(np.float32)
    places = RNG.standard_normal((2, 3))
    out = []
    for yaw in (0.0, 1.1):
        engine = Engine(order=3, max_sources=2, executor=executor)
        engine.set_sources(Rotation.from_euler("Z", yaw).apply(places), np.array([100.0, 100.0]))
        engine.set_listener([0.0, 0.0, 0.0], yaw, 0.0)
        out.append(run(engine, x))
    np.testing.assert_allclose(out[0], out[1], atol=1e-6)


def test_wrong_use_is_an_error(executor: str) -> None:
    engine = Engine(order=1, max_sources=2, executor=executor)
    with pytest.raises(ShapeError, match=r"0\.\.1"):
        engine.set_source(2, [0.0, 0.0, 0.0])
    with pytest.raises(ShapeError, match="at most 2"):
        engine.set_sources(np.zeros((3, 3)), np.zeros(3))
    with pytest.raises(ShapeError, match="position"):
        engine.set_source(0, [np.nan, 0.0, 0.0])
    with pytest.raises(ShapeError, match="level_db"):
        engine.set_source(0, [0.0, 0.0, 0.0], level_db=float("inf"))
    with pytest.raises(ShapeError, match="sum 1"):
        engine.set_source(0, [0.0, 0.0, 0.0], spread=(np.zeros((2, 3)), np.array([0.9, 0.9])))
    with pytest.raises(ShapeError, match="cap"):
        engine.set_source(0, [0.0, 0.0, 0.0], spread=4.0)
    with pytest.raises(ShapeError, match="yaw"):
        engine.set_listener([0.0, 0.0, 0.0], float("nan"), 0.0)
    with pytest.raises(ShapeError, match="bed"):
        engine.set_bed(np.zeros((9, 10), np.float32))
    with pytest.raises(ShapeError, match="inputs"):
        engine.process(np.zeros((3, 256), np.float32))
    for bad in ({"block": 0}, {"max_sources": 0}, {"order": 8}, {"order": 0}, {"rate_hz": 10}):
        with pytest.raises(ShapeError):
            Engine(executor=executor, **bad)
