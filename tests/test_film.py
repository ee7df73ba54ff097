"""Films: what goes in comes out again (decoded by FFmpeg), the marks of 360° films (parsed here), and equal bytes."""

import hashlib
import math
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import av
import numpy as np
import pytest

from sonoworld.disk import mp4, mp4_spatial
from sonoworld.errors import BackendMissingError, ShapeError, UnsafeFileError
from sonoworld.frames import Pose
from sonoworld.render import Walk, default_walk, parse_walk, render_walk, still_walk, walk_document
from sonoworld.render.film import (
    Shot,
    around_sound,
    developed,
    film_frames,
    flat_sound,
)
from sonoworld.render.film_sheet import contact_sheet, sheet_moments
from sonoworld.render.hrtf import hrir
from sonoworld.render.splat import SplatImage
from sonoworld.render.walk import looking_ahead
from sonoworld.types import Clip, Source, Splats, Spread

RATE = 48000
SMALL = Shot(size_px=(64, 36), frames_hz=10, seconds=1.0)
AROUND = Shot(kind="360", size_px=(64, 32), frames_hz=10, seconds=1.0)


def ball(azimuths: tuple[float, ...], colours: tuple[tuple[float, float, float], ...]) -> Splats:
    """Fat splats 4 m away at the horizon, in plain colours."""
    n = len(azimuths)
    means = 4 * np.array([[math.cos(a), math.sin(a), 0.0] for a in azimuths], np.float32)
    sh = (np.array(colours, np.float32)[:, None] - 0.5) / np.float32(0.28209479177387814)
    quats = np.tile(np.array([1, 0, 0, 0], np.float32), (n, 1))
    return Splats(means, np.full((n, 3), math.log(0.6), np.float32), quats, np.full(n, 6, np.float32), sh)


WORLD = ball((0.0, math.pi / 2), ((1.0, 0.2, 0.2), (0.2, 0.2, 1.0)))


def hum(azimuth: float) -> Source:
    """Noise without treble, 3 m away at the horizon."""
    rng = np.random.default_rng(3)
    samples = np.convolve(rng.normal(size=2 * RATE), np.ones(8) / 8, "same").astype(np.float32) * np.float32(0.1)
    point = 3 * np.array([[math.cos(azimuth), math.sin(azimuth), 0.0]], np.float32)
    clip = Clip(samples, RATE, True, 0.0, "made here", "CC0-1.0")
    one = np.ones(1, np.float32)
    return Source("hum", "hum", "hum", Spread.POINT, 90.0, 1.0, "test", point, -point / 3, one, 0.01, clip=clip)


def turning(seconds: float) -> Walk:
    """Standing, and turning to the left by a right angle."""
    zeros = np.zeros(2)
    return Walk(np.array([0.0, seconds]), np.zeros((2, 3)), np.array([0.0, math.pi / 2]), zeros, zeros)


def plain(count: int, rgb: tuple[int, int, int] = (90, 90, 90)) -> Iterator[np.ndarray]:
    for _ in range(count):
        yield np.full((36, 64, 3), rgb, np.uint8)


def quiet(seconds: float, channels: int = 2) -> mp4.Sound:
    return mp4.Sound(np.zeros((channels, round(seconds * RATE)), np.float32))


def pictures(file: Path) -> list[np.ndarray]:
    """Decoded by FFmpeg, sRGB."""
    with av.open(str(file)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def heard(file: Path) -> np.ndarray:
    with av.open(str(file)) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], 1)


def lost_db(decoded: np.ndarray, signal: np.ndarray) -> float:
    """Level of what coding changed, dB re the signal."""
    error = decoded[:, : signal.shape[1]] - signal
    return 10 * math.log10(float((error**2).sum() / (signal**2).sum()))


