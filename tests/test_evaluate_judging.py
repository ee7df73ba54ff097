"""Scores by meaning come beside those by direction, and no clip is heard twice."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from sonoworld.evaluate import judging, semantic
from sonoworld.evaluate.datasets.values import Marks, Microphone, RecordedScene

MARKS = Marks(np.eye(3), (0.5, 0.7), (0.5, 0.5))


class Ears:
    """A sound is its loudness and its first sample, a word its length: enough to tell them apart."""

    def __init__(self) -> None:
        self.heard = 0

    def words(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([[1.0, len(text)] for text in texts])

    def sounds(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        self.heard += len(clips)
        return np.array([[float(np.std(clip)), 1.0 + float(clip[0])] for clip in clips])


def field(seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((4, 4800)) * 0.1).astype(np.float32)


def scene() -> RecordedScene:
    mics = (
        Microphone("mic1", MARKS, (), (("left", "a bird"), ("front", "water"))),
        Microphone("mic2", MARKS, (), (("right", "a bird"), ("up", "a plane"))),
    )
    return RecordedScene("pool", Path("p.jpg"), (), mics)


def test_not_asked_for_is_not_measured() -> None:
    assert judging.scoring(None, scene(), "mic1") is judging.by_direction
    assert not {"clap_text", "r_precision"} & set(judging.by_direction(field(0), field(1)))


def test_all_texts_of_the_scene_are_ranked(monkeypatch: pytest.MonkeyPatch) -> None:
    ears = Ears()
    monkeypatch.setattr(judging, "_embedder", lambda model: judging.Remembering(ears))
    score = judging.scoring("some-clap", scene(), "mic1")
    assert isinstance(score, judging.ByMeaning)
    assert (score.model, score.candidates) == ("some-clap", ("a bird", "water", "a plane"))
    found = score(field(0), field(1))
    by_hand = semantic.compare(
        field(0), field(1), [("left", "a bird"), ("front", "water")], Ears(), candidates=["a bird", "water", "a plane"]
    )
    assert found == {**judging.by_direction(field(0), field(1)), **by_hand}


def test_a_recording_is_heard_once() -> None:
    ears = Ears()
    remembering = judging.Remembering(ears)
    labels = [("left", "a bird")]
    first = semantic.compare(field(0), field(1), labels, remembering)
    assert ears.heard == 12, "six directions of two clips"
    semantic.compare(field(2), field(1), labels, remembering)
    assert ears.heard == 18
    assert semantic.compare(field(0), field(1), labels, remembering) == first
    assert ears.heard == 18
    for seed in range(3, 3 + judging.REMEMBERED // 6):
        remembering.sounds([semantic.beam(field(seed), d) for d in semantic.DIRECTIONS])
    heard = ears.heard
    semantic.compare(field(0), field(1), labels, remembering)
    assert ears.heard == heard + 12, "the oldest were forgotten"
