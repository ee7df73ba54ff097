"""How long a clip rings: sounds through rooms of known decay, and sounds of which nothing can be told."""

import numpy as np
import pytest
from scipy import signal

from sonoworld.errors import InputError
from sonoworld.sound import synthesise
from sonoworld.sound.reverberation import Reverberation, decay_times_s, estimated

RATE = 48_000


def in_a_room(t60_s: float, rate_hz: int = RATE, seed: int = 0, floor_db: float = -200.0) -> np.ndarray:
    """Eight bursts of 80 ms in 12 s through noise that decays by 60 dB in `t60_s`, nothing else."""
    rng = np.random.default_rng(seed)
    dry = np.zeros(12 * rate_hz)
    for burst in range(8):
        begin = int((burst + 0.1) * 1.5 * rate_hz)
        dry[begin : begin + rate_hz // 12] = rng.standard_normal(rate_hz // 12)
    t = np.arange(int(1.5 * t60_s * rate_hz)) / rate_hz
    wet = signal.fftconvolve(dry, rng.standard_normal(t.size) * 10 ** (-3 * t / t60_s))[: dry.size]
    return wet / wet.std() + 10 ** (floor_db / 20) * rng.standard_normal(dry.size)


def t60_s(x: np.ndarray, rate_hz: int = RATE) -> float:
    found = estimated(x, rate_hz)
    assert found is not None
    return found.t60_s


@pytest.mark.parametrize("true_s", [0.15, 0.3, 0.6, 1.2, 2.5])
@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
def test_exponential_tails_are_measured(true_s: float, rate_hz: int) -> None:
    assert t60_s(in_a_room(true_s, rate_hz), rate_hz) == pytest.approx(true_s, rel=0.1)


def test_every_decay_counts_once() -> None:
    found = estimated(in_a_room(0.4), RATE)
    assert found is not None
    assert 28 <= found.decays <= 32  # eight bursts in four octaves


def test_noise_under_it_changes_little() -> None:
    assert t60_s(in_a_room(0.8, floor_db=-38)) == pytest.approx(0.8, rel=0.12)


def test_level_does_not_matter() -> None:
    x = in_a_room(0.5)
    assert t60_s(1e-4 * x) == pytest.approx(t60_s(x), rel=1e-6)


def test_slow_releases_of_some_sounds_do_not_pass_for_the_room() -> None:
    """Half of the bursts die away in 2 s of their own accord: the others tell the room of 0.3 s."""
    x, slow = in_a_room(0.3), in_a_room(2.0, seed=1)
    gap = 3 * RATE // 2
    half = np.repeat(np.arange(8) % 2, gap)
    mixed = np.where(half == 0, x, slow)
    assert t60_s(mixed) < 0.6
    assert t60_s(slow) > 1.7


def test_clicks_without_a_room_are_dry() -> None:
    x = 1e-4 * np.random.default_rng(0).standard_normal(6 * RATE)
    x[RATE // 2 :: RATE] = 1.0
    assert t60_s(x) < 0.1


def test_dogs_far_away_bring_more_room_than_dogs_near_by() -> None:
    def room_s(words: str, seed: int) -> float:
        return t60_s(synthesise(words, seconds=8, rng=np.random.default_rng(seed)).samples.astype(np.float64))

    far, near = (np.median([room_s(words, seed) for seed in range(3)]) for words in ("distant dog", "dog"))
    assert far > 1.5 * near


def test_a_straight_line_is_a_decay_and_steps_are_none() -> None:
    level = np.concatenate([np.full(50, -80.0), np.linspace(0, -80, 401), np.full(50, -80.0)])
    assert decay_times_s(level) == pytest.approx([0.005 * 400 * 60 / 80], rel=1e-6)
    steps = np.concatenate([np.full(50, -80.0), np.full(60, 0.0), np.full(60, -24.0), np.full(60, -48.0)])
    assert all(time > 0.3 for time in decay_times_s(steps - np.linspace(0, 0.1, steps.size)))
    assert decay_times_s(np.zeros(200)).size == 0


@pytest.mark.parametrize("x", [np.random.default_rng(0).standard_normal(4 * RATE), np.zeros(RATE)])
def test_steady_noise_and_silence_tell_nothing(x: np.ndarray) -> None:
    assert estimated(x, RATE) is None


@pytest.mark.parametrize(
    ("x", "rate_hz", "says"),
    [(np.full(RATE, np.nan), RATE, "NaN"), (np.zeros(100), RATE, "got 100 samples"), (np.zeros(RATE), 1000, "1000 Hz")],
)
def test_what_cannot_be_measured_is_one_message(x: np.ndarray, rate_hz: int, says: str) -> None:
    with pytest.raises(InputError, match=says):
        estimated(x, rate_hz)


def test_in_words() -> None:
    assert Reverberation(0.456, 12).told() == "60 dB in 0.46 s or less (from 12 free decays)"
