"""IAMF files, read back by FFmpeg and judged by a validator that others wrote."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from browser.courtyard import small_world
from sonoworld.encode.field import encode_scene
from sonoworld.encode.options import EncodeOptions
from sonoworld.errors import InputError
from sonoworld.frames import Pose
from sonoworld.view.export_iamf import FRAME, export_iamf, leb128, obu

SECONDS = 1.5


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("iamf") / "yard.iamf"
    export_iamf(small_world().sources, path, "A yard", SECONDS)
    return path


def heard(path: Path) -> np.ndarray:
    """Channels by FFmpeg."""
    av = pytest.importorskip("av", reason="PyAV is not installed: pip install av")
    channels: dict[int, list[np.ndarray]] = {}
    with av.open(str(path), format="iamf") as container:
        for packet in container.demux():
            for frame in packet.decode():
                assert frame.sample_rate == 48_000
                channels.setdefault(packet.stream_index, []).append(frame.to_ndarray().reshape(-1) / 2.0**31)
    return np.stack([np.concatenate(channels[i]) for i in sorted(channels)])


def test_ffmpeg_reads_the_sound_field_that_was_meant(file: Path) -> None:
    got = heard(file)
    samples = round(SECONDS * 48_000)
    assert samples % FRAME, "the last frame is not full, and its rest must not be heard"
    assert got.shape == (16, samples)
    sources = [source for source in small_world().sources if source.clip is not None]
    field = encode_scene(sources, Pose.identity(), EncodeOptions(order=3), samples, 48_000).signal
    scale = 0.98 / np.abs(field).max()
    np.testing.assert_allclose(got, field * scale, atol=2**-22)


def test_one_gain_is_told(tmp_path: Path) -> None:
    gain_db = export_iamf(small_world().sources, tmp_path / "a.iamf", "A", 1.0, order=1)
    got = heard(tmp_path / "a.iamf")
    assert got.shape == (4, 48_000)
    assert np.abs(got).max() == pytest.approx(0.98, abs=1e-5)
    sources = [source for source in small_world().sources if source.clip is not None]
    field = encode_scene(sources, Pose.identity(), EncodeOptions(order=1), 48_000, 48_000).signal
    assert gain_db == pytest.approx(20 * math.log10(0.98 / np.abs(field).max()), abs=1e-4)


def test_a_validator_finds_nothing_wrong(file: Path) -> None:
    pytest.importorskip("sentinel", reason="iamf-sentinel is not installed: pip install iamf-sentinel")
    from sentinel.cli import main  # noqa: PLC0415

    assert main(["validate", str(file)]) == 0


def test_same_world_same_bytes(file: Path, tmp_path: Path) -> None:
    export_iamf(small_world().sources, tmp_path / "again.iamf", "A yard", SECONDS)
    assert (tmp_path / "again.iamf").read_bytes() == file.read_bytes()


@given(st.integers(0, 2**32))
def test_leb128_counts_seven_bits_a_byte(value: int) -> None:
    data = leb128(value)
    assert sum((byte & 0x7F) << (7 * i) for i, byte in enumerate(data)) == value
    assert all(byte & 0x80 for byte in data[:-1])
    assert not data[-1] & 0x80


def test_headers_are_those_of_the_specification() -> None:
    """Section 3.2: type in five bits, then redundant, trimming, extension; size; samples to trim at end and start."""
    assert obu(31, b"iamf\0\0") == b"\xf8\x06iamf\0\0"
    assert obu(6, b"ab", 300) == b"\x32\x05\xac\x02\x00ab"


def test_silence_has_a_level_that_can_be_written(tmp_path: Path) -> None:
    source = next(source for source in small_world().sources if source.clip is not None)
    assert source.clip is not None
    silent = replace(source, clip=replace(source.clip, samples=np.zeros_like(source.clip.samples)))
    assert export_iamf((silent,), tmp_path / "a.iamf", "A", 1.0) == 0
    assert not heard(tmp_path / "a.iamf").any()


def test_what_cannot_be_written(tmp_path: Path) -> None:
    sources = small_world().sources
    for wrong, says in (((sources, 0.5, 3), "seconds"), ((sources, 2, 4), "order"), (((), 2, 3), "sources with sound")):
        what, seconds, order = wrong
        with pytest.raises(InputError, match=says):
            export_iamf(what, tmp_path / "a.iamf", "A", seconds, order)
    assert not (tmp_path / "a.iamf").exists()
