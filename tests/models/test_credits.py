"""Every adapter says which weights it truly used, under which licence; one that was not asked says nothing."""

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_segmenters import save_clipseg, save_sam2, save_sam3

from sonoworld import testing
from sonoworld.backend import Backend, Run, find
from sonoworld.types import Sounding, Spread
from vlm_stub import GOOD

pytestmark = [pytest.mark.models, pytest.mark.filterwarnings("ignore")]
sys.path.append(str(Path(__file__).parent.parent.parent / "bench"))
vlm_made: Any = importlib.import_module("vlm_made")
DOG = Sounding("dog", "a dog", Spread.POINT, 80.0, 0.9, "testing")
WIND = Sounding("wind", "wind", Spread.AMBIENT, 40.0, 0.9, "testing")
CARD = "---\nlicense: cc0-1.0\n---\n"


def credited_by(spec: Backend, options: dict[str, object], *inputs: Any) -> list[tuple[str, str]]:
    """What a backend of these options says that it used."""
    said: list[tuple[str, str]] = []
    run = Run(np.random.default_rng(0), credit=lambda model, licence: said.append((model, licence)))
    spec.make(spec.options.model_validate(options))(*inputs, run)
    return said


def folder(tmp_path: Path, name: str, save: Callable[[Path], Path]) -> str:
    where = save(tmp_path / name)
    (where / "README.md").write_text(CARD)
    return str(where)


@pytest.mark.parametrize(("name", "save"), [("clipseg", save_clipseg), ("sam3", save_sam3)])
def test_segmenters(tmp_path: Path, name: str, save: Callable[[Path], Path]) -> None:
    options: dict[str, object] = {"model": folder(tmp_path, name, save), "offline": True, "device": "cpu"}
    panorama = testing.tiny_panorama(64)
    ((model, licence),) = credited_by(find("segment", name), options, panorama, (DOG,))
    assert model.startswith(f"{name} (local folder, configuration ")
    assert licence == "cc0-1.0"
    assert credited_by(find("segment", name), options, panorama, (WIND,)) == [], "nothing was looked for"


def test_both_models_of_a_vote(tmp_path: Path) -> None:
    options: dict[str, object] = {
        "model": folder(tmp_path, "sam2", save_sam2),
        "semantics_model": folder(tmp_path, "clipseg", save_clipseg),
        "offline": True,
        "device": "cpu",
    }
    said = credited_by(find("segment", "sam2"), options, testing.tiny_panorama(64), (DOG,))
    assert [model.split(" ")[0] for model, _ in said] == ["sam2", "clipseg"]


def test_a_language_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoModelForImageTextToText  # noqa: PLC0415

    from sonoworld.understand import vlm_local_listen  # noqa: PLC0415
    from sonoworld.understand.ask import Reply  # noqa: PLC0415

    tiny = vlm_made.llava_next(tiny=True)
    AutoModelForImageTextToText.from_config(tiny.config).save_pretrained(tmp_path / "llava")
    tiny.processor.save_pretrained(tmp_path / "llava")
    good = Reply(json.dumps(GOOD), False)
    monkeypatch.setattr(vlm_local_listen, "replies", lambda model, asked, options, tell: [good] * len(asked))
    options: dict[str, object] = {"model": str(tmp_path / "llava"), "offline": True, "device": "cpu", "views": 0}
    ((model, licence),) = credited_by(find("understand", "llava_next"), options, testing.tiny_panorama(64), None)
    assert model.startswith("llava (local folder, configuration ")
    assert licence == "not stated"
