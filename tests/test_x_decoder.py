"""X-Decoder by its own package: a stand-in with the same names, arguments and results, and the real one if it is here.

The stand-in's classes have the signatures of microsoft/X-Decoder (branch v2.0): `modeling.BaseModel.BaseModel`,
`modeling.build_model`, `utils.arguments.load_opt_from_config_files`, `LanguageEncoder.get_text_embeddings`, and the
results of `GeneralizedXdecoder.evaluate` and `semantic_inference`.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sonoworld import testing
from sonoworld.backend import Run, require_available
from sonoworld.errors import BackendMissingError
from sonoworld.segment import x_decoder, x_decoder_net
from sonoworld.segment.sam2 import Sam2Options
from sonoworld.segment.x_decoder import X_DECODER, XDecoderOptions
from sonoworld.types import Panorama, Sounding, Spread

RUN = Run(np.random.default_rng(0))

FILES = {
    "utils/arguments.py": """
def load_opt_from_config_files(conf_files):
    opt = {}
    for conf_file in conf_files:
        with open(conf_file, encoding="utf-8") as f:
            opt.update(line.strip().split(": ") for line in f)
    return opt
""",
    "modeling/__init__.py": "from .stand_in import build_model\n",
    "modeling/BaseModel.py": """
import torch
from torch import nn

class BaseModel(nn.Module):
    def __init__(self, opt, module):
        super().__init__()
        self.opt, self.model = opt, module

    def forward(self, *inputs, **kwargs):
        return self.model(*inputs, **kwargs)

    def from_pretrained(self, load_dir):
        self.model.load_state_dict(torch.load(load_dir, map_location=self.opt["device"]), strict=False)
        return self
""",
    "modeling/stand_in.py": """
import torch
from torch import nn

COLOURS = {"river": (0.0, 0.0, 255.0), "bus": (255.0, 0.0, 0.0), "background": (0.0, 0.0, 0.0)}

class LanguageEncoder(nn.Module):
    def get_text_embeddings(self, class_names, name="default", is_eval=False, add_bgd=False, prompt=True, norm=True,
                            store_buffer=None):
        assert is_eval, "the other way draws templates at random"
        assert class_names[-1] == "background"
        self.default_text_embeddings = torch.tensor([COLOURS[c] for c in class_names])

class Predictor(nn.Module):
    def __init__(self):
        super().__init__()
        self.lang_encoder = LanguageEncoder()

class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.num_classes, self.predictor = 133, Predictor()

