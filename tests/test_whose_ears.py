"""Whose ears: what is asked for is what is heard, and one line says so."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from sofa_files import content_of, small
from sonoworld.cli import hear, main
from sonoworld.disk.ambix import read_ambix
from sonoworld.errors import ShapeError, UnsafeFileError
from sonoworld.render.ears import OURS, ears
from sonoworld.render.hrirs import fibonacci_sphere
from sonoworld.render.hrtf import hrir
from sonoworld.types import Clip, Source, Spread


@pytest.fixture
def sofa(tmp_path: Path) -> Path:
    return content_of(small()).write(tmp_path / "mine.sofa")


@pytest.fixture
def one_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 4800).astype(np.float32)
    point = np.array([[2.0, 3.0, 0.0]], np.float32)
    clip = Clip(samples, 48_000, True, 23.0, "test", "CC0-1.0")
    bell = Source(
        "s", "s", "s", Spread.POINT, 70.0, 1.0, "test", point, -point / np.float32(np.sqrt(13)),
        np.ones(1, np.float32), 0.0, clip=clip,
    )  # fmt: skip
    monkeypatch.setattr(hear, "load_sources", lambda scene: (bell,))


def test_by_name(sofa: Path) -> None:
    for name in OURS:
        np.testing.assert_array_equal(ears(name, 2).filters, hrir(name, 2))
    mine = ears(str(sofa), 2)
    np.testing.assert_array_equal(mine.filters, hrir(sofa, 2))
    assert mine.line.startswith(f"{sofa}: T. Ester, a test, none: SimpleFreeFieldHRIR, 120 directions, 96 taps")


def test_nothing_else_is_taken_instead(tmp_path: Path) -> None:
    for wrong in ("Kemar", str(tmp_path / "none.sofa")):
        with pytest.raises(UnsafeFileError, match="No such file"):
            ears(wrong, 1)
    with pytest.raises(ShapeError, match=r"1\.\.7"):
        ears("kemar", 8)


@pytest.mark.usefixtures("one_bell")
def test_the_command_line_says_whose_ears(sofa: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heard = {}
    for name, says in (("kemar", "ears: MIT KEMAR"), (str(sofa), "120 directions, 96 taps at 48 kHz, radius 1.4 m")):
        main(["render", "x", str(tmp_path / "a.wav"), "--order", "2", "--seconds", "0.5", "--hrtf", name])
        assert says in capsys.readouterr().out
        heard[name] = sf.read(tmp_path / "a.wav")[0]
    kemar, mine = heard.values()
    assert kemar.shape == mine.shape == (24000, 2)
    assert np.abs(kemar - mine).max() > 0.01


@pytest.mark.usefixtures("one_bell")
def test_a_sound_field_has_no_ears_but_a_level(sofa: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a.wav"
    main(["render", "x", str(out), "--format", "ambix", "--seconds", "0.1"])
    field = read_ambix(out)
    assert (field.order, field.full_scale_db, field.rate_hz) == (3, 100.0, 48000)
    assert "order 3, 16 channels" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["render", "x", str(out), "--format", "ambix", "--hrtf", str(sofa)])
    assert "expected --format binaural" in capsys.readouterr().err


@pytest.mark.usefixtures("one_bell")
def test_a_bad_file_is_one_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = content_of(small())
    content.data["SourcePosition"] = 60 * np.abs(fibonacci_sphere(120))  # all above, ahead and to the left
    bad = content.write(tmp_path / "bad.sofa")
    with pytest.raises(SystemExit) as caught:
        main(["render", "x", str(tmp_path / "a.wav"), "--hrtf", str(bad)])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert str(bad) in error
    assert error.count("\n") == 1
    assert not (tmp_path / "a.wav").exists()
