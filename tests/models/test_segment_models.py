"""SAM 3 in the official format, tiny and random: loaded from a folder, run over all tiles, joined on the sphere."""

from pathlib import Path

import numpy as np
import pytest

from sonoworld import testing
from sonoworld.backend import Run
from sonoworld.errors import BackendMissingError
from sonoworld.segment.sam3 import SAM3, Sam3Options
from sonoworld.types import Sounding, Spread

pytestmark = [pytest.mark.models, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="session")
def sam3(tmp_path_factory: pytest.TempPathFactory, torchvision_imports: object) -> Path:
    import torch  # noqa: PLC0415
    from transformers import CLIPTokenizer, Sam3Config, Sam3ImageProcessor, Sam3Model, Sam3Processor  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("sam3")
    letters = [chr(c) for c in range(33, 127)]
    tokens = [*letters, *(c + "</w>" for c in letters), "<|startoftext|>", "<|endoftext|>"]
    tokenizer = CLIPTokenizer(vocab={t: i for i, t in enumerate(tokens)}, merges=[], model_max_length=32)
    end = len(tokens) - 1
    small = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}
    config = Sam3Config(
        vision_config={
            "backbone_config": {
                "model_type": "sam3_vit_model",
                **small, "num_hidden_layers": 2, "image_size": 112, "patch_size": 14, "window_size": 4,
                "global_attn_indexes": [1], "pretrain_image_size": 56,
            },
            "fpn_hidden_size": 32, "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
        },
        text_config={
            **small, "num_hidden_layers": 2, "vocab_size": len(tokens), "max_position_embeddings": 32,
            "projection_dim": 32, "eos_token_id": end, "bos_token_id": end - 1, "pad_token_id": end,
        },
        geometry_encoder_config={**small, "num_layers": 1},
        detr_encoder_config={**small, "num_layers": 1},
        detr_decoder_config={**small, "num_layers": 2, "num_queries": 10},
        mask_decoder_config={"hidden_size": 32, "num_attention_heads": 2},
    )  # fmt: skip
    torch.manual_seed(0)
    Sam3Model(config).save_pretrained(folder)
    image = Sam3ImageProcessor(size={"height": 112, "width": 112})
    Sam3Processor(image, tokenizer).save_pretrained(folder)
    return folder


def soundings() -> tuple[Sounding, ...]:
    return (
        Sounding("wind", "wind", Spread.AMBIENT, 40.0, 0.9, "t"),
        Sounding("engine", "engine", Spread.POINT, 80.0, 0.9, "t", grounding="bus"),
        Sounding("radio", "radio", Spread.POINT, 60.0, 0.9, "t", visible=False),
        Sounding("river", "river", Spread.AREA, 70.0, 0.9, "t"),
    )


def test_sam3_keeps_the_contract_in_any_batch(sam3: Path) -> None:
    panorama = testing.tiny_panorama(64)
    results = []
    for batch in (1, 5):
        options = Sam3Options(model=str(sam3), offline=True, device="cpu", batch=batch, least_score=0.0)
        found = SAM3.make(options)(panorama, soundings(), Run(np.random.default_rng(0)))
        assert [s.label for s in found] == [s.label for s in soundings()]
        assert found[0].mask is None
        assert found[2].mask is None
        assert found[3].mask is not None
        assert found[3].mask.shape == (64, 128)
        results.append(found[3].mask)
    assert (results[0] == results[1]).mean() > 0.999


def test_a_missing_folder_is_one_clear_message() -> None:
    with pytest.raises(BackendMissingError, match=r"segment\.sam3: .*expected a folder"):
        SAM3.make(Sam3Options(model="./not/here", offline=True, device="cpu"))
