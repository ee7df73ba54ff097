"""The user's recordings: what a folder holds, which recording fits, what becomes of it, and what cannot be used."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from sonoworld.backend import Run
from sonoworld.errors import InputError, StageError, UnsafeFileError
from sonoworld.recipe import load
from sonoworld.sound.folder import FOLDER, FolderOptions
from sonoworld.sound.likeness import likeness
from sonoworld.sound.loop import join_ratio
from sonoworld.sound.recordings import Recording, read_folder
from sonoworld.sound.shelf import best_fit, maker
from sonoworld.sound.takes import take
from sonoworld.testing import check_backend, tiny_sources
from sonoworld.types import Clip, Source

RATE = 48_000


def noise(seconds: float, rate_hz: int = RATE, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * rate_hz))


def recording(path: Path, **more: float | bool) -> Recording:
    begin_s, end_s = float(more.get("begin_s", 0.0)), more.get("end_s")
    return Recording(
        path, path.name, "rain", (), "CC0-1.0", "", begin_s, None if end_s is None else float(end_s),
        bool(more.get("loops", False)),
    )  # fmt: skip


def taken(path: Path, seconds: float = 4.0, **more: float | bool) -> Clip:
    return take(recording(path, **more), seconds, np.random.default_rng(0))


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Wind, a songbird, rain on a roof and light rain, with what a `sounds.toml` says of two of them."""
    (tmp_path / "birds").mkdir()
    sf.write(tmp_path / "forestWind.flac", noise(6), RATE)
    sf.write(tmp_path / "birds" / "STE-012.ogg", noise(6, 44_100), 44_100)
    sf.write(tmp_path / "rain_heavy_roof.mp3", noise(6, 44_100), 44_100)
    sf.write(tmp_path / "rain light.wav", noise(6), RATE)
    (tmp_path / "sounds.toml").write_text(
        'author = "Jane Doe"\nlicence = "CC-BY-4.0"\n'
        '[[sound]]\nfile = "birds/STE-012.ogg"\nlabel = "songbird"\ntags = ["small"]\nauthor = "John Doe"\n'
        '[[sound]]\nfile = "rain light.wav"\nlabel = "light rain"\nbegin_s = 1.0\nend_s = 5.5\n'
    )
    return tmp_path


def made(folder: Path, sources: tuple[Source, ...], **options: object) -> tuple[Source, ...]:
    chosen = FolderOptions.model_validate({"path": str(folder), "seconds": 4, **options})
    return maker(chosen)(sources, Run(np.random.default_rng(3)))


# ---------------------------------------------------------------- what a folder holds


def test_names_tags_and_sheet_are_read(shelf: Path) -> None:
    found = {r.name: r for r in read_folder(shelf)}
    assert set(found) == {"birds/STE-012.ogg", "rain light.wav", "forestWind.flac", "rain_heavy_roof.mp3"}
    bird, light, wind = (found[n] for n in ("birds/STE-012.ogg", "rain light.wav", "forestWind.flac"))
    assert (bird.label, bird.tags, bird.author, bird.licence) == ("songbird", ("small",), "John Doe", "CC-BY-4.0")
    assert (light.begin_s, light.end_s, light.author) == (1.0, 5.5, "Jane Doe")
    assert (wind.label, wind.author) == ("forest Wind", "Jane Doe")


def test_tags_in_the_file_itself_count(tmp_path: Path) -> None:
    with sf.SoundFile(tmp_path / "0001.flac", "w", RATE, 1) as file:
        file.title, file.artist, file.license = "Church bell", "Ann", "CC0"
        file.write(noise(1))
    (one,) = read_folder(tmp_path)
    assert (one.tags, one.author, one.licence, one.label) == (("Church bell",), "Ann", "CC0", "0001")
    assert best_fit((one,), "bell", "", np.random.default_rng(0))[1] > 0.7


def test_unstated_licence_says_so(tmp_path: Path) -> None:
    sf.write(tmp_path / "wind.wav", noise(1), RATE)
    assert read_folder(tmp_path)[0].licence == "unstated"