@pytest.mark.parametrize("codec", ["h264", "vp9"])
def test_a_flat_film_decodes_to_what_was_seen_and_heard(codec: mp4.Codec, tmp_path: Path) -> None:
    walk, filters = turning(1.0), hrir("kemar", 3, RATE)
    sound = flat_sound((hum(0.8),), walk, SMALL, filters)
    file = tmp_path / "film.mp4"
    seen = [frame.rgb for frame in film_frames(WORLD, walk, SMALL)]
    mp4.write_film(file, seen, 10, mp4.Sound(sound.signal), codec)
    with av.open(str(file)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.frames, video.average_rate, video.codec_context.name) == (10, 10, codec)
        assert float(video.duration * video.time_base) == pytest.approx(1.0, abs=1e-3)
        assert float(audio.duration * audio.time_base) == pytest.approx(1.0, abs=1e-3)
        assert (audio.codec_context.name, audio.rate, audio.layout.name) == ("aac", RATE, "stereo")
        assert (video.start_time, audio.start_time) == (0, 0)
    decoded = pictures(file)
    assert len(decoded) == 10
    for a, b in zip(decoded, seen, strict=True):
        assert np.abs(a.astype(float) - b).mean() < 6
    again = render_walk((hum(0.8),), walk, "binaural", 3, 1.0)
    assert lost_db(heard(file), again * np.float32(10 ** (sound.gain_db / 20))) < -15
    assert {p.name for p in tmp_path.iterdir()} == {"film.mp4"}


def test_what_lies_ahead_is_in_the_middle_and_leaves_as_the_head_turns() -> None:
    seen = [frame.rgb.astype(int) for frame in film_frames(WORLD, turning(0.9), SMALL)]
    first, last = seen[0][18, 32], seen[-1][18, 32]
    assert first[0] > 2 * first[2]
    assert last[2] > 2 * last[0]


@pytest.mark.parametrize(
    ("rgb", "ycc"),  # ITU-T H.273 with BT.709's weights, 8 bits, limited range; by hand
    [
        ((255, 0, 0), (63, 102, 240)),
        ((0, 255, 0), (173, 42, 26)),
        ((0, 0, 255), (32, 240, 118)),
        ((255, 255, 255), (235, 128, 128)),
        ((0, 0, 0), (16, 128, 128)),
    ],
)
def test_colours_are_coded_as_bt709_and_say_so(
    rgb: tuple[int, int, int], ycc: tuple[int, int, int], tmp_path: Path
) -> None:
    file = tmp_path / "film.mp4"
    mp4.write_film(file, plain(3, rgb), 10, quiet(0.3))
    with av.open(str(file)) as container:
        context = container.streams.video[0].codec_context
        tags = context.color_primaries, context.color_trc, context.colorspace, context.color_range
        assert [int(tag) for tag in tags] == [1, 1, 1, 1]
        frame = next(container.decode(video=0))
        planes = [np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size) for plane in frame.planes]
    for plane, expected in zip(planes, ycc, strict=True):
        assert abs(int(plane[8, 8]) - expected) <= 2


def test_click_and_flash_come_together(tmp_path: Path) -> None:
    signal = np.zeros((2, RATE), np.float32)
    signal[:, 24000:24048] = 0.8
    flashes = [np.full((36, 64, 3), 255 if i == 15 else 0, np.uint8) for i in range(30)]
    file = tmp_path / "film.mp4"
    mp4.write_film(file, flashes, 30, mp4.Sound(signal))
    with av.open(str(file)) as container:
        flash_s = max(container.decode(video=0), key=lambda f: f.to_ndarray(format="gray").mean()).time
    with av.open(str(file)) as container:
        first = next(container.decode(audio=0))
    click_s = first.time + np.abs(heard(file)[0]).argmax() / RATE
    assert flash_s == 0.5
    assert abs(click_s - flash_s) < 0.002


BOXES = {"moov": 8, "trak": 8, "mdia": 8, "minf": 8, "stbl": 8, "stsd": 16, "avc1": 86, "mp4a": 36}


