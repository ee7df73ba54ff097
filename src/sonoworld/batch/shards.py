"""Worlds as training data: tar files of WebDataset's kind, the same bytes whenever the worlds are the same.

All files of a world stand together and share its id up to the first dot: `panorama.png`, `depth.npy` (float32 [h 2h], m
along the ray), `splats.ply`, `labels.json`, and for walk i `walk<i>.json` and `foa<i>.wav` (AmbiX, in head axes).
"""

import io
import json
import math
import tarfile
import tempfile
import zlib
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from sonoworld.batch.head import whole
from sonoworld.batch.wander import random_walk
from sonoworld.disk import atomic
from sonoworld.disk.ambix import write_ambix
from sonoworld.disk.scene import load_ground, load_scene, load_sources
from sonoworld.disk.workspace import SCENE
from sonoworld.errors import InputError
from sonoworld.frames import angles_from_direction
from sonoworld.render.walk import walk_document
from sonoworld.render.walk_audio import render_walk
from sonoworld.types import Camera, Scene, Source

INDEX = "index.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Pack:
    """How worlds are packed: so many to a shard, walks each of so many seconds, the order of their sound fields."""

    per_shard: int = 32
    walks: int = 1
    seconds: float = 10.0
    order: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        fits = 1 <= self.per_shard <= 10**6 and 0 <= self.walks <= 100 and 0 <= self.order <= 10 and self.seed >= 0
        if not (fits and 0 < self.seconds <= 3600):
            raise InputError(
                "pack: expected 1..1000000 worlds a shard, 0..100 walks of 0..3600 s, order 0..10, seed >= 0"
            )


@dataclass(frozen=True, slots=True)
class Packed:
    """A shard that is written, and the worlds in it."""

    path: Path
    ids: tuple[str, ...]
    size_bytes: int


def worlds_in(folder: Path) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Whole worlds of a folder by name, and the names of those that are not: spoiled, or made by a newer version."""
    found = [p for p in sorted(folder.iterdir()) if (p / SCENE).is_file() and not p.name.startswith(".")]
    good = tuple(p for p in found if p.suffix != ".partial" and whole(p))
    return good, tuple(p.name for p in found if p not in good and p.suffix != ".partial")


def pack_worlds(worlds: Sequence[Path], shards: Path, how: Pack) -> Generator[Packed]:
    """Write `shards/worlds-000000.tar` and so on, then `index.json` with their digests; yields each as it is there.

    Raises:
        InputError: no worlds, or a source of one has no sound.
    """
    if not worlds:
        raise InputError("pack: expected at least one whole world, got none")
    table: list[dict[str, object]] = []
    for number, first in enumerate(range(0, len(worlds), how.per_shard)):
        path = shards / f"worlds-{number:06d}.tar"
        mine = worlds[first : first + how.per_shard]
        with atomic.replacing(path) as file:
            _write(file, mine, how)
        ids = tuple(world.name for world in mine)
        table.append({"file": path.name, "sha256": atomic.sha256(path), "worlds": list(ids)})
        yield Packed(path, ids, path.stat().st_size)
    settings = {"walks": how.walks, "seconds": how.seconds, "order": how.order, "seed": how.seed}
    atomic.write_json(shards / INDEX, {"format": FORMAT, **settings, "shards": table})


def _write(file: BinaryIO, worlds: Iterable[Path], how: Pack) -> None:
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for world in worlds:
            for name, data in _members(world, how):
                about = tarfile.TarInfo(f"{world.name}.{name}")  # owner 0, time 0, mode 644: nothing of this machine
                about.size = len(data)
                tar.addfile(about, io.BytesIO(data))


def _members(world: Path, how: Pack) -> Generator[tuple[str, bytes]]:
    scene = load_scene(world)
    yield "panorama.png", (world / "panorama.png").read_bytes()
    yield "depth.npy", _npy(scene.geometry.distance)
    yield "splats.ply", (world / "splats.ply").read_bytes()
    sources = load_sources(world)
    yield "labels.json", _json(_labels(scene, sources, atomic.sha256(world / SCENE)))
    ground = load_ground(world)
    for i in range(how.walks):
        rng = np.random.default_rng(np.random.SeedSequence([how.seed, zlib.crc32(world.name.encode()), i]))
        walk = random_walk(ground, how.seconds, rng)
        yield f"walk{i}.json", _json(walk_document(walk))
        field = render_walk(sources, walk, "ambix", how.order, how.seconds)
        with tempfile.TemporaryDirectory() as folder:
            wav = Path(folder) / "foa.wav"
            write_ambix(wav, field)
            yield f"foa{i}.wav", wav.read_bytes()


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _json(document: object) -> bytes:
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _labels(scene: Scene, sources: Sequence[Source], digest: str) -> dict[str, object]:
    return {
        "scene_sha256": digest,
        "axes": "x ahead, y left, z up; metres, radians, dB SPL at 1 m",
        "metric": scene.geometry.metric,
        "camera": None if scene.camera is None else _camera(scene.camera),
        "sources": [_source(source) for source in sources],
    }


def _camera(camera: Camera) -> dict[str, object]:
    return {
        "K": camera.K.tolist(),
        "size_px": list(camera.size_px),
        "world_from_camera": camera.world_from_camera.rotation.tolist(),
    }


def _source(source: Source) -> dict[str, object]:
    told: dict[str, object] = {
        "id": source.id,
        "label": source.label,
        "prompt": source.prompt,
        "spread": source.spread.value,
        "level_db": source.level_db,
        "confidence": source.confidence,
        "imagined": source.imagined,
        "solid_angle_sr": source.solid_angle_sr,
        "licence": "" if source.clip is None else source.clip.licence,
    }
    centroid = source.centroid
    if centroid is None:
        return {**told, "position": None}
    azimuth, elevation = (float(angle) for angle in angles_from_direction(centroid))
    place = {"position": centroid.tolist(), "azimuth": azimuth, "elevation": elevation}
    return {**told, **place, "distance_m": math.sqrt(float(centroid @ centroid))}
