"""Hunts in a process of their own, with 3 GiB of address space: C libraries neither crash nor hang nor fill it.

`SONOWORLD_FUZZ=200000 pytest tests/fuzz/test_fuzz_hunt.py` hunts longer.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
COUNT = int(os.environ.get("SONOWORLD_FUZZ", "700"))


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are Linux's")
@pytest.mark.parametrize("kind", ["sound", "ambix", "sofa"])
def test_nothing_breaks(kind: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / "hunt.py"), kind, str(COUNT)],
        cwd=tmp_path, capture_output=True, text=True, timeout=120 + COUNT / 10, check=False,
        env={**os.environ, "PYTHONPATH": str(HERE.parent), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["read"] + told["refused"] == COUNT
    assert told["read"] > COUNT / 50
    assert told["peak_mib"] < 500
    assert told["slowest_s"] < 20
