"""WAV files as written: what every other reader finds in them; sound files as read: whole, or one clear error."""

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st

from sonoworld.disk import riff, wav
from sonoworld.errors import InputError, UnsafeFileError

RNG = np.random.default_rng(0)


def noise(channels: int, frames: int) -> np.ndarray:
    return RNG.uniform(-1, 1, (channels, frames)).astype(np.float32)


def chunks(data: bytes) -> dict[bytes, bytes]:
    """Chunks of a RIFF or RF64 file by name, walked without our reader."""
    found: dict[bytes, bytes] = {}
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack("<I", data[at + 4 : at + 8])[0]
        body = data[at + 8 :] if size == riff.UNKNOWN else data[at + 8 : at + 8 + size]
        found[name] = body
        at += 8 + len(body) + len(body) % 2
    return found


@pytest.mark.parametrize("channels", [1, 2])
def test_plain_files_are_as_short_as_can_be(tmp_path: Path, channels: int) -> None:
    x = noise(channels, 7)
    wav.write_wav(tmp_path / "a.wav", x, 44100)
    data = (tmp_path / "a.wav").read_bytes()
    found = chunks(data)
    assert list(found) == [b"fmt ", b"fact", b"data"]
    assert struct.unpack("<HHIIHHH", found[b"fmt "]) == (3, channels, 44100, 176400 * channels, 4 * channels, 32, 0)
    assert struct.unpack("<I", data[4:8])[0] == len(data) - 8
    assert found[b"data"] == x.T.astype("<f4").tobytes()


def test_many_channels_are_not_loudspeakers(tmp_path: Path) -> None:
    x = noise(16, 100)
    wav.write_wav(tmp_path / "a.wav", x, 48000, note="sixteen")
    fmt = chunks((tmp_path / "a.wav").read_bytes())[b"fmt "]
    assert struct.unpack("<H", fmt[:2])[0] == 0xFFFE
    assert struct.unpack("<I", fmt[20:24])[0] == 0
    with sf.SoundFile(tmp_path / "a.wav") as file:
        assert (file.format, file.subtype, file.channels, file.comment) == ("WAVEX", "FLOAT", 16, "sixteen")
        np.testing.assert_array_equal(file.read(dtype="float32").T, x)


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("note", ["", "odd"])
def test_past_four_gigabytes_it_is_rf64(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, channels: int, note: str
) -> None:
    monkeypatch.setattr(riff, "MAX_RIFF_BYTES", 1000)
    x = noise(channels, 777)
    wav.write_wav(tmp_path / "a.wav", x, 48000, note=note)
    data = (tmp_path / "a.wav").read_bytes()
    assert data[:8] == b"RF64\xff\xff\xff\xff"
    total, samples, frames, table = struct.unpack("<QQQI", chunks(data)[b"ds64"])
    assert (total, samples, frames, table) == (len(data) - 8, 4 * channels * 777, 777, 0)
    with sf.SoundFile(tmp_path / "a.wav") as file:
        assert file.format == "RF64"
        np.testing.assert_array_equal(file.read(dtype="float32", always_2d=True).T, x)
    back = wav.read_sound(tmp_path / "a.wav")
    np.testing.assert_array_equal(back.samples, x)
    assert back.note == note


@given(st.integers(1, 128), st.integers(0, 2**31), st.sampled_from(["", "x", "no gain"]))
def test_the_header_is_riff_exactly_while_it_fits(channels: int, frames: int, note: str) -> None:
    layout = riff.Layout(channels, 48000, frames, note)
    made = riff.header(layout)
    total = len(made) + layout.data_bytes - 8
    if made[:4] == b"RIFF":
        assert struct.unpack("<I", made[4:8])[0] == total < 2**32 - 1
    else:
        assert struct.unpack("<Q", made[20:28])[0] == total
        assert total - 36 >= 2**32 - 1


def test_the_largest_riff_and_the_smallest_rf64() -> None:
    frames = (riff.MAX_RIFF_BYTES - 50) // 4
    assert riff.header(riff.Layout(1, 48000, frames))[:4] == b"RIFF"
    assert riff.header(riff.Layout(1, 48000, frames + 1))[:4] == b"RF64"


def test_what_cannot_be_written(tmp_path: Path) -> None:
    for bad in (np.zeros((0, 5), np.float32), np.zeros((129, 5), np.float32)):
        with pytest.raises(InputError, match=r"expected 1\.\.128 channels"):
            wav.write_wav(tmp_path / "a.wav", bad, 48000)
    assert not list(tmp_path.iterdir())


# --- reading ----------------------------------------------------------------------------------------------------------

