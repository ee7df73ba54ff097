"""A room in the browser: the shipped worklet against the engine's own room, and the files that the page reads."""

from pathlib import Path

import numpy as np
import pytest

from sonoworld.acoustics import OCTAVES_HZ, LateField, Room, diffuse_covariance, shoebox
from sonoworld.acoustics.filters import reflection_filters
from sonoworld.encode import EncodeOptions
from sonoworld.encode.voices import make_voices
from sonoworld.frames import Pose
from sonoworld.render.convolve import convolved
from sonoworld.render.engine import Engine
from sonoworld.render.hrtf import hrir
from sonoworld.render.room_live import LiveRoom, room_inputs
from sonoworld.types import Clip, Source, Spread
from sonoworld.view.room import LATE_FILE, TAPS, WALLS_FILE, write_room_files
from test_view_worklet import BLOCK, ORDER, RATE_HZ, Message, assert_same, opened, voice
from wasm_executor import packed

B = len(OCTAVES_HZ)
PLACES = np.array([[1.7, 0.6, 0.2], [-1.0, 1.2, 0.0]])
LAW = EncodeOptions(order=ORDER, alpha=0.05)


def room(alpha: float = 0.3, late: bool = False) -> Room:
    field = LateField(np.full(B, 0.2), np.full(B, -6.0), 0.02, diffuse_covariance()) if late else None
    return Room(shoebox((6.0, 4.5, 3.0), (2.5, 2.0, 1.4), np.full((6, B), alpha)), field, 1)


def smooth(seed: int, length: int = 6000) -> np.ndarray:
    """A loop of noise below 6 kHz, where both ways of reading between samples agree."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(length))
    spectrum[round(length / 8) :] = 0.0
    return (0.3 * np.fft.irfft(spectrum, length)).astype(np.float32)


def source(place: np.ndarray, samples: np.ndarray) -> Source:
    at, one = place.astype(np.float32)[None], np.ones(1, np.float32)
    clip = Clip(samples, RATE_HZ, True, 0.0, "made here", "test")
    return Source("s", "s", "s", Spread.POINT, 100.0, 1.0, "given", at, at * 0, one, 0.0, clip=clip)


def walls_of(place: Room) -> Message:
    filters = reflection_filters(np.eye(6, dtype=np.int64), place.walls.absorption, RATE_HZ)[:, :TAPS]
    return {
        "normals": packed(place.walls.normals.ravel()),
        "offsetsM": packed(place.walls.offsets_m),
        "filters": packed(np.ascontiguousarray(filters)),
    }


@pytest.mark.parametrize("head", [(0.0, 0.0, 0.0), (0.8, -0.6, 0.3), (0.0, 3.0, 0.0)])
def test_the_page_hears_the_room_as_the_engine_does(head: tuple[float, float, float]) -> None:
    sounds, blocks = [smooth(1), smooth(2)], 120
    sources = [source(p, s) for p, s in zip(PLACES, sounds, strict=True)]
    everyone = [make_voices(s, LAW, RATE_HZ) for s in sources]
    engine = Engine(ORDER, RATE_HZ, BLOCK, max_sources=2 + room_inputs(everyone, room()), executor="numpy", law=LAW)
    live = LiveRoom(engine, everyone, [slice(0, 1), slice(1, 2)], (room(), None), LAW, 2)
    for row in range(2):
        engine.set_source(row, PLACES[row])
    engine.set_listener(np.array(head), 0.4, 0.0)
    parts: list[np.ndarray] = []
    for block in range(blocks):
        at = np.arange(block * BLOCK, (block + 1) * BLOCK)
        x = np.zeros((engine.max_sources, BLOCK), np.float32)
        for row, sound in enumerate(sounds):
            x[row] = sound[at % len(sound)]
        live.step(x, Pose(np.eye(3), np.array(head)), 0.0)
        parts.append(engine.process(x))
    voices: list[Message | None] = [voice(s, p[None]) for s, p in zip(sounds, PLACES, strict=True)]
    with opened(voices, [1.0, 1.0], walls=walls_of(room()), position=list(head), yaw=0.4) as page:
        heard = page.hear(blocks)
    with opened(voices, [1.0, 1.0], position=list(head), yaw=0.4) as page:
        dry = page.hear(blocks)
    assert_same(heard, np.concatenate(parts, axis=1), tolerance=6e-3)
    outside = head[1] > 2.5
    assert (np.abs(heard - dry).max() > 0.02 * np.abs(dry).max()) != outside


def test_the_files_of_a_room(tmp_path: Path) -> None:
    part = write_room_files(tmp_path, (room(late=True), None))
    filters = np.fromfile(tmp_path / WALLS_FILE, "<f4").reshape(6, part.taps)
    np.testing.assert_allclose(filters.sum(1), np.sqrt(0.7), rtol=1e-3)
    assert part.late == LATE_FILE
    late = np.fromfile(tmp_path / LATE_FILE, "<f4").reshape(2, part.late_taps)
    # a diffuse field of energy E on W, through the first order of two ears
    ears = hrir("kemar", 1)
    noise = np.random.default_rng(0).standard_normal((4, 60000)) * np.sqrt([[1], [1 / 3], [1 / 3], [1 / 3]])
    expected = np.mean(convolved(noise.astype(np.float32), ears) ** 2, axis=1) * 10**-0.6
    np.testing.assert_allclose(np.sum(late**2, axis=1), expected, rtol=0.35)
    empty = write_room_files(tmp_path, (Room(room().walls, None, 0), None))
    assert (empty.offsets_m, empty.late) == ((), None)
