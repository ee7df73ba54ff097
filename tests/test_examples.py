"""The examples run as they stand."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
SAYS = {
    "01_first_scene.py": "what you would hear",
    "02_own_sources.py": "the bell is heard at azimuth 30.00°",
    "03_write_a_backend.py": "keeps the contract",
    "04_moving_siren.py": "drops by 2.02 semitones",
}


def test_every_example_is_run() -> None:
    assert set(SAYS) == {p.name for p in EXAMPLES.glob("*.py")}


@pytest.mark.parametrize("name", sorted(SAYS))
def test_example(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name)], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert SAYS[name] in done.stdout
