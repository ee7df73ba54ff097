"""From raw clips to sources' clips, with a made-up model: seeds, loops, what is left out, and who chooses."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from sonoworld.backend import Run
from sonoworld.errors import StageError
from sonoworld.sound import candidates
from sonoworld.sound.candidates import Generator, Wish, looped, maker, wishes_for
from sonoworld.sound.excerpt import frame_levels
from sonoworld.sound.generative import GenerativeOptions
from sonoworld.sound.level import integrated_lufs, momentary_max_lufs
from sonoworld.sound.loop import join_ratio
from sonoworld.testing import tiny_sources
from sonoworld.types import Clip, Source

RATE = 16_000


def options(**more: object) -> GenerativeOptions:
    return GenerativeOptions.model_validate({"model": "made up", "rank": "none", "seconds": 2.0, **more})


class Studio:
    """A model that makes noise from each wish's seed, and keeps what it was asked for; `spoilt` clips are NaN."""

    def __init__(self, spoilt: Sequence[int] = (), gain: float = 0.1) -> None:
        self.batches: list[list[Wish]] = []
        self.spoilt, self.gain, self.count = set(spoilt), gain, 0

    def generate(self, wishes: Sequence[Wish], seconds: float) -> np.ndarray:
        self.batches.append(list(wishes))
        clips = []
        for wish in wishes:
            clip = self.gain * np.random.default_rng(wish.seed).standard_normal(int(seconds * RATE))
            if self.count in self.spoilt:
                clip[100] = np.nan
            clips.append(clip.astype(np.float32))
            self.count += 1
        return np.stack(clips)

    @property
    def wishes(self) -> list[Wish]:
        return [wish for batch in self.batches for wish in batch]

    def generator(self) -> Generator:
        return Generator(self.generate, RATE, "a made-up model@0123", "a made-up model", "CC0-1.0")


def made(studio: Studio, sources: tuple[Source, ...], seed: int = 3, /, **more: object) -> tuple[Source, ...]:
    return maker(studio.generator(), options(**more), "sound.made_up")(sources, Run(np.random.default_rng(seed)))


def clip(source: Source) -> Clip:
    assert source.clip is not None
    return source.clip


# ---------------------------------------------------------------- what is asked for


def test_seeds_do_not_depend_on_other_sources_or_on_how_many_candidates() -> None:
    wind, bird = tiny_sources()
    alone = [wish.seed for wish in wishes_for(bird, 7, 3)]
    assert [wish.seed for wish in wishes_for(bird, 7, 5)][:3] == alone
    assert len({*alone, *(wish.seed for wish in wishes_for(wind, 7, 3))}) == 6
    assert [wish.seed for wish in wishes_for(bird, 8, 3)] != alone
    assert all(0 <= seed < 1 << 63 for seed in alone)

    with_wind, without = Studio(), Studio()
    both, one = made(with_wind, (wind, bird)), made(without, (bird,))
    assert np.array_equal(clip(both[1]).samples, clip(one[0]).samples)


def test_words_are_the_prompt_or_else_the_label() -> None:
    bird = replace(tiny_sources()[1], negative_prompt="music")
    (wish,) = wishes_for(bird, 0, 1)
    assert (wish.prompt, wish.negative_prompt) == ("a small bird singing", "music")
    assert wishes_for(replace(bird, prompt=""), 0, 1)[0].prompt == "bird"


@pytest.mark.parametrize("batch", [1, 4, 12])
def test_batches_change_only_the_speed(batch: int) -> None:
    studio = Studio()
    sources = made(studio, tiny_sources(), candidates=3, batch=batch)
    assert [len(b) for b in studio.batches] == {1: [1] * 6, 4: [4, 2], 12: [6]}[batch]
    reference = made(Studio(), tiny_sources(), candidates=3, batch=6)
    for ours, theirs in zip(sources, reference, strict=True):
        assert np.array_equal(clip(ours).samples, clip(theirs).samples)


def test_only_a_model_that_looks_is_shown_pictures() -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    run = Run(np.random.default_rng(0), picture_of=lambda source: picture if source.id == "bird" else None)
    studio = Studio()
    sources = maker(studio.generator(), options(candidates=1), "sound.made_up", pictures=True)(tiny_sources(), run)
    assert [wish.picture is None for wish in studio.wishes] == [True, False]
    assert "picture" not in clip(sources[0]).made_by
    assert "from words and picture" in clip(sources[1]).made_by
    blind = Studio()
    maker(blind.generator(), options(candidates=1), "sound.made_up")(tiny_sources(), run)
    assert all(wish.picture is None for wish in blind.wishes)


