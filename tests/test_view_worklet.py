"""The shipped worklet, run by node block by block as a browser would, against the NumPy engine."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from sonoworld.encode.air import WAYS_M, air_bank
from sonoworld.encode.area import split_surface
from sonoworld.encode.motion import headings, places, sent_at
from sonoworld.encode.nearfield import MOST_BOOST_DB, NEAREST_M, REFERENCE_M, near_field_roots
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.travel import SPEED_OF_SOUND_M_S, interpolation_table
from sonoworld.render.engine import Engine
from sonoworld.render.hrtf import hrir
from sonoworld.render.limiter import Limiter
from sonoworld.types import Directivity, Motion
from wasm_executor import KERNEL, Node, packed, unpacked

BLOCK, RATE_HZ, ORDER = 128, 48000, 3
WORKLET = Path(str(files("sonoworld").joinpath("products", "viewer", "worklet.js")))
START = {"position": [0.0, 0.0, 0.0], "yaw": 0.0, "pitch": 0.0}
EMPTY = packed(np.empty(0))
Message = dict[str, object]


def voice(
    samples: np.ndarray,
    points: np.ndarray | None = None,
    *,
    labels: np.ndarray | None = None,
    copies: tuple[np.ndarray, ...] = (),
    pause: int = 0,
    directivity: Directivity | None = None,
    path: Motion | None = None,
) -> Message:
    m = 0 if points is None else len(points)
    return {
        "samples": [packed(one) for one in (samples, *copies)],
        "pauseFrames": pause,
        "points": EMPTY if points is None else packed(np.asarray(points, np.float64)),
        "weights": EMPTY if m == 0 else packed(np.full(m, 1 / m)),
        "labels": None if labels is None else packed(labels.astype(np.int32)),
        "directivity": directivity
        and {
            "pattern": directivity.pattern,
            "sharpness": directivity.sharpness,
            "facing": directivity.facing.tolist(),
        },
        "path": path
        and {
            "timesS": packed(path.times_s),
            "positions": packed(path.positions),
            "loops": path.loops,
            "facesAhead": path.faces_ahead,
        },
    }


class Page:
    def __init__(self, node: Node) -> None:
        self._node = node

    def tell(self, **message: object) -> None:
        self._node.ask({"message": message})

    def hear(self, blocks: int) -> np.ndarray:
        ears = unpacked(str(self._node.ask({"blocks": blocks})["ears"]), blocks)
        return np.concatenate(ears.reshape(blocks, 2, BLOCK), axis=1)

    def garbage(self, blocks: int) -> int:
        """Bytes that so many blocks left in JavaScript's memory."""
        used = self._node.ask({"blocks": blocks})["heap"]
        assert isinstance(used, int)
        return used


FAR: dict[str, object] = {"delay": {"table": packed(interpolation_table())}}
FAR["air"] = {"filters": packed(air_bank(RATE_HZ)), "waysM": packed(np.array(WAYS_M, np.float64))}
FAR["near"] = {
    "numbers": packed(np.array([REFERENCE_M, NEAREST_M, MOST_BOOST_DB])),
    "roots": packed(near_field_roots(7)),
}
LAWS = {
    "short": (EncodeOptions(alpha=0.05), {"alphaPerM": 0.05, "delay": None, "air": None, "near": None}),
    "whole": (EncodeOptions(air="iso9613", delay=True, near_field=True), {"alphaPerM": 0.0, **FAR}),
}


@contextmanager
def opened(
    voices: list[Message | None], gains: list[float], order: int = ORDER, law: str = "short", **start: object
) -> Iterator[Page]:
    filters = hrir("kemar", order)
    options = {
        "decoder": {"order": order, "taps": filters.shape[2], "filters": packed(filters)},
        "law": {"nearM": 0.1, "speedMS": SPEED_OF_SOUND_M_S, **LAWS[law][1]},
        "voices": voices,
        "gains": packed(np.array(gains, np.float32)),
        "room": start.pop("room", None),
        "pose": {**START, **start},
    }
    node = Node("worklet.mjs", WORKLET, KERNEL)
    try:
        node.ask({"options": options})
        yield Page(node)
    finally:
        node.close()


def reference(order: int = ORDER, rows: int = 12, law: str = "short") -> Engine:
    return Engine(order, RATE_HZ, BLOCK, max_sources=rows, executor="numpy", law=LAWS[law][0])


