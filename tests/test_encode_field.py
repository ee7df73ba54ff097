"""Whole sound fields: who is heard where, how loud, and without a click."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from sonoworld.encode import EncodeOptions, Track, encode_scene, encode_source
from sonoworld.encode.field import ramped_mix
from sonoworld.encode.harmonics import harmonics
from sonoworld.encode.voices import clip_at_rate
from sonoworld.errors import InputError, ShapeError
from sonoworld.frames import Pose
from sonoworld.types import FULL_SCALE_DB, Clip, Source, Spread

RATE = 48000
STILL = Pose.identity()


def clip_of(samples: np.ndarray, *, loops: bool = True, rate_hz: int = RATE, gain_db: float = 0.0) -> Clip:
    return Clip(samples.astype(np.float32), rate_hz, loops, gain_db, "test", "MIT")


def noise(seconds: float = 0.5, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(int(seconds * RATE))


def source_at(
    points: object, spread: Spread = Spread.POINT, level_db: float = 100.0, clip: Clip | None = None
) -> Source:
    p = np.asarray(points, np.float32).reshape(-1, 3)
    normals = np.zeros_like(p)
    weights = np.full(len(p), 1 / max(len(p), 1), np.float32)
    chosen = clip_of(noise()) if clip is None else clip
    return Source("s1", "bell", "a bell", spread, level_db, 1.0, "test", p, normals, weights, 0.1, clip=chosen)


def rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))


@pytest.mark.parametrize("order", [0, 1, 3, 10])
def test_a_point_is_its_harmonics_at_its_distance(order: int) -> None:
    place = np.array([1.0, 2.0, -0.5])
    listener = Pose(Rotation.from_euler("ZYX", [0.4, 0.2, -0.3]).as_matrix(), np.array([-1.0, 0.5, 0.2]))
    offset = listener.inverse() @ place
    expected = harmonics(offset, order) / np.sqrt(offset @ offset + 0.01)
    source = source_at(place, level_db=94.0, clip=clip_of(noise(), gain_db=3.0))
    options = EncodeOptions(order=order)
    gains = encode_source(source, listener, options)
    np.testing.assert_allclose(gains, expected * 10 ** (-3 / 20), atol=1e-7)
    field = encode_scene([source], listener, options, 1000)
    dry = source.clip.samples[:1000] if source.clip else np.zeros(0)
    np.testing.assert_allclose(field.signal, np.outer(gains, dry), atol=1e-6)
    assert (field.order, field.rate_hz, field.full_scale_db) == (order, RATE, FULL_SCALE_DB)


def test_ambience_is_w_at_its_own_level_everywhere() -> None:
    source = source_at(np.zeros((0, 3)), Spread.AMBIENT, level_db=80.0)
    for x in (0.0, 50.0):
        field = encode_scene([source], Pose(np.eye(3), np.array([x, 0, 0])), EncodeOptions(), 4800)
        assert rms(field.signal[0]) == pytest.approx(0.01, rel=0.02)
        np.testing.assert_array_equal(field.signal[1:], 0)


def test_coherent_area_is_the_sum_of_its_points() -> None:
    points = np.random.default_rng(1).standard_normal((40, 3)) + np.array([2.0, 0, 0])
    options = EncodeOptions(order=4, area="coherent", alpha=0.05)
    together = encode_source(source_at(points, Spread.AREA), STILL, options)
    one_by_one = [encode_source(source_at(p, Spread.AREA), STILL, options) for p in np.asarray(points, np.float32)]
    np.testing.assert_allclose(together, np.mean(one_by_one, 0), atol=1e-7)


def test_area_energy_grows_and_widens_on_the_way_in_and_never_steps() -> None:
    wall = np.stack(np.meshgrid(np.linspace(0, 1, 4), np.linspace(-15, 15, 40), [0.0]), -1).reshape(-1, 3)
    river = source_at(wall, Spread.AREA, clip=clip_of(noise(2.0)))
    options = EncodeOptions()
    steps = np.arange(200, 2, -2.0)
    energy, focus = [], []
    for x in steps:
        signal = encode_scene([river], Pose(np.eye(3), np.array([-x, 0, 0])), options, 24000).signal
        energy.append(10 * np.log10(np.mean(signal[0] ** 2)))
        focus.append(abs(float(np.mean(signal[0] * signal[3]) / np.mean(signal[0] ** 2))))
    # nearer is louder at every step (a split of 2 m never costs more than the noise of decorrelation)
    assert min(np.diff(energy)) > -0.1
    assert max(np.diff(energy)) < 6.0
    assert focus[0] > 0.99
    assert focus[-1] < 0.75


def test_paper_mode_is_its_equations() -> None:
    options = EncodeOptions(mode="paper", alpha=0.1)
    points = np.array([[2.0, 0, 0], [0, 2.0, 1.0], [-1, 1, 1]], np.float32)
    area = source_at(points, Spread.AREA, level_db=20.0, clip=clip_of(noise(), gain_db=23.0))
    d = np.linalg.norm(points, axis=1)
    expected = 10.0 * np.mean((np.exp(-0.1 * d) / d)[:, None] * harmonics(points.astype(float), 1), 0)
    np.testing.assert_allclose(encode_source(area, STILL, options), expected, rtol=1e-6)
    centroid = points.astype(float).mean(0)
    r = np.linalg.norm(centroid)
    point = replace(area, spread=Spread.POINT)
    np.testing.assert_allclose(
        encode_source(point, STILL, options), 10 * np.exp(-0.1 * r) / r * harmonics(centroid, 1), rtol=1e-6
    )
    field = encode_scene([area], STILL, options, 100)
    assert field.full_scale_db == 0.0
    assert area.clip is not None
    np.testing.assert_allclose(field.signal, np.outer(expected, area.clip.samples[:100]), rtol=1e-4, atol=1e-7)


def test_a_moving_listener_ramps_and_does_not_step() -> None:
    # a tone of 1 kHz while the head turns 90° a second: nothing outside 900..1100 Hz above −80 dB
    samples = RATE
    tone = clip_of(np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE))
    yaw = np.deg2rad(90) * np.arange(samples // 256 + 2) * 256 / RATE
    track = Track(Rotation.from_euler("Z", yaw[:, None]).as_matrix(), np.zeros((len(yaw), 3)))
    field = encode_scene([source_at([3.0, 1.0, 0.5], clip=tone)], track, EncodeOptions(order=5), samples)
    spectrum = np.abs(np.fft.rfft(field.signal.astype(np.float64) * np.blackman(samples))) ** 2
    f = np.fft.rfftfreq(samples, 1 / RATE)
    outside = (f < 900) | (f > 1100)
    assert 10 * np.log10(spectrum[:, outside].sum() / spectrum.sum()) < -80


def test_a_track_of_one_place_is_the_still_listener() -> None:
    pose = Pose(Rotation.from_euler("Z", 0.3).as_matrix(), np.array([0.2, 0.1, 0.0]))
    sources = [source_at([1.0, 2.0, 0.0]), source_at(np.random.default_rng(0).random((30, 3)) * 3, Spread.AREA)]
    track = Track(np.repeat(pose.rotation[None], 30, 0), np.repeat(pose.origin[None], 30, 0))
    one = encode_scene(sources, pose, EncodeOptions(), 5000).signal
    many = encode_scene(sources, track, EncodeOptions(), 5000).signal
    np.testing.assert_allclose(one, many, atol=1e-6)


def test_area_gains_between_strides_are_close_to_exact() -> None:
    points = np.random.default_rng(0).random((50, 3)) * [1, 4, 1] + [1.0, -2, -0.5]
    source = source_at(points, Spread.AREA)
    t = np.arange(60)
    origins = np.stack([1.4 * t * 256 / RATE, 0 * t, 0 * t], -1)
    track = Track(np.repeat(np.eye(3)[None], 60, 0), origins)
    options = EncodeOptions(area="coherent")
    field = encode_scene([replace(source, clip=clip_of(np.ones(100)))], track, options, 59 * 256)
    exact = [encode_source(source, Pose(np.eye(3), o), options) for o in origins[:-1]]
    np.testing.assert_allclose(field.signal[:, ::256].T, np.stack(exact), atol=2e-3 * np.max(exact))


def test_loops_go_round_and_others_end() -> None:
    x = noise(0.01)
    looped = encode_scene([source_at([1.0, 0, 0], clip=clip_of(x))], STILL, EncodeOptions(), 2000).signal[0]
    once = encode_scene([source_at([1.0, 0, 0], clip=clip_of(x, loops=False))], STILL, EncodeOptions(), 2000).signal[0]
    np.testing.assert_allclose(looped[480:960], looped[:480], atol=1e-7)
    np.testing.assert_allclose(once[:480], looped[:480], atol=1e-7)
    np.testing.assert_array_equal(once[480:], 0)


@pytest.mark.parametrize("rate", [44100, 22050, 96000])
@pytest.mark.parametrize("loops", [True, False])
def test_other_rates_are_resampled(rate: int, loops: bool) -> None:
    t = np.arange(rate // 2) / rate
    clip = clip_of(np.sin(2 * np.pi * 440 * t), rate_hz=rate, loops=loops)
    ours = clip_at_rate(clip, RATE)
    expected = np.sin(2 * np.pi * 440 * np.arange(RATE // 2) / RATE)
    inner = slice(0, None) if loops else slice(200, -200)
    assert len(ours) == RATE // 2
    np.testing.assert_allclose(ours[inner], expected[inner], atol=3e-3)


def test_air_dulls_what_is_far() -> None:
    source = source_at([200.0, 0, 0], clip=clip_of(noise(1.0)))
    near_field = encode_scene([source], STILL, EncodeOptions(air="none"), RATE).signal[0]
    air_field = encode_scene([source], STILL, EncodeOptions(air="iso9613"), RATE).signal[0]
    loss_db = 10 * np.log10(np.abs(np.fft.rfft(air_field)) ** 2 / np.abs(np.fft.rfft(near_field)) ** 2)
    f = np.fft.rfftfreq(RATE, 1 / RATE)
    assert -0.7 < np.median(loss_db[(f > 200) & (f < 400)]) < 0
    # 20 °C, 50 %: 0.0286 dB/m at 4 kHz (ISO 9613-1), 199 m
    assert np.median(loss_db[(f > 3800) & (f < 4200)]) == pytest.approx(-5.8, abs=0.8)


def test_silence_and_wrong_input() -> None:
    np.testing.assert_array_equal(encode_scene([], STILL, EncodeOptions(order=1), 10).signal, np.zeros((4, 10)))
    with pytest.raises(InputError, match="no sound yet"):
        encode_scene([replace(source_at([1.0, 0, 0]), clip=None)], STILL, EncodeOptions(), 10)
    with pytest.raises(ShapeError, match="samples"):
        encode_scene([], STILL, EncodeOptions(), 0)


def test_ramps_are_the_linear_interpolation() -> None:
    rng = np.random.default_rng(3)
    gains, x = rng.standard_normal((5, 2, 4)), rng.standard_normal((2, 32)).astype(np.float32)
    t = np.arange(1, 33) / 8  # as in real time: a block's own gains are reached at its last sample
    dense = np.stack([[np.interp(t, np.arange(5), gains[:, v, c]) for c in range(4)] for v in range(2)])
    np.testing.assert_allclose(ramped_mix(x, gains, 8), (dense * x[:, None]).sum(0), atol=1e-5)
