"""Every voice: same seed same bytes, other seed other sound, level, join; which voice words ask for; manner."""

from functools import cache

import numpy as np
import pyloudnorm
import pytest

from sonoworld.backend import Run
from sonoworld.errors import InputError
from sonoworld.sound import synthesise
from sonoworld.sound.level import integrated_lufs, momentary_max_lufs, stored
from sonoworld.sound.loop import crossfaded, join_ratio
from sonoworld.sound.manner import manner_of
from sonoworld.sound.match import match
from sonoworld.sound.studio import maker
from sonoworld.sound.synth import SYNTH, SynthOptions
from sonoworld.sound.vocabulary import PHRASES
from sonoworld.sound.voices.catalogue import VOICES
from sonoworld.testing import check_backend
from sonoworld.types import Clip, Source, Spread

SECONDS = 4.0
RATE = 48_000


@cache
def clip(text: str, seed: int = 0) -> Clip:
    return synthesise(text, seconds=SECONDS, rng=np.random.default_rng(seed))


def signal(text: str, seed: int = 0) -> np.ndarray:
    return clip(text, seed).samples.astype(np.float64)


def spectrum_share(x: np.ndarray, low: float, high: float) -> float:
    power = np.abs(np.fft.rfft(x)) ** 2
    f = np.fft.rfftfreq(x.size, 1 / RATE)
    return float(power[(f >= low) & (f < high)].sum() / power.sum())


def source(name: str, label: str = "rain", prompt: str = "") -> Source:
    none = np.zeros((0, 3), np.float32)
    return Source(
        id=name, label=label, prompt=prompt, spread=Spread.AMBIENT, level_db=50.0, confidence=1.0, backend="test",
        points=none, normals=none, weights=np.zeros(0, np.float32), solid_angle_sr=12.0,
    )  # fmt: skip


def test_every_voice_has_words_and_every_word_a_voice() -> None:
    assert set(PHRASES) == set(VOICES)
    every = [p for phrases in PHRASES.values() for p in phrases]
    assert len(every) == len(set(every))
    assert all(match(voice).voice == voice and match(voice).distance == 0 for voice in VOICES)


@pytest.mark.parametrize("voice", sorted(VOICES))
def test_clip_of_every_voice(voice: str) -> None:
    made = clip(voice)
    x = signal(voice)
    assert (made.rate_hz, made.loops, made.licence, made.clip_gain_db) == (RATE, True, "CC0-1.0", 23.0)
    assert made.samples.dtype == np.float32
    assert x.size == SECONDS * RATE
    assert abs(x.mean()) < 1e-4 * x.std() + 1e-7
    loudness = momentary_max_lufs(x, RATE) if VOICES[voice].sparse else pyloudnorm.Meter(RATE).integrated_loudness(x)
    assert abs(loudness + 23) < 0.5
    assert join_ratio(x) <= 1


@pytest.mark.parametrize("voice", sorted(VOICES))
def test_other_seed_other_sound(voice: str) -> None:
    a, b = signal(voice), signal(voice, 1)
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.5


@pytest.mark.parametrize("voice", ["rain", "birds", "dog", "stream", "crowd", "train"])
def test_same_seed_same_bytes(voice: str) -> None:
    again = synthesise(voice, seconds=SECONDS, rng=np.random.default_rng(0))
    assert again.samples.tobytes() == clip(voice).samples.tobytes()


@pytest.mark.parametrize(
    ("label", "prompt", "voice"),
    [
        ("boat engine", "", "boat engine"),
        ("dog", "a dog barking near the sea waves", "dog"),
        ("car horn", "", "horn"),
        ("Church bells", "", "church bell"),
        ("thing", "sea waves on a beach", "sea waves"),
        ("police car", "", "siren"),
        ("lapping lake", "small waves", "lapping"),
        ("footsteps", "footsteps on gravel", "footsteps"),
        ("sheep", "", "sheep"),
        ("music box", "", "music box"),
        ("tv", "", "television murmur"),
    ],
)
def test_words_name_voices(label: str, prompt: str, voice: str) -> None:
    found = match(label, prompt)
    assert (found.voice, found.distance) == (voice, 0)


def test_unknown_label_says_so() -> None:
    found = match("xwaterfalx")
    assert found.voice == "waterfall"
    assert 0 < found.distance < 1
    made = clip("xwaterfalx")
    assert made.made_by == f"synth: waterfall (nearest to 'xwaterfalx', {found.distance:.2f})"


