"""Every reader of files or words of strangers: valid ones to start from, how they are changed, who reads them."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import fuzz_more_seeds as more
import fuzz_requests
import fuzz_world
import numpy as np
from fuzz_documents import changed_toml
from fuzz_outcomes import ambix_outcome, sofa_outcome, sound_outcome
from fuzz_packed import Change, changed_bytes, changed_document, changed_glb, changed_gzip, changed_zip
from fuzz_seeds import ambisonics, sofas, sounds

from sonoworld import testing
from sonoworld.cli.hear import read_layout, read_walk
from sonoworld.disk.depth_file import read_depth
from sonoworld.disk.mesh_files import read_meshes
from sonoworld.disk.photo import read_photo
from sonoworld.disk.splat_file import read_splats
from sonoworld.recipe import load
from sonoworld.sound.recordings import read_folder
from sonoworld.study import answers, design, headphones, site
from sonoworld.types import Splats
from sonoworld.understand.answer_parse import parse
from sonoworld.understand.answer_soundings import to_soundings
from sonoworld.understand.sources_file import read_soundings


@dataclass(frozen=True)
class Kind:
    """`strict`: its errors name the file, what was expected and what is there (`outcome`)."""

    seeds: Callable[[], dict[str, bytes]]
    change: Change
    read: Callable[[Path], str]
    strict: bool = False


def _photo(path: Path) -> str:
    photo = read_photo(path)
    assert photo.rgb.dtype == np.uint8
    assert photo.focal_px is None or np.isfinite(photo.focal_px)
    return "read"


def _splats(path: Path) -> str:
    splats: Splats = read_splats(path)
    for part in (splats.means, splats.log_scales, splats.quats, splats.opacity_logits, splats.sh):
        assert np.isfinite(part).all(), "not finite"
    return "read"


def _meshes(path: Path) -> str:
    for mesh in read_meshes(path):
        assert np.isfinite(mesh.vertices).all()
        assert mesh.faces.size == 0 or mesh.faces.max() < len(mesh.vertices)
    return "read"


def _depth(path: Path) -> str:
    assert read_depth(path).values.dtype == np.float32
    return "read"


def _recipe(path: Path) -> str:
    load(str(path))
    return "read"


def _sources(path: Path) -> str:
    for sounding in read_soundings(str(path), 64, testing.tiny_camera()):
        assert np.isfinite(sounding.level_db)
    return "read"


def _walk(path: Path) -> str:
    walk = read_walk(path)
    assert np.isfinite(walk.pose_at(0.7).origin).all()
    return "read"


@cache
def _shelf() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="sonoworld-fuzz-"))
    for name in ("a.wav", "b.wav"):
        (folder / name).write_bytes(sounds()["own.wav"])
    return folder


def _sheet(path: Path) -> str:
    (_shelf() / "sounds.toml").write_bytes(path.read_bytes())
    for recording in read_folder(_shelf()):
        assert recording.path.resolve().is_relative_to(_shelf().resolve())
    return "read"


def _answer(path: Path) -> str:
    for sounding in to_soundings(parse(path.read_text("utf-8", "replace")), "fuzz"):
        assert np.isfinite(sounding.level_db)
        assert sounding.label.isprintable()
    return "read"


@cache
def _study() -> tuple[dict[str, bytes], answers.Key]:
    """The key of a study, and what its second listener sent back."""
    asked = headphones.checks(8000, 0)
    plain = {"format": site.FORMAT, **design.to_json(design.plan(("ours", "theirs"), ("a", "b"), 4))}
    plain["checks"] = [{"kind": c.kind, "answer": c.answer} for c in asked]
    plain["study"] = site.study_id(json.loads(json.dumps(plain)))
    folder = Path(tempfile.mkdtemp(prefix="sonoworld-fuzz-"))
    (folder / "key.json").write_text(json.dumps(plain))
    key = answers.read_key(folder / "key.json")
    sent = {
        "study": key.study, "listener": 2, "checks": [answer for _, answer in key.checks],
        "answers": [{"choices": dict.fromkeys(key.design.criteria, 1)} for _ in key.design.listeners[1]],
    }  # fmt: skip
    return {"key.json": (folder / "key.json").read_bytes(), "sent.json": json.dumps(sent).encode()}, key


def _answered(path: Path) -> str:
    if path.name.endswith("key.json"):
        answers.read_key(path)
    else:
        answers.read([path], _study()[1])
    return "read"


def _layout(path: Path) -> str:
    for speaker in read_layout(path).speakers:
        assert np.isfinite(speaker.azimuth_deg)
    return "read"


def _any_document(data: bytes, rng: np.random.Generator, other: bytes) -> bytes:
    return changed_document(data, rng, other) if data.startswith(b"{") else _toml(data, rng, other)


def _toml(data: bytes, rng: np.random.Generator, other: bytes) -> bytes:
    return changed_toml(data, rng) if rng.random() < 0.7 else changed_bytes(data, rng, other)


KINDS: dict[str, Kind] = {
    "photo": Kind(more.pictures, changed_bytes, _photo),
    "ply": Kind(lambda: more.splats()["ply"], changed_bytes, _splats),
    "spz": Kind(lambda: more.splats()["spz"], changed_gzip, _splats),
    "sog": Kind(lambda: more.splats()["sog"], changed_zip, _splats),
    "splat": Kind(lambda: more.splats()["splat"], changed_bytes, _splats),
    "glb": Kind(lambda: more.splats()["glb"], changed_glb, _splats),
    "mesh": Kind(more.meshes, changed_glb, _meshes),
    "depth": Kind(more.depths, lambda d, r, o: (changed_zip if d[:2] == b"PK" else changed_bytes)(d, r, o), _depth),
    "sound": Kind(sounds, changed_bytes, sound_outcome, strict=True),
    "ambix": Kind(ambisonics, changed_bytes, ambix_outcome, strict=True),
    "sofa": Kind(sofas, changed_bytes, sofa_outcome, strict=True),
    "scene": Kind(fuzz_world.seeds, fuzz_world.change, fuzz_world.read),
    "recipe": Kind(more.recipes, _toml, _recipe),
    "sources": Kind(lambda: {"a.toml": more.SOURCES}, _toml, _sources),
    "sheet": Kind(lambda: {"a.toml": more.SHEET}, _toml, _sheet),
    "walk": Kind(lambda: {"a.json": more.WALK}, changed_document, _walk),
    "answer": Kind(lambda: {"a.json": more.ANSWER}, changed_document, _answer),
    "study": Kind(lambda: _study()[0], changed_document, _answered),
    "layout": Kind(lambda: more.LAYOUTS, _any_document, _layout),
    "server": Kind(fuzz_requests.seeds, fuzz_requests.change, fuzz_requests.read),
}