@pytest.mark.parametrize(
    ("sheet", "says"),
    [
        ('[[sound]]\nfile = "../secret.wav"', "sound 1: file.*within the folder"),
        ('[[sound]]\nfile = "/etc/secret.wav"', "within the folder"),
        ('[[sound]]\nfile = "C:\\\\secret.wav"', "within the folder"),
        ('[[sound]]\nfile = "none.wav"', "found none called 'none.wav'"),
        ('[[sound]]\nfile = "wind.wav"\nbegin_s = 3\nend_s = 2', "end_s after begin_s"),
        ('[[sound]]\nfile = "wind.wav"\nlabl = "x"', "sound 1: labl"),
        ('[[sound]]\nfile = "wind.wav"\nbegin_s = nan', "begin_s"),
        ("[[sound", "expected TOML"),
    ],
)
def test_impossible_sheets_are_one_message(tmp_path: Path, sheet: str, says: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    sf.write(folder / "wind.wav", noise(1), RATE)
    sf.write(tmp_path / "secret.wav", noise(1), RATE)
    (folder / "sounds.toml").write_text(sheet)
    with pytest.raises(InputError, match=says) as caught:
        read_folder(folder)
    assert "sounds.toml" in str(caught.value)


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    sf.write(tmp_path / "out.wav", noise(1), RATE)
    (tmp_path / "in" / "wind.wav").symlink_to(tmp_path / "out.wav")
    with pytest.raises(UnsafeFileError, match="link out of it"):
        read_folder(tmp_path / "in")


def test_missing_and_empty_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing there"):
        read_folder(tmp_path / "none")
    with pytest.raises(InputError, match="got none"):
        read_folder(tmp_path)


def test_files_of_the_options_are_all_recordings_and_the_sheet(shelf: Path) -> None:
    names = {Path(f).name for f in FOLDER.files(FolderOptions(path=str(shelf)))}
    assert names == {"sounds.toml", "STE-012.ogg", "rain light.wav", "forestWind.flac", "rain_heavy_roof.mp3"}


# ---------------------------------------------------------------- which recording


@pytest.mark.parametrize(
    ("label", "prompt", "better", "worse"),
    [
        ("dog", "", "dog_bark_03", "dogma lecture"),
        ("dog", "", "dog", "dog and cat"),
        ("rain", "heavy rain on a roof", "heavy rain", "light rain"),
        ("campfire", "", "fireplace at night", "camp in summer"),
        ("ocean waves", "", "sea", "ocean liner horn"),
        ("church bells", "", "bell tower, slow", "bicycle bell shop door"),
        ("birds", "", "birdsong", "crickets"),
        ("seawaves", "", "sea waves", "rain"),
    ],
)
def test_words_prefer_what_a_person_would(label: str, prompt: str, better: str, worse: str) -> None:
    assert likeness(label, prompt, better) > likeness(label, prompt, worse)
    assert likeness(label, prompt, better) >= 0.5


@pytest.mark.parametrize("text", ["recording 03", "", "audio file wav"])
def test_words_that_tell_nothing_fit_nothing(text: str) -> None:
    assert likeness("dog", "a dog barking", text) == 0
    assert likeness("dog", "", "dog") == 1


def test_seed_chooses_among_equals() -> None:
    same = tuple(Recording(Path(f"{i}"), f"{i}", "rain", (), "", "") for i in range(8))
    names = {best_fit(same, "rain", "", np.random.default_rng(seed))[0].name for seed in range(40)}
    assert len(names) > 4


# ---------------------------------------------------------------- what becomes of it


def test_credits_go_along_and_the_unknown_is_synthesised(shelf: Path) -> None:
    wind, bird = made(shelf, tiny_sources())
    assert wind.clip is not None
    assert bird.clip is not None
    assert (wind.clip.made_by, wind.clip.author) == ("folder: forestWind.flac", "Jane Doe")
    assert (bird.clip.made_by, bird.clip.licence) == ("folder: birds/STE-012.ogg", "CC-BY-4.0")
    (shelf / "forestWind.flac").unlink()
    other = made(shelf, tiny_sources())[0].clip
    assert other is not None
    assert other.made_by.startswith("synth: wind; no recording of it")
    with pytest.raises(StageError, match="expected a recording of 'wind'"):
        made(shelf, tiny_sources(), otherwise="fail")


def test_backend_conforms(shelf: Path) -> None:
    check_backend(FOLDER, FolderOptions(path=str(shelf), seconds=4))


def test_a_recipe_can_name_it(shelf: Path) -> None:
    recipe = load("embedded", ["sound.backend=folder", f"sound.path={shelf}", "sound.otherwise=fail"])
    assert recipe.choices["sound"].options.model_dump()["otherwise"] == "fail"


@pytest.mark.parametrize(("rate_hz", "channels", "subtype"), [(96_000, 7, "PCM_24"), (8_000, 1, "PCM_U8")])
def test_any_rate_channels_and_depth(tmp_path: Path, rate_hz: int, channels: int, subtype: str) -> None:
    x = np.stack([noise(6, rate_hz, seed) for seed in range(channels)], 1)
    sf.write(tmp_path / "rain.wav", x, rate_hz, subtype)
    clip = taken(tmp_path / "rain.wav")
    assert clip.rate_hz == RATE
    assert 3 * RATE < clip.samples.size < 6 * RATE
    assert join_ratio(clip.samples.astype(np.float64)) <= 1


def test_pitch_stays_at_other_rates(tmp_path: Path) -> None:
    t = np.arange(3 * 44_100) / 44_100
    sf.write(tmp_path / "hum.wav", 0.2 * np.sin(2 * np.pi * 440 * t), 44_100)
    x = taken(tmp_path / "hum.wav").samples.astype(np.float64)
    spectrum = np.abs(np.fft.rfft(x * np.hanning(x.size)))
    assert abs(np.argmax(spectrum) * RATE / x.size - 440) < 1


def test_channels_that_cancel_are_still_heard(tmp_path: Path) -> None:
    x = noise(5)
    sf.write(tmp_path / "rain.wav", np.stack([x, -x], 1), RATE, "FLOAT")
    assert taken(tmp_path / "rain.wav").samples.std() > 0.01


def test_the_part_with_sound_is_taken(tmp_path: Path) -> None:
    x = np.concatenate([0.001 * noise(10), noise(6), 0.001 * noise(10)])
    sf.write(tmp_path / "rain.wav", x, RATE, "FLOAT")
    y = taken(tmp_path / "rain.wav").samples
    levels = np.sqrt(np.mean(y[: y.size // 4800 * 4800].reshape(-1, 4800) ** 2, 1))
    assert levels.min() > 0.5 * levels.max()


def test_one_bark_comes_again_with_rests(tmp_path: Path) -> None:
    fade = np.exp(-np.arange(RATE // 2) / (0.06 * RATE))
    sf.write(tmp_path / "dog.wav", noise(0.5) * fade, RATE)
    y = taken(tmp_path / "dog.wav", 12.0).samples.astype(np.float64)
    heard = np.sqrt(np.mean(y[: y.size // 480 * 480].reshape(-1, 480) ** 2, 1)) > 0.1 * np.abs(y).max()
    starts = int(np.sum(heard & ~np.roll(heard, 1)))
    assert y.size == 12 * RATE
    assert 3 <= starts <= 7


def test_what_loops_already_is_left_alone(tmp_path: Path) -> None:
    x = noise(3)
    sf.write(tmp_path / "rain.wav", x, RATE, "FLOAT")
    y = taken(tmp_path / "rain.wav", loops=True).samples.astype(np.float64)
    assert y.size == x.size
    assert np.corrcoef(x, y)[0, 1] > 0.99999


def test_only_the_part_that_was_asked_for(tmp_path: Path) -> None:
    t = np.arange(RATE * 8) / RATE
    sf.write(tmp_path / "hum.wav", 0.1 * np.sin(2 * np.pi * np.where(t < 4, 300, 900) * t), RATE, "FLOAT")
    y = taken(tmp_path / "hum.wav", begin_s=4.0, end_s=8.0).samples.astype(np.float64)
    assert abs(np.argmax(np.abs(np.fft.rfft(y))) * RATE / y.size - 900) < 2
    with pytest.raises(InputError, match="recording of 8"):
        taken(tmp_path / "hum.wav", end_s=9.0)


# ---------------------------------------------------------------- what cannot be used


def corrupt(path: Path, what: str) -> None:
    sf.write(path, noise(1), RATE, "FLOAT" if what == "nan" else "PCM_16")
    data = bytearray(path.read_bytes())
    if what == "cut":
        data = data[: len(data) // 2]
    elif what == "nan":
        data[-4:] = struct.pack("<f", float("nan"))
    elif what == "text":
        data = bytearray(b"this is no sound at all, whatever its name says")
    else:
        data = bytearray()
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("what", ["cut", "nan", "text", "empty"])
def test_broken_recordings_are_one_message(tmp_path: Path, what: str) -> None:
    path = tmp_path / "rain.wav"
    corrupt(path, what)
    with pytest.raises(UnsafeFileError, match=r"rain\.wav: expected"):
        taken(path)


@pytest.mark.parametrize("kind", ["flac", "ogg", "mp3"])
@pytest.mark.parametrize("what", ["text", "empty", "beheaded"])
def test_broken_compressed_recordings_are_one_message(tmp_path: Path, kind: str, what: str) -> None:
    path = tmp_path / f"rain.{kind}"
    sf.write(path, noise(1), RATE)
    data = {"text": b"no sound at all " * 40, "empty": b"", "beheaded": bytes(300) + path.read_bytes()[300:600]}
    path.write_bytes(data[what])
    with pytest.raises(UnsafeFileError, match=rf"rain\.{kind}: expected"):
        taken(path)


@pytest.mark.parametrize("kind", ["flac", "ogg", "mp3"])
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_cut_off_compressed_recordings_are_taken_as_far_as_they_go_or_are_one_message(
    tmp_path: Path, kind: str, share: float
) -> None:
    path = tmp_path / f"rain.{kind}"
    sf.write(path, noise(6), RATE)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    try:
        clip = taken(path)
    except UnsafeFileError as error:
        assert f"rain.{kind}: expected" in str(error)
    else:
        assert np.isfinite(clip.samples).all()
        assert clip.samples.size < 6 * RATE
        assert join_ratio(clip.samples.astype(np.float64)) <= 1


@pytest.mark.parametrize(
    ("seconds", "gain", "says"), [(0.0, 1.0, "0×1"), (0.01, 1.0, "at least 0.05 s"), (2.0, 0.0, "got silence")]
)
def test_nothing_to_hear_is_one_message(tmp_path: Path, seconds: float, gain: float, says: str) -> None:
    sf.write(tmp_path / "rain.wav", gain * noise(seconds), RATE)
    with pytest.raises(InputError, match=says):
        taken(tmp_path / "rain.wav")


def test_whisper_above_silence_is_levelled(tmp_path: Path) -> None:
    sf.write(tmp_path / "rain.wav", 1e-3 * noise(4), RATE, "FLOAT")  # −80 dB
    assert taken(tmp_path / "rain.wav").samples.std() > 0.03
