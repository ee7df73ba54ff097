"""Laws of sound that hold for every place, pose and source."""

import math
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from sonoworld.encode import EncodeOptions, Track, encode_scene, encode_source
from sonoworld.encode.rotate import rotation_matrix
from sonoworld.frames import Pose, world_from_head_rotation
from sonoworld.render import render_walk, still_walk
from sonoworld.render.hrtf import mirror_signs
from sonoworld.types import Clip, Directivity, Motion, Source, Spread

coordinate = st.floats(-50, 50)
place = st.tuples(coordinate, coordinate, coordinate).filter(lambda p: math.hypot(*p) > 0.05)
turn = st.tuples(*[st.floats(-math.pi, math.pi)] * 3)
NOISE = (0.1 * np.random.default_rng(0).standard_normal(4800)).astype(np.float32)
CLIP = Clip(NOISE, 48000, True, 0.0, "test", "MIT")


def make(points: object, spread: Spread = Spread.POINT) -> Source:
    p = np.asarray(points, np.float32).reshape(-1, 3)
    w = np.full(len(p), 1 / max(1, len(p)), np.float32)
    return Source("s", "a", "a", spread, 100.0, 1.0, "test", p, p * 0, w, 0.1, clip=CLIP)


def head(angles: tuple[float, ...], origin: tuple[float, ...] = (0.0, 0.0, 0.0)) -> Pose:
    return Pose(world_from_head_rotation(*angles), np.array(origin, np.float64))


def intensity(signal: np.ndarray) -> np.ndarray:
    """Direction of the active intensity of a first-order field: Σ W·(X, Y, Z)."""
    x = signal.astype(np.float64)
    v = np.array([x[0] @ x[3], x[0] @ x[1], x[0] @ x[2]])
    return v / np.linalg.norm(v)


