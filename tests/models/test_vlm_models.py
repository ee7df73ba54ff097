"""LLaVA-NeXT and Qwen-VL in the official format, tiny and random: loaded from a folder, asked, read."""

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_vlm

from sonoworld import testing
from sonoworld.backend import Backend, Run, require_available
from sonoworld.errors import BackendMissingError, StageError
from sonoworld.types import Sounding
from sonoworld.understand.ask import views
from sonoworld.understand.llava_next import LLAVA_NEXT
from sonoworld.understand.qwen_vl import QWEN_VL, TYPES
from sonoworld.understand.vlm_local import LocalVlmOptions
from sonoworld.understand.vlm_local_listen import questions
from sonoworld.understand.vlm_local_net import LocalModel, Turn, encoded, fits, loaded, replies
from sonoworld.weights import Checkpoint
from vlm_stub import GOOD

pytestmark = [pytest.mark.models, pytest.mark.filterwarnings("ignore")]

KINDS = ("llava_next", "qwen3_vl", "qwen2_5_vl")
SMALL = {"offline": True, "device": "cpu", "views": 2, "side_px": 56, "panorama_width_px": 112, "max_new_tokens": 64}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, torchvision_imports: object) -> Callable[[str], Path]:
    """Makes a checkpoint of a kind, once."""
    made: dict[str, Path] = {}

    def of(kind: str) -> Path:
        if kind not in made:
            made[kind] = tiny_vlm.save(kind, tmp_path_factory.mktemp(kind))
        return made[kind]

    return of


def spec_of(kind: str) -> Backend:
    return LLAVA_NEXT if kind == "llava_next" else QWEN_VL


def options_of(kind: str, where: Path, **more: Any) -> LocalVlmOptions:
    options = spec_of(kind).options(**{**SMALL, "model": str(where), **more})
    assert isinstance(options, LocalVlmOptions)
    return options


def model_of(kind: str, where: Path, **more: Any) -> LocalModel:
    checkpoint = Checkpoint(str(where), None, offline=True)
    return loaded(options_of(kind, where, **more), checkpoint, "understand.test", ("llava_next", *TYPES))


def listen(kind: str, where: Path, **more: Any) -> tuple[Sounding, ...]:
    stage = spec_of(kind).make(options_of(kind, where, **more))
    return stage(testing.tiny_panorama(), None, Run(np.random.default_rng(0)))


class Speaks:
    """In place of `generate`: says these texts in turn, the last one for ever; keeps what it was given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, where: Path, *texts: str) -> None:
        from transformers import AutoTokenizer  # noqa: PLC0415
        from transformers.generation import GenerationMixin  # noqa: PLC0415

        self.words: Any = AutoTokenizer.from_pretrained(where)
        self.texts = list(texts)
        self.given: list[Any] = []
        monkeypatch.setattr(GenerationMixin, "generate", self)

    def __call__(self, **inputs: Any) -> Any:
        import torch  # noqa: PLC0415

        self.given.append(inputs)
        text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
        said = torch.tensor([*self.words.encode(text), self.words.eos_token_id])
        ids = inputs["input_ids"]
        return torch.cat([ids, said[None].expand(len(ids), -1)], 1)

    def asked(self, call: int) -> list[str]:
        return self.words.batch_decode(self.given[call]["input_ids"])


@pytest.mark.parametrize("kind", KINDS)
def test_noise_is_a_clear_error(kind: str, folder: Callable[[str], Path]) -> None:
    with pytest.raises(StageError, match=r"gave no usable answer, twice: panorama: .*cut off at max_new_tokens"):
        listen(kind, folder(kind))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("together", [True, False])
def test_a_good_answer_becomes_soundings(
    kind: str, together: bool, folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "llava_next" and together:
        pytest.skip("takes one picture")
    speaks = Speaks(monkeypatch, folder(kind), json.dumps(GOOD))
    more = {} if kind == "llava_next" else {"together": together}
    hum, bell = listen(kind, folder(kind), **more, batch=2)
    assert (hum.label, bell.label, bell.grounding, bell.level_db) == ("city hum", "church bell", "bell tower", 95.0)
    assert hum.backend == spec_of(kind).name
    images = "image_grid_thw" if kind.startswith("qwen") else "image_sizes"
    assert [len(call[images]) for call in speaks.given] == ([3] if together else [2, 1])
    assert [len(call["input_ids"]) for call in speaks.given] == ([1] if together else [2, 1])
    how = speaks.given[0]["generation_config"]
    assert (how.do_sample, how.max_new_tokens) == (False, 64)
    texts = [text for call in range(len(speaks.given)) for text in speaks.asked(call)]
    assert all("field recordist" in text and text.endswith("<|im_start|>assistant\n") for text in texts)
    require_available(spec_of(kind), options_of(kind, folder(kind)))
    testing.check_backend(spec_of(kind), options_of(kind, folder(kind), **more))


@pytest.mark.parametrize("kind", KINDS)
def test_in_a_batch_each_says_what_it_says_alone(kind: str, folder: Callable[[str], Path]) -> None:
    model = model_of(kind, folder(kind))
    pictures = views(testing.tiny_panorama(128), count=3, side_px=56, panorama_width_px=112)
    asked = [q.conversation for q in questions(pictures, (), together=False, thousandths=False)]
    asked[1] = (Turn("user", (pictures[1], "What can be heard?")),)
    one, four = (replies(model, asked, options_of(kind, folder(kind), batch=n), lambda _: None) for n in (1, 4))
    assert one == four
    assert len({reply.text for reply in one}) > 1
    assert all(reply.text for reply in one)
    assert replies(model, asked, options_of(kind, folder(kind), batch=4), lambda _: None) == four


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_matter(kind: str, folder: Callable[[str], Path]) -> None:
    """Another picture with the same words gives other logits: what is shown arrives at the net."""
    import torch  # noqa: PLC0415

    model = model_of(kind, folder(kind))
    view = views(testing.tiny_panorama(128), count=1, side_px=56)[1]
    dark = view._replace(rgb=np.zeros_like(view.rgb))
    with torch.inference_mode():
        bright, black = (
            model.net(**encoded(model, [(Turn("user", (v, "Well?")),)])).logits[0, -1] for v in (view, dark)
        )
    assert float((bright - black).abs().max()) > 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_answer_is_mended_once(
    kind: str, folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one with the marks of pictures in it, which must stay text."""
    speaks = Speaks(monkeypatch, folder(kind), 'Here: <image> <|image_pad|> {"sources": [', json.dumps(GOOD))
    hum, bell = listen(kind, folder(kind), views=0)
    assert (hum.label, bell.label) == ("city hum", "church bell")
    assert len(speaks.given) == 2
    (again,) = speaks.asked(1)
    assert "Here:" in again
    assert "That answer cannot be used: the answer is not whole JSON" in again


