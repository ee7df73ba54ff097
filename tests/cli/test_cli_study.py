import json
from pathlib import Path

import numpy as np
import pytest
import tyro
from PIL import Image

from sonoworld.cli.study import study
from sonoworld.disk import wav
from sonoworld.errors import InputError
from sonoworld.study import answers, simulate

METHODS = ("MMAudio", "OmniAudio", "ours")


def test_from_stimuli_to_strengths(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    for scene in ("a", "b", "c", "d"):
        (tmp_path / "in" / scene).mkdir(parents=True)
        Image.fromarray(np.zeros((8, 16, 3), np.uint8)).save(tmp_path / "in" / scene / "view.png")
        for method in METHODS:
            sound = (0.05 * rng.standard_normal((2, 8000))).astype(np.float32)
            wav.write_wav(tmp_path / "in" / scene / f"{method}.wav", sound, 8000)
    out = tmp_path / "out"
    tyro.cli(study, args=["make", str(tmp_path / "in"), str(out), "--listeners", "10"])
    said = capsys.readouterr().out
    assert "4 scenes, 3 methods, 12 pairs for each of 10 people" in said
    assert "multiples of 8 listeners" in said
    key = answers.read_key(out / "key.json")
    people = simulate.People({"ours": 2.0, "MMAudio": 0.0, "OmniAudio": -2.0}, loudspeakers=0.3)
    sent = tmp_path / "sent"
    sent.mkdir()
    for document in simulate.answers(key, people, seed=1):
        (sent / f"{document['listener']}.json").write_text(json.dumps(document))
    tyro.cli(study, args=["analyse", str(out / "key.json"), str(sent), "--json", str(tmp_path / "found.json")])
    said = capsys.readouterr().out
    assert said.index("│ ours ") < said.index("│ MMAudio ") < said.index("│ OmniAudio "), "the strongest first"
    assert "of 10 listeners passed the headphone check; left out: " in said
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["findings"]["spatial"]["strengths"]["ours"]["low"] > 0.5
    assert found["left_out"]


def test_no_answers_are_told(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="expected files of answers"):
        tyro.cli(study, args=["analyse", str(tmp_path / "key.json"), str(tmp_path / "none")])
