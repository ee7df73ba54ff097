"""Seconds that a second of film takes, and how well sound and picture keep together.

    python bench/film.py [WORLD] [--seconds 2]

Without a world: 100 000 splats around, made here. Speed: pictures, coding and sound, everything but reading the world.
Sync: a flash and a click at the same instant, written, decoded again by FFmpeg; claim: at most one picture apart.
"""

import argparse
import tempfile
import time
from pathlib import Path

import av
import numpy as np

from sonoworld.disk import mp4
from sonoworld.disk.scene import load_lite, load_sources
from sonoworld.filming import Making, make_film
from sonoworld.render import default_walk
from sonoworld.render.film import Shot
from sonoworld.types import Source, Splats

FLASH_AT = (7, 15, 29)
SHOTS = (
    Shot(size_px=(640, 360)),
    Shot(size_px=(1280, 720)),
    Shot(kind="360", size_px=(1440, 720)),
    Shot(kind="360", size_px=(1920, 960)),
)


def around(count: int = 100_000) -> Splats:
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(count, 3))
    means = (directions / np.linalg.norm(directions, axis=1, keepdims=True) * rng.uniform(2, 9, (count, 1))).astype(
        "f4"
    )
    quats = np.tile(np.array([1, 0, 0, 0], np.float32), (count, 1))
    colours = rng.normal(size=(count, 1, 3)).astype(np.float32)
    return Splats(means, np.full((count, 3), -3.5, np.float32), quats, np.full(count, 2, np.float32), colours)


def sync_ms(file: Path, codec: mp4.Codec, channels: int, rate: int) -> float:
    """The largest distance of a flash from its click, ms, sound late positive."""
    worst = 0.0
    for index in FLASH_AT:
        size = (32, 64, 3)
        pictures = [np.full(size, 255 if i == index else 0, np.uint8) for i in range(45)]
        signal = np.zeros((channels, 45 * 48000 // rate), np.float32)
        at = index * 48000 // rate
        signal[:, at : at + 24] = 0.8
        mp4.write_film(file, pictures, rate, mp4.Sound(signal), codec)
        with av.open(str(file)) as film:
            flash_s = max(film.decode(video=0), key=lambda f: f.to_ndarray(format="gray").mean()).time
        with av.open(str(file)) as film:
            frames = list(film.decode(audio=0))
        sound = np.concatenate([frame.to_ndarray() for frame in frames], 1)
        click_s = frames[0].time + np.abs(sound[0]).argmax() / 48000
        worst = max(worst, click_s - flash_s, key=abs)
    return worst * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("world", nargs="?", type=Path)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    world: tuple[Splats, tuple[Source, ...]] = (around(), ())
    if options.world:
        world = load_lite(options.world), load_sources(options.world)
    print(f"{len(world[0])} splats, {len(world[1])} sources")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "film.mp4"
        make_film(world, default_walk(1.0), Shot(size_px=(64, 36), seconds=0.1), file)  # numba compiles
        print(f"{'kind':<6}{'size':>12}{'s per s of film':>18}{'MB per s':>10}")
        for like in SHOTS:
            shot = Shot(like.kind, like.size_px, seconds=options.seconds)
            began = time.perf_counter()
            make_film(world, default_walk(20.0), shot, file, Making(sheet=False))
            took = (time.perf_counter() - began) / shot.sound_seconds
            size = f"{shot.size_px[0]}×{shot.size_px[1]}"
            print(f"{shot.kind:<6}{size:>12}{took:>18.1f}{file.stat().st_size / 1e6 / shot.sound_seconds:>10.2f}")
        for codec in mp4.CODERS:
            for rate in (24, 30, 60):
                late = [sync_ms(file, codec, channels, rate) for channels in (2, 4)]
                ok = max(map(abs, late)) <= 1000 / rate
                print(f"sync {codec:<5}{rate:>3}/s: {late[0]:+.2f} ms two ears, {late[1]:+.2f} ms AmbiX, ok: {ok}")


if __name__ == "__main__":
    main()
