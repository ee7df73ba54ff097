"""The player: what it plays is what the offline renderer writes; heads, gains and walks change it without a step."""

import math
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoworld.encode import EncodeOptions
from sonoworld.errors import InputError, ShapeError
from sonoworld.frames import Pose, world_from_head_rotation
from sonoworld.render import Walk, default_walk, render_walk, still_walk
from sonoworld.render.audible import Audible, audible
from sonoworld.render.live import HeadPose, Player
from sonoworld.render.mix import Mix
from sonoworld.render.reel import PAUSE_S, Reel
from sonoworld.types import Clip, Directivity, Motion, Source, Spread

RATE = 48000
CARDIOID = Directivity(0.5, 1.0, np.array([1.0, 0.0, 0.0]))
HEAD = ((0.3, -0.2, 0.1), 0.4, 0.1, 0.05)


@pytest.fixture(params=["native", "numpy"])
def executor(request: pytest.FixtureRequest) -> str:
    return request.param


def source(
    k: int,
    spread: Spread,
    centre: tuple[float, float, float] = (0.0, 0.0, 0.0),
    *,
    loops: bool = True,
    rate: int = RATE,
) -> Source:
    rng = np.random.default_rng(k)
    m = {Spread.POINT: 1, Spread.AREA: 40, Spread.AMBIENT: 0}[spread]
    points = (np.array(centre) + (m > 1) * 1.5 * rng.standard_normal((m, 3))).astype(np.float32)
    weights = np.full(m, 1 / max(1, m), np.float32)
    samples = (0.05 * rng.standard_normal(7000 + 900 * k)).astype(np.float32)
    clip = Clip(samples, rate, loops, 3.0, "test", "MIT")
    return Source(f"s{k}", "a", "a", spread, 95.0 - k, 1.0, "test", points, points * 0, weights, 0.1, clip=clip)


def courtyard() -> list[Source]:
    """Every kind of source; a point that does not loop and an area at another rate among them."""
    return [
        source(0, Spread.POINT, (2.0, 1.0, 0.0)),
        source(1, Spread.AREA, (0.0, 2.0, 0.0)),
        source(2, Spread.AMBIENT),
        source(3, Spread.POINT, (-1.0, -2.0, 0.5), loops=False),
        source(4, Spread.AREA, (9.0, 0.0, 0.0), rate=44100),
    ]


def heard(player: Player, samples: int) -> np.ndarray:
    """What the engine made, without the limiter's delay."""
    d = player.added_samples
    return player.pull(samples + d)[:, d:]


@pytest.mark.parametrize("law", [EncodeOptions(area="coherent"), EncodeOptions(order=5), EncodeOptions(mode="paper")])
def test_it_plays_what_render_walk_writes(law: EncodeOptions, executor: str) -> None:
    scene = courtyard()
    if law.mode == "paper":  # whose levels have another reference
        scene = [replace(one, level_db=one.level_db - 100) for one in scene]
    pose = Pose(world_from_head_rotation(*HEAD[1:]), np.array(HEAD[0]))
    wanted = render_walk(scene, still_walk(pose, 0.5), options=law)
    player = Player(scene, law, executor=executor)
    player.move(*HEAD)
    got = heard(player, wanted.shape[1])
    assert np.abs(got - wanted).max() < 1e-6 * np.abs(wanted).max()
    assert player.pose == HeadPose(*HEAD)


def test_it_walks_as_render_walk_does(executor: str) -> None:
    scene = courtyard()
    walk = default_walk(1.0)
    wanted = render_walk(scene, walk, options=EncodeOptions(area="coherent"))
    player = Player(scene, EncodeOptions(area="coherent"), executor=executor)
    player.follow(walk)
    assert player.following
    got = heard(player, wanted.shape[1])
    # ramps are one sample apart, offline areas are summed at every fourth block, and the first block's head is already
    # at its end, which the filters remember for a while
    assert np.abs(got - wanted)[:, 600:].max() < 3e-3 * np.abs(wanted).max()
    assert not player.following
    np.testing.assert_allclose(player.pose.position, walk.positions[-1], atol=1e-3)
    player.pull(1000)
    np.testing.assert_allclose(player.pose.yaw, walk.yaw[-1], atol=1e-9)


