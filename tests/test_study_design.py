import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoworld.errors import InputError
from sonoworld.study import design, headphones

METHODS = ("ours", "MMAudio", "OmniAudio")
SCENES = tuple(f"scene {i}" for i in range(12))


@given(st.integers(1, 14))
def test_the_square_is_balanced(n: int) -> None:
    rows = design.balanced_latin_square(n)
    assert all(sorted(row) == list(range(n)) for row in rows)
    for place in range(n):
        assert len(set(Counter(row[place] for row in rows).values())) == 1
    follows = Counter((a, b) for row in rows for a, b in pairwise(row))
    assert len(follows) == n * (n - 1)
    assert len(set(follows.values())) <= 1


def test_every_listener_meets_every_pair_of_every_scene_once() -> None:
    for trials in design.plan(METHODS, SCENES, 7).listeners:
        met = Counter((t.scene, frozenset((t.first, t.second))) for t in trials)
        assert len(met) == 36
        assert set(met.values()) == {1}
        for k in range(3):
            assert len({t.scene for t in trials[12 * k : 12 * k + 12]}) == 12, "once in a round"


def test_sides_places_and_rounds_are_even() -> None:
    listeners = design.plan(METHODS, SCENES, 24, seed=3).listeners
    sides = Counter((t.scene, t.first, t.second) for trials in listeners for t in trials)
    assert set(sides.values()) == {12}
    for trials in listeners:
        assert set(Counter((t.first, t.second) for t in trials).values()) == {6}
    for place in range(36):
        pairs = Counter(frozenset((trials[place].first, trials[place].second)) for trials in listeners)
        assert max(pairs.values()) - min(pairs.values()) <= 1
    assert {sum(trials[i].scene == s for trials in listeners) for i in range(36) for s in SCENES} == {2}
    rounds = Counter(
        (k // 12, t.scene, frozenset((t.first, t.second))) for trials in listeners for k, t in enumerate(trials)
    )
    assert set(rounds.values()) == {8}


@settings(max_examples=20)
@given(st.integers(2, 5), st.integers(2, 7), st.integers(1, 6))
def test_any_size_is_complete_and_is_read_back(methods: int, scenes: int, listeners: int) -> None:
    made = design.plan(METHODS[:2] + tuple(map(str, range(methods - 2))), SCENES[:scenes], listeners)
    assert {len(set(trials)) for trials in made.listeners} == {scenes * math.comb(methods, 2)}
    assert design.from_json(design.to_json(made)) == made


def test_wrong_studies_are_told() -> None:
    with pytest.raises(InputError, match="methods: expected at least 2"):
        design.plan(("ours",), SCENES, 1)
    with pytest.raises(InputError, match="each once"):
        design.plan(METHODS, ("a", "a"), 1)
    with pytest.raises(InputError, match="listeners"):
        design.plan(METHODS, SCENES, 0)
    with pytest.raises(InputError, match="key of a study"):
        design.from_json({})


def band_power(x: np.ndarray, rate_hz: int) -> float:
    hz = np.fft.rfftfreq(x.size, 1 / rate_hz)
    power = np.abs(np.fft.rfft(x)) ** 2
    return float(power[np.abs(hz - 600) < 36].mean() / power[np.abs(hz - 900) < 36].mean())


def test_the_pitch_is_in_no_ear_alone_but_between_them() -> None:
    rate_hz, rng = 8000, np.random.default_rng(0)
    n, gap = 8000, 1200
    sound = headphones.three_noises(rate_hz, 1, rng).astype(np.float64)
    for k in range(3):
        left, right = sound[:, k * (n + gap) :][:, :n]
        assert band_power(left, rate_hz) == pytest.approx(1, abs=0.5)
        assert band_power(right, rate_hz) == pytest.approx(1, abs=0.5)
        if k == 1:
            assert band_power(left - right, rate_hz) > 100, "what the ears do not share is the band alone"
            hz = np.fft.rfftfreq(n, 1 / rate_hz)
            middle = np.abs(hz - 600) < 3
            cross = (np.fft.rfft(left) * np.conj(np.fft.rfft(right)))[middle]
            assert abs(np.angle(cross.sum())) == pytest.approx(math.pi, abs=0.2), "opposite in the middle"
        else:
            assert np.array_equal(left, right)


def test_checks_ask_both_ears_and_every_noise_alike() -> None:
    made = headphones.checks(8000, seed=5)
    assert sorted(c.answer for c in made if c.kind == "ear") == [0, 1]
    assert Counter(c.answer for c in made if c.kind == "pitch") == {0: 2, 1: 2, 2: 2}
    for check in made[:2]:
        assert not check.sound[1 - check.answer].any()
        assert np.sqrt(np.mean(check.sound[check.answer] ** 2)) == pytest.approx(0.05, rel=0.05)
    assert all(np.array_equal(a.sound, b.sound) for a, b in zip(made, headphones.checks(8000, seed=5), strict=True))