def played(engine: Engine, blocks: int, first: int, *sounds: np.ndarray, gains: np.ndarray | None = None) -> np.ndarray:
    """Blocks of an engine whose inputs are endless sounds, from block `first` on; `gains` [sounds, t] multiply them."""
    parts: list[np.ndarray] = []
    for block in range(first, first + blocks):
        at = np.arange(block * BLOCK, (block + 1) * BLOCK)
        x = np.zeros((engine.max_sources, BLOCK), np.float32)
        for row, sound in enumerate(sounds):
            x[row] = sound[at % len(sound)]
        if gains is not None:
            x[: len(sounds)] *= gains[:, (block - first) * BLOCK : (block - first + 1) * BLOCK]
        parts.append(engine.process(x))
    return np.concatenate(parts, axis=1)


def assert_same(got: np.ndarray, expected: np.ndarray, tolerance: float = 1e-6) -> None:
    peak = np.abs(expected).max()
    assert peak > 1e-3
    assert np.abs(got - expected).max() <= tolerance * peak


def noise(seed: int, length: int) -> np.ndarray:
    return (0.3 * np.random.default_rng(seed).standard_normal(length)).astype(np.float32)


def db(linear: float) -> float:
    return 100 + 20 * math.log10(linear)


@pytest.mark.parametrize("order", [1, 3, 5])
def test_a_world_sounds_as_the_engine_makes_it(order: int) -> None:
    """Points, a surface with copies, a sound with pauses, ambience, and something silent, after a jump too."""
    wall = np.random.default_rng(0).standard_normal((40, 3)) + np.array([2.0, 0.0, 0.0])
    labels = split_surface(wall, np.full(40, 1 / 40), 3)
    sounds = [noise(1, 1000), *(noise(10 + copy, 700) for copy in range(4)), noise(3, 500)]
    rung = np.concatenate([sounds[5], np.zeros(333, np.float32)])
    wind, sea = noise(5, 900), noise(6, 1300)
    voices = [
        voice(sounds[0], np.array([[1.0, 2.0, 0.5]])),
        voice(sounds[1], wall, labels=labels, copies=tuple(sounds[2:5])),
        None,
        voice(sounds[5], np.array([[-1.0, 0.5, 0.0]]), pause=333),
        voice(wind),
        voice(noise(8, 100), np.array([[0.2, 0.0, 0.0]])),
        voice(sea),
    ]
    engine = reference(order)
    engine.set_source(0, [1.0, 2.0, 0.5], db(0.7))
    engine.set_source(1, [0, 0, 0], db(0.5), spread=(wall, np.full(40, 1 / 40), labels))
    engine.set_source(5, [-1.0, 0.5, 0.0], db(0.9))
    engine.set_listener([0.1, 0.2, 0.0], 0.4, -0.2)
    at = np.arange(60 * BLOCK)
    bed = (
        0.25 * wind[at % 900] + 0.5 * sea[at % 1300]
    )  # an independent way to sound from everywhere: a field of W alone
    engine.set_bed(bed[None].astype(np.float32))
    gains = [0.7, 0.5, 1.0, 0.9, 0.25, 0.0, 0.5]
    with opened(voices, gains, order, position=[0.1, 0.2, 0.0], yaw=0.4, pitch=-0.2) as page:
        assert_same(page.hear(20), played(engine, 20, 0, *sounds[:5], rung))
        page.tell(kind="pose", pose={"position": [3.0, 1.0, 0.5], "yaw": -2.0, "pitch": 0.3})
        engine.set_listener([3.0, 1.0, 0.5], -2.0, 0.3)
        assert_same(page.hear(20), played(engine, 20, 20, *sounds[:5], rung))