@pytest.mark.parametrize(
    "law", [EncodeOptions(), EncodeOptions(air="iso9613"), EncodeOptions(delay=True, area="coherent")]
)
def test_sources_go_their_ways(law: EncodeOptions, executor: str) -> None:
    # a point and an area pass by, a cardioid goes round and faces ahead, another one stays
    path = Motion(np.array([0.0, 0.8]), np.array([[3.0, 4.0, 0.0], [3.0, -4.0, 0.5]]))
    point, area, _, once, _ = courtyard()
    scene = [
        replace(point, path=path),
        replace(area, path=path),
        replace(point, id="c", path=replace(path, loops=True, faces_ahead=True), directivity=CARDIOID),
        replace(once, directivity=replace(CARDIOID, facing=np.array([0.0, 1.0, 0.0]))),
    ]
    wanted = render_walk(scene, still_walk(Pose.identity(), 0.4), options=law)
    error = np.abs(heard(Player(scene, law, executor=executor), wanted.shape[1]) - wanted) / np.abs(wanted).max()
    # offline, loops were there before sample 0, areas are summed at every fourth boundary
    assert error[:, 9600 if law.delay else 600 :].max() < 4e-3
    assert np.abs(heard(Player(scene[:1], executor=executor), 24000)[:, 20000:]).max() > 0.01


def test_moving_ends_a_walk_and_a_walk_may_begin_again() -> None:
    player = Player(courtyard()[:1], executor="numpy")
    walk = default_walk(10.0)
    player.follow(walk)
    player.pull(24000)
    there = player.pose
    assert there != HeadPose()
    player.move((1.0, 2.0, 0.0), 0.3)
    assert not player.following
    player.pull(256)
    assert player.pose == HeadPose((1.0, 2.0, 0.0), 0.3)
    player.follow(walk)
    player.pull(24000)
    np.testing.assert_allclose(player.pose.position, there.position, atol=1e-2)
    assert player.seconds == pytest.approx(48256 / RATE)


def test_ambience_is_the_same_everywhere(executor: str) -> None:
    scene = [source(2, Spread.AMBIENT)]
    here, there = Player(scene, executor=executor), Player(scene, executor=executor)
    there.move((30.0, -4.0, 2.0), 2.0, -0.5)
    np.testing.assert_allclose(there.pull(4000), here.pull(4000), atol=1e-7)
    for _ in range(4):  # also while one walks
        there.move((there.pose.position[0] + 1, 0.0, 0.0), there.pose.yaw + 1)
        np.testing.assert_allclose(there.pull(256), here.pull(256), atol=1e-7)


@settings(max_examples=15)
@given(st.lists(st.integers(0, 1500), min_size=1, max_size=12).filter(any), st.sampled_from([64, 128, 256, 300]))
def test_any_number_of_frames_may_be_pulled(frames: list[int], block: int) -> None:
    scene = courtyard()[:2]
    player = Player(scene, executor="numpy", block=block)
    got = np.concatenate([player.pull(n) for n in frames], 1)
    whole = Player(scene, executor="numpy", block=block).pull(sum(frames))
    np.testing.assert_array_equal(got, whole)


