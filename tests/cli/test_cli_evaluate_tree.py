"""`sonoworld evaluate sonoscene360`: from a written tree to every file of the report, resumed or in parallel."""

import csv
import json
import math
import os
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from sonoworld.cli import main
from sonoworld.evaluate.datasets.sonoscene360 import marks_of
from sonoworld.evaluate.datasets.sonoscene360_write import WrittenMicrophone, WrittenScene, write_sonoscene360
from sonoworld.evaluate.datasets.synthetic_layout import GROUND_Z_M, layouts
from sonoworld.evaluate.datasets.synthetic_picture import picture
from sonoworld.frames import Pose

RATE_HZ = 48000
TRUE = np.array([0.6, 0.64, 0.48])
"""Where the recordings come from: front, left, up."""


def wave(u: np.ndarray, seed: int) -> np.ndarray:
    signal = np.random.default_rng(seed).standard_normal(RATE_HZ // 2) * 0.1
    return (np.array([1.0, u[1], u[2], u[0]])[:, None] * signal).astype(np.float32)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenes, one microphone each, two recordings of a plane wave; another method's file that is 90° off."""
    root = tmp_path_factory.mktemp("tree")
    scenes: list[WrittenScene] = []
    for at, layout in enumerate(layouts(2, 1, 0)):
        clips = {"s1": wave(TRUE, 2 * at), "s2": wave(TRUE, 2 * at + 1)}
        pose = Pose(np.eye(3), np.array([0.5, 0.3, -0.1]))
        mic = WrittenMicrophone("mic1", marks_of(pose, GROUND_Z_M), clips, (("front", "birds"), ("left", "water")))
        scenes.append(WrittenScene(layout.id, picture(layout, 256)[0], ("birds",), (mic,)))
        theirs = root / "theirs" / layout.id / "mic1" / "foa.wav"
        theirs.parent.mkdir(parents=True)
        soundfile.write(theirs, wave(np.array([0.8, 0.0, -1.0]) / math.sqrt(1.64), 9).T, RATE_HZ, subtype="FLOAT")
    write_sonoscene360(root / "set", scenes)
    return root


def command(tree: Path, out: Path | str, *more: str) -> list[str]:
    submitted = ["--submission", f"visage={tree / 'theirs'}"]
    return ["evaluate", "sonoscene360", "-d", str(tree / "set"), "-o", str(out), *submitted, *more]


def shortly(tree: Path, out: Path | str, workers: int = 1) -> list[str]:
    return command(tree, out, "--baselines", "mono", "--no-ablations", "--workers", str(workers))


@pytest.fixture(scope="module")
def report(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "out"
    names = [word for name in ("chance", "mono", "release") for word in ("--baselines", name)]
    main(command(tree, out, *names, "--workers", "1"))
    return out


def test_every_file_of_the_report(report: Path) -> None:
    found = json.loads((report / "results.json").read_text("utf-8"))
    methods = {row["method"] for row in found["rows"]}
    assert methods >= {"chance", "mono", "release", "ours", "visage", "ours, nothing known"}
    assert "oracle" not in methods, "nobody knows where these sources are"
    assert all(sum(row["method"] == name for row in found["rows"]) == 4 for name in methods)
    theirs = np.array([0.8, 0.0, -1.0]) / math.sqrt(1.64)
    apart = math.acos(float(theirs @ TRUE) / float(np.linalg.norm(TRUE)))
    scored = [row["metrics"]["angular_error_rad"] for row in found["rows"] if row["method"] == "visage"]
    assert scored == pytest.approx([apart] * 4, abs=2e-3)
    assert found["nan_counts"]["mono"]["angular_error_rad"] == 4
    lines = list(csv.DictReader((report / "rows.csv").read_text("utf-8").splitlines()))
    assert len(lines) == len(found["rows"])
    assert {line["clip"] for line in lines} == {"s1", "s2"}
    tex = (report / "table.tex").read_text("utf-8")
    assert re.search(rf"visage & {apart:.3f} \[", tex)
    assert re.search(r"(?m)^visage .*(& - ){4}\\\\$", tex), "what CLAP would hear is left blank"


def test_pictures_are_linked_and_there(report: Path) -> None:
    page = (report / "index.html").read_text("utf-8")
    linked = re.findall(r'<a href="([^"]+)"><img src="\1"', page)
    assert len(linked) == len(set(linked)) == 4, "ours and the release at two microphones"
    assert "ours · stream-01 · mic1 · s1" in page
    for address in linked:
        with Image.open(report / address) as shown:
            assert shown.size[0] > 1000
    assert "not asked for: --clap" in page


def kept(out: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (out / "parts").iterdir()} | {
        "rows.csv": (out / "rows.csv").read_bytes()
    }


def test_parallel_workers_give_the_same_bytes(tree: Path, tmp_path: Path) -> None:
    for name, workers in (("one", 1), ("two", 2)):
        main(shortly(tree, tmp_path / name, workers))
    assert kept(tmp_path / "one") == kept(tmp_path / "two")


def test_a_resumed_run_looks_at_content_not_at_spelling(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    main(shortly(tree, "out"))
    capsys.readouterr()
    relative = Path(os.path.relpath(tree, tmp_path))
    main(shortly(relative, tmp_path / "elsewhere" / ".." / "out"))
    assert "2 of 2 microphones were scored before" in capsys.readouterr().err
    changed = next((tree / "theirs").rglob("foa.wav"))
    before = changed.read_bytes()
    try:
        soundfile.write(changed, wave(np.array([1.0, 0.0, 0.0]), 3).T, RATE_HZ, subtype="FLOAT")
        main(shortly(tree, "out"))
    finally:
        changed.write_bytes(before)
    said = capsys.readouterr()
    assert "1 of 2 microphones were scored before" in said.err
    for word in ("mono", "visage", "ours", "report: out/index.html"):
        assert word in said.out