def angle_between(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * math.atan2(float(np.linalg.norm(a - b)), float(np.linalg.norm(a + b)))


@given(place, turn)
def test_a_point_is_heard_where_it_is(p: tuple[float, ...], angles: tuple[float, ...]) -> None:
    pose = head(angles, (0.3, -1.0, 0.5))
    offset = pose.inverse() @ np.asarray(np.float32(p), np.float64)
    if np.linalg.norm(offset) < 0.05:
        return
    field = encode_scene([make(p)], pose, EncodeOptions(order=1), 2000)
    error = angle_between(intensity(field.signal), offset / np.linalg.norm(offset))
    assert math.degrees(error) < 1e-5


@given(place, st.floats(-math.pi, math.pi))
def test_turning_the_head_turns_the_sound_back(p: tuple[float, ...], phi: float) -> None:
    ahead = encode_source(make(p), head((0.0, 0.0, 0.0)), EncodeOptions(order=3))
    turned = encode_source(make(p), head((phi, 0.0, 0.0)), EncodeOptions(order=3))
    # a head turned by φ to the left hears the world turned by −φ
    back = rotation_matrix(Rotation.from_euler("Z", -phi).as_matrix(), 3)
    np.testing.assert_allclose(turned, back @ ahead, atol=1e-9)
    azimuth = [math.atan2(g[1], g[3]) for g in (ahead, turned)]
    if math.hypot(ahead[1], ahead[3]) > 1e-6:
        assert abs(math.remainder(azimuth[1] - azimuth[0] + phi, 2 * math.pi)) < 1e-6


@given(st.lists(place, min_size=1, max_size=6), turn, st.sampled_from([Spread.POINT, Spread.AREA]))
def test_any_rotation_of_the_head_is_the_rotation_matrix(
    points: list[tuple[float, ...]], angles: tuple[float, ...], spread: Spread
) -> None:
    source, options = make(points, spread), EncodeOptions(order=4)
    still, turned = (encode_source(source, head(a), options) for a in ((0.0, 0.0, 0.0), angles))
    R = world_from_head_rotation(*angles)
    np.testing.assert_allclose(turned, rotation_matrix(R.T, 4) @ still, atol=1e-9)


@given(st.lists(place, min_size=1, max_size=6), st.tuples(coordinate, coordinate, coordinate))
def test_only_what_lies_between_counts(points: list[tuple[float, ...]], shift: tuple[float, ...]) -> None:
    options = EncodeOptions(order=2)
    p = np.round(np.array(points) * 16) / 16
    s = np.round(np.array(shift) * 16) / 16
    here = encode_source(make(p, Spread.AREA), head((0.2, 0.1, 0.0)), options)
    there = encode_source(make(p + s, Spread.AREA), head((0.2, 0.1, 0.0), tuple(s)), options)
    np.testing.assert_allclose(here, there, atol=1e-6)


@given(place, st.floats(2.0, 200.0))
def test_six_db_per_doubling(direction: tuple[float, ...], distance: float) -> None:
    u = np.array(direction) / np.linalg.norm(direction)
    options = EncodeOptions(order=0)
    near, far = (encode_source(make(u * d), head((0.0, 0.0, 0.0)), options)[0] for d in (distance, 2 * distance))
    assert abs(20 * math.log10(near / far) - 20 * math.log10(2)) < 0.012


@given(st.lists(place, min_size=2, max_size=8), turn)
def test_far_away_an_area_is_its_centroid(points: list[tuple[float, ...]], angles: tuple[float, ...]) -> None:
    p = np.array(points) / 50 + [300.0, 200.0, 10.0]  # a few metres wide
    area = encode_source(make(p, Spread.AREA), head(angles), EncodeOptions())
    point = encode_source(make(p, Spread.POINT), head(angles), EncodeOptions())
    assert np.abs(area - point).max() < 1e-3 * point[0]


@given(place, st.floats(0.0, 2.0), turn)
def test_left_and_right_are_mirror_images(p: tuple[float, ...], width: float, angles: tuple[float, ...]) -> None:
    points = np.array([p, (p[0], p[1] + width, p[2])])
    yaw, pitch, roll = angles
    flip = np.array([1.0, -1.0, 1.0])
    options = EncodeOptions(order=5)
    one = encode_source(make(points, Spread.AREA), head((yaw, pitch, roll)), options)
    other = encode_source(make(points * flip, Spread.AREA), head((-yaw, pitch, -roll)), options)
    np.testing.assert_allclose(other, one * mirror_signs(5), atol=1e-7)


@given(place)
def test_two_ears_swap_in_the_mirror(p: tuple[float, ...]) -> None:
    walk = still_walk(Pose.identity(), 0.02)
    one, other = (render_walk([make(np.array(p) * [1, side, 1])], walk) for side in (1, -1))
    np.testing.assert_allclose(one, other[::-1], atol=1e-5 * float(np.abs(one).max()))


@given(st.lists(place, min_size=1, max_size=5), st.floats(0, 0.5))
def test_area_energy_lies_between_its_points(points: list[tuple[float, ...]], alpha: float) -> None:
    options = EncodeOptions(order=0, alpha=alpha)
    gains = [encode_source(make(p), head((0.0, 0.0, 0.0)), options)[0] for p in points]
    area = encode_source(make(points, Spread.AREA), head((0.0, 0.0, 0.0)), options)[0]
    assert min(gains) * (1 - 1e-6) <= area <= max(gains) * (1 + 1e-6)


unit = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: math.hypot(*v) > 0.1)
aims = st.builds(
    lambda pattern, sharpness, v: Directivity(pattern, sharpness, np.array(v) / np.linalg.norm(v)),
    st.floats(0, 1),
    st.floats(1, 4),
    unit,
)
walks = st.lists(st.tuples(*[st.floats(-8, 8)] * 3), min_size=2, max_size=5)
LAWS = (EncodeOptions(), EncodeOptions(delay=True), EncodeOptions(delay=True, air="iso9613"))


