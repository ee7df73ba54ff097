"""Stable Audio and CLAP in the official formats, tiny and random: loaded from folders, in batches, ranked."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sonoworld import testing
from sonoworld.backend import Run
from sonoworld.errors import BackendMissingError, InputError
from sonoworld.sound import rank, stable_audio_pipe
from sonoworld.sound.candidates import Wish, looped, wishes_for
from sonoworld.sound.stable_audio import STABLE_AUDIO, StableAudioOptions
from sonoworld.sound.takes import MARGIN_S
from sonoworld.types import Clip, Source

pytestmark = [pytest.mark.models, pytest.mark.filterwarnings("ignore")]

RATE_HZ = 1600
SECONDS = 2.0


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory, torchvision_imports: object) -> Callable[[str], Path]:
    """Folders of tiny models, by name, each made once."""
    import tiny_sound  # noqa: PLC0415

    folders: dict[str, Path] = {}

    def folder(name: str) -> Path:
        if name not in folders:
            folders[name] = getattr(tiny_sound, name)(tmp_path_factory.mktemp(name))
        return folders[name]

    return folder


def options(model: Path | str, **more: object) -> StableAudioOptions:
    told = {"model": str(model), "offline": True, "device": "cpu", "seconds": SECONDS, "steps": 3, "rank": "none"}
    return StableAudioOptions.model_validate({**told, **more})


def made(model: Path | str, sources: tuple[Source, ...], seed: int = 0, **more: object) -> tuple[Source, ...]:
    return STABLE_AUDIO.make(options(model, **more))(sources, Run(np.random.default_rng(seed)))


def clip(source: Source) -> Clip:
    assert source.clip is not None
    return source.clip


def wishes(*negative: str) -> list[Wish]:
    bird = testing.tiny_sources()[1]
    return [
        replace(wish, negative_prompt=text)
        for wish, text in zip(wishes_for(bird, 5, len(negative)), negative, strict=True)
    ]


both = pytest.mark.parametrize("name", ["stable_audio_open", "stable_audio_3"])


@both
def test_a_batch_gives_what_one_at_a_time_gives(made_up: Callable[[str], Path], name: str) -> None:
    generate = stable_audio_pipe.generator(options(made_up(name), guidance=3.0)).generate
    asked = wishes("", "music", "speech, music", "")
    together = generate(asked, SECONDS)
    assert together.shape == (4, int(SECONDS * RATE_HZ))
    for wish, clip_ in zip(asked, together, strict=True):
        alone = generate([wish], SECONDS)[0]
        assert np.abs(alone - clip_).max() <= 1e-4 * np.abs(alone).max()
    apart = np.abs(together[0] - together[3]).max()
    assert apart > 0.1 * np.abs(together[0]).max(), "every candidate has noise of its own"


@both
def test_same_seed_same_bytes(made_up: Callable[[str], Path], name: str) -> None:
    first, again, other = (made(made_up(name), testing.tiny_sources(), seed, candidates=2) for seed in (0, 0, 1))
    for a, b, c in zip(first, again, other, strict=True):
        assert clip(a).samples.tobytes() == clip(b).samples.tobytes()
        assert clip(a).made_by == clip(b).made_by
        assert not np.array_equal(clip(a).samples, clip(c).samples)


@both
def test_the_negative_prompt_and_the_prompt_change_the_sound(made_up: Callable[[str], Path], name: str) -> None:
    generate = stable_audio_pipe.generator(options(made_up(name), guidance=3.0)).generate
    (wish,) = wishes("music")
    same, unwanted, wanted = (
        generate([one], SECONDS)[0]
        for one in (wish, replace(wish, negative_prompt="wind"), replace(wish, prompt="a large gong"))
    )
    assert np.abs(same - unwanted).max() > 1e-4 * np.abs(same).max()
    assert np.abs(same - wanted).max() > 1e-4 * np.abs(same).max()


def test_clips_keep_the_contract_of_the_stage(made_up: Callable[[str], Path]) -> None:
    told = options(made_up("stable_audio_open"), candidates=1).model_dump()
    testing.check_backend(STABLE_AUDIO, StableAudioOptions.model_validate(told))


def test_open_without_unwanted_words_is_the_pipelines_own_call(made_up: Callable[[str], Path]) -> None:
    """Oracle: the whole pipeline of diffusers, which decodes its full length and then cuts."""
    import torch  # noqa: PLC0415
    from diffusers import StableAudioPipeline  # noqa: PLC0415

    folder = made_up("stable_audio_open")
    (wish,) = wishes("")
    pipe = StableAudioPipeline.from_pretrained(folder)
    for negative in ("", "music"):
        theirs = pipe(
            wish.prompt, negative_prompt=negative or None, audio_end_in_s=SECONDS, num_inference_steps=3,
            guidance_scale=7.0, generator=[torch.Generator().manual_seed(wish.seed)],
        ).audios[0]  # fmt: skip
        ours = stable_audio_pipe.generator(options(folder)).generate([replace(wish, negative_prompt=negative)], SECONDS)
        assert np.allclose(ours[0], theirs.mean(0).numpy(), rtol=0, atol=1e-5 * float(theirs.abs().max()))


def test_the_decoder_reaches_no_further_than_it_is_given(torchvision_imports: object) -> None:
    """At the ratios of Stable Audio Open, with one channel instead of 128."""
    import torch  # noqa: PLC0415
    from diffusers import AutoencoderOobleck  # noqa: PLC0415

    torch.manual_seed(0)
    vae = AutoencoderOobleck(encoder_hidden_size=1, decoder_channels=1, decoder_input_channels=4)
    latents = torch.randn(1, 4, 80)
    reach = stable_audio_pipe._DECODER_REACH
    with torch.inference_mode():
        whole = vae.decode(latents).sample[..., : 40 * vae.hop_length]
        part = vae.decode(latents[..., : 40 + reach]).sample[..., : 40 * vae.hop_length]
    assert float((whole - part).abs().max()) < 1e-4 * float(whole.std())


def test_nan_clips_are_left_out_and_counted(made_up: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = stable_audio_pipe._decoded

    def spoilt(pipe: object, latents: object, seconds: float) -> np.ndarray:
        clips = decoded(pipe, latents, seconds)
        clips[0] = np.nan
        return clips

    monkeypatch.setattr(stable_audio_pipe, "_decoded", spoilt)
    wind, bird = made(made_up("stable_audio_open"), testing.tiny_sources(), candidates=2, batch=4)
    assert "candidate 2 of 2" in clip(wind).made_by
    assert "; 1 without sound" in clip(wind).made_by
    assert "without sound" not in clip(bird).made_by


def test_loops_longer_than_the_model_are_an_error(made_up: Callable[[str], Path]) -> None:
    with pytest.raises(InputError, match=r"loops of at most 2\.5 s .* got 5 s"):
        made(made_up("stable_audio_open"), testing.tiny_sources(), seconds=5.0)


def test_clap_chooses_the_likelier_and_says_so(made_up: Callable[[str], Path]) -> None:
    folder, judge = made_up("stable_audio_open"), made_up("clap")
    agreement, name = rank.clap(str(judge), None, offline=True, device="cpu")
    generator = stable_audio_pipe.generator(options(folder))
    ranked = made(folder, testing.tiny_sources(), rank="clap", rank_model=str(judge), candidates=4)
    base = int(np.random.default_rng(0).integers(1 << 62))
    for source in ranked:
        asked = wishes_for(source, base, 4)
        raw = generator.generate(asked, SECONDS + MARGIN_S)
        loops = [
            looped(one.astype(np.float64), RATE_HZ, SECONDS, np.random.default_rng(wish.seed))
            for one, wish in zip(raw, asked, strict=True)
        ]
        scores = agreement(source.prompt, [loop for loop in loops if loop is not None])
        best = int(np.argmax(scores))
        assert np.ptp(scores) > 1e-3, "the choice matters"
        assert f"seed {asked[best].seed}, candidate {best + 1} of 4 (CLAP {scores[best]:.3f}, " in clip(source).made_by
        assert name in clip(source).made_by


def test_clap_agrees_with_the_model_called_by_hand(made_up: Callable[[str], Path]) -> None:
    """Oracle: transformers' own similarity, `logits_per_audio` without its scale."""
    import torch  # noqa: PLC0415
    from transformers import ClapModel, ClapProcessor  # noqa: PLC0415

    folder = made_up("clap")
    rng = np.random.default_rng(0)
    clips = [rng.standard_normal(48_000 * 3) * 0.1, np.sin(np.arange(48_000 * 12) * 0.1)]
    agreement, _ = rank.clap(str(folder), None, offline=True, device="cpu")
    ours = agreement("a bird", clips)
    net, processor = ClapModel.from_pretrained(folder).eval(), ClapProcessor.from_pretrained(folder)
    window = 480_000
    middle = clips[1][(clips[1].size - window) // 2 :][:window]
    with torch.inference_mode():
        inputs = processor(
            text=["a bird"], audio=[clips[0].astype(np.float32), middle.astype(np.float32)], sampling_rate=48_000,
            return_tensors="pt",
        )  # fmt: skip
        theirs = net(**inputs).logits_per_audio[:, 0] / net.logit_scale_a.exp()
    assert ours == pytest.approx(theirs.numpy(), abs=1e-5)
    assert np.array_equal(ours, agreement("a bird", clips)), "nothing is left to chance"
    assert not np.allclose(ours, agreement("a door", clips))


def test_a_model_of_another_kind_is_refused(made_up: Callable[[str], Path]) -> None:
    with pytest.raises(BackendMissingError, match=r"sound\.stable_audio.*cannot be loaded"):
        made(made_up("clap"), testing.tiny_sources())


def test_missing_checkpoints_are_one_clear_message(made_up: Callable[[str], Path]) -> None:
    with pytest.raises(BackendMissingError, match=r"sound\.stable_audio: .*expected a folder"):
        made("./not/here", testing.tiny_sources())
    with pytest.raises(BackendMissingError) as gone:
        STABLE_AUDIO.make(StableAudioOptions(offline=True, device="cpu"))
    said = str(gone.value)
    for part in ("stabilityai/stable-audio-open-1.0", "offline = true", "5.3 GB, licence Stability AI Community"):
        assert part in said
    assert "hf download stabilityai/stable-audio-open-1.0 --exclude 'model.*'" in said
    assert "--set STAGE.model=FOLDER" in said
    with pytest.raises(BackendMissingError, match=r"(?s)ranking by CLAP: .*laion/larger_clap_general.*rank_model=FOL"):
        made(made_up("stable_audio_open"), testing.tiny_sources(), rank="clap")
