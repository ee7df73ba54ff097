"""`sonoworld evaluate`: from data to table, report and page; what it refuses."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sonoworld.cli import main
from sonoworld.evaluate.datasets import synthetic
from sonoworld.evaluate.datasets.synthetic import SyntheticSize

RATE_HZ = 48000


def wave(path: Path, left: float, front: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    signal = np.random.default_rng(0).standard_normal(RATE_HZ // 2) * 0.1
    soundfile.write(path, np.array([1.0, left, 0.0, front]) * signal[:, None], RATE_HZ, subtype="FLOAT")


def test_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wave(tmp_path / "ref" / "pool" / "mic1" / "a.wav", 0.0, 1.0)
    wave(tmp_path / "est" / "pool" / "mic1" / "a.wav", 1.0, 0.0)
    out = tmp_path / "out"
    main(
        ["evaluate", "pairs", "-d", str(tmp_path / "ref"), "--submission", f"visage={tmp_path / 'est'}", "-o", str(out)]
    )
    assert "visage" in capsys.readouterr().out
    results = json.loads((out / "results.json").read_text("utf-8"))
    (row,) = results["rows"]
    assert (row["method"], row["scene"], row["mic"], row["clip"]) == ("visage", "pool", "mic1", "a.wav")
    assert row["metrics"]["angular_error_deg"] == pytest.approx(90.0, abs=1e-3)
    assert results["commit"] and results["date"] and results["seed"] == 0
    assert {f.name for f in out.iterdir()} >= {"results.json", "rows.csv", "table.tex", "index.html"}


def test_synthetic_resumes(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(synthetic.DEFAULT, "T1", SyntheticSize(1, 1, 1, 128, 0.5))
    page = tmp_path / "page.md"
    page.write_text("<!-- table: synthetic -->\n<!-- end -->\n", "utf-8")
    command = ["evaluate", "synthetic", "-o", str(tmp_path / "out"), "--workers", "1", "--no-ablations"]
    main([*command, "--write-docs", str(page)])
    first = capsys.readouterr()
    assert "ours − release, cc" in first.out
    assert "two-birds-00, mic1" in first.err
    assert "| see2sound |" in page.read_text("utf-8")
    rows = (tmp_path / "out" / "rows.csv").read_bytes()
    main(command)
    assert "1 of 1 microphones were scored before" in capsys.readouterr().err
    assert (tmp_path / "out" / "rows.csv").read_bytes() == rows


def test_all_of_it_in_parallel_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--full`, two parts at once, one process or two."""
    monkeypatch.setitem(synthetic.FULL, "T0", SyntheticSize(2, 1, 1, 64, 0.3, "T0"))
    monkeypatch.setitem(synthetic.FULL, "T1", SyntheticSize(1, 2, 2, 64, 0.3))
    found: list[dict[str, bytes]] = []
    for workers in ("1", "2"):
        out = tmp_path / workers
        options = [
            "--full",
            "--baselines",
            "mono",
            "--no-ablations",
            "--parts",
            "T0",
            "--parts",
            "T1",
            "--workers",
            workers,
        ]
        main(["evaluate", "synthetic", "-o", str(out), *options])
        (shown := json.loads((out / "results.json").read_text("utf-8"))).pop("date")
        assert len({(row["scene"], row["mic"], row["clip"]) for row in shown["rows"]}) == 2 * 2
        assert shown["options"]["full"] == "True"
        files = [*out.glob("*.csv"), *out.glob("*.tex"), *out.glob("T0/*.csv"), *out.rglob("parts/*")]
        found.append({f.relative_to(out).as_posix(): f.read_bytes() for f in files} | {"": json.dumps(shown).encode()})
    assert found[0] == found[1]
    assert {"rows.csv", "T0/rows.csv", "table.tex"} <= set(found[0])


KILLED = """
import os, signal, sys
from sonoworld.cli import evaluate, main
from sonoworld.evaluate.datasets import synthetic
synthetic.DEFAULT["T1"] = synthetic.SyntheticSize(1, 3, 1, 64, 0.3)
told, heard = evaluate._tell, []
def tell(line):
    told(line)
    heard.append(line)
    if len(heard) == 3 and sys.argv[1] == "die":  # the scenes are written and two microphones scored
        os.kill(os.getpid(), signal.SIGKILL)
evaluate._tell = tell
main(["evaluate", "synthetic", "--baselines", "mono", "--no-ablations", "--workers", "1", "-o", sys.argv[2]])
"""


def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    """Killed outright after two of three microphones, and run again: the same scores as in one go."""
    script = tmp_path / "run.py"
    script.write_text(KILLED, "utf-8")

    def run(how: str, out: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, str(script), how, str(tmp_path / out)]
        return subprocess.run(line, capture_output=True, text=True, check=False)

    died = run("die", "out")
    assert died.returncode == -signal.SIGKILL
    assert not (tmp_path / "out" / "rows.csv").exists()
    again, whole = run("live", "out"), run("live", "whole")
    assert (again.returncode, whole.returncode) == (0, 0), again.stderr + whole.stderr
    assert "2 of 3 microphones were scored before" in again.stderr
    assert "writing the scenes" not in again.stderr
    assert (tmp_path / "out" / "rows.csv").read_bytes() == (tmp_path / "whole" / "rows.csv").read_bytes()


def test_a_part_that_is_missing_its_simulator(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyroomacoustics", None)
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", "synthetic", "--parts", "all", "-o", str(tmp_path / "out")])
    assert stop.value.code == 3
    assert capsys.readouterr().err.count("pip install pyroomacoustics") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["somewhere"], "expected one of synthetic"),
        (["r3vival"], "needs --data"),
        (["synthetic", "--submission", "a=b"], "goes with sonoscene360 and pairs"),
        (["pairs", "-d", "x", "--submission", "nothing"], "METHOD=DIR"),
        (["synthetic", "--baselines", "nobody"], "'nobody'"),
        (["synthetic", "--parts", "T4"], "expected all or T0, T1, T2"),
        (["r3vival", "-d", ".", "--parts", "T0"], "--parts goes with synthetic"),
        (["synthetic", "--write-docs", "no-page.md"], "no-page.md: cannot be read"),
    ],
)
def test_refusals(given: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", *given, "-o", str(tmp_path / "out"), "--workers", "1"])
    assert stop.value.code != 0
    assert not (tmp_path / "out").exists()
    assert said in " ".join(capsys.readouterr().err.split())
