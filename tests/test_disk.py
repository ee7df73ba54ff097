"""What is stored is what is loaded, bit for bit; what a stranger stored is refused in one sentence."""

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sonoworld import testing
from sonoworld.backend import Lifted
from sonoworld.disk import arrays, atomic, sound_values, wav, world_values
from sonoworld.disk.codec import Codec
from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.types import Clip, Directivity, Motion, Movement, Photo, Sounding, Source, Splats, Spread


def splats(n: int = 5) -> Splats:
    rng = np.random.default_rng(n)

    def some(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    return Splats(some(n, 3), some(n, 3), some(n, 4), some(n), some(n, 1, 3))


def clip() -> Clip:
    samples = np.random.default_rng(1).normal(size=500).astype(np.float32)
    return Clip(samples, 48000, True, 23.0, "synth", "CC0-1.0", "someone")


def soundings() -> tuple[Sounding, ...]:
    mask = np.zeros((128, 256), bool)
    mask[3:9, 250:] = True
    north = np.array([0.0, 0.0, 1.0])
    return (
        *testing.tiny_soundings(),
        Sounding("bus", "a «bus» idling\n", Spread.POINT, 88.5, 0.25, "t", mask=mask, reason="seen"),
        Sounding("lark", "lark", Spread.POINT, 70.0, 1.0, "t", direction=north),
        Sounding(
            "engine",
            "a bus engine",
            Spread.POINT,
            90.0,
            0.5,
            "t",
            grounding="red bus",
            visible=True,
            negative_prompt="music",
            tone_db=(3.0, 0.0, -6.0),
            movement=Movement.PASSING,
        ),
    )


def moving_sources() -> tuple[Source, ...]:
    wind, bird = testing.tiny_sources()
    aim = Directivity(0.5, 1.5, np.array([0.6, 0.0, -0.8]))
    path = Motion(np.array([0.0, 1 / 3, 2.5]), np.random.default_rng(2).normal(size=(3, 3)), True, True)
    return wind, dataclasses.replace(bird, directivity=aim, path=path), dataclasses.replace(bird, id="b", path=path)


VALUES: dict[str, tuple[Codec[Any], Any]] = {
    "photo": (world_values.PHOTO, testing.tiny_photo()),
    "photo without a lens": (world_values.PHOTO, Photo(testing.tiny_photo().rgb, None, "Maker Ümläut 1")),
    "camera": (world_values.CAMERA, testing.tiny_camera()),
    "no camera": (world_values.CAMERA, None),
    "panorama": (world_values.PANORAMA, testing.tiny_panorama()),
    "geometry": (world_values.LIFTED, Lifted(testing.tiny_geometry())),
    "geometry with splats": (world_values.LIFTED, Lifted(testing.tiny_geometry(), splats())),
    "splats": (world_values.SPLATS, splats(300)),
    "soundings": (sound_values.SOUNDINGS, soundings()),
    "no soundings": (sound_values.SOUNDINGS, ()),
    "sources": (sound_values.LOCATED, testing.tiny_sources()),
    "sources that move and face somewhere": (sound_values.LOCATED, moving_sources()),
    "clips": (sound_values.CLIPS, {"bird": clip(), "wind": clip()}),
    "picture": (world_values.PREVIEW, testing.tiny_photo().rgb),
    "sources picture": (world_values.SOURCES_PICTURE, testing.tiny_photo().rgb),
}


@pytest.mark.parametrize("name", VALUES)
def test_stored_is_loaded(tmp_path: Path, name: str) -> None:
    codec, value = VALUES[name]
    names = codec.save(tmp_path, value)
    assert all((tmp_path / n).is_file() for n in names)
    loaded = codec.load(tmp_path)
    if isinstance(value, dict):
        assert all(testing.same_value(loaded[key], value[key]) for key in value | loaded)
    else:
        assert testing.same_value(loaded, value)


@pytest.mark.parametrize("name", VALUES)
def test_same_value_same_bytes(tmp_path: Path, name: str) -> None:
    codec, value = VALUES[name]
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()
    names = codec.save(first, value)
    os.utime(tmp_path)
    assert names == codec.save(second, value)
    assert all((first / n).read_bytes() == (second / n).read_bytes() for n in names)


SIGNALS = hnp.arrays(
    np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40), elements=st.floats(-4, 4, width=32)
)


@given(signal=SIGNALS, rate=st.sampled_from([8000, 44100, 48000, 192000]))
def test_wav_round_trip_and_soundfile_agrees(
    tmp_path_factory: pytest.TempPathFactory, signal: np.ndarray, rate: int
) -> None:
    path = tmp_path_factory.mktemp("wav") / "a.wav"
    wav.write_wav(path, signal, rate)
    back, back_rate = wav.read_wav(path)
    np.testing.assert_array_equal(back, signal)
    oracle, oracle_rate = sf.read(path, dtype="float32", always_2d=True)
    np.testing.assert_array_equal(oracle.T, signal)
    assert back_rate == oracle_rate == rate