FORMATS = {
    "a.wav": ("WAV", "PCM_16"), "b.wav": ("WAV", "PCM_24"), "c.wav": ("WAVEX", "FLOAT"), "d.wav": ("RF64", "PCM_32"),
    "e.w64": ("W64", "PCM_24"), "f.caf": ("CAF", "FLOAT"), "g.flac": ("FLAC", "PCM_24"), "h.ogg": ("OGG", "VORBIS"),
    "i.aiff": ("AIFF", "PCM_16"), "j.opus": ("OGG", "OPUS"), "k.wav": ("WAV", "ULAW"), "l.wav": ("WAV", "DOUBLE"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_every_kind_is_read(tmp_path: Path, name: str) -> None:
    x = 0.3 * np.sin(np.arange(70_000) / 20).astype(np.float32)
    stereo = np.stack([x, -x])
    kind, subtype = FORMATS[name]
    sf.write(tmp_path / name, stereo.T, 48000, format=kind, subtype=subtype)
    back, rate = wav.read_wav(tmp_path / name)
    assert rate == 48000
    assert back.shape == stereo.shape
    assert np.abs(back - stereo)[:, 1000:-1000].max() < {"VORBIS": 0.02, "OPUS": 0.05, "ULAW": 0.02}.get(subtype, 1e-4)


def test_big_endian_riff(tmp_path: Path) -> None:
    x = noise(2, 300)
    sf.write(tmp_path / "a.wav", x.T, 48000, format="WAV", subtype="FLOAT", endian="BIG")
    assert (tmp_path / "a.wav").read_bytes()[:4] == b"RIFX"
    np.testing.assert_array_equal(wav.read_wav(tmp_path / "a.wav")[0], x)


@pytest.mark.parametrize("name", ["a.wav", "d.wav", "e.w64", "f.caf", "g.flac", "i.aiff"])
def test_a_cut_file_is_not_a_shorter_sound(tmp_path: Path, name: str) -> None:
    kind, subtype = FORMATS[name]
    sf.write(tmp_path / name, noise(2, 50_000).T, 48000, format=kind, subtype=subtype)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(UnsafeFileError, match=r"expected .*, got ") as caught:
        wav.read_wav(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_a_stream_that_was_never_finished_is_read_to_its_end(tmp_path: Path) -> None:
    x = noise(1, 1000)
    wav.write_wav(tmp_path / "a.wav", x, 48000)
    data = bytearray((tmp_path / "a.wav").read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = data[4:8] = b"\xff" * 4
    (tmp_path / "a.wav").write_bytes(bytes(data))
    np.testing.assert_array_equal(wav.read_wav(tmp_path / "a.wav")[0], x)


def test_what_is_no_sound(tmp_path: Path) -> None:
    wav.write_wav(tmp_path / "a.raw", noise(1, 10), 48000)
    wav.write_wav(tmp_path / "empty.wav", np.zeros((1, 0), np.float32), 48000)
    (tmp_path / "b.wav").write_bytes(b"hello world")
    (tmp_path / "c.wav").write_bytes(b"")
    (tmp_path / "film.wav").write_bytes(b"RIFF\x20\0\0\0AVI " + bytes(60))
    x = np.full((4, 1), np.inf)
    sf.write(tmp_path / "inf.wav", x, 48000, subtype="FLOAT")
    sf.write(tmp_path / "slow.wav", np.zeros(9), 10, subtype="FLOAT")
    for name, got in (
        ("a.raw", "a name that says it has no header"), ("b.wav", "starts with b'hell'"), ("c.wav", "starts with b''"),
        ("film.wav", "AVI"), ("inf.wav", "NaN or infinity"), ("none.wav", "no such file"), ("", "folder"),
        ("empty.wav", "got 0×1"), ("slow.wav", r"1000\.\.768000 Hz, got 10"),
    ):  # fmt: skip
        with pytest.raises(UnsafeFileError, match=f"expected .*{got}"):
            wav.read_wav(tmp_path / name)


def test_a_promise_costs_no_memory(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.flac", np.zeros((4096, 1), np.int16), 48000)
    data = bytearray((tmp_path / "a.flac").read_bytes())
    # STREAMINFO: 36 bits of total samples end at byte 4 + 4 + 18
    lies = ((2**35, "samples in at most"), (2**29, "per stored byte"), (20_000_000, "cannot be decoded|was cut"))
    for frames, says in lies:
        data[21] = (data[21] & 0xF0) | (frames >> 32)
        data[22:26] = struct.pack(">I", frames & 0xFFFFFFFF)
        (tmp_path / "a.flac").write_bytes(bytes(data))
        tracemalloc.start()
        try:
            with pytest.raises(UnsafeFileError, match=says):
                wav.read_wav(tmp_path / "a.flac")
            assert tracemalloc.get_traced_memory()[1] < 4e6
        finally:
            tracemalloc.stop()