@pytest.mark.parametrize("law", LAWS)
def test_sources_follow_their_paths(law: str) -> None:
    """A siren that faces ahead, a surface that goes round, a bell that turns back; heard from where they sent it."""
    round_the_square = np.array([[4.0, 3, 0], [4, -3, 0], [-2, -3, 1], [4, 3, 0]])
    siren = Motion(
        np.array([0.0, 0.05, 0.1, 0.2]), np.array([[9.0, 4, 0], [9, 4, 0], [8, 3, 0], [6, 2, 1]]), False, True
    )
    crowd = Motion(np.array([0.01, 0.06, 0.11, 0.16]), round_the_square, loops=True)
    bell = Motion(np.array([0.0, 0.0407]), np.array([[0.5, 2.0, 0], [0.5, 0.4, 0]]), loops=True, faces_ahead=True)
    aim = Directivity(0.7, 1.5, np.array([0.0, 1.0, 0.0]))
    people, weights = np.random.default_rng(0).standard_normal((24, 3)), np.full(24, 1 / 24)
    sounds = [noise(seed, 1700) for seed in range(3)]
    voices = [
        voice(sounds[0], np.array([[5.0, 0.0, 0.0]]), directivity=aim, path=siren),
        voice(sounds[1], people, path=crowd),
        voice(sounds[2], np.array([[0.0, 2.0, 0.0]]), directivity=aim, path=bell),
    ]
    head = np.array([0.1, 0.2, 0.0])
    engine = reference(rows=3, law=law)
    engine.set_listener(head, 0.0, 0.0)
    blocks, parts = 100, []
    for block in range(blocks):
        t = np.array([(block + 1) * BLOCK / RATE_HZ])
        for row, path in enumerate((siren, crowd, bell)):
            sent = sent_at(path, t, head[None], 0.1) if law == "whole" else t
            place = places(path, sent)[0]
            heading = headings(path, sent)
            assert heading is not None
            moved = (people - people.mean(0) + place, weights)
            faces = None if row == 1 else replace(aim, facing=heading[0])
            engine.set_source(row, place, db(0.5), moved if row == 1 else None, faces)
        parts.append(played(engine, 1, block, *sounds))
    with opened(voices, [0.5] * 3, law=law, position=head.tolist()) as page:
        assert_same(page.hear(blocks), np.concatenate(parts, axis=1))


def test_a_leaning_head_hears_what_the_engine_makes() -> None:
    sound, lean = noise(1, 1000), {"position": [0.1, 0.2, 0.0], "yaw": 0.4, "pitch": -0.2, "roll": 0.5}
    engine = reference()
    engine.set_source(0, [1.0, 2.0, 0.5], db(0.7))
    engine.set_listener([0.1, 0.2, 0.0], 0.4, -0.2, 0.5)
    with opened([voice(sound, np.array([[1.0, 2.0, 0.5]]))], [0.7], **lean) as page:
        assert_same(page.hear(20), played(engine, 20, 0, sound))
        page.tell(kind="pose", pose={**lean, "yaw": 2.0, "roll": -0.3})
        engine.set_listener([0.1, 0.2, 0.0], 2.0, -0.2, -0.3)
        assert_same(page.hear(20), played(engine, 20, 20, sound))


def test_other_ears_go_on_where_the_sounds_are() -> None:
    """From the block of the change on, as an engine with those ears whose sounds have played as long."""
    sounds, wall = [noise(1, 1000), noise(2, 700)], np.random.default_rng(0).standard_normal((40, 3)) + 2.0
    with opened([voice(sounds[0], np.array([[1.0, 2.0, 0.5]])), voice(sounds[1], wall)], [0.7, 0.5]) as page:
        page.hear(10)
        filters = hrir("sphere", 1)
        page.tell(kind="decoder", decoder={"order": 1, "taps": filters.shape[2], "filters": packed(filters)})
        heard = page.hear(20)
    engine = Engine(1, RATE_HZ, BLOCK, max_sources=2, executor="numpy", hrtf="sphere", law=LAWS["short"][0])
    engine.set_source(0, [1.0, 2.0, 0.5], db(0.7))
    engine.set_source(1, [0, 0, 0], db(0.5), spread=(wall, np.full(40, 1 / 40)))
    assert_same(heard, played(engine, 20, 10, *sounds))


def test_a_teleport_makes_no_click() -> None:
    """A low tone: from far behind to beside it, no step from sample to sample is larger than where it is loudest."""
    tone = np.sin(2 * np.pi * 100 * np.arange(4800) / RATE_HZ).astype(np.float32)
    with opened([voice(tone, np.array([[1.0, 0.0, 0.0]]))], [0.5], position=[-8.0, 3.0, 0.0]) as page:
        far = page.hear(40)
        page.tell(kind="pose", pose={**START, "position": [0.5, 0.3, 0.0], "yaw": 2.0})
        heard = np.concatenate([far, page.hear(80)], axis=1)
    steps = np.abs(np.diff(heard, axis=1)).max(0)
    landed = slice(60 * BLOCK, None)
    assert steps[landed].max() > 20 * steps[20 * BLOCK : 40 * BLOCK].max()
    assert steps[1000:].max() < 1.1 * steps[landed].max()