def parsed(data: bytes, path: str = "") -> dict[str, bytes]:
    """Every box by its path, `moov.trak0.mdia...`; what it holds. Shares no code with what wrote it."""
    found: dict[str, bytes] = {}
    at, tracks = 0, 0
    while at + 8 <= len(data):
        size, name = struct.unpack(">I4s", data[at : at + 8])
        kind = name.decode("latin1")
        here = f"{path}{kind}{tracks}" if kind == "trak" else f"{path}{kind}"
        tracks += kind == "trak"
        found[here] = data[at + 8 : at + size]
        inside = {**BOXES, "sv3d": 8, "proj": 8}.get(kind)
        if inside:
            found |= parsed(data[at + inside : at + size], here + ".")
        assert size >= 8
        at += size
    assert at == len(data)
    return found


@pytest.fixture(scope="module")
def sphere_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    walk = turning(1.0)
    sound = around_sound((hum(math.pi / 2),), walk, AROUND, hrir("kemar", 1, RATE))
    file = tmp_path_factory.mktemp("film") / "around.mp4"
    mp4.write_film(file, (f.rgb for f in film_frames(WORLD, walk, AROUND)), 10, mp4.Sound(sound.signal))
    return file


def test_a_360_film_carries_the_marks_that_platforms_read(sphere_film: Path) -> None:
    data = sphere_film.read_bytes()
    boxes = parsed(data)
    assert [name for name in boxes if "." not in name] == ["ftyp", "moov", "mdat"]
    video, audio = "moov.trak0.mdia.minf.stbl.stsd.avc1.", "moov.trak1.mdia.minf.stbl.stsd.mp4a."
    assert boxes[video + "st3d"] == bytes(5)  # version, flags, one eye
    assert boxes[video + "sv3d.svhd"] == b"\0\0\0\0sonoworld\0"
    assert boxes[video + "sv3d.proj.prhd"] == bytes(16)  # not turned
    assert boxes[video + "sv3d.proj.equi"] == bytes(20)  # not cropped
    names = [name.removeprefix(video) for name in boxes if name.startswith(video)]
    assert names[:3] == ["avcC", "st3d", "sv3d"]
    assert struct.unpack(">BBIBBI4I", boxes[audio + "SA3D"]) == (0, 0, 1, 0, 0, 4, 0, 1, 2, 3)
    assert boxes["moov.trak0.uuid"][:16].hex() == "ffcc8263f8554a938814587a02521fdd"
    assert "moov.trak1.uuid" not in boxes
    text = ElementTree.fromstring(boxes["moov.trak0.uuid"][16:])
    space = "{http://ns.google.com/videos/1.0/spherical/}"
    assert {child.tag.removeprefix(space): child.text for child in text} == {
        "Spherical": "true",
        "Stitched": "true",
        "StitchingSoftware": "sonoworld",
        "ProjectionType": "equirectangular",
    }


def test_ffmpeg_reads_the_marks_too(sphere_film: Path) -> None:
    with av.open(str(sphere_film)) as container:
        kinds = {data.type.name for data in next(container.decode(video=0)).side_data.keys()}  # noqa: SIM118  no dict
    assert {"SPHERICAL", "STEREO3D"} <= kinds


def test_a_360_film_keeps_the_worlds_axes_while_the_head_turns(sphere_film: Path) -> None:
    seen = pictures(sphere_film)
    assert len(seen) == 10
    for picture in (seen[0].astype(int), seen[-1].astype(int)):
        ahead, left = picture[16, 32], picture[16, 16]
        assert ahead[0] > 2 * ahead[2]
        assert left[2] > 2 * left[0]
    w, y, z, x = heard(sphere_film)[:, 2000:46000]
    power = float((w**2).mean())
    assert power > 1e-5
    np.testing.assert_allclose([(w * y).mean(), (y * y).mean()], power, rtol=0.05)  # SN3D: Y = W at the left
    assert max(float((z**2).mean()), float((x**2).mean())) < 0.01 * power


