"""Sources that move, face somewhere and are near: what arrives of them, measured in the rendered field."""

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from scipy.signal import sosfreqz

from sonoworld.encode import EncodeOptions, Track, encode_scene, encode_source
from sonoworld.encode.directivity import directivity_gain
from sonoworld.encode.nearfield import near_field_sections
from sonoworld.encode.travel import SPEED_OF_SOUND_M_S
from sonoworld.errors import ShapeError
from sonoworld.frames import Pose, head_angles, world_from_head_rotation
from sonoworld.render.convolve import convolved
from sonoworld.render.engine import Engine
from sonoworld.render.hrtf import hrir
from sonoworld.types import Clip, Directivity, Motion, Source, Spread

RATE, BLOCK = 48000, 256
STILL = Pose.identity()
LATE = EncodeOptions(delay=True)


def source_at(points: object, samples: np.ndarray, *, loops: bool = True, spread: Spread = Spread.POINT) -> Source:
    p = np.asarray(points, np.float32).reshape(-1, 3)
    w = np.full(len(p), 1 / max(len(p), 1), np.float32)
    clip = Clip(samples.astype(np.float32), RATE, loops, 0.0, "test", "MIT")
    return Source("s", "siren", "a siren", spread, 100.0, 1.0, "test", p, 0 * p, w, 0.1, clip=clip)


def tone(hz: float, samples: int = RATE) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(samples) / RATE)


def pitch_hz(x: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(x * np.blackman(len(x)), 1 << 20))
    return float(np.argmax(spectrum)) * RATE / (1 << 20)


def drive(start: object, stop: object, seconds: float, **more: bool) -> Motion:
    return Motion(np.array([0.0, seconds]), np.array([start, stop], np.float64), **more)


@pytest.mark.parametrize("speed", [10.0, 25.0, 60.0])
def test_a_siren_comes_high_and_goes_low(speed: float) -> None:
    # heard at f·c/(c − v) as it comes and at f·c/(c + v) as it goes: along a line straight through the listener
    siren = source_at([0.0, 0, 0], tone(1000.0))
    c = SPEED_OF_SOUND_M_S
    for way, expected in (
        (drive([200 + speed * 2, 0, 0], [200, 0, 0], 2.0), 1000 * c / (c - speed)),
        (drive([-200, 0, 0], [-200 - speed * 4, 0, 0], 4.0), 1000 * c / (c + speed)),
    ):
        field = encode_scene([replace(siren, path=way)], STILL, EncodeOptions(order=1, delay=True), RATE * 2, RATE)
        assert pitch_hz(field.signal[0, RATE:].astype(np.float64)) == pytest.approx(expected, abs=0.1)