class GeneralizedXdecoder(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        assert cfg["NAME"] == "xdecoder_model"
        self.sem_seg_head, self.metadata = Head(), object()
        self.semantic_on = self.panoptic_on = self.instance_on = True
        self.sharpness = nn.Parameter(torch.zeros(12))
        self.register_buffer("pixel_mean", torch.zeros(3, 1, 1), False)

    def forward(self, batched_inputs, mode=None):
        assert not self.training
        images = torch.stack([x["image"].to(self.pixel_mean.device) - self.pixel_mean for x in batched_inputs])
        assert images.shape[-1] == 512
        assert all(x["image"].dtype == torch.uint8 for x in batched_inputs), "RGB 0..255"
        results = []
        for image, x in zip(images, batched_inputs):
            assert image.shape == (3, x["height"], x["width"])
            words = self.sem_seg_head.predictor.lang_encoder.default_text_embeddings
            assert self.sem_seg_head.num_classes == len(words) - 1
            far = (image[None] - words[:, :, None, None]).abs().sum(1)
            semseg = torch.softmax(-far / 100 * self.sharpness.mean(), 0) * 0.7
            if not getattr(self.metadata, "keep_sem_bgd", False):
                semseg = semseg[:-1]
            results.append({"sem_seg": semseg})
            if self.panoptic_on or self.instance_on:
                self.metadata.thing_dataset_id_to_contiguous_id
        return results

def build_model(config, **kwargs):
    return GeneralizedXdecoder(config)
""",
    "configs/xdecoder/xdecoder_focalt_lang.yaml": "NAME: xdecoder_model\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[XDecoderOptions]:
    torch = pytest.importorskip("torch")
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    torch.save({"sharpness": torch.ones(12)}, tmp_path / "weights.pt")
    monkeypatch.setattr(x_decoder_net, "gpu", lambda: torch.device("cpu"))
    monkeypatch.setattr(x_decoder, "NEEDED", ("torch",))
    before = set(sys.modules)
    yield XDecoderOptions(code=str(tmp_path), model=str(tmp_path / "weights.pt"), batch=5, least_of_sphere=0.0)
    for name in set(sys.modules) - before:
        if name.split(".")[0] in ("modeling", "utils"):
            del sys.modules[name]
    assert str(tmp_path) not in sys.path


def coloured() -> tuple[Panorama, np.ndarray, np.ndarray]:
    """A blue quarter around ±180°, a red spot ahead, black elsewhere."""
    known = np.ones((64, 128), bool)
    river, bus = known & False, known & False
    river[34:50, :16] = river[34:50, -16:] = True
    bus[28:36, 60:68] = True
    rgb = np.zeros((64, 128, 3), np.uint8)
    rgb[river], rgb[bus] = (0, 0, 255), (255, 0, 0)
    return Panorama(rgb, known), river, bus


def soundings() -> tuple[Sounding, ...]:
    return (
        Sounding("wind", "wind", Spread.AMBIENT, 40.0, 0.9, "t"),
        Sounding("engine", "engine", Spread.POINT, 80.0, 0.9, "t", grounding="bus"),
        Sounding("river", "river", Spread.AREA, 70.0, 0.9, "t"),
    )


def test_words_are_found_and_the_background_is_nobodys(package: XDecoderOptions) -> None:
    panorama, river, bus = coloured()
    require_available(X_DECODER, package)
    found = X_DECODER.make(package)(panorama, soundings(), RUN)
    assert [s.label for s in found] == ["wind", "engine", "river"]
    assert found[0].mask is None
    for i, thing in ((1, bus), (2, river)):
        mask = found[i].mask
        assert mask is not None
        assert (mask & thing).sum() / (mask | thing).sum() > 0.9
    assert '"bus" was found in 1 place in the picture, score 0.' in found[1].reason


def test_the_file_of_weights_is_credited_with_its_digest(package: XDecoderOptions) -> None:
    said: list[tuple[str, str]] = []
    run = Run(np.random.default_rng(0), credit=lambda model, licence: said.append((model, licence)))
    X_DECODER.make(package)(coloured()[0], soundings(), run)
    digest = hashlib.sha256(Path(package.model).read_bytes()).hexdigest()
    assert said == [(f"weights.pt (sha256 {digest[:12]})", "not stated")]


def test_scores_are_shares_that_with_the_background_sum_to_one(package: XDecoderOptions) -> None:
    panorama, river, _ = coloured()
    maps = x_decoder_net.semantics(package)(panorama.rgb, ("river", "bus"), RUN)
    assert maps.shape == (2, 64, 128)
    assert maps.min() >= 0
    assert maps.sum(0).max() < 1
    # exp(−0), exp(−2.55) and exp(−5.1) are the weights of a colour, of black and of the other colour
    expected = 1 / (1 + np.exp(-2.55) + np.exp(-5.1))
    assert abs(np.median(maps[0][river]) - expected) < 1e-3


def test_weights_of_another_model_are_refused(package: XDecoderOptions, tmp_path: Path) -> None:
    import torch  # noqa: PLC0415

    torch.save({"sharpness": torch.ones(13)}, tmp_path / "other.pt")
    with pytest.raises(BackendMissingError, match="lacks 1 of 1 tensors of the model, such as sharpness"):
        X_DECODER.make(package.model_copy(update={"model": str(tmp_path / "other.pt")}))


def test_another_package_of_that_name_is_not_taken_for_it(
    package: XDecoderOptions, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other") / "utils.py"
    other.write_text("")
    module = type(sys)("utils")
    module.__file__ = str(other)
    monkeypatch.setitem(sys.modules, "utils", module)
    with pytest.raises(BackendMissingError, match="a package 'utils' is loaded from"):
        X_DECODER.make(package)


def test_code_that_does_not_import_says_so(package: XDecoderOptions) -> None:
    (Path(package.code) / "modeling" / "__init__.py").write_text("import no_such_package_here\n")
    with pytest.raises(BackendMissingError, match=r"fails to import: .*no_such_package_here"):
        X_DECODER.make(package)


def test_without_package_one_message_says_what_and_how(tmp_path: Path) -> None:
    options = XDecoderOptions(code=str(tmp_path / "nothing"), model=str(tmp_path / "none.pt"))
    for act in (lambda: X_DECODER.make(options), lambda: require_available(X_DECODER, options)):
        with pytest.raises(BackendMissingError) as error:
            act()
        text = str(error.value)
        for part in ("no X-Decoder code in", "none.pt", "git clone", "hf download", "0.66 GB", "Apache-2.0", "CUDA"):
            assert part in text
    testing.check_declaration(X_DECODER)


def test_without_gpu_it_is_said() -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        assert x_decoder_net.gpu().type == "cuda"
        return
    with pytest.raises(BackendMissingError, match="CUDA only"):
        x_decoder_net.gpu()


def test_it_gives_the_class_to_regions(package: XDecoderOptions) -> None:
    from sonoworld.segment.sam2_net import named  # noqa: PLC0415

    panorama, river, _ = coloured()
    options = Sam2Options(semantics="x_decoder", semantics_code=package.code, semantics_model=package.model)
    semantics, least = named(options)
    assert least == XDecoderOptions().least_score
    scores = semantics(panorama.rgb, ("river", "bus"), RUN)
    assert ((scores[0] > least) & river).sum() > 0.9 * river.sum()


@pytest.mark.models
@pytest.mark.skipif("SONOWORLD_X_DECODER" not in os.environ, reason="SONOWORLD_X_DECODER=code folder:weights file")
def test_the_real_one() -> None:
    code, model = os.environ["SONOWORLD_X_DECODER"].split(":")
    options = XDecoderOptions(code=code, model=model)
    found = X_DECODER.make(options)(testing.tiny_panorama(64), soundings(), RUN)
    assert [s.label for s in found] == ["wind", "engine", "river"]
    maps = x_decoder_net.semantics(options)(testing.tiny_panorama(64).rgb, ("river", "bus"), RUN)
    assert maps.shape == (2, 64, 128)
    assert 0 <= maps.min() < maps.max() <= 1