# ---------------------------------------------------------------- loops


def loop(samples: np.ndarray, rate_hz: int, seconds: float = 4.0) -> np.ndarray:
    found = looped(samples, rate_hz, seconds, np.random.default_rng(0))
    assert found is not None
    return found


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
def test_a_loop_has_about_the_length_asked_for_at_48_khz_and_no_seam(rate_hz: int) -> None:
    found = loop(np.random.default_rng(0).standard_normal(int(5.5 * rate_hz)), rate_hz)
    assert found.size / 48_000 == pytest.approx(4, abs=1)
    assert join_ratio(found) <= 1


def test_a_tone_keeps_its_pitch_over_the_join() -> None:
    found = np.tile(loop(np.sin(2 * np.pi * 440 * np.arange(int(5.5 * 44_100)) / 44_100), 44_100), 2)
    spectrum = np.abs(np.fft.rfft(found * np.hanning(found.size)))
    assert np.argmax(spectrum) * 48_000 / found.size == pytest.approx(440, abs=0.5)


def test_a_lone_bark_is_repeated_with_rests() -> None:
    noise = np.random.default_rng(0).standard_normal(int(9.5 * RATE))
    noise[: 2 * RATE] *= 1e-4
    noise[2 * RATE + RATE // 4 :] *= 1e-4
    found = loop(noise, RATE, 8.0)
    heard = frame_levels(found) > -26
    assert found.size == 8 * 48_000
    assert 2 <= int(np.sum(np.diff(heard.astype(int)) == 1)) <= 5
    assert float(heard.mean()) < 0.3


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros(5 * RATE),
        np.full(5 * RATE, np.nan),
        np.full(5 * RATE, 0.5),  # a constant is no sound
        np.r_[np.ones(5 * RATE - 1), np.inf],
        1e-5 * np.random.default_rng(0).standard_normal(5 * RATE),  # below -70 LUFS
    ],
    ids=["zeros", "nan", "constant", "inf", "faint"],
)
def test_what_is_no_sound_gives_no_loop(bad: np.ndarray) -> None:
    assert looped(bad, RATE, 4.0, np.random.default_rng(0)) is None


# ---------------------------------------------------------------- what becomes of a source


def test_clips_loop_at_the_stored_level_and_say_who_made_them() -> None:
    studio = Studio()
    for source in made(studio, tiny_sources(), candidates=2):
        found = clip(source)
        assert (found.rate_hz, found.loops, found.clip_gain_db, found.licence) == (48_000, True, 23.0, "CC0-1.0")
        assert integrated_lufs(found.samples.astype(np.float64), 48_000) == pytest.approx(-23, abs=0.05)
        assert found.author == "a made-up model", "short, for the credits"
        assert "a made-up model@0123, seed" in found.made_by
        assert "candidate 1 of 2 (the first; not ranked)" in found.made_by


