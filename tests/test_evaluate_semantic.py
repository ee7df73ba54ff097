import math
from collections.abc import Sequence

import numpy as np
import pytest

from sonoworld.errors import InputError
from sonoworld.evaluate import semantic

RATE_HZ = 48_000
PITCH_HZ = {"bird": 3000.0, "river": 500.0, "car": 120.0}
TOWARDS = {"left": (1, 0, 0), "right": (-1, 0, 0), "front": (0, 0, 1), "behind": (0, 0, -1), "up": (0, 1, 0)}


class Tones:
    """Words are pitches, and a sound is how much of each it has: what CLAP would be in a world of three tones."""

    def words(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([[float(text == name) for name in PITCH_HZ] for text in texts])

    def sounds(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        tones = np.stack([tone(name) for name in PITCH_HZ])
        return np.array([np.abs(tones @ clip) / clip.size for clip in clips])


def tone(name: str) -> np.ndarray:
    return np.sin(2 * math.pi * PITCH_HZ[name] * np.arange(4800) / RATE_HZ)


def scene(**where: str) -> np.ndarray:
    """Plane waves: name -> direction; Y, Z, X from `TOWARDS`."""
    return sum(np.outer([1, *TOWARDS[direction]], tone(name)) for name, direction in where.items()) + np.zeros(
        (4, 4800)
    )


LABELS = [("left", "bird"), ("front", "river"), ("right", "car")]
TRUTH = scene(bird="left", river="front", car="right")


def test_the_truth_itself_is_all_right() -> None:
    got = semantic.compare(TRUTH, TRUTH, LABELS, Tones())
    assert got["clap_audio"] == pytest.approx(1)
    assert got["clap_text_ratio"] == pytest.approx(1)
    assert (got["qa_accuracy"], got["r_precision"]) == (1, 1)
    # towards the bird: bird 1 (2/√2), river ½, car 0; car likewise; towards the river: 1, and ½ of both others
    expected = (2 * 1 / math.hypot(1, 0.5) + 1 / math.sqrt(1.5)) / 3
    assert got["clap_text"] == pytest.approx(expected, abs=1e-6)


def test_left_for_right_is_wrong_where_it_is_swapped() -> None:
    got = semantic.compare(scene(bird="right", river="front", car="left"), TRUTH, LABELS, Tones())
    assert got["qa_accuracy"] == pytest.approx(1 / 3)
    assert got["r_precision"] == pytest.approx(1 / 3)
    assert got["clap_audio"] < 0.8


def test_mono_is_never_right_by_questions_but_may_be_by_rank() -> None:
    mono = TRUTH * np.array([[1.0], [0], [0], [0]])
    mono[0] += 0.5 * tone("river")
    got = semantic.compare(mono, TRUTH, LABELS, Tones())
    assert got["qa_accuracy"] == 0
    assert got["r_precision"] == pytest.approx(1 / 3)


def test_a_label_in_several_directions_has_to_win_in_all() -> None:
    scores = {d: {"wind": s, "bird": 0.5} for d, s in zip(semantic.AROUND, (0.9, 0.2, 0.8, 0.4), strict=True)}
    assert semantic.qa_accuracy(scores, [("left", "wind"), ("front", "wind")]) == 1
    assert semantic.qa_accuracy(scores, [("left", "wind"), ("right", "wind")]) == 0
    assert math.isnan(semantic.qa_accuracy(scores, [(d, "wind") for d in semantic.AROUND]))


def test_candidates_of_other_clips_make_the_rank_harder() -> None:
    labels = [("left", "bird")]
    heard = scene(bird="left", car="left") + 0.1 * scene(car="left")
    assert math.isnan(semantic.compare(heard, heard, labels, Tones())["r_precision"])
    got = semantic.compare(heard, heard, labels, Tones(), candidates=["bird", "car", "river"])
    assert got["r_precision"] == 0
    with pytest.raises(InputError, match="bird"):
        semantic.compare(heard, heard, labels, Tones(), candidates=["car"])


def test_silence_and_nothing_annotated_are_undefined() -> None:
    assert all(math.isnan(v) for v in semantic.compare(TRUTH, TRUTH, [], Tones()).values())
    got = semantic.compare(np.zeros((4, 4800)), TRUTH, LABELS, Tones())
    assert math.isnan(got["clap_text"])
    assert math.isnan(got["clap_audio"])


def test_wrong_labels_are_told() -> None:
    with pytest.raises(InputError, match="north"):
        semantic.compare(TRUTH, TRUTH, [("north", "bird")], Tones())
    with pytest.raises(InputError, match="left"):
        semantic.beam(TRUTH, "north")
