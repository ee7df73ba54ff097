"""The room that is heard along a walk, against single responses and closed forms."""

from typing import Literal

import numpy as np
import pytest

from sonoworld.acoustics import OCTAVES_HZ, LateField, Room, diffuse_covariance, plain_emitter, shoebox
from sonoworld.acoustics.heard import early_part, room_response
from sonoworld.acoustics.noise import late_taps
from sonoworld.acoustics.response import Grid
from sonoworld.encode import EncodeOptions, Track, encode_scene
from sonoworld.encode.field import ramped_mix
from sonoworld.encode.travel import delayed
from sonoworld.errors import ShapeError
from sonoworld.frames import Pose, world_from_head_rotation
from sonoworld.render.live import Player
from sonoworld.render.room_delays import add_delayed
from sonoworld.render.room_sound import room_field
from sonoworld.render.walk import still_walk
from sonoworld.render.walk_audio import render_walk
from sonoworld.types import Clip, Source, Spread

B, RATE = len(OCTAVES_HZ), 48000
SIZE, EYE = (6.0, 4.5, 3.0), (2.5, 2.0, 1.4)
PLACE = np.array([1.7, 0.6, 0.2])
PHYSICAL = EncodeOptions(order=1, delay=True, near_m=1e-3)


def impulse(samples: int = 9600, at: int = 0) -> Clip:
    x = np.zeros(samples, np.float32)
    x[at] = 1.0
    return Clip(x, RATE, False, 0.0, "made here", "test")


def source(place: np.ndarray = PLACE, spread: Spread = Spread.POINT, clip: Clip | None = None) -> Source:
    at = place.astype(np.float32)[None]
    weights = np.ones(1, np.float32)
    return Source("one", "one", "one", spread, 100.0, 1.0, "given", at, at * 0, weights, 0.0, clip=clip or impulse())


def walled(order: int = 2, late: bool = False) -> Room:
    field = LateField(np.full(B, 0.3), np.full(B, -6.0), 0.05, diffuse_covariance()) if late else None
    alpha = np.repeat(np.array([0.2, 0.35, 0.5, 0.15, 0.6, 0.25])[:, None], B, 1)
    return Room(shoebox(SIZE, EYE, alpha), field, order)


def test_the_kernel_is_the_readable_delay_and_mix() -> None:
    rng = np.random.default_rng(0)
    block, k, past = 64, 6, 700
    x = rng.standard_normal(past + (k - 1) * block).astype(np.float32)
    delay = np.array([40.0, 41.5, 47.25, 300.0, 305.0, 290.0])
    gains = rng.standard_normal((k, 4))
    out = np.zeros((4, (k - 1) * block), np.float32)
    add_delayed(out, x, delay, gains, block)
    expected = ramped_mix(delayed(x, delay, block)[None], gains[:, None], block)
    np.testing.assert_allclose(out, expected, atol=2e-5)


@pytest.mark.parametrize("order", [1, 2])
def test_a_still_listener_hears_the_response(order: int) -> None:
    room = walled(order)
    heard = encode_scene([source()], Pose.identity(), PHYSICAL, 9600).signal.astype(np.float64)
    heard += room_field([source()], Track.still(Pose.identity()), (room, None), PHYSICAL, 9600)
    truth = early_part(room, plain_emitter(), PLACE, np.zeros(3), Grid(9600, RATE, air=False))
    spectra = [np.fft.rfft(h)[:, 100:3400] for h in (heard, truth)]  # 500 Hz .. 17 kHz: as far as interpolation is flat
    assert np.sum(np.abs(spectra[0] - spectra[1]) ** 2) < 1e-4 * np.sum(np.abs(spectra[1]) ** 2)


def test_the_late_field_is_the_response() -> None:
    room = walled(0, late=True)
    track = Track.still(Pose.identity())
    made = room_field([source(clip=impulse(28800))], track, (room, None), PHYSICAL, 14400)
    truth = room_response(room, plain_emitter(), PLACE, np.zeros(3), Grid(14400, RATE, air=False))
    direct = early_part(room, plain_emitter(), PLACE, np.zeros(3), Grid(14400, RATE, air=False))
    assert room.late is not None
    np.testing.assert_allclose(made, late_taps(room.late, None, RATE)[:, :14400], atol=1e-5)
    energies = [float(np.sum(h[0] ** 2)) for h in (made, truth - direct)]
    assert energies[0] == pytest.approx(energies[1], rel=0.15)  # other lengths of noise are other noises


