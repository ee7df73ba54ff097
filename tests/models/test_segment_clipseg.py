"""CLIPSeg in the official format, tiny and random: what we split is the model's own forward, on tiles all around."""

import re
from pathlib import Path

import numpy as np
import pytest
from tiny_segmenters import save_clipseg

from sonoworld import testing
from sonoworld.backend import Run
from sonoworld.errors import BackendMissingError
from sonoworld.segment import clipseg_net
from sonoworld.segment.clipseg import CLIPSEG, PARAMETERS, WEIGHTS, ClipsegOptions
from sonoworld.types import Sounding, Spread

pytestmark = [pytest.mark.models, pytest.mark.filterwarnings("ignore")]
RUN = Run(np.random.default_rng(0))


@pytest.fixture(scope="session")
def clipseg(tmp_path_factory: pytest.TempPathFactory, torchvision_imports: object) -> Path:
    return save_clipseg(tmp_path_factory.mktemp("clipseg"))


def options(folder: Path, **changes: object) -> ClipsegOptions:
    values = {"model": str(folder), "offline": True, "device": "cpu", "least_score": 0.0, "least_of_sphere": 0.0}
    return ClipsegOptions.model_validate({**values, **changes})


def soundings() -> tuple[Sounding, ...]:
    return (
        Sounding("wind", "wind", Spread.AMBIENT, 40.0, 0.9, "t"),
        Sounding("engine", "engine", Spread.POINT, 80.0, 0.9, "t", grounding="bus"),
        Sounding("radio", "radio", Spread.POINT, 60.0, 0.9, "t", visible=False),
        Sounding("river", "river", Spread.AREA, 70.0, 0.9, "t"),
    )


def test_each_pair_is_the_models_own_forward(clipseg: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch  # noqa: PLC0415
    from transformers import CLIPSegForImageSegmentation, CLIPSegProcessor  # noqa: PLC0415

    monkeypatch.setattr(clipseg_net, "PAIRS_AT_ONCE", 6)  # two tiles, then one
    net, processor = CLIPSegForImageSegmentation.from_pretrained(clipseg), CLIPSegProcessor.from_pretrained(clipseg)
    net.eval()
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (64, 64, 3), np.uint8) for _ in range(3)]
    labels = ["bus", "river", "a dog that barks"]
    ours = clipseg_net.tile_scores(net, processor, pictures, clipseg_net.conditions(net, processor, labels))
    assert len(ours) == 3
    for picture, maps in zip(pictures, ours, strict=True):
        inputs = processor(text=labels, images=[picture] * 3, padding=True, return_tensors="pt")
        with torch.inference_mode():
            theirs = net(**inputs).logits.sigmoid().numpy()
        assert maps.shape == (3, 64, 64)
        np.testing.assert_allclose(maps, theirs, atol=5e-5)  # rounding in other batches
        assert np.abs(maps[0] - maps[1]).max() > 1e-4  # the words matter


def test_maps_do_not_depend_on_the_batch_or_on_the_other_labels(clipseg: Path) -> None:
    rgb = testing.tiny_panorama(64).rgb
    together = clipseg_net.semantics(options(clipseg, batch=5))(rgb, ("bus", "river"), RUN)
    alone = clipseg_net.semantics(options(clipseg, batch=1))(rgb, ("river",), RUN)
    assert together.shape == (2, 64, 128)
    np.testing.assert_allclose(together[1], alone[0], atol=1e-5)


def test_16_bits_are_close(clipseg: Path) -> None:
    rgb = testing.tiny_panorama(64).rgb
    full, half = (
        clipseg_net.semantics(options(clipseg, dtype=d))(rgb, ("bus", "river"), RUN) for d in ("float32", "bfloat16")
    )
    assert 0 < np.abs(full - half).mean() < 0.05


def test_every_pixel_goes_to_one_label_and_the_contract_is_kept(clipseg: Path) -> None:
    panorama = testing.tiny_panorama(64)
    found = CLIPSEG.make(options(clipseg))(panorama, soundings(), RUN)
    assert [s.label for s in found] == [s.label for s in soundings()]
    assert found[0].mask is None
    assert found[2].mask is None
    masks = [s.mask for s in found if s.mask is not None]
    assert sum(int(m.sum()) for m in masks) == 64 * 128
    assert np.logical_or.reduce(masks).all()


def test_what_stands_for_the_rest_takes_its_pixels(clipseg: Path) -> None:
    panorama = testing.tiny_panorama(64)
    scores = clipseg_net.semantics(options(clipseg))(panorama.rgb, ("bus", "river", "ground", "a grey wall"), RUN)
    expected = scores.argmax(0)
    found = CLIPSEG.make(options(clipseg, others=("ground", "River", "a grey wall")))(panorama, soundings(), RUN)
    for k, i in ((0, 1), (1, 3)):
        mask = found[i].mask
        assert (np.zeros((64, 128), bool) if mask is None else mask).sum() == (expected == k).sum()


def test_a_threshold_that_nothing_reaches_finds_nothing(clipseg: Path) -> None:
    found = CLIPSEG.make(options(clipseg, least_score=1.0))(testing.tiny_panorama(64), soundings(), RUN)
    assert all(s.mask is None for s in found)


def test_words_longer_than_the_model_reads_are_cut(clipseg: Path) -> None:
    long = Sounding("x" * 5000, "x", Spread.AREA, 70.0, 0.9, "t")
    (found,) = CLIPSEG.make(options(clipseg))(testing.tiny_panorama(64), (long,), RUN)
    assert found.mask is not None


def test_another_architecture_and_a_missing_folder_are_one_message(clipseg: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file  # noqa: PLC0415

    for file in clipseg.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    tensors = load_file(tmp_path / "model.safetensors")
    save_file(
        {k: v for k, v in tensors.items() if "film_mul" not in k}, tmp_path / "model.safetensors", {"format": "pt"}
    )
    with pytest.raises(BackendMissingError, match=r"segment\.clipseg: .*lacks 2 tensors"):
        CLIPSEG.make(options(tmp_path))
    with pytest.raises(BackendMissingError, match=r"segment\.clipseg: .*expected a folder"):
        CLIPSEG.make(options(clipseg, model="./not/here"))


def test_the_size_is_that_of_the_full_model() -> None:
    import torch  # noqa: PLC0415
    from transformers import CLIPSegConfig, CLIPSegForImageSegmentation  # noqa: PLC0415

    config = CLIPSegConfig(use_complex_transposed_convolution=True, vision_config={"patch_size": 16})
    with torch.device("meta"):
        net = CLIPSegForImageSegmentation(config)
    assert sum(p.numel() for p in net.parameters()) == PARAMETERS
    assert re.fullmatch(r"0\.60?", str(WEIGHTS[0].size_gb))  # its page says 603 MB
