"""`sonoworld learn`: from a recording to a room that is heard."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from sonoworld.acoustics import OCTAVES_HZ, LateField, Room, diffuse_covariance, plain_emitter, shoebox
from sonoworld.acoustics.heard import room_response
from sonoworld.acoustics.response import Grid
from sonoworld.disk.ambix import write_ambix
from sonoworld.disk.room_file import read_room
from sonoworld.disk.scene import check_scene
from sonoworld.types import SoundField

from .test_cli import fails, run

B, RATE = len(OCTAVES_HZ), 48000
SIZE, EYE, PLACE = (6.0, 4.5, 3.0), (2.5, 2.0, 1.4), np.array([1.7, 0.6, 0.2])
BOX = ("--size", *SIZE, "--eye", *EYE)


@pytest.fixture(scope="module")
def response() -> np.ndarray:
    alpha = np.repeat(np.array([0.2, 0.35, 0.5, 0.15, 0.6, 0.25])[:, None], B, 1)
    late = LateField(np.full(B, 0.4), np.full(B, -6.0), 0.03, diffuse_covariance())
    room = Room(shoebox(SIZE, EYE, alpha), late, 2)
    return room_response(room, plain_emitter(), PLACE, np.zeros(3), Grid(28800, RATE, air=False))


@pytest.fixture
def mine(world: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(world, tmp_path / "world"))


def recorded(file: Path, signal: np.ndarray) -> Path:
    write_ambix(file, SoundField(signal.astype(np.float32), RATE, 100.0))
    return file


def test_a_response_becomes_a_room_that_is_heard(
    mine: Path, response: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recorded(tmp_path / "h.wav", response)
    told = run(capsys, "learn", "room", mine, "--recording", file, "--source", "1.7,0.6,0.2", *BOX, "--reach", "0.1")
    assert "fitted to sound: 6 walls" in told
    room, _ = read_room(mine)
    np.testing.assert_allclose(room.walls.absorption[:, 3], [0.2, 0.35, 0.5, 0.15, 0.6, 0.25], atol=0.05)
    assert (mine / "room.fit.png").read_bytes().startswith(b"\x89PNG")
    assert check_scene(mine) == ()
    run(capsys, "edit", mine, "move", "birds", "--to", 1.5, 0.5, 0.1)  # into the room
    out = [tmp_path / name for name in ("room.wav", "dry.wav")]
    assert "room fitted to sound" in run(capsys, "render", mine, out[0], "--format", "ambix", "--seconds", "1")
    assert "room fitted" not in run(capsys, "render", mine, out[1], "--format", "ambix", "--seconds", "1", "--dry")
    wet, dry = (np.asarray(sf.read(file)[0]) for file in out)
    assert wet.shape == dry.shape
    assert np.mean((wet - dry) ** 2) > 1e-4 * np.mean(dry**2)


def test_a_recording_with_its_dry_sound(
    mine: Path, response: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dry = np.random.default_rng(0).standard_normal(48000).astype(np.float32) * 0.1
    n = 1 << 17
    wet = np.fft.irfft(np.fft.rfft(response, n) * np.fft.rfft(dry, n), n)[:, : 48000 + 28800]
    file = recorded(tmp_path / "r.wav", wet)
    sf.write(tmp_path / "dry.wav", dry, RATE, subtype="FLOAT")
    given = ("--recording", file, "--dry", tmp_path / "dry.wav", "--source", "1.7,0.6,0.2", "--reach", "0", *BOX)
    run(capsys, "learn", "room", mine, *given)
    room, _ = read_room(mine)
    assert room.late is not None
    assert room.late.t60_s[3] == pytest.approx(0.4, rel=0.1)
    np.testing.assert_allclose(room.walls.absorption[:, 3], [0.2, 0.35, 0.5, 0.15, 0.6, 0.25], atol=0.08)


def test_a_recording_alone(
    mine: Path, response: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = np.zeros(RATE * 4)
    rng = np.random.default_rng(1)
    for start in range(0, RATE * 4 - 9600, 38400):
        words[start : start + 9600] = rng.standard_normal(9600)
    n = 1 << 18
    wet = 0.1 * np.fft.irfft(np.fft.rfft(response, n) * np.fft.rfft(words, n), n)[:, : RATE * 4]
    file = recorded(tmp_path / "r.wav", wet)
    run(capsys, "learn", "room", mine, "--recording", file, "--kind", "recording", "--source", "1.7,0.6,0.2", *BOX)
    room, emitter = read_room(mine)
    assert emitter is None
    assert room.late is not None
    assert np.median(room.late.t60_s[2:6]) == pytest.approx(0.4, rel=0.25)


def test_a_guess_is_written_and_heard(mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "1 walls" in run(capsys, "learn", "guess", mine, "--ground", "grass")
    assert read_room(mine)[0].walls.materials == ("grass",)
    assert "6 walls" in run(capsys, "learn", "guess", mine, "--place", "indoors")
    assert "guessed" in run(capsys, "render", mine, tmp_path / "a.wav", "--seconds", "0.5")


def test_what_is_wrong_is_said(mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = recorded(tmp_path / "h.wav", np.zeros((4, 4800)))
    assert "as many --source" in fails(capsys, 2, "learn", "room", mine, "--recording", file)
    said = fails(capsys, 2, "learn", "room", mine, "--recording", file, "--source", "a ghost")
    assert "X,Y,Z" in said
    assert "silence" in fails(capsys, 2, "learn", "room", mine, "--recording", file, "--source", "1,0,0", *BOX)
    (mine / "room.json").write_text("{}")
    assert "room.json" in fails(capsys, 2, "render", mine, tmp_path / "a.wav", "--seconds", "0.5")
    assert check_scene(mine)[0].file == "room.json"