def test_the_late_field_is_as_loud_to_the_ears_in_every_order() -> None:
    room, levels = walled(0, late=True), []
    clip = Clip((0.1 * np.random.default_rng(0).standard_normal(24000)).astype(np.float32), RATE, True, 0.0, "x", "t")
    walk = still_walk(Pose.identity(), 0.5)
    for order in (1, 3, 5):
        law = EncodeOptions(order=order)
        dry, wet = (render_walk([source(clip=clip)], walk, options=law, room=r) for r in (None, (room, None)))
        levels.append(10 * np.log10(np.mean((wet - dry) ** 2)))
    assert np.ptp(levels) < 1.0


def test_a_turned_head_hears_the_room_turned() -> None:
    room, samples = walled(1, late=True), 4800
    turned = Pose(world_from_head_rotation(np.pi / 2, 0.0), np.zeros(3))
    ahead, left = (
        room_field([source()], Track.still(p), (room, None), PHYSICAL, samples) for p in (Pose.identity(), turned)
    )
    np.testing.assert_allclose(left[[0, 1, 2, 3]], [ahead[0], -ahead[3], ahead[2], ahead[1]], atol=1e-5)


def test_walking_is_smooth_and_a_wall_ends_it() -> None:
    room, blocks = walled(2, late=True), 60
    tone = np.sin(2 * np.pi * 300 * np.arange(48000) / RATE).astype(np.float32)
    clip = Clip(tone, RATE, True, 0.0, "made here", "test")
    origins = np.linspace([0, 0, 0], [0, 3.6, 0], blocks + 1)  # the left wall stands at 2.5 m
    track = Track(np.tile(np.eye(3), (blocks + 1, 1, 1)), origins)
    out = room_field([source(clip=clip)], track, (room, None), EncodeOptions(order=1), blocks * 256)
    assert np.abs(np.diff(out[0], 2)).max() < 0.02  # no clicks: a sine of 300 Hz bends by 0.0015 of its amplitude
    assert np.abs(out[:, :2560]).max() > 0.1
    assert np.abs(out[:, -1024:]).max() == 0.0


def test_long_walks_go_on_where_segments_meet() -> None:
    room = walled(1, late=True)
    rng = np.random.default_rng(2)
    clip = Clip(rng.standard_normal(30000).astype(np.float32), RATE, True, 0.0, "made here", "test")
    short = Track(np.eye(3)[None], np.zeros((1, 3)), 16)  # 512 blocks of 16 samples: segments of 8192
    long = Track(np.eye(3)[None], np.zeros((1, 3)), 256)
    parts = [room_field([source(clip=clip)], t, (room, None), EncodeOptions(order=1), 20000) for t in (short, long)]
    np.testing.assert_allclose(parts[0], parts[1], atol=2e-4 * float(np.abs(parts[1]).max()))


@pytest.mark.parametrize("executor", ["native", "numpy"])
def test_the_engine_hears_the_room_as_the_file_does(executor: Literal["native", "numpy"]) -> None:
    room, blocks = walled(1, late=True), 90
    rng = np.random.default_rng(3)
    clip = Clip((0.05 * rng.standard_normal(48000)).astype(np.float32), RATE, False, 0.0, "made here", "test")
    sources = [source(clip=clip), source(np.array([-1.0, 1.2, 0.0]), clip=clip)]
    walk = still_walk(Pose(world_from_head_rotation(0.5, 0.0), np.array([0.3, 0.2, 0.0])), 2.0)
    law = EncodeOptions(order=1)
    player = Player(sources, law, executor=executor, room=(room, None))
    player.move((0.3, 0.2, 0.0), 0.5)
    heard = player.pull(blocks * 256 + player.added_samples)[:, player.added_samples :]
    expected = render_walk(sources, walk, "binaural", 1, blocks * 256 / RATE, law, room=(room, None))
    dry = render_walk(sources, walk, "binaural", 1, blocks * 256 / RATE, law)
    missed, added = (np.mean((x - expected) ** 2) for x in (heard, dry))
    assert missed < 1e-3 * added


def test_ambience_has_no_echo_and_paper_no_rooms() -> None:
    none = np.zeros((0, 3), np.float32)
    wind = Source("w", "w", "w", Spread.AMBIENT, 60.0, 1.0, "given", none, none, none[:, 0], 12.0, clip=impulse())
    track = Track.still(Pose.identity())
    assert not room_field([wind], track, (walled(2, late=True), None), PHYSICAL, 4800).any()
    with pytest.raises(ShapeError, match="physical"):
        room_field([wind], track, (walled(), None), EncodeOptions(mode="paper"), 4800)
