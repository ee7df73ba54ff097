"""`sonoworld evaluate`: from data to table, report and page; what it refuses."""

import json
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
    monkeypatch.setattr(synthetic, "DEFAULT", SyntheticSize(1, 1, 1, 128, 0.5))
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


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["somewhere"], "expected one of synthetic"),
        (["r3vival"], "needs --data"),
        (["synthetic", "--submission", "a=b"], "goes with sonoscene360 and pairs"),
        (["pairs", "-d", "x", "--submission", "nothing"], "METHOD=DIR"),
        (["synthetic", "--baselines", "nobody"], "'nobody'"),
    ],
)
def test_refusals(given: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", *given, "-o", str(tmp_path / "out"), "--workers", "1"])
    assert stop.value.code != 0
    assert not (tmp_path / "out").exists()
    assert said in " ".join(capsys.readouterr().err.split())