@given(st.lists(place, min_size=1, max_size=4), aims, walks, turn, st.booleans())
def test_turning_the_whole_world_with_the_head_changes_nothing(
    points: list[tuple[float, ...]],
    aim: Directivity,
    keys: list[tuple[float, ...]],
    angles: tuple[float, ...],
    ahead: bool,
) -> None:
    R = world_from_head_rotation(*angles)
    path = Motion(np.arange(len(keys)) * 0.1, np.array(keys), faces_ahead=ahead)
    source = replace(make(points, Spread.AREA), directivity=aim, path=path)
    turned = replace(
        make(np.array(points) @ R.T, Spread.AREA),
        directivity=replace(aim, facing=R @ aim.facing),
        path=replace(path, positions=path.positions @ R.T),
    )
    origin = np.array([0.3, -0.2, 0.1])
    one = encode_source(source, Pose(np.eye(3), origin), LAWS[1], 0.13)
    other = encode_source(turned, Pose(R, R @ origin), LAWS[1], 0.13)
    np.testing.assert_allclose(other, one, atol=1e-5)


@given(place, walks, st.sampled_from([Spread.POINT, Spread.AREA]))
def test_only_the_way_between_counts_whoever_goes(
    p: tuple[float, ...], keys: list[tuple[float, ...]], spread: Spread
) -> None:
    # a source that goes and a listener who stands, or the other way round; but for the delay, which tells them apart
    points = np.round(np.array([p, np.add(p, (0.5, 0.25, 0.0))]) * 16) / 16
    path = Motion(np.arange(len(keys)) * 0.05, np.array(keys))
    goes = replace(make(points, spread), path=path)
    k = np.arange(20)
    gone = np.stack([np.interp(k * 256 / 48000, path.times_s, path.positions[:, axis]) for axis in range(3)], -1)
    track = Track(np.repeat(np.eye(3)[None], 20, 0), points.mean(0) - gone, 256)
    options = EncodeOptions(order=2, air="iso9613")
    one = encode_scene([goes], Pose.identity(), options, 19 * 256).signal
    other = encode_scene([make(points, spread)], track, options, 19 * 256).signal
    np.testing.assert_allclose(one, other, atol=1e-5 * float(np.abs(other).max()))


@given(place, aims, turn)
def test_directivity_only_takes(p: tuple[float, ...], aim: Directivity, angles: tuple[float, ...]) -> None:
    plain, aimed = (
        encode_source(replace(make(p), directivity=a), head(angles), EncodeOptions(order=2)) for a in (None, aim)
    )
    factor = float(plain @ aimed / (plain @ plain))
    assert abs(factor) <= 1 + 1e-9
    np.testing.assert_allclose(aimed, factor * plain, atol=1e-9)


@given(place, st.floats(-20, 20), st.sampled_from(LAWS))
def test_nothing_is_heard_before_it_can_be(p: tuple[float, ...], x: float, law: EncodeOptions) -> None:
    once = replace(CLIP, loops=False)
    pose = head((0.0, 0.0, 0.0), (x, 0.0, 0.0))
    field = encode_scene([replace(make(p), clip=once)], pose, law, 4000, 8000)
    d = math.hypot(*(np.float32(p) - np.array([x, 0, 0])))
    first = math.floor(d * 8000 / 343.2) - 8 if law.delay else 0
    loudest = float(np.abs(field.signal).max())
    assert np.abs(field.signal[:, : max(0, first)]).max(initial=0.0) <= 1e-6 * loudest  # rounding of fast convolution
    assert np.abs(field.signal[0, max(0, first) : max(0, first) + 200]).max() > 0.1 * loudest


@given(st.lists(place, min_size=1, max_size=3), walks)
def test_sources_add(points: list[tuple[float, ...]], keys: list[tuple[float, ...]]) -> None:
    path = Motion(np.arange(len(keys)) * 0.05, np.array(keys), loops=True)
    sources = [replace(make(q), path=path if i else None) for i, q in enumerate(points)]
    options = LAWS[2].model_copy(update={"near_field": True, "order": 1})
    together = encode_scene(sources, Pose.identity(), options, 1000).signal
    alone = [encode_scene([source], Pose.identity(), options, 1000).signal for source in sources]
    np.testing.assert_allclose(together, np.sum(alone, 0), atol=1e-4 * max(1e-3, float(np.abs(together).max())))
