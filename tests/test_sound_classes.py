"""Everything a world should be able to sound like has a voice, and the words beside it change what is heard."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from sonoworld.sound import synthesise
from sonoworld.sound.manner import manner_of
from sonoworld.sound.match import match
from sonoworld.sound.voices.catalogue import VOICES

RATE = 48_000

ASKED = {
    "wind": "wind", "leaves": "leaves", "grass": "grass", "rain": "rain", "thunder": "thunder", "stream": "stream",
    "river": "river", "waterfall": "waterfall", "fountain": "fountain", "sea waves": "sea waves",
    "lapping lake": "lapping", "dripping": "dripping", "fire": "fire", "birds": "birds", "owl": "owl",
    "crickets": "crickets", "insects": "crickets", "frogs": "frogs", "dog": "dog", "cat": "cat", "rooster": "rooster",
    "cattle": "cattle", "sheep": "sheep", "penguin": "penguin", "seagull": "seagull", "crowd murmur": "crowd",
    "footsteps": "footsteps", "bicycle": "bicycle", "car pass": "car pass", "traffic": "traffic",
    "bus engine": "bus engine", "truck engine": "bus engine", "train": "train", "boat engine": "boat engine",
    "helicopter": "helicopter", "jet": "aircraft", "rocket": "rocket", "horn": "horn", "siren": "siren",
    "chainsaw": "chainsaw", "machine hum": "machine hum", "air conditioner": "air conditioner",
    "refrigerator": "refrigerator", "tap": "tap", "kitchen clatter": "kitchen clatter",
    "television murmur": "television murmur", "gramophone": "gramophone", "music box": "music box",
    "clock tick": "clock tick", "church bell": "church bell", "typewriter": "typewriter", "room tone": "room tone",
    "city hum": "city hum",
}  # fmt: skip


@cache
def heard(text: str, seed: int) -> np.ndarray:
    return synthesise(text, seconds=5, rng=np.random.default_rng(seed)).samples.astype(np.float64)


def typical(text: str, number: str) -> float:
    of = {"centroid": centroid_hz, "spread": spread, "events": events, "peaks": peaks}[number]
    return float(np.median([of(heard(text, seed)) for seed in range(5)]))


def centroid_hz(x: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(x)) ** 2
    return float(power @ np.fft.rfftfreq(x.size, 1 / RATE) / power.sum())


def envelope(x: np.ndarray) -> np.ndarray:
    return np.sqrt(np.mean(x[: x.size // 480 * 480].reshape(-1, 480) ** 2, axis=1))


def spread(x: np.ndarray) -> float:
    level = envelope(x)
    return float(level.std() / level.mean())


def peaks(x: np.ndarray) -> float:
    return float(np.mean(x**4) / np.mean(x**2) ** 2)


def events(x: np.ndarray) -> float:
    loud = (level := envelope(x)) > 0.25 * level.max()
    return float(np.sum(loud[1:] & ~loud[:-1]))


@pytest.mark.parametrize(("label", "voice"), ASKED.items())
@pytest.mark.parametrize("words", ["{}", "distant {}", "the sound of a {} nearby"])
def test_every_class_is_found_by_its_words(label: str, voice: str, words: str) -> None:
    found = match(words.format(label))
    assert (found.voice, found.distance) == (voice, 0)


def test_the_page_shows_every_class() -> None:
    page = (Path(__file__).parent.parent / "docs" / "sounds.md").read_text("utf-8")
    assert [line.split(" | ")[0][2:] for line in page.splitlines() if line.startswith("| ")][1:] == sorted(VOICES)


def test_nothing_but_these_and_what_belongs_to_them() -> None:
    assert set(VOICES) - set(ASKED.values()) == {
        "storm", "boat", "motorcycle", "horse", "large animal", "voices",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("more", "less", "number"),
    [
        ("light rain", "heavy rain", "peaks"),
        ("strong wind", "gentle wind", "spread"),
        ("busy typewriter", "quiet typewriter", "events"),
        ("dense birds", "single birds", "events"),
        ("many dogs", "one dog", "events"),
        ("busy footsteps", "footsteps", "events"),
        ("loud crowd", "quietly murmuring crowd", "centroid"),
        ("heavy church bell", "soft church bell", "centroid"),
        ("small dog", "large dog", "centroid"),
        ("tiny music box", "huge music box", "centroid"),
        ("small fire", "big fire", "centroid"),
        ("close sea waves", "distant sea waves", "centroid"),
        ("train", "distant train", "centroid"),
        ("crowd", "crowd far away", "centroid"),
    ],
)
def test_words_beside_the_class_are_heard(more: str, less: str, number: str) -> None:
    assert typical(more, number) > 1.05 * typical(less, number)


@pytest.mark.parametrize("voice", sorted(VOICES))
def test_every_voice_is_heavy_or_light(voice: str) -> None:
    assert not np.allclose(heard(f"heavy {voice}", 0), heard(f"light {voice}", 0))


@pytest.mark.parametrize("voice", sorted(VOICES))
def test_every_voice_goes_away(voice: str) -> None:
    """At the same loudness, what is far has less above 6 kHz."""

    def highs(text: str) -> float:
        power = np.abs(np.fft.rfft(heard(text, 0))) ** 2
        return float(power[6000 * 5 :].sum() / power.sum())

    assert manner_of(f"distant {voice}").distance == 1
    assert highs(f"distant {voice}") < 0.6 * highs(voice)


@pytest.mark.parametrize("label", ["didgeridoo", "xylophone", "qqq", ""])
def test_the_unknown_says_what_it_got_and_how_far_that_is(label: str) -> None:
    found = match(label)
    assert found.voice in VOICES
    assert 0 < found.distance <= 1
    assert f"nearest to {label!r}, {found.distance:.2f}" in found.told(label)
