import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

from sonoworld.errors import InputError
from sonoworld.study import analysis, answers, design, headphones, preference, simulate, site

METHODS = ("ours", "MMAudio", "OmniAudio")
SCENES = tuple(f"scene {i}" for i in range(12))
TRUE = {"ours": 0.8, "MMAudio": -0.1, "OmniAudio": -0.7}


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key as `site.write` has it, without the sounds."""
    asked = headphones.checks(8000, 0)
    plain = {"format": site.FORMAT, **design.to_json(design.plan(METHODS, SCENES, 48))}
    plain["checks"] = [{"kind": c.kind, "answer": c.answer} for c in asked]
    plain["study"] = site.study_id(json.loads(json.dumps(plain)))
    file = tmp_path_factory.mktemp("key") / "key.json"
    file.write_text(json.dumps(plain))
    return file


def saved(documents: list[dict], folder: Path) -> list[Path]:
    files = [folder / f"answers-{d['listener']}.json" for d in documents]
    for file, document in zip(files, documents, strict=True):
        file.write_text(json.dumps(document))
    return files


def test_strengths_are_the_most_likely_by_another_way() -> None:
    """Oracle: the likelihood itself, half a choice each way added, maximised by SciPy."""
    wins = np.array([[0, 30, 21.0], [9, 0, 14], [4, 11, 0]])

    def unlikely(free: np.ndarray) -> float:
        beta = np.concatenate([free, [-free.sum()]])
        return sum(
            (wins[i, j] + 0.5) * math.log1p(math.exp(beta[j] - beta[i])) for i in range(3) for j in range(3) if i != j
        )

    free = minimize(unlikely, np.zeros(2), tol=1e-12).x
    got = preference.strengths(wins)
    assert got == pytest.approx([*free, -free.sum()], abs=1e-5)
    assert preference.strengths(np.stack([wins, wins.T]))[1] == pytest.approx(-got, abs=1e-8)
    chances = preference.chosen_over(got)
    assert chances + chances.T == pytest.approx(np.ones((3, 3)))
    assert preference.strengths(np.array([[0, 20.0], [0, 0]])) == pytest.approx(np.array([1, -1]) * math.log(41) / 2)


def test_methods_that_never_met_cannot_be_ranked() -> None:
    apart = np.zeros((4, 4))
    apart[0, 1] = apart[2, 3] = 5
    with pytest.raises(InputError, match="never compared"):
        preference.strengths(apart)
    with pytest.raises(InputError, match="negative"):
        preference.strengths(-np.ones((2, 2)))


def test_simulated_people_give_back_what_they_prefer(key_file: Path, tmp_path: Path) -> None:
    key = answers.read_key(key_file)
    said = simulate.answers(key, simulate.People(TRUE, 0, 0, loudspeakers=0.25), seed=1)
    people = answers.read(saved(said, tmp_path), key)
    found = analysis.analyse(people, key, draws=400)
    assert 4 <= len(found.left_out) <= 20
    assert len(found.left_out) + len(found.listeners) == 48
    for finding in found.findings.values():
        for name, true in TRUE.items():
            got = finding.strengths[name]
            assert got.low < true < got.high
            assert got.high - got.low < 0.6
        share = finding.chosen["ours", "OmniAudio"]
        assert share.value == pytest.approx(1 / (1 + math.exp(-1.5)), abs=0.06)
        assert share.value + finding.chosen["OmniAudio", "ours"].value == pytest.approx(1)
        assert finding.asked["ours", "OmniAudio"] == 12 * len(found.listeners)
        assert finding.first == pytest.approx(0.5, abs=0.05)


def test_intervals_hold_what_they_promise(key_file: Path, tmp_path: Path) -> None:
    """Of many studies with other people and scenes, about 95 % cover a true share of one half."""
    key = answers.read_key(key_file)
    equal = simulate.People(dict.fromkeys(METHODS, 0.0), scene_sd=0.5, person_sd=0.5)
    covered = 0
    for seed in range(30):
        documents = simulate.answers(key, equal, seed=seed)[:16]
        found = analysis.analyse(answers.read(saved(documents, tmp_path), key), key, draws=200, seed=seed)
        share = found.findings["overall"].chosen["ours", "MMAudio"]
        covered += share.low <= 0.5 <= share.high
    assert covered >= 25


def test_files_that_do_not_belong_are_told(key_file: Path, tmp_path: Path) -> None:
    key = answers.read_key(key_file)
    one, two = simulate.answers(key, simulate.People(TRUE))[:2]
    for change, message in (
        ({"study": "another"}, "of study"),
        ({"listener": 99}, r"listener 1\.\.48"),
        ({"answers": one["answers"][:-1]}, "36 answers"),
        ({"answers": [{"choices": {"spatial": 2}}, *one["answers"][1:]]}, "expected 0 or 1, got 2"),
        ({"answers": 5}, "not answers"),
    ):
        with pytest.raises(InputError, match=message):
            answers.read(saved([one | change], tmp_path), key)
    with pytest.raises(InputError, match="twice"):
        answers.read(saved([one], tmp_path) * 2, key)
    with pytest.raises(InputError, match="at least one"):
        answers.read([], key)
    deaf = [d | {"checks": [(a + 1) % 2 for a in d["checks"]]} for d in (one, two)]
    with pytest.raises(InputError, match="headphone check"):
        analysis.analyse(answers.read(saved(deaf, tmp_path), key), key)


def test_a_changed_key_is_told(key_file: Path, tmp_path: Path) -> None:
    plain = json.loads(key_file.read_text())
    plain["checks"][0]["answer"] = 1 - plain["checks"][0]["answer"]
    changed = tmp_path / "key.json"
    changed.write_text(json.dumps(plain))
    with pytest.raises(InputError, match="changed"):
        answers.read_key(changed)
    with pytest.raises(InputError, match="nothing there"):
        answers.read_key(tmp_path / "none.json")
    with pytest.raises(InputError, match="strengths"):
        simulate.answers(answers.read_key(key_file), simulate.People({"ours": 1.0}))