def test_a_listener_who_runs_hears_another_pitch_than_a_source_that_runs() -> None:
    speed, c = 30.0, SPEED_OF_SOUND_M_S
    k = np.arange(2 * RATE // BLOCK + 2)
    origins = np.stack([speed * k * BLOCK / RATE, 0.0 * k, 0.0 * k], -1)
    track = Track(np.repeat(np.eye(3)[None], len(k), 0), origins, BLOCK)
    field = encode_scene([source_at([300.0, 0, 0], tone(1000.0))], track, EncodeOptions(order=0, delay=True), 2 * RATE)
    assert pitch_hz(field.signal[0, RATE:].astype(np.float64)) == pytest.approx(1000 * (1 + speed / c), abs=0.1)


def test_without_delay_a_path_has_no_doppler() -> None:
    siren = replace(source_at([0.0, 0, 0], tone(1000.0)), path=drive([300, 0, 0], [200, 0, 0], 2.0))
    field = encode_scene([siren], STILL, EncodeOptions(order=0), 2 * RATE)
    assert pitch_hz(field.signal[0].astype(np.float64)) == pytest.approx(1000.0, abs=0.05)


@pytest.mark.parametrize("metres", [0.0, 1.0, 34.32, 200.0])
def test_an_impulse_arrives_after_its_way(metres: float) -> None:
    x = np.zeros(RATE)
    x[50] = 1.0
    field = encode_scene([source_at([metres, 0, 0], x, loops=False)], STILL, LATE, RATE)
    w = field.signal[0].astype(np.float64)
    expected = 50 + max(8.0, np.hypot(metres, 0.1) * RATE / SPEED_OF_SOUND_M_S)
    assert float(np.sum(np.arange(RATE) * w) / np.sum(w)) == pytest.approx(expected, abs=2e-3)
    assert np.abs(w[: int(expected) - 8]).max(initial=0.0) == 0.0


def test_a_loop_has_been_sounding_before_and_others_have_not() -> None:
    for loops, rms in ((True, np.sqrt(0.5) / 343.2), (False, 0.0)):
        field = encode_scene([source_at([343.2, 0, 0], tone(100.0), loops=loops)], STILL, LATE, RATE // 2)
        assert np.sqrt(np.mean(field.signal[0].astype(np.float64) ** 2)) == pytest.approx(rms, rel=1e-3)


def test_pieces_of_a_recording_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    # it is made in pieces of 512 blocks, whose filters must know what was before: in one piece it is the same
    rng = np.random.default_rng(3)
    source = replace(source_at([0.0, 0, 0], rng.standard_normal(3000)), path=drive([3, -4, 1], [0.3, 2, 1], 0.5))
    options = EncodeOptions(order=2, delay=True, air="iso9613", near_field=True)
    small = Track(np.eye(3)[None], np.zeros((1, 3)), 16)
    pieces = encode_scene([source], small, options, 20000).signal
    monkeypatch.setattr("sonoworld.encode.field._SEGMENT_BLOCKS", 100000)
    whole = encode_scene([source], small, options, 20000).signal
    assert np.abs(pieces - whole).max() <= 1e-6 * np.abs(whole).max()


def test_a_source_on_its_way_is_one_that_stands_there() -> None:
    points = np.array([[1.0, 0, 0], [1, 2, 0], [2, 1, 1]])
    middle = points.mean(0)
    path = Motion(np.array([1.0, 3.0]), np.array([[5.0, 0, 0], [5, 4, 2]]))
    options = EncodeOptions(order=3)
    for spread in (Spread.POINT, Spread.AREA):
        moving = replace(source_at(points, tone(100.0), spread=spread), path=path)
        there = source_at(points + np.array([5.0, 1.0, 0.5]) - middle, tone(100.0), spread=spread)
        np.testing.assert_allclose(
            encode_source(moving, STILL, options, 1.5), encode_source(there, STILL, options), atol=1e-7
        )
    # heard later, it is still where it was: 5.1 m, 15 ms, at 2.12 m/s
    late = encode_source(replace(source_at(points, tone(1.0)), path=path), STILL, LATE, 1.5)
    angle = np.arctan2(late[1], late[3])
    lag_s = (np.arctan2(1.0, 5.0) - angle) * 26 / 5 / 2
    assert lag_s == pytest.approx(np.sqrt(26.25) / SPEED_OF_SOUND_M_S, rel=0.03)


def test_paths_of_areas_are_smooth_between_strides() -> None:
    points = np.random.default_rng(0).random((40, 3)) * [1, 3, 1]
    path = drive([8.0, -3, 0], [2.0, 3, 0], 0.4)
    wall = replace(source_at(points, np.ones(100), spread=Spread.AREA), path=path)
    options = EncodeOptions(area="coherent")
    field = encode_scene([wall], STILL, options, 60 * BLOCK)
    exact = [encode_source(wall, STILL, options, (k + 1) * BLOCK / RATE) for k in range(60)]
    np.testing.assert_allclose(field.signal[:, BLOCK - 1 :: BLOCK].T, exact, atol=1e-2 * np.abs(exact).max())


def test_directivity_is_a_factor_on_every_point() -> None:
    aim = Directivity(0.7, 2.0, np.array([0.6, 0.8, 0.0]))
    points = np.array([[1.0, 0, 0], [0, 2, 0], [-2, 1, 1]])
    head = Pose(world_from_head_rotation(0.4, 0.1, -0.3), np.array([0.2, -0.1, 0.0]))
    options = EncodeOptions(order=3, area="coherent")
    each = []
    for p in points:
        one = source_at(p, tone(1.0))
        factor = directivity_gain(p - head.origin, aim.facing, 0.7, 2.0, options.near_m)
        aimed = encode_source(replace(one, directivity=aim), head, options)
        np.testing.assert_allclose(aimed, factor * encode_source(one, head, options), atol=1e-7)
        each.append(aimed)
    wall = replace(source_at(points, tone(1.0), spread=Spread.AREA), directivity=aim)
    np.testing.assert_allclose(encode_source(wall, head, options), np.mean(each, 0), atol=1e-7)


def test_a_car_that_faces_ahead_is_heard_as_it_comes_and_not_as_it_goes() -> None:
    ahead = Directivity(0.5, 1.0, np.array([0.0, 0.0, 1.0]))
    car = replace(
        source_at([0.0, 0, 0], tone(100.0)),
        directivity=ahead,
        path=drive([50, 1, 0], [-50, 1, 0], 10.0, faces_ahead=True),
    )
    comes, goes = (abs(encode_source(car, STILL, EncodeOptions(), t)[0]) for t in (2.0, 8.0))
    assert goes < 0.01 * comes
    fixed = replace(car, path=drive([50, 1, 0], [-50, 1, 0], 10.0))
    comes, goes = (encode_source(fixed, STILL, EncodeOptions(), t)[0] for t in (2.0, 8.0))
    assert goes == pytest.approx(comes, rel=1e-6)  # it faces up, whichever way it goes
    field = encode_scene([car], STILL, EncodeOptions(order=1), 2 * RATE)
    assert np.abs(field.signal[0]).max() > 0.01


def test_near_field_raises_the_bass_of_what_is_near() -> None:
    hz, options = 120.0, EncodeOptions(order=3, near_field=True)
    for metres, gains in ((0.4, True), (2.0, False)):
        source = source_at([metres, 0, 0], tone(hz))
        near = encode_scene([source], STILL, options, RATE).signal.astype(np.float64)
        plain = encode_scene([source], STILL, EncodeOptions(order=3), RATE).signal.astype(np.float64)
        np.testing.assert_array_equal(near[0], plain[0])
        if not gains:
            np.testing.assert_array_equal(near, plain)
            continue
        for n, c in ((1, 3), (2, 8), (3, 15)):
            distance = np.array([np.hypot(metres, options.near_m)])
            F = np.abs(sosfreqz(near_field_sections(distance, RATE, 3)[n][0], [hz], fs=RATE)[1][0])
            ratio = np.sqrt(np.mean(near[c] ** 2) / np.mean(plain[c] ** 2))
            assert ratio == pytest.approx(F, rel=1e-3)
            assert F > 1.4


@pytest.mark.parametrize("executor", ["numpy", "native"])
@pytest.mark.parametrize(
    "law",
    [
        {},
        {"delay": True},
        {"air": "iso9613"},
        {"near_field": True},
        {"delay": True, "air": "iso9613", "near_field": True},
    ],
    ids=str,
)
def test_offline_is_what_the_engine_plays(law: dict[str, object], executor: Literal["numpy", "native"]) -> None:
    # the same clip, head and laws: one recording, and block by block
    options = EncodeOptions.model_validate({"order": 2, **law})
    rng = np.random.default_rng(1)
    aim = Directivity(0.6, 1.5, np.array([0.0, -1.0, 0.0]))
    source = replace(source_at([5.0, 1.0, 0.3], rng.standard_normal(40 * BLOCK), loops=False), directivity=aim)
    steps = np.arange(40)
    rotations = np.stack([world_from_head_rotation(0.05 * i, 0.1, 0.01 * i) for i in steps])
    origins = np.stack([0.2 * steps, np.where(steps > 32, 15.0, 0.0), 0.0 * steps], -1)  # past it, and away
    engine = Engine(2, RATE, BLOCK, max_sources=1, executor=executor, law=options)
    engine.set_source(0, source.centroid, 100.0, directivity=aim)
    played = []
    for i in steps:
        engine.set_listener(origins[i], *head_angles(rotations[i]))
        assert source.clip is not None
        played.append(engine.process(source.clip.samples[None, i * BLOCK : (i + 1) * BLOCK]))
    # the first pose holds throughout the first block
    before = np.append(0, steps)
    field = encode_scene([source], Track(rotations[before], origins[before], BLOCK), options, 40 * BLOCK)
    once = convolved(field.signal, hrir("kemar", 2, RATE))
    # near-field filters of the engine begin where a source comes near, offline they always ran: −88 dB for some blocks
    bound = 5e-5 if options.near_field else 1e-6
    assert np.abs(once - np.concatenate(played, 1)).max() <= bound * np.abs(once).max()


def test_ambience_goes_nowhere() -> None:
    with pytest.raises(ShapeError, match="no directivity and no path"):
        replace(source_at(np.zeros((0, 3)), tone(1.0), spread=Spread.AMBIENT), path=drive([0, 0, 0], [1, 0, 0], 1.0))
