"""`sonoworld film` on a small real world: the file, the sheet, the line, and errors before anything takes time."""

import re
import sys
from pathlib import Path

import av
import cv2
import pytest

from sonoworld.cli import main
from sonoworld.cli.film import Making, make_film
from sonoworld.disk.scene import load_lite
from sonoworld.render import default_walk
from sonoworld.render.film import Shot

TINY = ("--size", "64x36", "--seconds", "0.5", "--fps", "10")


def fails(capsys: pytest.CaptureFixture[str], code: int, *arguments: object) -> str:
    with pytest.raises(SystemExit) as caught:
        main(["film", *map(str, arguments)])
    assert caught.value.code == code
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_film_and_contact_sheet(world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "film.mp4"
    main(["film", str(world), str(out), *TINY])
    line = capsys.readouterr().out
    assert re.search(r"flat, 64×36, 5 pictures at 10/s, 0\.5 s, two ears, one gain of [+-]\d+\.\d dB", line)
    with av.open(str(out)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 5
    sheet = cv2.imread(str(tmp_path / "film.sheet.png"))
    assert sheet is not None
    assert sheet.shape[1] == 4 * 328
    assert {p.name for p in tmp_path.iterdir()} == {"film.mp4", "film.sheet.png"}


def test_360_film_along_a_walk(world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, walk = tmp_path / "film.mp4", tmp_path / "walk.json"
    walk.write_text(
        '{"rate_hz": 5, "poses": [' + ", ".join(['{"position": [0, 0, 0], "yaw": 1, "pitch": 0}'] * 3) + "]}"
    )
    main(
        [
            "film",
            str(world),
            str(out),
            "--format",
            "360",
            "--size",
            "64x32",
            "--fps",
            "5",
            "--walk",
            str(walk),
            "--no-sheet",
        ]
    )
    assert "first-order AmbiX in the world's axes" in capsys.readouterr().out
    data = out.read_bytes()
    assert all(mark in data for mark in (b"SA3D", b"sv3d", b"st3d", b"equirectangular"))
    with av.open(str(out)) as container:
        assert container.streams.video[0].frames == 2
        assert container.streams.audio[0].codec_context.channels == 4
    assert not (tmp_path / "film.sheet.png").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--size", "64"), "--size: expected WIDTHxHEIGHT"),
        (("--size", "63x36"), "even sides"),
        (("--format", "360", "--size", "64x36"), "twice as wide as high"),
        (("--format", "360", "--order", "3"), "--order: expected 1 for 360"),
        (("--order", "8"), "--order: expected 1..7"),
        (("--seconds", "0"), "film length"),
        (("--fps", "0"), "film rate"),
    ],
)
def test_wrong_options_fail_at_once(
    options: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in fails(capsys, 2, "no-such-world", tmp_path / "film.mp4", *options)
    assert not list(tmp_path.iterdir())


def test_another_ending_is_refused(world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "ends in .mp4" in fails(capsys, 2, world, tmp_path / "film.mkv", *TINY)


def test_without_pyav(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    assert "pip install 'sonoworld[film]'" in fails(capsys, 3, world, tmp_path / "film.mp4", *TINY)
    assert not list(tmp_path.iterdir())


def test_ctrl_c_leaves_nothing(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pressed(*_: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("sonoworld.render.film.developed", pressed)
    with pytest.raises(SystemExit) as caught:
        main(["film", str(world), str(tmp_path / "film.mp4"), *TINY])
    assert caught.value.code == 130
    assert "interrupted" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_film_of_a_silent_world(world: Path, tmp_path: Path) -> None:
    shot = Shot(size_px=(64, 36), frames_hz=10, seconds=0.3)
    cut = make_film((load_lite(world), ()), default_walk(0.3), shot, tmp_path / "film.mp4", Making(sheet=False))
    assert cut.gain_db == 0
    assert 0 <= cut.holes < 0.05
