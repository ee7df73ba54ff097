"""The command line's sound files: channels, masks, conventions, and a layout of one's own."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from sonoworld.cli import hear, main
from sonoworld.disk.ambix import read_ambix
from sonoworld.disk.wav import write_wav
from sonoworld.errors import InputError
from sonoworld.render.speakers import LAYOUTS
from sonoworld.types import Clip, Source, Spread

OWN = {"name": "desk", "speakers": [{"label": "L", "azimuth_deg": 22}, {"label": "R", "azimuth_deg": -22}]}


@pytest.fixture(autouse=True)
def bell_at_the_left(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 4800).astype(np.float32)
    point = np.array([[1.0, 2.0, 0.0]], np.float32)
    clip = Clip(samples, 48_000, True, 23.0, "test", "CC0-1.0")
    bell = Source(
        "s", "s", "s", Spread.POINT, 70.0, 1.0, "test", point, 0 * point, np.ones(1, np.float32), 0.0, clip=clip
    )
    monkeypatch.setattr(hear, "load_sources", lambda scene: (bell,))


def rendered(out: Path, *options: str) -> np.ndarray:
    main(["render", "x", str(out), "--seconds", "0.5", *options])
    return sf.read(out, always_2d=True)[0].T


def fmt_chunk(path: Path) -> tuple[int, int]:
    """Format and channel mask (0 where there is none)."""
    data = path.read_bytes()
    at = data.index(b"fmt ")
    size, kind = struct.unpack("<IH", data[at + 4 : at + 10])
    return kind, struct.unpack("<I", data[at + 28 : at + 32])[0] if size == 40 else 0


@pytest.mark.parametrize("name", LAYOUTS)
def test_loudspeaker_files(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a.wav"
    layout = LAYOUTS[name]
    heard = rendered(out, "--format", name)
    labels = " ".join(one.label for one in layout.speakers)
    assert f"{name}, order 3, {len(labels.split())} channels" in (said := capsys.readouterr().out)
    assert f"{labels}; one gain of" in said
    assert heard.shape == (len(layout.speakers), 24000)
    assert fmt_chunk(out) == ((3, 0) if name == "stereo" else (0xFFFE, layout.wave_mask))
    with sf.SoundFile(out) as file:
        assert file.comment == f"Loudspeakers {name}: {labels}"
    power = (heard**2).mean(1)
    left = [i for i, one in enumerate(layout.speakers) if one.label.endswith("L") and not one.lfe]
    right = [i for i, one in enumerate(layout.speakers) if one.label.endswith("R")]
    assert power[left].sum() > 4 * power[right].sum()
    assert 0.01 < np.abs(heard).max() < 10 ** (-1 / 20)


def test_sound_fields_in_three_conventions_are_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fields = []
    for convention in ("ambix", "n3d", "fuma"):
        rendered(tmp_path / "a.wav", "--format", convention, "--order", "2")
        assert "9 channels" in capsys.readouterr().out
        fields.append(read_ambix(tmp_path / "a.wav", convention))
    for other in fields[1:]:
        np.testing.assert_allclose(other.signal, fields[0].signal, atol=1e-7)


@pytest.mark.parametrize("ending", ["json", "toml"])
def test_a_layout_file(ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / f"desk.{ending}"
    rows = "".join(f'[[speakers]]\nlabel = "{r["label"]}"\nazimuth_deg = {r["azimuth_deg"]}\n' for r in OWN["speakers"])
    file.write_text(json.dumps(OWN) if ending == "json" else f'name = "desk"\n{rows}', "utf-8")
    heard = rendered(tmp_path / "a.wav", "--format", "speakers", "--layout", str(file))
    assert "L R; one gain of" in capsys.readouterr().out
    assert (heard[0] ** 2).sum() > 2 * (heard[1] ** 2).sum()


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.json", "{", "expected JSON"),
        ("a.toml", "= 3", "expected TOML"),
        ("a.toml", "# " + "x" * 70000, "expected at most 65536 bytes"),
        ("a.toml", "speakers = 3", "layout.speakers"),
        ("a.json", '{"speakers": [{"label": "L"}]}', "2..64 loudspeakers"),
        ("none.toml", None, "cannot be read"),
    ],
)
def test_a_bad_layout_file_is_one_clear_error(
    name: str, text: str | None, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / name
    if text is not None:
        file.write_text(text, "utf-8")
    with pytest.raises(SystemExit) as caught:
        rendered(tmp_path / "a.wav", "--format", "speakers", "--layout", str(file))
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert str(file) in error
    assert says in error
    assert not (tmp_path / "a.wav").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--format", "speakers"], "without --layout"),
        (["--format", "5.1", "--layout", "x.json"], "with --layout"),
        (["--format", "fuma", "--order", "4"], "expected 0..3 for fuma, got 4"),
        (["--format", "7.1.4", "--order", "11"], "expected 0..10 for 7.1.4, got 11"),
        (["--format", "5.1", "--hrtf", "sphere"], "expected --format binaural"),
    ],
)
def test_options_that_do_not_go_together(
    options: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        rendered(tmp_path / "a.wav", *options)
    assert caught.value.code == 2
    assert says in capsys.readouterr().err


def test_a_mask_has_a_bit_for_every_channel(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="mask of 3 bits, got 0x3f"):
        write_wav(tmp_path / "a.wav", np.zeros((3, 4), np.float32), 48000, speaker_mask=0x3F)
