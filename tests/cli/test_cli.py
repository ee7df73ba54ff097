"""The command line as a person and a program use it: what it prints, what it writes, how it fails."""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from rich.console import Console

from sonoworld import frames, testing
from sonoworld.cli import main, tables
from sonoworld.disk.scene import check_scene, load_lite, load_scene
from sonoworld.encode.harmonics import harmonics

from .conftest import SETTINGS

SOURCE_KEYS = {
    "id", "label", "spread", "azimuth_deg", "elevation_deg", "distance_m", "level_db", "solid_angle_sr", "prompt",
    "confidence", "backend",
}  # fmt: skip


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    main([str(a) for a in arguments])
    return capsys.readouterr().out


def fails(capsys: pytest.CaptureFixture[str], code: int, *arguments: object) -> str:
    with pytest.raises(SystemExit) as caught:
        main([str(a) for a in arguments])
    assert caught.value.code == code
    return capsys.readouterr().err


def test_a_world_is_whole(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_scene(world) == ()
    scene = load_scene(world)
    assert len(load_lite(world)) <= 500_000
    assert len(scene.splats) > 512 * 256 * 0.5
    assert scene.sources
    assert all(source.clip is not None for source in scene.sources)
    assert "every file as it was made" in run(capsys, "check", world)


def test_sources_for_programs_and_people(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(run(capsys, "sources", world, "--json"))
    assert document["format"] == 1
    for source in document["sources"]:
        assert set(source) >= SOURCE_KEYS
        placed = source["spread"] != "ambient"
        assert (source["azimuth_deg"] is not None) == placed
    assert {s["id"] for s in document["sources"]} == {s.id for s in load_scene(world).sources}
    assert "What sounds where" in run(capsys, "sources", world)


def test_same_seed_same_bytes(world: Path, demo_photo: Path, tmp_path: Path) -> None:
    main(["create", str(demo_photo), str(tmp_path / "again"), *SETTINGS])
    for path in (p for p in world.rglob("*") if p.is_file()):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(world)).read_bytes(), path.name


def test_sources_by_hand_are_heard_where_they_were_put(
    world: Path, demo_photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "sources.toml"
    mine.write_text(
        '[[source]]\nlabel = "church bell"\nprompt = "a church bell"\nspread = "point"\nlevel_db = 90.0\n'
        "direction_deg = [40.0, 10.0]\n"
    )
    out = tmp_path / "world"
    shutil.copytree(world, out)
    settings = ("--set", "understand.backend=given", "--set", f"understand.path={mine}")
    run(capsys, "create", demo_photo, out, *SETTINGS, *settings)
    (source,) = json.loads(run(capsys, "sources", out, "--json"))["sources"]
    assert source["label"] == "church bell"
    np.testing.assert_allclose([source["azimuth_deg"], source["elevation_deg"]], [40.0, 10.0], atol=1e-3)
    run(capsys, "render", out, tmp_path / "a.wav", "--format", "ambix", "--order", 1, "--seconds", 3)
    signal, rate = sf.read(tmp_path / "a.wav", dtype="float64", always_2d=True)
    assert rate == 48000
    assert signal.shape == (3 * 48000, 4)
    w, y, z, x = signal.T
    intensity = np.array([(w * x).sum(), (w * y).sum(), (w * z).sum()])
    truth = frames.direction_from_angles(np.array(np.radians(40.0)), np.array(np.radians(10.0)))
    angle = np.degrees(np.arccos(np.clip(intensity @ truth / np.linalg.norm(intensity), -1, 1)))
    assert angle < 0.01


def test_binaural_follows_the_walk(world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    poses = [{"t": t, "position": [0, 0, 0], "yaw": 0.0, "pitch": 0.0} for t in (0.0, 2.0)]
    (tmp_path / "walk.json").write_text(json.dumps({"rate_hz": 30, "poses": poses}))
    out = run(capsys, "render", world, tmp_path / "a.wav", "--format", "binaural", "--walk", tmp_path / "walk.json")
    assert "gain" in out
    signal, _ = sf.read(tmp_path / "a.wav", always_2d=True)
    assert signal.shape == (2 * 48000, 2)
    assert 0.001 < np.abs(signal).max() < 1.0
    assert harmonics(np.array([1.0, 0, 0]), 1).shape == (4,)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("{}", "poses"),
        ('{"rate_hz": 30, "poses": []}', "poses"),
        ("not json", "JSON"),
        ('{"poses": [{"t": "x"}]}', "t"),
    ],
)
def test_a_bad_walk_is_one_clear_error(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], document: str, says: str
) -> None:
    (tmp_path / "walk.json").write_text(document)
    error = fails(capsys, 2, "render", world, tmp_path / "a.wav", "--walk", tmp_path / "walk.json")
    assert says in error
    assert not (tmp_path / "a.wav").exists()


@pytest.mark.parametrize("content", [b"", b"no photo", b"\xff\xd8\xff\xe0 broken"])
def test_bad_photos_write_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    error = fails(capsys, 2, "create", tmp_path / "a.jpg", tmp_path / "world")
    assert "a.jpg" in error
    assert error.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a.jpg"]


def test_bad_settings_write_nothing(demo_photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = fails(capsys, 2, "create", demo_photo, tmp_path / "world", "--set", "panorama.widht=3")
    assert "widht" in error
    error = fails(capsys, 2, "create", demo_photo, tmp_path / "world", "--recipe", "none-such")
    assert "embedded" in error
    assert not list(tmp_path.iterdir())


def test_not_a_scene(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("sources", "check"):
        assert "expected a scene folder" in fails(capsys, 2, verb, tmp_path)


def test_a_spoilt_world_is_named(world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoilt = tmp_path / "world"
    shutil.copytree(world, spoilt)
    (spoilt / "geometry.npz").write_bytes(b"?")
    assert "geometry.npz" in fails(capsys, 1, "check", spoilt)


def test_backends_recipe_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    listed = json.loads(run(capsys, "backends", "--json"))
    assert {"stage", "name", "version", "available", "reason", "licence", "commercial"} == set(listed[0])
    assert all(entry["available"] or entry["reason"] for entry in listed)
    here = {(entry["stage"], entry["name"]) for entry in listed if entry["available"]}
    assert here >= {("panorama", "embedded"), ("lift", "popup"), ("understand", "embedded"), ("sound", "synth")}
    assert "popup" in run(capsys, "backends")
    assert "[panorama]" in run(capsys, "recipe")
    assert "embedded" in run(capsys, "recipe", "--list")
    assert "viewer" in run(capsys, "doctor")


def test_help_names_every_verb() -> None:
    done = subprocess.run([sys.executable, "-m", "sonoworld", "--help"], capture_output=True, text=True, check=True)
    for verb in ("demo", "create", "view", "sources", "render", "export", "check", "backends", "recipe", "doctor"):
        assert verb in done.stdout


def test_words_of_strangers_are_only_words(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = dataclasses.replace(testing.tiny_sources()[0], prompt="[bold]boo[/bold] [link=x]y[/]")
    Console(width=200).print(tables.sources_table((hostile,)))
    assert "[bold]boo[/bold] [link=x]y[/]" in capsys.readouterr().out


def test_doctor_names_the_extra(capsys: pytest.CaptureFixture[str]) -> None:
    assert "sonoworld[cluster]" in run(capsys, "doctor")
