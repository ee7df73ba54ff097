"""Small files that would be huge take neither memory nor time: read one after the other with 3 GiB of address space."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
READ = {"photo.png", "depth.tif", "depth.npz", "twice.sofa"}
"""As large as a good file may be."""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are Linux's")
def test_bombs_do_not_go_off(tmp_path: Path) -> None:
    paths = os.pathsep.join(map(str, (HERE.parent, HERE.parent / "flow")))
    done = subprocess.run(
        [sys.executable, str(HERE / "bombs.py")],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) >= 20
    for one in told:
        assert one["seconds"] < 20, one
        assert one["mib"] < 2000, one
        assert (one["became"] == "read") == (one["name"] in READ), one
        assert one["name"] in READ | {"empty.json"} or one["mib"] < 100, one
