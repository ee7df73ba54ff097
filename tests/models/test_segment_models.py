"""SAM 3 in the official format, tiny and random: loaded from a folder, run over all tiles, joined on the sphere."""

from pathlib import Path

import numpy as np
import pytest
from tiny_segmenters import sam3_config, save_sam3

from sonoworld import testing
from sonoworld.backend import Run
from sonoworld.errors import BackendMissingError
from sonoworld.segment import sam3_net
from sonoworld.segment.sam3 import PARAMETERS, PARAMETERS_PUBLISHED, SAM3, WEIGHTS, Sam3Options
from sonoworld.types import Sounding, Spread

pytestmark = [pytest.mark.models, pytest.mark.filterwarnings("ignore")]
RUN = Run(np.random.default_rng(0))


@pytest.fixture(scope="session")
def sam3(tmp_path_factory: pytest.TempPathFactory, torchvision_imports: object) -> Path:
    return save_sam3(tmp_path_factory.mktemp("sam3"))


def soundings() -> tuple[Sounding, ...]:
    return (
        Sounding("wind", "wind", Spread.AMBIENT, 40.0, 0.9, "t"),
        Sounding("engine", "engine", Spread.POINT, 80.0, 0.9, "t", grounding="bus"),
        Sounding("radio", "radio", Spread.POINT, 60.0, 0.9, "t", visible=False),
        Sounding("river", "river", Spread.AREA, 70.0, 0.9, "t"),
    )


def options(folder: Path, **changes: object) -> Sam3Options:
    values = {"model": str(folder), "offline": True, "device": "cpu", "least_score": 0.0, **changes}
    return Sam3Options.model_validate(values)


def test_sam3_keeps_the_contract_in_any_batch(sam3: Path) -> None:
    panorama = testing.tiny_panorama(64)
    results = []
    for batch in (1, 5):
        found = SAM3.make(options(sam3, batch=batch))(panorama, soundings(), RUN)
        assert [s.label for s in found] == [s.label for s in soundings()]
        assert found[0].mask is None
        assert found[2].mask is None
        assert found[3].mask is not None
        assert found[3].mask.shape == (64, 128)
        results.append(found[3].mask)
    assert (results[0] == results[1]).mean() > 0.999


def test_dense_maps_are_those_of_the_models_own_forward(sam3: Path) -> None:
    import torch  # noqa: PLC0415

    net, processor = sam3_net.loaded(options(sam3))
    picture = np.random.default_rng(0).integers(0, 256, (112, 112, 3), np.uint8)
    inputs = processor(images=[picture], text=["river"], return_tensors="pt")
    with torch.inference_mode():
        whole = net(**inputs)
    said = dict(sam3_net.answers(net, processor, [picture, picture[::-1].copy()], ["bus", "river"]))
    np.testing.assert_allclose(said["river"].semantic_seg[0].numpy(), whole.semantic_seg[0].numpy(), atol=1e-4)
    np.testing.assert_allclose(said["river"].pred_logits[0].numpy(), whole.pred_logits[0].numpy(), atol=1e-4)
    maps = sam3_net.semantics(options(sam3))(testing.tiny_panorama(64).rgb, ("bus", "river"), RUN)
    assert maps.shape == (2, 64, 128)
    assert 0 <= maps.min() < maps.max() <= 1


def test_16_bits_are_close(sam3: Path) -> None:
    rgb = testing.tiny_panorama(64).rgb
    full, half = (
        sam3_net.semantics(options(sam3, dtype=d))(rgb, ("bus", "river"), RUN) for d in ("float32", "bfloat16")
    )
    assert 0 < np.abs(full - half).mean() < 0.05


def test_words_longer_than_the_model_reads_are_cut(sam3: Path) -> None:
    long = Sounding("x" * 5000, "x", Spread.AREA, 70.0, 0.9, "t")
    (found,) = SAM3.make(options(sam3))(testing.tiny_panorama(64), (long,), RUN)
    assert found.label == long.label


def test_the_published_form_loads(tmp_path: Path, sam3: Path) -> None:
    """`facebook/sam3` holds the model of films, whose detector is the model of pictures."""
    import torch  # noqa: PLC0415
    from transformers import Sam3Model, Sam3VideoConfig, Sam3VideoModel  # noqa: PLC0415

    for file in sam3.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    torch.manual_seed(0)
    film = Sam3VideoModel(Sam3VideoConfig(detector_config=sam3_config().to_dict(), tracker_config=tiny_tracker()))
    film.save_pretrained(tmp_path)
    net, _ = sam3_net.loaded(options(tmp_path))
    assert isinstance(net, Sam3Model)
    ours, theirs = net.state_dict(), film.detector_model.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def tiny_tracker() -> dict[str, object]:
    small = {"hidden_size": 32}
    return {
        "vision_config": sam3_config().vision_config.to_dict(),
        "prompt_encoder_config": {**small, "image_size": 112, "patch_size": 14},
        "mask_decoder_config": {**small, "mlp_dim": 64, "num_attention_heads": 2, "iou_head_hidden_dim": 32},
        "image_size": 112,
    }


def test_the_size_is_that_of_the_published_file() -> None:
    import torch  # noqa: PLC0415
    from transformers import Sam3Config, Sam3Model, Sam3VideoConfig, Sam3VideoModel  # noqa: PLC0415

    with torch.device("meta"):
        assert sum(p.numel() for p in Sam3Model(Sam3Config()).parameters()) == PARAMETERS
        assert sum(p.numel() for p in Sam3VideoModel(Sam3VideoConfig()).parameters()) == PARAMETERS_PUBLISHED
    assert WEIGHTS[0].size_gb == 3.44


def test_a_missing_folder_is_one_clear_message() -> None:
    with pytest.raises(BackendMissingError, match=r"segment\.sam3: .*expected a folder"):
        SAM3.make(Sam3Options(model="./not/here", offline=True, device="cpu"))
