"""The film that comes with a world, and films by `render`: what is kept, what is remade, and never silently none."""

import shutil
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from sonoworld import filming
from sonoworld.cli import main
from sonoworld.disk import mp4
from sonoworld.disk.scene import check_scene
from sonoworld.render.film import Shot

from .conftest import SETTINGS

MAKING = tuple(setting for setting in SETTINGS if setting != "--no-film")


@pytest.fixture
def mine(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the world; its film is to be tiny."""
    monkeypatch.setattr(filming, "SHARED", Shot(size_px=(64, 36), frames_hz=5, seconds=1.0))
    shutil.copytree(world, tmp_path / "world")
    return tmp_path / "world"


def create(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    main(["create", *map(str, arguments)])
    return capsys.readouterr().out


def test_a_film_is_added_kept_and_remade(mine: Path, demo_photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "pictures at" in create(capsys, demo_photo, mine, *MAKING)
    assert check_scene(mine) == ()
    with av.open(str(mine / "film.mp4")) as container:
        assert container.streams.video[0].frames == 5
        assert container.streams.audio[0].codec_context.channels == 2
    before = (mine / "film.mp4").stat().st_mtime_ns, (mine / "film.mp4").read_bytes()
    assert "pictures at" not in create(capsys, demo_photo, mine, *MAKING)
    create(capsys, demo_photo, mine, *SETTINGS)  # --no-film makes none, and takes none away that is true
    assert ((mine / "film.mp4").stat().st_mtime_ns, (mine / "film.mp4").read_bytes()) == before
    create(capsys, demo_photo, mine, *SETTINGS, "--set", "sound.seconds=5")
    assert not (mine / "film.mp4").exists()  # of what the world was before
    assert not (mine / "film.sheet.png").exists()
    assert check_scene(mine) == ()
    assert {p.name for p in mine.parent.iterdir()} == {"world"}


def test_without_pyav_one_line_says_how(
    mine: Path, demo_photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    out = create(capsys, demo_photo, mine, *MAKING)
    (line,) = [line for line in out.splitlines() if "none:" in line]
    assert "pip install 'sonoworld[film]'" in line
    assert f"sonoworld film {mine}" in line
    assert (mine / "walk.json").is_file()
    assert check_scene(mine) == ()


def test_ctrl_c_leaves_the_world_whole(
    mine: Path, demo_photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pressed(*_: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("sonoworld.render.film.developed", pressed)
    with pytest.raises(SystemExit) as caught:
        create(capsys, demo_photo, mine, *MAKING)
    assert caught.value.code == 130
    assert "the world is whole without it" in capsys.readouterr().out
    assert check_scene(mine) == ()
    assert {p.name for p in mine.parent.iterdir()} == {"world"}


@pytest.mark.parametrize(("format_", "channels"), [("video", 2), ("video-360", 4)])
def test_render_makes_films(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_: str, channels: int
) -> None:
    monkeypatch.setattr("sonoworld.cli.film.SIZES", {"flat": "64x36", "360": "64x32"})
    out = tmp_path / "a.mp4"
    main(["render", str(world), str(out), "--format", format_, "--seconds", "0.2"])
    with av.open(str(out)) as container:
        assert container.streams.video[0].frames == 6
        assert container.streams.audio[0].codec_context.channels == channels
    assert (b"SA3D" in out.read_bytes()) == (format_ == "video-360")


def test_render_refuses_loudspeakers_in_films(world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["render", str(world), str(tmp_path / "a.mp4"), "--format", "video", "--facing", "ahead"])
    assert "expected a --format of loudspeakers" in capsys.readouterr().err


@pytest.mark.parametrize("channels", [2, 4])
def test_pcm_loses_less_than_a_step_of_24_bits(tmp_path: Path, channels: int) -> None:
    signal = np.random.default_rng(4).uniform(-1, 1, (channels, 48000)).astype(np.float32)
    size = (32, 64, 3)
    out = tmp_path / "a.mp4"
    mp4.write_film(out, [np.zeros(size, np.uint8)] * 10, 10, mp4.Sound(signal, "pcm"))
    with av.open(str(out)) as container:
        assert container.streams.audio[0].codec_context.name == "pcm_s24le"
        parts = [frame.to_ndarray().reshape(-1, channels).T for frame in container.decode(audio=0)]
    assert np.abs(np.concatenate(parts, 1) / 2**31 - signal).max() <= 2.0**-23
    assert (b"SA3D" in out.read_bytes()) == (channels == 4)
