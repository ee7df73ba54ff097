"""What a fitted room costs in real time: 8 sources, order 3, blocks of 256 samples at 48 kHz, one core.

    python bench/room_live.py [R3VIVAL] [--seconds 20]

The room is fitted first: to one measured response (`000_S000-150.flac` in the folder of facebookresearch/R3VIVAL), or,
without a folder, to one response simulated by image sources and a late field. Then the player (what `listen` runs:
clips, head, engine, limiter) and the engine alone make the same blocks dry and in the room, in turn; the fastest of
rounds counts. Claims: in the room, a block of the player takes less than twice what it takes dry, at rest and walking.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sonoworld.acoustics import LateField, Room, diffuse_covariance, plain_emitter, shoebox
from sonoworld.acoustics.heard import room_response
from sonoworld.acoustics.response import Grid
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.voices import make_voices
from sonoworld.learn.room import FitOptions, Shot, fit_room
from sonoworld.render.engine import Engine
from sonoworld.render.engine_room import EngineRoom, engine_room
from sonoworld.render.live import Player
from sonoworld.render.walk_audio import FittedRoom
from sonoworld.types import Clip, Source, Spread

RATE, BLOCK, SOURCES, ORDER, ROUNDS = 48000, 256, 8, 3, 10
LIMIT = 2.0
ABSORPTION = np.array([0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6])


def measured(folder: Path) -> FittedRoom:
    from learn_room import fitted, responses  # noqa: PLC0415  needs more than this bench

    fit = fitted(responses(folder, "000")[0, 150], seed=0)
    return fit.room, fit.emitter


def simulated() -> FittedRoom:
    alpha = np.clip(np.outer(np.linspace(0.4, 1.5, 6), ABSORPTION), 0, 0.95)
    walls = shoebox((6.0, 4.5, 3.0), (2.5, 2.0, 1.4), alpha)
    late = LateField(np.full(8, 0.5), np.full(8, -6.0), 0.04, diffuse_covariance())
    place = np.array([1.7, 0.6, 0.2])
    heard = room_response(Room(walls, late, 3), plain_emitter(), place, np.zeros(3), Grid(28800, RATE, air=False))
    begin = shoebox((6.0, 4.5, 3.0), (2.5, 2.0, 1.4), np.full((6, 8), 0.2))
    fit = fit_room((Shot(heard, RATE, place, np.zeros(3)),), begin, FitOptions())
    return fit.room, fit.emitter


def sources(room: Room) -> list[Source]:
    rng = np.random.default_rng(0)
    found: list[Source] = []
    for i in range(SOURCES):
        at = rng.uniform(-0.8, 0.8, 3) * np.array([1.5, 1.5, 1.0])
        points, one = at.astype(np.float32)[None], np.ones(1, np.float32)
        clip = Clip((0.05 * rng.standard_normal(2 * RATE)).astype(np.float32), RATE, True, 0.0, "noise", "none")
        found.append(
            Source(f"s{i}", "s", "s", Spread.POINT, 70.0, 1.0, "given", points, 0 * points, one, 0.0, clip=clip)
        )
    return found


def player(law: EncodeOptions, room: FittedRoom | None, everyone: list[Source], walks: bool) -> Callable[[int], None]:
    made = Player(everyone, law, room=room)

    def run(blocks: int) -> None:
        for k in range(blocks):
            if walks:
                made.move((0.007 * (k % 50), 0.0, 0.0), 0.01 * k)
            made.pull(BLOCK)

    return run


def engine(law: EncodeOptions, room: EngineRoom | None, everyone: list[Source], walks: bool) -> Callable[[int], None]:
    made = Engine(ORDER, RATE, BLOCK, max_sources=SOURCES, law=law, room=room)
    for i, source in enumerate(everyone):
        assert source.centroid is not None
        made.set_source(i, source.centroid)
    x = (0.05 * np.random.default_rng(1).standard_normal((SOURCES, BLOCK))).astype(np.float32)
    out = np.empty((2, BLOCK), np.float32)

    def run(blocks: int) -> None:
        for k in range(blocks):
            if walks:
                made.set_listener(np.array([0.007 * (k % 50), 0.0, 0.0]), 0.01 * k, 0.0)
            made.process(x, out)

    return run


def raced(pair: tuple[Callable[[int], None], Callable[[int], None]], blocks: int) -> tuple[float, float]:
    """Microseconds of a block, the fastest of rounds in turn."""
    best = [np.inf, np.inf]
    for _ in range(ROUNDS):
        for i, run in enumerate(pair):
            begin = time.perf_counter()
            run(blocks)
            best[i] = min(best[i], (time.perf_counter() - begin) / blocks * 1e6)
    return best[0], best[1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--seconds", type=float, default=20.0, help="of sound per row")
    given = parser.parse_args()
    began = time.perf_counter()
    room = measured(given.folder) if given.folder else simulated()
    everyone = sources(room[0])
    voices = [make_voices(s, EncodeOptions(order=ORDER), RATE) for s in everyone]
    around = engine_room(room, voices, [slice(i, i + 1) for i in range(SOURCES)], SOURCES, RATE)
    late = 0 if around.late is None else around.late.shape[1] / RATE
    print(f"fitted in {time.perf_counter() - began:.1f} s: {len(around.offsets_m)} walls, {late:.2f} s of late field")
    print(f"{'':42s} {'dry':>8s} {'room':>8s}  ratio   (µs of {BLOCK / RATE * 1e6:.0f})")
    blocks, fine = max(1, round(given.seconds * RATE / BLOCK / ROUNDS)), True
    for delay in (False, True):
        law = EncodeOptions(order=ORDER, delay=delay)
        for walks in (False, True):
            name = f"{'with delays' if delay else 'plain law'}, {'walking' if walks else 'at rest'}"
            dry, wet = raced((player(law, None, everyone, walks), player(law, room, everyone, walks)), blocks)
            holds = wet < LIMIT * dry
            fine &= holds
            print(f"player, {name:34s} {dry:8.1f} {wet:8.1f}  {wet / dry:.2f}    {'holds' if holds else 'FAILS'}")
            dry, wet = raced((engine(law, None, everyone, walks), engine(law, around, everyone, walks)), blocks)
            print(f"engine alone, {name:28s} {dry:8.1f} {wet:8.1f}  {wet / dry:.2f}")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