def test_four_channels_are_coded_each_for_itself(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    noise = rng.normal(size=(4, RATE)) * 0.05
    signal = np.array([np.convolve(row, np.ones(12) / 3, "same") for row in noise], np.float32)
    signal[2] = 0
    file = tmp_path / "film.mp4"
    mp4.write_film(file, (np.zeros((32, 64, 3), np.uint8) for _ in range(10)), 10, mp4.Sound(signal))
    decoded = heard(file)
    assert np.abs(decoded[2]).max() == 0
    for k in (0, 1, 3):
        assert lost_db(decoded[k : k + 1], signal[k : k + 1]) < -15


def test_stopping_leaves_nothing_and_the_old_film_stays(tmp_path: Path) -> None:
    def stopped() -> Iterator[np.ndarray]:
        yield from plain(3)
        raise KeyboardInterrupt

    file = tmp_path / "film.mp4"
    with pytest.raises(KeyboardInterrupt):
        mp4.write_film(file, stopped(), 10, quiet(1))
    assert not list(tmp_path.iterdir())
    file.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        mp4.write_film(file, stopped(), 10, quiet(1))
    assert [p.name for p in tmp_path.iterdir()] == ["film.mp4"]
    assert file.read_bytes() == b"old"


def test_without_pyav_one_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(BackendMissingError, match=r"pip install 'sonoworld\[film\]'.*GPL"):
        mp4.write_film(tmp_path / "film.mp4", plain(1), 10, quiet(0.1))


def test_without_the_coder_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av.codec, "codecs_available", {"aac"})
    with pytest.raises(BackendMissingError, match="no libx264; try another --codec"):
        mp4.require_coder("h264")


WRITES = """
import sys
from pathlib import Path
import numpy as np
from sonoworld.disk import mp4
noise = np.random.default_rng(1).integers(0, 255, (54, 96, 3), dtype=np.uint8)
pictures = (np.roll(noise // 4 + 90, i, 1) for i in range(20))
sound = mp4.Sound(np.random.default_rng(2).normal(0, 0.1, (int(sys.argv[2]), 32000)).astype(np.float32))
mp4.write_film(Path(sys.argv[1]), pictures, 30, sound)
"""


@pytest.mark.parametrize("channels", [2, 4])
def test_same_bytes_whatever_memory_holds(channels: int, tmp_path: Path) -> None:
    digests = set()
    for filler in (
        "1",
        "255",
    ):  # glibc fills fresh memory with this: coders that read it unwritten give themselves away
        file = tmp_path / f"{filler}.mp4"
        environment = {**os.environ, "MALLOC_PERTURB_": filler}
        subprocess.run([sys.executable, "-c", WRITES, str(file), str(channels)], check=True, env=environment)
        digests.add(hashlib.sha256(file.read_bytes()).hexdigest())
    assert len(digests) == 1


@pytest.mark.parametrize("count", [0, 1])
def test_pictures_of_even_size_or_an_error(count: int, tmp_path: Path) -> None:
    odd = [np.zeros((35, 64, 3), np.uint8)] * count
    with pytest.raises(ShapeError, match="even width and height"):
        mp4.write_film(tmp_path / "film.mp4", odd, 10, quiet(0.1))


def test_pictures_of_one_size_or_an_error(tmp_path: Path) -> None:
    two = [np.zeros((36, 64, 3), np.uint8), np.zeros((38, 64, 3), np.uint8)]
    with pytest.raises(ShapeError, match="one size"):
        mp4.write_film(tmp_path / "film.mp4", two, 10, quiet(0.2))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("signal", [np.zeros((3, 9), np.float32), np.full((2, 9), np.nan, np.float32)])
def test_sound_that_cannot_be_is_refused(signal: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="film sound"):
        mp4.Sound(signal)


@pytest.mark.parametrize(
    "wrong",
    [
        {"size_px": (63, 36)},
        {"kind": "360", "size_px": (64, 36)},
        {"frames_hz": 0},
        {"seconds": math.nan},
        {"fov": 3.0},
    ],
)
def test_a_shot_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ShapeError, match="film"):
        Shot(**wrong)  # pyright: ignore[reportArgumentType]


