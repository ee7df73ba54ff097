"""D-CLAP with a tiny random checkpoint in the official format."""

import math
from pathlib import Path

import numpy as np
import pytest

from sonoworld.errors import BackendMissingError
from sonoworld.evaluate import semantic

pytestmark = [pytest.mark.models, pytest.mark.filterwarnings("ignore")]

LABELS = [("left", "a bird"), ("front", "a river"), ("up", "a bird")]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, torchvision_imports: object) -> Path:
    import tiny_sound  # noqa: PLC0415

    return tiny_sound.clap(tmp_path_factory.mktemp("clap"))


def field(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((4, 48_000 * 2)) * 0.1


def test_metrics_are_those_of_the_model_called_by_hand(checkpoint: Path) -> None:
    """Oracle: transformers' own similarities of the beams, `logits_per_audio` without its scale."""
    import torch  # noqa: PLC0415
    from transformers import ClapModel, ClapProcessor  # noqa: PLC0415

    ours, theirs = field(0), field(1)
    judge = semantic.judge(str(checkpoint), offline=True, device="cpu")
    got = semantic.compare(ours, theirs, LABELS, judge)
    net, processor = ClapModel.from_pretrained(checkpoint).eval(), ClapProcessor.from_pretrained(checkpoint)
    pairs = {"left": (1, 1), "front": (3, 1), "up": (2, 1)}
    beams = [(x[0] + s * x[c]) / math.sqrt(2) for x in (ours, theirs) for c, s in (pairs[d] for d, _ in LABELS)]
    with torch.no_grad():
        texts = ["a bird", "a river", "a bird"]
        inputs = processor(
            text=texts, audio=[b.astype(np.float32) for b in beams], sampling_rate=48_000, return_tensors="pt",
            padding=True,
        )  # fmt: skip
        out = net(**inputs)
    cosines = (out.logits_per_audio / net.logit_scale_a.exp()).detach().numpy()
    sounds = out.audio_embeds.detach().numpy()
    assert got["clap_text"] == pytest.approx(np.mean([cosines[i, i] for i in range(3)]), abs=1e-5)
    assert got["clap_audio"] == pytest.approx(np.mean([sounds[i] @ sounds[i + 3] for i in range(3)]), abs=1e-5)
    ratios = [cosines[i, i] / cosines[i + 3, i] for i in range(3)]
    assert got["clap_text_ratio"] == pytest.approx(np.mean(ratios), rel=1e-3)
    assert 0 <= got["r_precision"] <= 1
    assert got == semantic.compare(ours, theirs, LABELS, judge), "nothing is left to chance"
    assert "configuration" in judge.name


def test_a_missing_checkpoint_is_one_clear_message() -> None:
    with pytest.raises(BackendMissingError, match=r"(?s)semantic metrics by CLAP.*laion/clap-htsat-unfused"):
        semantic.judge(offline=True, device="cpu")


def test_the_verb_measures_by_a_folder(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--clap FOLDER` fills the columns of the table that are blank without it."""
    import json  # noqa: PLC0415
    import re  # noqa: PLC0415

    from sonoworld.cli import main  # noqa: PLC0415
    from sonoworld.evaluate.datasets import synthetic  # noqa: PLC0415

    monkeypatch.setitem(synthetic.DEFAULT, "T1", synthetic.SyntheticSize(1, 1, 1, 128, 0.5))
    asked = ["evaluate", "synthetic", "--clap", str(checkpoint), "--baselines", "mono", "--no-ablations"]
    main([*asked, "--workers", "1", "-o", str(tmp_path / "out")])
    rows = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))["rows"]
    for row in rows:
        assert math.isfinite(row["metrics"]["clap_text"])
        assert -1 <= row["metrics"]["clap_audio"] <= 1
    tex = (tmp_path / "out" / "table.tex").read_text("utf-8")
    assert re.search(r"(?m)^ours( & -?\d\.\d+ \[[^]]+\]){9} \\\\$", tex)
    assert "not asked for" not in (tmp_path / "out" / "index.html").read_text("utf-8")
