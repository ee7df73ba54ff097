"""Worlds as training data: what is in a shard, the same bytes again, and walks that keep to the ground."""

import io
import json
import math
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import small_world
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoworld import cli, testing
from sonoworld.batch.shards import INDEX, Pack, pack_worlds, worlds_in
from sonoworld.batch.wander import KEY_S, SPEED_M_S, TURN_RAD_S, random_place, random_walk
from sonoworld.disk.atomic import sha256
from sonoworld.disk.ply import read_ply
from sonoworld.disk.scene import load_scene
from sonoworld.errors import InputError
from sonoworld.flow import make_scene
from sonoworld.render import parse_walk, render_walk
from sonoworld.types import WalkSurface


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("worlds")
    for i, name in enumerate(("a", "b", "c")):
        make_scene(testing.tiny_photo(), small_world.recipe(), folder / name, seed=i)
    return folder


def packed(worlds: Path, shards: Path, how: Pack) -> list[Path]:
    return [shard.path for shard in pack_worlds(worlds_in(worlds)[0], shards, how)]


def members(shard: Path) -> dict[str, bytes]:
    with tarfile.open(shard) as tar:
        return {one.name: (file.read() if (file := tar.extractfile(one)) else b"") for one in tar.getmembers()}


def test_a_world_is_all_there_and_stands_together(worlds: Path, tmp_path: Path) -> None:
    shards = packed(worlds, tmp_path, Pack(per_shard=2, walks=2, seconds=0.5))
    assert [shard.name for shard in shards] == ["worlds-000000.tar", "worlds-000001.tar"]
    held = members(shards[0])
    names = [
        "panorama.png",
        "depth.npy",
        "splats.ply",
        "labels.json",
        "walk0.json",
        "foa0.wav",
        "walk1.json",
        "foa1.wav",
    ]
    assert list(held) == [f"{world}.{name}" for world in "ab" for name in names]
    scene = load_scene(worlds / "a")
    assert np.array_equal(np.load(io.BytesIO(held["a.depth.npy"])), scene.geometry.distance)
    (tmp_path / "a.ply").write_bytes(held["a.splats.ply"])
    assert np.array_equal(read_ply(tmp_path / "a.ply").means, scene.splats.means)
    labels = json.loads(held["a.labels.json"])
    assert [source["label"] for source in labels["sources"]] == [source.label for source in scene.sources]
    placed = [source for source in labels["sources"] if source["position"]]
    for source in placed:
        x, y, z = source["position"]
        assert math.hypot(x, y, z) == pytest.approx(source["distance_m"])
        assert math.atan2(y, x) == pytest.approx(source["azimuth"])
    walk = parse_walk(json.loads(held["a.walk1.json"]))
    heard, rate_hz = soundfile.read(io.BytesIO(held["a.foa1.wav"]), dtype="float32", always_2d=True)
    field = render_walk(scene, walk, "ambix", 1, 0.5)
    assert (rate_hz, heard.shape) == (48000, (24000, 4))
    assert np.abs(heard.T - field.signal).max() <= 0.01 * np.abs(field.signal).max()  # the walk's numbers are rounded
    assert held["a.foa0.wav"] != held["a.foa1.wav"]


def test_the_same_bytes_again_and_an_index_of_them(worlds: Path, tmp_path: Path) -> None:
    how = Pack(per_shard=2, seconds=0.3)
    first, again = packed(worlds, tmp_path / "1", how), packed(worlds, tmp_path / "2", how)
    assert [sha256(path) for path in first] == [sha256(path) for path in again]
    index = json.loads((tmp_path / "1" / INDEX).read_text())
    assert [shard["sha256"] for shard in index["shards"]] == [sha256(path) for path in first]
    assert [shard["worlds"] for shard in index["shards"]] == [["a", "b"], ["c"]]
    other = packed(worlds, tmp_path / "3", Pack(per_shard=2, seconds=0.3, seed=1))
    assert members(other[0])["a.walk0.json"] != members(first[0])["a.walk0.json"]
    assert members(other[0])["a.depth.npy"] == members(first[0])["a.depth.npy"]


def test_the_verb_leaves_out_what_is_spoiled_and_says_so(
    worlds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(worlds, tmp_path / "worlds")
    (tmp_path / "worlds" / "b" / "panorama.png").write_bytes(b"spoiled")
    (tmp_path / "worlds" / "half.partial").mkdir()
    with pytest.raises(SystemExit):
        cli.main(["pack", str(tmp_path / "worlds"), str(tmp_path / "s"), "--seconds", "0.2"])
    said = capsys.readouterr()
    assert "2 worlds" in said.out
    assert said.err.strip().endswith(": b")


@pytest.mark.parametrize("wrong", [{"per_shard": 0}, {"seconds": 0.0}, {"order": 11}, {"walks": -1}, {"seed": -1}])
def test_wrong_numbers(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match="expected"):
        Pack(**wrong)  # type: ignore[arg-type]


def test_no_worlds(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one whole world"):
        list(pack_worlds((), tmp_path, Pack()))


def yard(rng: np.random.Generator) -> WalkSurface:
    """A hilly square of 6 m with a wall that has a gap."""
    n, m = 61, 30
    blocked = np.zeros((n, n), bool)
    blocked[36] = True
    blocked[36, 20:24] = rng.random() < 0.5
    floor = (-1.6 + 0.2 * np.sin(np.arange(n) / 9)[:, None] * np.ones(n)).astype(np.float32)
    floor[m, m] = -1.6
    return WalkSurface(floor, blocked.astype(np.float32), blocked, ~blocked, ~blocked, 0.1, 4.0)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 40))
def test_walks_stay_on_the_ground_and_are_gentle(seed: int, seconds: float) -> None:
    ground = yard(np.random.default_rng(seed))
    walk = random_walk(ground, seconds, np.random.default_rng(seed))
    assert walk.times_s[0] == 0
    assert walk.seconds == pytest.approx(seconds)
    cells = np.rint(walk.positions[:, :2] / ground.cell_m).astype(int) + 30
    assert ground.walkable[cells[:, 0], cells[:, 1]].all()
    assert np.allclose(walk.positions[:, 2], ground.floor_m[cells[:, 0], cells[:, 1]] + 1.6, atol=1e-6)
    assert np.linalg.norm(walk.positions[:, :2], axis=1).max() <= ground.comfortable_radius_m + 0.1
    step_s = np.diff(walk.times_s)
    assert step_s.max() <= KEY_S + 1e-9
    assert (np.linalg.norm(np.diff(walk.positions[:, :2], axis=0), axis=1) <= SPEED_M_S * step_s + 1e-6).all()
    assert (np.abs(np.diff(walk.yaw)) <= TURN_RAD_S * step_s + 1e-9).all()


@given(st.integers(0, 2**32 - 1))
def test_without_a_ground_one_stays_near(seed: int) -> None:
    place = random_place(None, np.random.default_rng(seed))
    assert np.linalg.norm(place) <= 0.5
    assert np.abs(random_walk(None, 8.0, np.random.default_rng(seed)).positions).max() <= 0.5