def test_manner_reads_words() -> None:
    assert manner_of("heavy rain").strength > 0 > manner_of("light rain").strength
    assert manner_of("distant thunder").distance == 1
    assert manner_of("a busy street").density > 0 > manner_of("a quiet street").density
    assert manner_of("rain") == manner_of("")


@pytest.mark.parametrize("voice", ["rain", "sea waves", "birds", "traffic"])
def test_distance_takes_the_highs(voice: str) -> None:
    near, far = (
        np.mean([spectrum_share(signal(f"{w}{voice}", s), 4000, 24000) for s in range(3)]) for w in ("", "distant ")
    )
    assert far < 0.5 * near


def onsets(x: np.ndarray) -> int:
    level = np.sqrt(np.mean(x[: x.size // 480 * 480].reshape(-1, 480) ** 2, axis=1))
    loud = level > 0.3 * level.max()
    return int(np.sum(loud[1:] & ~loud[:-1]))


def test_busy_has_more_events_than_quiet() -> None:
    busy, quiet = (sum(onsets(signal(f"{w} kitchen clatter", s)) for s in range(4)) for w in ("busy", "quiet"))
    assert busy > 1.3 * quiet


def test_heavy_rain_is_denser_than_light() -> None:
    def peakiness(text: str) -> float:
        return float(np.mean([np.mean((y := signal(text, s)) ** 4) / np.mean(y**2) ** 2 for s in range(4)]))

    assert peakiness("light rain") > peakiness("heavy rain")


def test_large_bell_is_lower_than_small() -> None:
    def centroid(text: str) -> float:
        y = signal(text, 2)
        power = np.abs(np.fft.rfft(y)) ** 2
        return float(np.sum(power * np.fft.rfftfreq(y.size, 1 / RATE)) / power.sum())

    assert centroid("large church bell") < 0.7 * centroid("small church bell")


def test_backend_conforms() -> None:
    check_backend(SYNTH)


def test_one_more_source_changes_no_other() -> None:
    make = maker(SynthOptions(seconds=4))
    a, b = source("a"), source("b", "wind")
    alone = make((a,), Run(np.random.default_rng(5)))
    both = make((b, a), Run(np.random.default_rng(5)))
    assert alone[0].clip is not None
    assert both[1].clip is not None
    assert alone[0].clip.samples.tobytes() == both[1].clip.samples.tobytes()
    assert both[1].id == "a"


def test_two_of_a_kind_differ() -> None:
    a, b = maker(SynthOptions(seconds=4))((source("a"), source("b")), Run(np.random.default_rng(5)))
    assert a.clip is not None
    assert b.clip is not None
    assert a.clip.samples.tobytes() != b.clip.samples.tobytes()


def test_loudness_meter_on_the_standard_sine() -> None:
    """A 997 Hz sine at 0 dBFS in one channel reads −3.01 LKFS (BS.1770-4, annex 1)."""
    x = np.sin(2 * np.pi * 997 * np.arange(5 * RATE) / RATE)
    assert abs(integrated_lufs(x, RATE) + 3.01) < 0.05
    assert abs(momentary_max_lufs(x, RATE) + 3.01) < 0.05


def test_short_clip_is_metered_as_it_loops() -> None:
    x = np.sin(2 * np.pi * 1000 * np.arange(RATE // 10) / RATE)
    assert abs(integrated_lufs(stored(x, RATE, sparse=False).astype(np.float64), RATE) + 23) < 0.1


def test_silence_is_refused() -> None:
    with pytest.raises(InputError, match="silence"):
        stored(np.zeros(RATE), RATE, sparse=False)


def test_too_short_is_refused() -> None:
    with pytest.raises(InputError, match="at least 1"):
        synthesise("rain", seconds=0.5, rng=np.random.default_rng(0))


def test_join_ratio_hears_a_cut_and_crossfade_mends_it() -> None:
    t = np.arange(3 * RATE) / RATE
    cut = np.sin(2 * np.pi * 441.3 * t) * (1 + t) + 1e-3 * np.random.default_rng(0).standard_normal(t.size)
    assert join_ratio(cut) > 1.5
    noise = np.random.default_rng(1).standard_normal(3 * RATE)
    mended = crossfaded(noise, RATE // 2)
    assert mended.size == 3 * RATE - RATE // 2
    assert join_ratio(mended) < 1.1
    assert abs(mended[: RATE // 2].std() - 1) < 0.03
