"""`learn separate` on a small real world: stems that add up to the recording, a record, and errors before any work."""

import json
from pathlib import Path

import numpy as np
import pytest

from sonoworld.acoustics.bands import BANDS
from sonoworld.acoustics.room import Room, shoebox
from sonoworld.cli.learn_separate import Separate, fitted_responses, separate
from sonoworld.disk.ambix import read_ambix, write_ambix
from sonoworld.disk.room_file import ROOM_FILE, write_room
from sonoworld.disk.scene import load_sources
from sonoworld.disk.wav import read_wav
from sonoworld.encode import EncodeOptions, encode_scene
from sonoworld.errors import InputError
from sonoworld.frames import Pose
from sonoworld.types import SoundField, Spread


@pytest.fixture
def recording(world: Path, tmp_path: Path) -> Path:
    field = encode_scene(load_sources(world), Pose.identity(), EncodeOptions(order=1), 48000)
    write_ambix(tmp_path / "mixture.wav", field)
    return tmp_path / "mixture.wav"


def test_stems_add_up(world: Path, recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "stems"
    separate(Separate(recording, world, out))
    names = [source.id for source in load_sources(world)]
    assert {p.name for p in out.iterdir()} == {
        "residual.wav", "stems.json", *(f"{n}.wav" for n in names), *(f"{n}.field.wav" for n in names)
    }  # fmt: skip
    total = read_ambix(out / "residual.wav").signal + sum(read_ambix(out / f"{n}.field.wav").signal for n in names)
    mixture = read_ambix(recording).signal
    np.testing.assert_allclose(total, mixture, atol=1e-4 * float(np.abs(mixture).max()) + 1e-7)
    mono, rate_hz = read_wav(out / f"{names[0]}.wav")
    assert mono.shape == (1, 48000)
    assert rate_hz == 48000
    record = json.loads((out / "stems.json").read_text())
    assert [stem["id"] for stem in record["stems"]] == names
    assert f"{len(names)} stems of 1.0 s" in capsys.readouterr().out


def test_what_it_will_not_do(world: Path, recording: Path, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="empty"):
        separate(Separate(recording, world, full))
    write_ambix(tmp_path / "w.wav", SoundField(np.zeros((1, 4800), np.float32), 48000))
    with pytest.raises(InputError, match="order 1"):
        separate(Separate(tmp_path / "w.wav", world, tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_the_fitted_room_of_a_world_is_a_way_to_hear_its_points(world: Path, recording: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="learn room"):
        separate(Separate(recording, world, tmp_path / "stems", room=True))
    points = [s for s in load_sources(world) if s.spread is Spread.POINT]
    high = max(float(np.abs(s.centroid).max()) for s in points if s.centroid is not None) + 2
    write_room(
        world,
        Room(shoebox((2 * high, 2 * high, 2 * high), (high, high, high), np.full((6, BANDS), 0.3)), None, order=1),
    )
    try:
        field = read_ambix(recording)
        ahead = fitted_responses(world, points, Pose.identity(), field)
        back = fitted_responses(world, points, Pose(np.diag([-1.0, -1.0, 1.0]), np.zeros(3)), field)
        assert set(ahead) == {s.id for s in points}
        for name, h in ahead.items():
            np.testing.assert_allclose(h * [[1], [-1], [1], [-1]], back[name], atol=1e-6)
        separate(Separate(recording, world, tmp_path / "stems", room=True))
        assert (tmp_path / "stems" / "stems.json").is_file()
    finally:
        (world / ROOM_FILE).unlink()
