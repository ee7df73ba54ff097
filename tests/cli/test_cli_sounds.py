"""`sonoworld sounds`: one sound alone, and the list of what there is."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from sonoworld.cli import main
from sonoworld.disk.wav import read_sound
from sonoworld.sound.vocabulary import PHRASES


def test_a_label_becomes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "rain.wav"
    main(["sounds", "heavy rain", "-o", str(out), "--seconds", "4", "--seed", "3"])
    told = capsys.readouterr().out
    assert "synth: rain" in told
    assert "4.00 s at 48000 Hz" in told
    assert "-23.0 LUFS" in told
    assert "CC0-1.0" in told
    assert "reverberation: cannot be told" in told
    first = out.read_bytes()
    main(["sounds", "heavy rain", "-o", str(out), "--seconds", "4", "--seed", "3"])
    assert out.read_bytes() == first
    main(["sounds", "heavy rain", "-o", str(out), "--seconds", "4", "--seed", "4"])
    assert out.read_bytes() != first
    sound = read_sound(out)
    assert sound.samples.shape == (1, 4 * 48_000)
    assert sound.note == "synth: rain"


def test_peaks_fit_and_the_file_says_how(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "clock.wav"
    main(["sounds", "clock", "-o", str(out), "--seconds", "4"])
    assert np.abs(read_sound(out).samples).max() <= 0.9
    assert "dB softer than in a world" in capsys.readouterr().out


def test_how_it_dies_away_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["sounds", "typewriter", "-o", str(tmp_path / "typewriter.wav"), "--seconds", "4"])
    assert "reverberation: 60 dB in 0." in capsys.readouterr().out


def test_the_name_comes_from_the_label(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["sounds", "zzwindzz", "--seconds", "4"])
    assert (tmp_path / "zzwindzz.wav").is_file()
    assert "nearest to 'zzwindzz'" in capsys.readouterr().out


def test_ones_own_recordings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sf.write(tmp_path / "brook.flac", 0.1 * np.random.default_rng(0).standard_normal(6 * 48_000), 48_000)
    (tmp_path / "sounds.toml").write_text('author = "Ann"\nlicence = "CC0-1.0"\n')
    arguments = ["--backend", "folder", "--set", f"path={tmp_path}", "--set", "otherwise=fail", "--seconds", "5"]
    main(["sounds", "brook", "-o", str(tmp_path / "out.wav"), *arguments])
    told = capsys.readouterr().out
    assert "folder: brook.flac" in told
    assert "Ann, CC0-1.0" in told
    (tmp_path / "out.wav").unlink()
    with pytest.raises(SystemExit):
        main(["sounds", "dog", "-o", str(tmp_path / "out.wav"), *arguments])
    assert "expected a recording of 'dog'" in capsys.readouterr().err
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "expected a label"),
        (("rain", "-o", "rain.mp3"), "ends in .wav"),
        (("rain", "--backend", "none"), "sound.backend: expected one of"),
        (("rain", "--set", "no=1"), "sound.no: no such option"),
        (("rain", "--seconds", "2"), "sound.seconds"),
    ],
)
def test_mistakes_are_one_message(
    arguments: tuple[str, ...],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["sounds", *arguments])
    assert says in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_list_names_every_class_and_backend(capsys: pytest.CaptureFixture[str]) -> None:
    main(["sounds", "--list"])
    told = capsys.readouterr().out
    assert all(name in told for name in PHRASES)
    assert "--backend synth" in told
    assert "--backend folder" in told
