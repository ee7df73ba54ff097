"""A room in the browser: the shipped worklet against the engine's own room, and the files that the page reads."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sonoworld.acoustics import OCTAVES_HZ, LateField, Room, diffuse_covariance, shoebox
from sonoworld.encode import EncodeOptions
from sonoworld.encode.travel import branch_filters
from sonoworld.encode.voices import make_voices
from sonoworld.render.engine import Engine
from sonoworld.render.engine_room import LONGEST_M, EngineRoom, engine_room
from sonoworld.types import Clip, Directivity, Source, Spread
from sonoworld.view.room import LATE_FILE, write_room_files
from test_view_worklet import BLOCK, ORDER, RATE_HZ, Message, assert_same, opened, played, voice
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


def message(around: EngineRoom) -> Message:
    return {
        "normals": packed(around.normals.ravel()),
        "offsetsM": packed(around.offsets_m),
        "filters": packed(around.filters.ravel()),
        "late": None if around.late is None else packed(around.late.ravel()),
        "branches": packed(branch_filters().ravel()),
        "longestM": LONGEST_M,
    }


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("head", [(0.0, 0.0, 0.0), (0.8, -0.6, 0.3), (0.0, 3.0, 0.0)])
def test_the_page_hears_the_room_as_the_engine_does(head: tuple[float, float, float], late: bool) -> None:
    sounds, blocks = [smooth(1), smooth(2)], 120
    aim = Directivity(0.5, 1.5, np.array([0.0, 1.0, 0.0]))
    sources = [source(p, s) for p, s in zip(PLACES, sounds, strict=True)]
    sources[1] = replace(sources[1], directivity=aim)
    everyone = [make_voices(s, LAW, RATE_HZ) for s in sources]
    around = engine_room((room(late=late), None), everyone, [slice(0, 1), slice(1, 2)], 2, RATE_HZ)
    engine = Engine(ORDER, RATE_HZ, BLOCK, max_sources=2, executor="numpy", law=LAW, room=around)
    for row, one in enumerate(sources):
        engine.set_source(row, PLACES[row], directivity=one.directivity)
    engine.set_listener(np.array(head), 0.4, 0.0)
    expected = played(engine, blocks, 0, *sounds)
    aims = None, {"pattern": 0.5, "sharpness": 1.5, "facing": [0.0, 1.0, 0.0]}
    voices: list[Message | None] = [
        {**voice(s, p[None]), "directivity": a} for s, p, a in zip(sounds, PLACES, aims, strict=True)
    ]
    with opened(voices, [1.0, 1.0], room=message(around), position=list(head), yaw=0.4) as page:
        heard = page.hear(blocks)
    with opened(voices, [1.0, 1.0], position=list(head), yaw=0.4) as page:
        dry = page.hear(blocks)
    assert_same(heard, expected)
    outside = head[1] > 2.5
    assert (np.abs(heard - dry).max() > 0.02 * np.abs(dry).max()) != outside


def test_the_files_of_a_room(tmp_path: Path) -> None:
    part = write_room_files(tmp_path, (room(late=True), None))
    assert [one.rate_hz for one in part.filters] == [44100, 48000, 88200, 96000]
    for one in part.filters:
        walls = np.array(one.numbers).reshape(6, 2, 5)
        still = walls[:, :, :3].sum(-1) / (1 + walls[:, :, 3:].sum(-1))  # what passes at 0 Hz
        np.testing.assert_allclose(still.prod(1), np.sqrt(0.7), rtol=1e-3)
    assert part.late == LATE_FILE
    late = np.fromfile(tmp_path / LATE_FILE, "<f4").reshape(4, part.late_taps)
    np.testing.assert_allclose(np.sum(late**2, axis=1), 10**-0.6 * np.array([1, 1 / 3, 1 / 3, 1 / 3]), rtol=0.35)
    empty = write_room_files(tmp_path, (Room(room().walls, None, 0), None))
    assert (empty.offsets_m, empty.late) == ((), None)