def test_wav_refuses_what_cannot_be_heard(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="finite"):
        wav.write_wav(tmp_path / "a.wav", np.array([[np.nan]], np.float32), 48000)
    (tmp_path / "b.wav").write_bytes(b"RIFF" + bytes(40))
    with pytest.raises(UnsafeFileError, match="sound file"):
        wav.read_wav(tmp_path / "b.wav")
    with pytest.raises(UnsafeFileError, match="sound file"):
        wav.read_wav(tmp_path / "none.wav")


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "", "..", "a\\b", "C:x", "a\0b"])
def test_names_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafeFileError):
        atomic.inside(tmp_path, name)


def test_links_cannot_leave_the_folder(tmp_path: Path) -> None:
    inside = tmp_path / "scene"
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path)
    with pytest.raises(UnsafeFileError, match="outside"):
        atomic.inside(inside, "link/secret")


@pytest.mark.parametrize("text", ["{", "[1,", "\xff", "[" * 100000])
def test_json_that_is_not(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(UnsafeFileError, match=r"a\.json"):
        atomic.read_json(tmp_path / "a.json")


def test_json_too_long(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps("x" * 100))
    with pytest.raises(UnsafeFileError, match="at most 50 bytes"):
        atomic.read_json(tmp_path / "a.json", limit_bytes=50)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    atomic.write_json(path, {"good": 1})
    with pytest.raises(ValueError, match="Out of range"):
        atomic.write_json(path, {"bad": float("nan")})
    assert atomic.read_json(path) == {"good": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_pickles_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "geometry.npz", distance=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(UnsafeFileError):
        arrays.read_arrays(tmp_path / "geometry.npz", ("distance",))


def test_missing_arrays_and_wrong_shapes(tmp_path: Path) -> None:
    np.savez(tmp_path / "geometry.npz", distance=np.ones((2, 4), np.float32))
    with pytest.raises(UnsafeFileError, match="missing normal"):
        world_values.LIFTED.load(tmp_path)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({}, "format 1"),
        ({"format": 1, "sources": [{"id": "x"}]}, "label"),
        ({"format": 1, "sources": "many"}, "list"),
        ([], "format 1"),
    ],
)
def test_sources_of_a_stranger(tmp_path: Path, document: object, says: str) -> None:
    atomic.write_json(tmp_path / "sources.json", document)
    with pytest.raises(UnsafeFileError, match=says):
        sound_values.LOCATED.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"path": {"times_s": [0, 1], "positions": [[0, 0, 0]]}}, "positions"),
        ({"path": {"times_s": [1, 0], "positions": [[0, 0, 0]] * 2}}, "times that rise"),
        ({"path": {"times_s": [0], "positions": [[0, 0]]}}, "path.positions"),
        ({"path": {"times_s": [], "positions": []}}, "at least 1"),
        ({"directivity": {"pattern": 2, "sharpness": 1, "facing": [1, 0, 0]}}, "pattern"),
        ({"directivity": {"pattern": 0.5, "sharpness": 1, "facing": [1, 1, 0]}}, "unit vector"),
    ],
)
def test_motion_of_a_stranger(tmp_path: Path, change: dict[str, object], says: str) -> None:
    sound_values.LOCATED.save(tmp_path, testing.tiny_sources())
    document = json.loads((tmp_path / "sources.json").read_text())
    assert not {"path", "directivity"} & set(document["sources"][1])  # what has neither is stored as it always was
    document["sources"][1] |= change
    atomic.write_json(tmp_path / "sources.json", document)
    with pytest.raises((InputError, TypeError), match=says):
        sound_values.LOCATED.load(tmp_path)


def test_an_id_cannot_be_a_path(tmp_path: Path) -> None:
    sound_values.LOCATED.save(tmp_path, testing.tiny_sources())
    text = (tmp_path / "sources.json").read_text().replace('"bird"', '"../../bird"', 1)
    (tmp_path / "sources.json").write_text(text)
    with pytest.raises(UnsafeFileError, match=r"\.\./"):
        sound_values.LOCATED.load(tmp_path)


def test_a_png_that_promises_too_much(tmp_path: Path) -> None:
    header = b"\x89PNG\r\n\x1a\n" + bytes(8) + (60000).to_bytes(4, "big") * 2
    (tmp_path / "panorama.png").write_bytes(header)
    with pytest.raises(UnsafeFileError, match="pixels, its header says"):
        arrays.read_image(tmp_path / "panorama.png")