@given(
    length=st.integers(1, 700), pause=st.integers(0, 500), voices=st.integers(1, 3), block=st.sampled_from([1, 64, 300])
)
def test_reels_go_round(length: int, pause: int, voices: int, block: int) -> None:
    signals = np.random.default_rng(length).standard_normal((voices, length)).astype(np.float32)
    reel = Reel(signals, pause, block)
    rows = np.empty((voices, block), np.float32)
    parts = []
    for _ in range(2000 // block + 1):
        reel.fill(rows, 1.0, 1.0)
        parts.append(rows.copy())
    one = np.concatenate([signals, np.zeros((voices, pause), np.float32)], 1)
    got = np.concatenate(parts, 1)
    np.testing.assert_array_equal(got, np.tile(one, (1, got.shape[1] // one.shape[1] + 1))[:, : got.shape[1]])


def test_sounds_that_do_not_loop_come_again_after_a_pause() -> None:
    scene = [source(3, Spread.POINT, (2.0, 0.0, 0.0), loops=False)]
    player = Player(scene, executor="numpy")
    clip = scene[0].clip
    assert clip is not None
    length = len(clip.samples)
    once = round(PAUSE_S * RATE) + length
    y = heard(player, once + 2 * length)
    assert np.abs(y[:, length + 400 : once]).max() < 1e-9
    np.testing.assert_allclose(y[:, once : once + length], y[:, :length], atol=1e-7)


def test_gains_mutes_and_solos(executor: str) -> None:
    scene = courtyard()[:3]
    alone = [heard(Player([one], executor=executor), 6000) for one in scene]
    wanted = 10 ** (-6 / 20) * alone[0] + alone[2]
    player = Player(scene, executor=executor)
    player.mix = player.mix.with_mute(1, True).with_gain(0, -6.0)
    np.testing.assert_allclose(heard(player, 6000), wanted, atol=1e-6)
    y = Player(scene, executor=executor)
    y.mix = Mix((0.0,) * 3).with_solo(2, True).with_solo(0, True).with_gain(0, -6.0)
    np.testing.assert_allclose(heard(y, 6000), wanted, atol=1e-6)
    assert not y.mix.hears(1)
    y.mix = y.mix.with_solo(2, False).with_solo(0, False).with_mute(2, True)
    assert [y.mix.hears(i) for i in range(3)] == [True, True, False]
    with pytest.raises(ShapeError, match="3 sources"):
        y.mix = Mix((0.0,))
    for change in (lambda m: m.with_gain(3, 0.0), lambda m: m.with_gain(0, math.nan), lambda m: m.with_mute(-1, True)):
        with pytest.raises(ShapeError):
            change(y.mix)


def test_a_mute_and_the_master_fade_over_one_block() -> None:
    clip = Clip(np.ones(4800, np.float32), RATE, True, -40.0, "test", "MIT")
    scene = [replace(source(0, Spread.AMBIENT), clip=clip, level_db=100.0)]
    player = Player(scene, executor="numpy")
    d = player.added_samples
    player.pull(4096)
    before = player.pull(256)[0, -1]
    player.mix = player.mix.with_mute(0, True)
    fade = player.pull(2048)[0]
    steps = np.diff(np.concatenate([[before], fade]))
    assert np.abs(steps).max() < 3 * abs(before) / 256
    assert np.abs(fade[d + 256 + 500 :]).max() < 1e-6
    player.mix = player.mix.with_mute(0, False)
    player.pull(4096)
    player.set_master_db(-6.0)
    player.pull(4096)
    assert player.pull(256)[0, -1] == pytest.approx(before * 10 ** (-6 / 20), rel=1e-3)
    player.set_master_db(-math.inf)
    player.pull(4096)
    assert not player.pull(256).any()
    with pytest.raises(ShapeError, match="master"):
        player.set_master_db(math.nan)


def test_nothing_leaves_above_the_ceiling_and_the_meters_say_so() -> None:
    player = Player([source(0, Spread.POINT, (1.0, 0.0, 0.0))], executor="numpy")
    player.set_master_db(40.0)
    y = player.pull(RATE)
    assert np.abs(y).max() <= 10 ** (-1 / 20)
    meters = player.meters
    assert meters.limited_db > 10
    for ear, shown in zip(y, (meters.left_db, meters.right_db), strict=True):
        assert shown == pytest.approx(10 * math.log10((ear[-12000:] ** 2).mean()), abs=1.5)
    assert 0 < meters.load <= meters.worst_load
    assert player.executor == "NumPy"


def test_another_thread_may_move_and_mix(executor: str) -> None:
    player = Player(courtyard(), executor=executor)
    done = threading.Event()

    def visitor() -> None:
        k = 0
        while not done.is_set():
            k += 1
            done.wait(0.0005)
            player.move((math.cos(k), math.sin(k), 0.0), k * 0.1)
            player.mix = player.mix.with_mute(k % 5, k % 2 == 0)
            _ = player.meters, player.pose, player.following, player.seconds

    thread = threading.Thread(target=visitor)
    thread.start()
    try:
        y = np.concatenate([player.pull(256) for _ in range(80)], 1)
    finally:
        done.set()
        thread.join()
    assert np.isfinite(y).all()
    assert np.abs(y).max() > 0


def test_an_empty_world_is_silent_and_wrong_use_is_an_error() -> None:
    assert not Player([], executor="numpy").pull(500).any()
    with pytest.raises(InputError, match="no sound yet"):
        Player([replace(source(0, Spread.POINT), clip=None)], executor="numpy")
    player = Player([], executor="numpy")
    with pytest.raises(ShapeError, match="finite"):
        player.move((math.nan, 0.0, 0.0), 0.0)
    endless = Walk(np.array([0.0, 4000.0]), np.zeros((2, 3)), *[np.zeros(2)] * 3)
    with pytest.raises(ShapeError, match="3600"):
        player.follow(endless)


def test_what_is_audible_where() -> None:
    point, area, ambience, _, _ = courtyard()
    head = Pose(world_from_head_rotation(math.pi / 2, 0.0), np.array([2.0, -1.0, 0.0]))
    heard_now = audible([point, area, ambience], head, EncodeOptions(near_m=1e-6))
    # the point is 2 m to the left of the world's x axis, so straight ahead of a head that looks that way
    assert heard_now[0].level_db == pytest.approx(95 - 20 * math.log10(2), abs=1e-6)
    assert (heard_now[0].azimuth, heard_now[0].distance_m) == (pytest.approx(0), pytest.approx(2))
    sigma = (1 / np.linalg.norm(area.points - head.origin, axis=1)).mean()
    assert heard_now[1].level_db == pytest.approx(94 + 20 * math.log10(sigma), abs=1e-5)
    assert heard_now[2] == Audible(93.0, None, None, None)
    path = Motion(np.array([0.0, 1.0]), np.array([[2.0, 1.0, 0.0], [2.0, 1.0, 4.0]]))
    (later,) = audible([replace(point, path=path)], head, EncodeOptions(), 0.5)
    assert (later.elevation, later.distance_m) == (pytest.approx(math.pi / 4), pytest.approx(math.sqrt(8)))
