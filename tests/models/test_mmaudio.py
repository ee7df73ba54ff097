"""MMAudio: our calls against a stand-in with the project's signatures, and against the project itself where it is."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonoworld import testing
from sonoworld.backend import Run
from sonoworld.errors import BackendMissingError
from sonoworld.sound import mmaudio_net
from sonoworld.sound.candidates import Wish, wishes_for
from sonoworld.sound.mmaudio import MMAUDIO, MMAudioOptions
from sonoworld.types import Clip, Source

pytestmark = [pytest.mark.models, pytest.mark.filterwarnings("ignore")]


def options(model: Path | str, clip_model: Path | str, **more: object) -> MMAudioOptions:
    told = {
        "model": str(model), "clip_model": str(clip_model), "variant": "small_16k", "offline": True, "device": "cpu",
        "seconds": 2.0, "steps": 2, "rank": "none",
    }  # fmt: skip
    return MMAudioOptions.model_validate({**told, **more})


def wishes(*negative: str, picture: np.ndarray | None = None) -> list[Wish]:
    some = wishes_for(testing.tiny_sources()[1], 5, len(negative), picture)
    return [replace(wish, negative_prompt=text) for wish, text in zip(some, negative, strict=True)]


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (64, 64, 3), np.uint8)


def clip(source: Source) -> Clip:
    assert source.clip is not None
    return source.clip


# ---------------------------------------------------------------- against the stand-in


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch, torchvision_imports: object) -> list[tuple[str, Any]]:
    """The stand-in takes the project's place; what it was told is kept."""
    import mmaudio_stand_in  # noqa: PLC0415

    for name, module in mmaudio_stand_in.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    mmaudio_stand_in.TOLD.clear()
    return mmaudio_stand_in.TOLD


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    import mmaudio_stand_in  # noqa: PLC0415

    return mmaudio_stand_in.save(tmp_path)


def test_what_is_loaded_and_for_how_long(log: list[tuple[str, Any]], folder: Path) -> None:
    generator = mmaudio_net.generator(options(folder, folder))
    assert log == [
        ("network", "small_16k"),
        ("features", ("v1-16.pth", "best_netG.pt", "16k")),
        ("clip", f"local-dir:{folder}"),
    ]
    log.clear()
    sound = generator.generate(wishes("", ""), 3.0)
    assert sound.shape == (2, 48_000)
    assert log[0] == ("lengths", (94, 24, 64))
    assert generator.rate_hz == 16_000
    assert generator.licence == "not stated"
    assert generator.model.startswith("mmaudio_small_16k.pth (sha256 ")


def test_all_candidates_of_all_sources_go_in_one_batch(log: list[tuple[str, Any]], folder: Path) -> None:
    made = MMAUDIO.make(options(folder, folder))(testing.tiny_sources(), Run(np.random.default_rng(0)))
    (noise,) = [value for what, value in log if what == "noise"]
    assert noise.shape == (6, 110, 20)  # 2 s, and 1.5 s for the join
    assert all("sha256" in clip(source).made_by for source in made)