def hand_made(offsets: str, mdat_head: bytes) -> tuple[bytes, int]:
    """A film of nothing: ftyp, mdat, moov with one chunk; and where its samples lie."""
    ftyp = struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0)
    at = len(ftyp) + len(mdat_head)
    kind = b"stco" if offsets == "I" else b"co64"
    table = struct.pack(">4sII" + offsets, kind, 0, 1, at)
    for name in (None, b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        table = struct.pack(">I", len(table) + 4) + table if name is None else _wrapped(name, table)
    return ftyp + mdat_head + b"samples!" + table, at


def _wrapped(name: bytes, inside: bytes) -> bytes:
    return struct.pack(">I4s", len(inside) + 8, name) + inside


@pytest.mark.parametrize("offsets", ["I", "Q"])
@pytest.mark.parametrize("mdat_head", [struct.pack(">I4s", 16, b"mdat"), struct.pack(">I4sQ", 1, b"mdat", 24)])
def test_samples_are_found_where_the_index_says(offsets: str, mdat_head: bytes, tmp_path: Path) -> None:
    data, at = hand_made(offsets, mdat_head)
    assert data[at : at + 8] == b"samples!"
    (tmp_path / "draft.mp4").write_bytes(data)
    with (tmp_path / "film.mp4").open("wb") as target:
        mp4_spatial.finish(tmp_path / "draft.mp4", target, around=False)
    done = (tmp_path / "film.mp4").read_bytes()
    kind = b"stco" if offsets == "I" else b"co64"
    where = done.index(kind) + 12
    (new,) = struct.unpack(">" + offsets, done[where : where + struct.calcsize(offsets)])
    assert done[new : new + 8] == b"samples!"
    assert done.index(b"moov") < done.index(b"mdat")
    assert len(done) == len(data)


@pytest.mark.parametrize("cut", [3, 20, 40, -5])
def test_a_damaged_film_is_refused(cut: int, tmp_path: Path) -> None:
    data, _ = hand_made("I", struct.pack(">I4s", 16, b"mdat"))
    (tmp_path / "draft.mp4").write_bytes(data[:cut])
    with (tmp_path / "film.mp4").open("wb") as target, pytest.raises(UnsafeFileError, match="expected"):
        mp4_spatial.finish(tmp_path / "draft.mp4", target, around=False)


def test_holes_take_the_colour_around_them_and_are_counted() -> None:
    alpha = np.ones((36, 64), np.float32)
    alpha[10:20, 10:20] = 0
    rgb = np.full((36, 64, 3), 0.5, np.float32) * alpha[..., None]
    frame = developed(SplatImage(rgb, np.ones_like(alpha), alpha))
    assert frame.holes == pytest.approx(100 / (36 * 64))
    assert np.abs(frame.rgb.astype(int) - 128).max() <= 1


def test_silence_and_loudness_of_the_two_kinds() -> None:
    walk = still_walk(Pose.identity(), 1.0)
    ears = hrir("kemar", 1, RATE)
    assert around_sound((), walk, AROUND, ears).signal.any() == np.False_
    field = around_sound((hum(0.0),), walk, AROUND, ears)
    two = flat_sound((hum(0.0),), walk, SMALL, ears)
    assert field.signal.shape == (4, RATE)
    assert field.gain_db == pytest.approx(two.gain_db, abs=0.5)
    assert np.abs(field.signal).max() < 1


def test_a_walk_survives_its_document() -> None:
    walk = default_walk(5.0)
    again = parse_walk(walk_document(walk))
    np.testing.assert_allclose(again.positions, walk.positions, atol=6e-5)
    np.testing.assert_allclose(again.yaw, walk.yaw, atol=6e-5)
    np.testing.assert_allclose(again.times_s, walk.times_s, atol=6e-5)
    assert not looking_ahead(walk).yaw.any()


def test_the_contact_sheet_shows_the_film_evenly() -> None:
    assert sheet_moments(5) == (0, 1, 2, 3, 4)
    moments = sheet_moments(600)
    assert len(moments) == 12
    assert set(np.diff(moments)) == {50}
    tiles = [np.full((36, 64, 3), 20 * i, np.uint8) for i in range(12)]
    sheet = contact_sheet(tiles, [float(i) for i in range(12)])
    height, width = sheet.shape[0] // 3, sheet.shape[1] // 4
    middles = sheet[height // 2 :: height, width // 2 :: width, 0]
    assert middles.reshape(-1).tolist() == [20 * i for i in range(12)]
