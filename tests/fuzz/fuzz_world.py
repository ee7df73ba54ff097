"""A whole scene folder of a stranger: one of its files at a time is changed, then everything that opens it does."""

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import small_world
from fuzz_packed import changed_bytes, changed_document, changed_zip

from sonoworld import testing
from sonoworld.acoustics import OCTAVES_HZ
from sonoworld.disk import versions
from sonoworld.disk.atomic import read_json
from sonoworld.disk.notes import load_notes
from sonoworld.disk.room_file import read_room
from sonoworld.disk.scene import check_scene, load_ground, load_lite, load_scene, load_sources
from sonoworld.errors import SonoworldError
from sonoworld.flow import make_scene

PICTURES_FOR_PEOPLE = ("preview.png", "sources.png")
ROOM = {
    "format": 1, "bands_hz": list(OCTAVES_HZ), "order": 2, "guessed": False,
    "walls": [{"normal": [0, 0, 1], "offset_m": 1.5, "material": "grass", "absorption": [0.3] * len(OCTAVES_HZ)}],
    "late": {
        "t60_s": [0.5] * len(OCTAVES_HZ), "level_db": [-20.0] * len(OCTAVES_HZ), "mixing_s": 0.05,
        "covariance": [np.eye(4).tolist()] * len(OCTAVES_HZ), "residue": None,
    },
    "emitter": {
        "gain_db": [0.0] * len(OCTAVES_HZ), "directivity": [0.0] * len(OCTAVES_HZ), "facing": [1.0, 0.0, 0.0],
        "onset": 3, "wavelet": None,
    },
}  # fmt: skip


@cache
def world() -> Path:
    """A small scene; kept where SONOWORLD_FUZZ_WORLD says."""
    kept = Path(os.environ.get("SONOWORLD_FUZZ_WORLD") or tempfile.mkdtemp(prefix="sonoworld-fuzz-")) / "garden"
    if not kept.is_dir():
        make_scene(testing.tiny_photo(), small_world.recipe(), kept)
        _edit(kept)
    folder = Path(tempfile.mkdtemp(prefix="sonoworld-fuzz-")) / "garden"
    shutil.copytree(kept, folder)
    return folder


def _edit(scene: Path) -> None:
    """A first version and a room, so that there is more to open."""
    import json  # noqa: PLC0415

    from sonoworld.edit import desk  # noqa: PLC0415
    from sonoworld.edit.operations import parse_operation  # noqa: PLC0415

    (scene / "room.json").write_text(json.dumps(ROOM))
    desk.edit_scene(scene, parse_operation({"op": "level", "id": "stream", "level_db": 61}), 0)


@cache
def seeds() -> dict[str, bytes]:
    """Every file of the scene that programs read; its path with | for /."""
    folder = world()
    named = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name.replace("/", "|"): data for name, data in named.items() if name not in PICTURES_FOR_PEOPLE}


def change(data: bytes, rng: np.random.Generator, other: bytes) -> bytes:
    """By what the file is."""
    if data[:2] == b"PK":
        return changed_zip(data, rng, other)
    if data[:1] in b"{[":
        return changed_document(data, rng, other)
    return changed_bytes(data, rng, other)


def read(path: Path) -> str:
    """Every way to open the scene with this file in it; "read" if one of them got through."""
    folder = world()
    name = path.name.split("-", 1)[1].replace("|", "/")
    target, data = folder / name, path.read_bytes()
    target.write_bytes(data)
    verdicts = []
    try:
        for opened in (load_scene, load_lite, load_sources, load_ground, load_notes, _room, versions.history, _checked):
            try:
                opened(folder)
                verdicts.append("read")
            except SonoworldError as error:
                assert 0 < len(str(error)) < 6000, str(error)[:300]
                verdicts.append("refused")
    finally:
        target.write_bytes(seeds()[name.replace("/", "|")])
    return "refused" if "refused" in verdicts else "read"


def _checked(folder: Path) -> None:
    """Digests differ for every changed file; what is behind them is opened as if they did not."""
    check_scene(folder)
    read_json(folder / "walk.json")


def _room(folder: Path) -> None:
    read_room(folder)