def test_words_pictures_and_what_is_unwanted_all_count(log: list[tuple[str, Any]], folder: Path) -> None:
    generate = mmaudio_net.generator(options(folder, folder)).generate
    (plain,) = wishes("")
    asked = [
        plain, replace(plain, prompt="a gong"), replace(plain, negative_prompt="music"),
        replace(plain, picture=picture(0)), replace(plain, picture=picture(1) // 4), replace(plain, seed=1),
    ]  # fmt: skip
    together = generate(asked, 3.0)
    for i, one in enumerate(asked):
        assert np.allclose(generate([one], 3.0)[0], together[i], atol=1e-6)
        assert all(np.abs(together[i] - other).max() > 1e-4 for other in together[:i])


def test_pictures_can_be_left_out(log: list[tuple[str, Any]], folder: Path) -> None:
    run = Run(np.random.default_rng(0), picture_of=lambda source: picture(0) if source.id == "bird" else None)
    seeing, blind = (
        MMAUDIO.make(options(folder, folder, pictures=pictures))(testing.tiny_sources(), run)
        for pictures in (True, False)
    )
    assert [("from words and picture" in clip(s).made_by) for s in (*seeing, *blind)] == [False, True, False, False]


def test_what_is_missing_is_said_of_the_right_thing(log: list[tuple[str, Any]], folder: Path) -> None:
    with pytest.raises(BackendMissingError, match=r"sound\.mmaudio: \./not/here: expected a folder"):
        mmaudio_net.generator(options("./not/here", folder))
    with pytest.raises(BackendMissingError) as gone:
        mmaudio_net.generator(options("hkchengrex/MMAudio", folder))
    for part in (
        "'hkchengrex/MMAudio'",
        "offline = true",
        "CC BY-NC 4.0",
        "weights/mmaudio_small_16k.pth ext_weights/v1-16.pth ext_weights/best_netG.pt",
    ):
        assert part in str(gone.value)
    with pytest.raises(BackendMissingError, match=r"nvidia/bigvgan_v2_44khz_128band_512x.*offline"):
        _44k(folder)
    (folder / "ext_weights" / "v1-16.pth").unlink()
    with pytest.raises(BackendMissingError, match=r"ext_weights/v1-16\.pth: expected a file"):
        mmaudio_net.generator(options(folder, folder))


def _44k(folder: Path) -> None:
    (folder / "weights" / "mmaudio_small_16k.pth").rename(folder / "weights" / "mmaudio_small_44k.pth")
    try:
        mmaudio_net.generator(options(folder, folder, variant="small_44k"))
    finally:
        (folder / "weights" / "mmaudio_small_44k.pth").rename(folder / "weights" / "mmaudio_small_16k.pth")


def test_without_the_package_the_install_is_told(torchvision_imports: object, folder: Path) -> None:
    if find_spec("mmaudio"):
        pytest.skip("mmaudio is installed")
    assert "mmaudio" in MMAUDIO.missing()
    with pytest.raises(BackendMissingError, match=r"MMAudio is not on PyPI: pip install"):
        mmaudio_net.generator(options(folder, folder))


# ---------------------------------------------------------------- the project itself, where it is installed


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory, torchvision_imports: object) -> Iterator[tuple[Path, Path]]:
    if not find_spec("mmaudio"):
        pytest.skip("mmaudio is not installed: https://github.com/hkchengrex/MMAudio")
    import tiny_mmaudio  # noqa: PLC0415

    yield tiny_mmaudio.mmaudio(tmp_path_factory.mktemp("mmaudio")), tiny_mmaudio.clip(tmp_path_factory.mktemp("clip"))


@pytest.mark.parametrize("seen", [False, True], ids=["words", "words and picture"])
def test_the_real_one_gives_what_its_own_programs_give(real: tuple[Path, Path], seen: bool) -> None:
    """Oracle: `mmaudio.eval_utils.generate`, one clip at a time, with CLIP in place of its full-size one."""
    import torch  # noqa: PLC0415
    from mmaudio.eval_utils import generate  # noqa: PLC0415
    from mmaudio.model.flow_matching import FlowMatching  # noqa: PLC0415
    from mmaudio.model.sequence_config import CONFIG_16K  # noqa: PLC0415

    told = options(*real)
    ours = mmaudio_net.generator(told)
    shown = picture(0) if seen else None
    asked = wishes("music", "", picture=shown)
    together = ours.generate(asked, 3.0)
    lengths = replace(CONFIG_16K, duration=3.0)
    net, features = _loaded(told)
    net.update_seq_lengths(lengths.latent_seq_len, lengths.clip_seq_len, lengths.sync_seq_len)
    euler = FlowMatching(min_sigma=0, inference_mode="euler", num_steps=told.steps)
    for wish, mine in zip(asked, together, strict=True):
        with torch.inference_mode():
            theirs = generate(
                None if shown is None else _as_video(shown), None, [wish.prompt],
                negative_text=[wish.negative_prompt], feature_utils=features, net=net, fm=euler,
                rng=torch.Generator().manual_seed(wish.seed), cfg_strength=told.guidance, image_input=seen,
            )[0, 0].numpy()  # fmt: skip
        assert np.isfinite(mine).all()
        error = float(np.abs(mine - theirs[: mine.size]).max() / np.abs(theirs).max())
        assert error <= 1e-3
    assert np.abs(together[0] - together[1]).max() > 1e-2 * np.abs(together).max()
    assert CONFIG_16K.duration == 8.0, "the module's own configuration is left alone"


def _loaded(told: MMAudioOptions) -> tuple[Any, Any]:
    checkpoint = mmaudio_net.Checkpoint(told.model, None, True)
    net, _ = mmaudio_net._network(told, checkpoint)
    features = mmaudio_net._features(told, checkpoint, "16k").eval()
    from torchvision.transforms import Normalize  # noqa: PLC0415

    features.clip_preprocess = Normalize(mmaudio_net._CLIP_MEAN, mmaudio_net._CLIP_STD)  # as the project has it
    return net.eval(), features


def _as_video(shown: np.ndarray) -> Any:
    """As `eval_utils.load_image` makes it, without its file."""
    import torch  # noqa: PLC0415
    from torchvision.transforms import v2  # noqa: PLC0415

    pixels = torch.from_numpy(shown)[None].permute(0, 3, 1, 2)
    resize = v2.Resize((384, 384), interpolation=v2.InterpolationMode.BICUBIC)
    return v2.ToDtype(torch.float32, scale=True)(resize(pixels))[None]