def test_no_room_is_said(folder: Callable[[str], Path]) -> None:
    where = folder("llava_next")
    with pytest.raises(StageError, match=r"question and pictures take \d+ tokens .*more than the model's 4096"):
        listen("llava_next", where, max_new_tokens=4000)
    model = model_of("llava_next", where)
    words = (Turn("user", ("word " * 1000,)),)
    assert fits(model, words, 1000)
    assert not fits(model, words, 3500)


def test_a_run_that_is_interrupted_stops(folder: Callable[[str], Path]) -> None:
    class StopError(Exception):
        pass

    def stop(fraction: float, note: str) -> None:
        if fraction > 0:
            raise StopError(note)

    stage = LLAVA_NEXT.make(options_of("llava_next", folder("llava_next")))
    with pytest.raises(StopError):
        stage(testing.tiny_panorama(), None, Run(np.random.default_rng(0), stop))


def test_another_architecture_is_named(folder: Callable[[str], Path]) -> None:
    with pytest.raises(BackendMissingError, match=r"understand\.llava_next: .*it is a qwen3_vl, expected llava_next"):
        LLAVA_NEXT.make(options_of("llava_next", folder("qwen3_vl")))
    with pytest.raises(BackendMissingError, match=r"understand\.qwen_vl: .*it is a llava_next, expected qwen3_vl or"):
        QWEN_VL.make(options_of("qwen3_vl", folder("llava_next")))


def test_a_checkpoint_without_its_tensors_is_none(folder: Callable[[str], Path], tmp_path: Path) -> None:
    for file in folder("llava_next").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    config["text_config"]["num_hidden_layers"] = 3
    config["text_config"].pop("layer_types", None)
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(BackendMissingError, match=r"it lacks \d+ tensors of the model"):
        LLAVA_NEXT.make(options_of("llava_next", tmp_path))


@pytest.mark.parametrize("spec", [LLAVA_NEXT, QWEN_VL], ids=lambda spec: spec.name)
def test_a_missing_checkpoint_is_one_clear_message(
    spec: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    weights = spec.weights[0]
    with pytest.raises(BackendMissingError) as caught:
        spec.make(spec.options(offline=True, device="cpu"))
    message = str(caught.value)
    for part in (f"understand.{spec.name}", weights.model, f"{weights.size_gb:g} GB", weights.licence, weights.command):
        assert part in message
    with pytest.raises(BackendMissingError, match="expected a folder with a model"):
        spec.make(spec.options(model="./not/here", offline=True, device="cpu"))


@pytest.mark.skipif(find_spec("bitsandbytes") is not None, reason="bitsandbytes is installed")
def test_four_bit_without_its_package_is_said(folder: Callable[[str], Path]) -> None:
    options = options_of("llava_next", folder("llava_next"), four_bit=True)
    with pytest.raises(BackendMissingError, match=r"understand\.llava_next.*pip install bitsandbytes"):
        require_available(LLAVA_NEXT, options)
    with pytest.raises(BackendMissingError, match=r"understand\.llava_next: four_bit needs .*pip install bitsandbytes"):
        LLAVA_NEXT.make(options)


@pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="needs bitsandbytes")
@pytest.mark.parametrize("kind", KINDS)
def test_four_bit(kind: str, folder: Callable[[str], Path]) -> None:
    model = model_of(kind, folder(kind), four_bit=True)
    small = {name for name, module in model.net.named_modules() if type(module).__name__ == "Linear4bit"}
    assert any("language_model" in name for name in small)
    assert not any("visi" in name or "visual" in name or "lm_head" in name for name in small)
    ask = (Turn("user", (views(testing.tiny_panorama(), count=0)[0], "Well?")),)
    (reply,) = replies(model, [ask], options_of(kind, folder(kind)), lambda _: None)
    assert reply.text
