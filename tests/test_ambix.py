"""Ambisonic files: conventions, level and order survive; other programs find what they expect."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st

from sonoworld.disk.ambix import Convention, read_ambix, write_ambix
from sonoworld.encode.harmonics import channel_degrees, harmonics
from sonoworld.errors import ShapeError, UnsafeFileError
from sonoworld.types import FULL_SCALE_DB, SoundField


def field(order: int, level_db: float = FULL_SCALE_DB) -> SoundField:
    signal = np.random.default_rng(order).uniform(-2, 2, ((order + 1) ** 2, 50)).astype(np.float32)
    return SoundField(signal, 48000, level_db)


@given(
    order=st.integers(0, 10),
    convention=st.sampled_from(["ambix", "n3d", "fuma"]),
    level_db=st.sampled_from([100.0, 94.0, 0.0, -6.5, 127.25]),
)
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory, order: int, convention: Convention, level_db: float
) -> None:
    path = tmp_path_factory.mktemp("ambix") / "a.wav"
    sent = field(order, level_db)
    if convention == "fuma" and order > 3:
        with pytest.raises(ShapeError, match=r"0\.\.3"):
            write_ambix(path, sent, convention)
        return
    write_ambix(path, sent, convention)
    back = read_ambix(path, convention)
    np.testing.assert_allclose(back.signal, sent.signal, rtol=3e-7)
    assert (back.rate_hz, back.full_scale_db, back.order) == (48000, level_db, order)


def test_what_other_programs_find(tmp_path: Path) -> None:
    # a plane wave from 60° to the left, 20° up
    direction = np.array(
        [np.cos(np.pi / 3) * np.cos(np.pi / 9), np.sin(np.pi / 3) * np.cos(np.pi / 9), np.sin(np.pi / 9)]
    )
    wave = SoundField(harmonics(direction, 3)[:, None].astype(np.float32).repeat(10, 1), 48000)
    for convention in ("ambix", "n3d", "fuma"):
        write_ambix(tmp_path / f"{convention}.wav", wave, convention)
    x, y, z = direction
    ambix, n3d, fuma = (sf.read(tmp_path / f"{name}.wav")[0][0] for name in ("ambix", "n3d", "fuma"))
    np.testing.assert_allclose(ambix[:4], [1, y, z, x], rtol=1e-6)
    np.testing.assert_allclose(n3d, ambix * np.sqrt(2 * np.array(channel_degrees(3)) + 1), rtol=1e-6)
    np.testing.assert_allclose(fuma[:4], [np.sqrt(0.5), x, y, z], rtol=1e-6)
    with sf.SoundFile(tmp_path / "ambix.wav") as file:
        assert file.comment == "Ambisonics ambix (ACN, SN3D), order 3; 0 dBFS RMS is 100 dB SPL"
        assert file.format == "WAVEX"
    # the identifier of .amb files: SUBTYPE_AMBISONIC_B_FORMAT_IEEE_FLOAT {00000003-0721-11d3-8644-C8C1CA000000}
    assert bytes.fromhex("03000000 2107 d311 8644 c8c1ca000000") in (tmp_path / "fuma.wav").read_bytes()


@pytest.mark.parametrize(("kind", "suffix"), [("CAF", "caf"), ("W64", "w64"), ("RF64", "wav"), ("FLAC", "flac")])
def test_files_of_others_count_as_full_scale(tmp_path: Path, kind: str, suffix: str) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (100, 4))
    path = tmp_path / f"a.{suffix}"
    sf.write(path, x, 44100, format=kind, subtype="PCM_24")
    back = read_ambix(path)
    np.testing.assert_allclose(back.signal.T, x, atol=2e-7)
    assert (back.rate_hz, back.full_scale_db) == (44100, FULL_SCALE_DB)


def test_a_file_is_believed_about_itself(tmp_path: Path) -> None:
    for said in ("ambix", "n3d", "fuma"):
        write_ambix(tmp_path / "a.wav", field(2), said)
        for asked in ("ambix", "n3d", "fuma"):
            if asked != said:
                with pytest.raises(UnsafeFileError, match=f"expected convention {asked}, got .*{said}"):
                    read_ambix(tmp_path / "a.wav", asked)
    # .amb of another program: no note, only the identifier
    write_ambix(tmp_path / "a.amb", field(1), "fuma")
    data = (tmp_path / "a.amb").read_bytes().replace(b"Ambisonics", b"something!")
    (tmp_path / "a.amb").write_bytes(data)
    with pytest.raises(UnsafeFileError, match="fuma"):
        read_ambix(tmp_path / "a.amb")
    np.testing.assert_allclose(read_ambix(tmp_path / "a.amb", "fuma").signal, field(1).signal, rtol=3e-7)


def test_channel_counts_and_conventions(tmp_path: Path) -> None:
    for channels, convention in ((3, "ambix"), (7, "n3d"), (25, "fuma"), (128, "ambix")):
        sf.write(tmp_path / "a.wav", np.zeros((9, channels)), 48000, subtype="FLOAT")
        with pytest.raises(UnsafeFileError, match=rf"a\.wav: .*expected .*, got .*{channels}"):
            read_ambix(tmp_path / "a.wav", convention)