def test_levels_move_on_straight_lines_and_mute_is_silence() -> None:
    place = np.array([[1.0, 1.0, 0.0]])
    sound, steps = noise(2, 1500), 6  # of 128 frames: 15 ms
    engine = reference(rows=1)
    engine.set_source(0, place[0], db(1.0))
    ramp = np.concatenate([np.full(BLOCK * 4, 0.8), np.linspace(0.8, 0, BLOCK * steps + 1)[1:], np.zeros(BLOCK * 6)])
    ramp = np.concatenate([ramp, np.linspace(0, 0.3, BLOCK * steps + 1)[1:], np.full(BLOCK * 4, 0.3)])
    expected = played(engine, len(ramp) // BLOCK, 0, sound, gains=ramp[None])
    with opened([voice(sound, place)], [0.8]) as page:
        parts = [page.hear(4)]
        page.tell(kind="gains", gains=packed(np.zeros(1, np.float32)))
        parts.append(page.hear(steps + 6))
        assert not parts[-1][:, -BLOCK:].any()
        page.tell(kind="gains", gains=packed(np.full(1, 0.3, np.float32)))
        parts.append(page.hear(steps + 4))
    assert_same(np.concatenate(parts, axis=1), expected, 2e-6)


def test_a_turning_head_makes_no_zipper() -> None:
    """1 kHz, 90°/s, 60 uneven messages a second, order 5: outside 900..1100 Hz under −80 dB."""
    seconds = 2.0
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    rng = np.random.default_rng(4)
    with opened([voice(tone, np.array([[2.0, 0.5, 0.3]]))], [0.5], 5) as page:
        parts: list[np.ndarray] = []
        at = 0
        while at < seconds * RATE_HZ / BLOCK:
            blocks = int(rng.choice([6, 6, 6, 7]))
            yaw = math.radians(90) * at * BLOCK / RATE_HZ
            page.tell(kind="pose", pose={**START, "yaw": yaw})
            parts.append(page.hear(blocks))
            at += blocks
    heard = np.concatenate(parts, axis=1)[:, 8192 : 8192 + 65536]
    spectrum = np.abs(np.fft.rfft(heard * np.blackman(65536), axis=1)) ** 2
    frequency = np.fft.rfftfreq(65536, 1 / RATE_HZ)
    near = (frequency > 900) & (frequency < 1100)
    assert 10 * np.log10(spectrum[:, ~near].sum() / spectrum.sum()) < -80


def test_a_walk_ends_where_it_was_to_end() -> None:
    sound, place = noise(2, BLOCK), np.array([[1.0, 0.0, 0.0]])
    with opened([voice(sound, place), voice(noise(3, BLOCK))], [1.0, 0.1]) as page:
        for step in range(20):
            page.tell(
                kind="pose", pose={"position": [0.01 * step, 0.02 * step, 0], "yaw": 3.0 + 0.05 * step, "pitch": 0}
            )
            page.hear(6)
        walked = page.hear(30)[:, -BLOCK:]
    # yaw went on beyond π, the short way
    with opened([voice(sound, place), voice(noise(3, BLOCK))], [1.0, 0.1], position=[0.19, 0.38, 0], yaw=3.95) as page:
        assert_same(walked, page.hear(30)[:, -BLOCK:])


def test_blocks_leave_no_garbage() -> None:
    wall = np.random.default_rng(0).standard_normal((64, 3)) + np.array([2.0, 0.0, 0.0])
    voices: list[Message | None] = [voice(noise(i, 4800), np.array([[1.0, float(i), 0.0]])) for i in range(8)]
    with opened([*voices, voice(noise(9, 4800), wall), voice(noise(10, 4800))], [0.5] * 10) as page:
        page.hear(3000)
        page.tell(kind="pose", pose=START)
        standing, walking = [page.garbage(500) for _ in range(40)], []
        for turn in range(300):  # messages 0.1 s apart: the head moves in every block
            page.tell(kind="pose", pose={**START, "yaw": 0.1 * turn})
            walking.append(page.garbage(33) - page.garbage(3))
    # once compiled, only the look at the memory itself costs something; the smallest object has 12 bytes
    assert min(standing) < 500 * 12
    assert min(walking) < 30 * 12


def test_the_limiters_of_page_and_package_are_twins() -> None:
    sound = np.stack([noise(1, 200 * BLOCK), noise(2, 200 * BLOCK)])
    sound *= (0.2 + 4 * np.hanning(200 * BLOCK)).astype(np.float32)
    node = Node("worklet.mjs", WORKLET, KERNEL)
    blocks = sound.reshape(2, 200, BLOCK).transpose(1, 0, 2)
    got = unpacked(str(node.ask({"limit": packed(blocks)})["ears"]), 200).reshape(200, 2, BLOCK).transpose(1, 0, 2)
    node.close()
    expected = Limiter(RATE_HZ).process(sound)
    assert np.abs(expected).max() > 0.88
    np.testing.assert_allclose(got.reshape(2, -1), expected, atol=2e-6)