def test_an_event_is_levelled_by_its_loudest_moment() -> None:
    class Door(Studio):
        def generate(self, wishes: Sequence[Wish], seconds: float) -> np.ndarray:
            clips = super().generate(wishes, seconds)
            clips[:, : RATE // 2] *= 1e-3
            clips[:, RATE // 2 + RATE // 4 :] *= 1e-3
            return clips

    (one,) = made(Door(), tiny_sources()[1:], candidates=1, seconds=4.0)
    assert momentary_max_lufs(clip(one).samples.astype(np.float64), 48_000) == pytest.approx(-23, abs=0.05)


def test_tone_is_heard() -> None:
    bird = tiny_sources()[1]
    plain, dull = (
        made(Studio(), (source,), candidates=1)[0] for source in (bird, replace(bird, tone_db=(0.0, 0.0, -24.0)))
    )

    def highs(source: Source) -> float:
        """Power from 6 to 7.5 kHz (the model has 16 kHz) over all."""
        power = np.abs(np.fft.rfft(clip(source).samples)) ** 2
        bins_per_hz = clip(source).samples.size / 48_000
        return float(power[round(6000 * bins_per_hz) : round(7500 * bins_per_hz)].sum() / power.sum())

    assert 10 * np.log10(highs(plain) / highs(dull)) > 15


def test_spoilt_candidates_are_left_out_and_counted() -> None:
    studio = Studio(spoilt=[0, 4])
    wind, bird = made(studio, tiny_sources(), candidates=3)
    assert "candidate 2 of 3" in clip(wind).made_by
    assert "; 1 without sound" in clip(wind).made_by
    assert f"seed {studio.wishes[1].seed}," in clip(wind).made_by
    assert "candidate 1 of 3" in clip(bird).made_by
    assert "; 1 without sound" in clip(bird).made_by


def test_a_source_of_which_every_candidate_is_spoilt_stops_with_advice() -> None:
    with pytest.raises(StageError, match=r"only NaN or silence for 'bird' \(2 candidates\).*float32"):
        made(Studio(spoilt=[2, 3]), tiny_sources(), candidates=2)


def test_a_model_that_gives_fewer_clips_than_asked_is_an_error() -> None:
    lazy = Generator(
        lambda wishes, seconds: np.ones((1, int(seconds * RATE)), np.float32), RATE, "lazy", "lazy", "CC0-1.0"
    )
    with pytest.raises(StageError, match="asked lazy for 6 clips, got 1"):
        maker(lazy, options(), "sound.made_up")(tiny_sources(), Run(np.random.default_rng(0)))


# ---------------------------------------------------------------- who chooses


def test_the_judge_chooses_and_its_scores_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, int]] = []

    def agreement(prompt: str, clips: Sequence[np.ndarray]) -> np.ndarray:
        heard.append((prompt, len(clips)))
        return np.linspace(0.1, 0.3, len(clips)) if prompt == "gentle wind" else np.linspace(0.5, -0.2, len(clips))

    def clap(model: str, revision: str | None, *, offline: bool, device: str) -> tuple[object, str]:
        assert (model, revision, offline, device) == ("a judge", "abc", True, "cpu")
        return agreement, "a judge, MIT"

    monkeypatch.setattr(candidates, "clap", clap)
    chosen = {"rank": "clap", "rank_model": "a judge", "rank_revision": "abc", "offline": True, "device": "cpu"}
    studio = Studio(spoilt=[1])
    wind, bird = made(studio, tiny_sources(), candidates=3, **chosen)
    assert heard == [("gentle wind", 2), ("a small bird singing", 3)]
    assert "candidate 3 of 3 (CLAP 0.300, others 0.100; a judge, MIT)" in clip(wind).made_by
    assert "candidate 1 of 3 (CLAP 0.500, others 0.150, -0.200; a judge, MIT)" in clip(bird).made_by
    assert f"seed {studio.wishes[2].seed}," in clip(wind).made_by
    only_that = made(Studio(spoilt=[0, 1]), tiny_sources(), candidates=3)
    assert np.array_equal(clip(wind).samples, clip(only_that[0]).samples)


def test_one_candidate_needs_no_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    def clap(*_: object, **__: object) -> None:
        raise AssertionError("asked to judge one")

    monkeypatch.setattr(candidates, "clap", clap)
    (one,) = made(Studio(), tiny_sources()[:1], candidates=1, rank="clap")
    assert "not ranked" in clip(one).made_by


def test_a_clip_says_how_long_it_rings_and_can_be_dried() -> None:
    """Clicks in a room of 0.6 s: the record says about as much, and drying takes some of the tail away."""
    rng = np.random.default_rng(4)
    n = int(0.6 * RATE)
    tail = rng.standard_normal(n) * 10 ** (-3 * np.arange(n) / n)
    clicks = np.zeros(6 * RATE)
    clicks[RATE // 4 :: int(1.1 * RATE)] = 1
    wet = np.convolve(clicks, tail)[: clicks.size]
    room = Generator(lambda wishes, _: np.stack([wet.astype(np.float32)] * len(wishes)), RATE, "a@0", "a", "CC0-1.0")
    wished = tiny_sources()[:1]
    plain, dry = (
        clip(
            maker(room, options(seconds=4.0, dereverberate=on), "sound.made_up")(wished, Run(np.random.default_rng(0)))[
                0
            ]
        )
        for on in (False, True)
    )
    assert "falls by 60 dB in 0." in plain.made_by
    assert not np.array_equal(plain.samples, dry.samples)
