"""Hunts in a process of their own, with 3 GiB of address space: C libraries neither crash nor hang nor fill it.

`SONOWORLD_FUZZ=200000 pytest tests/fuzz/test_fuzz_hunt.py` hunts longer.
"""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz_kinds import KINDS

HERE = Path(__file__).parent
COUNT = int(os.environ.get("SONOWORLD_FUZZ", "700"))


SHARES = {"sound": 1.0, "ambix": 1.0, "sofa": 1.0} | {
    kind: 0.4 for kind in KINDS if kind not in ("sound", "ambix", "sofa")
}
"""Of the files for a reader: those in C get more."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("world")


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are Linux's")
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_breaks(kind: str, tmp_path: Path, world: Path) -> None:
    count = int(COUNT * SHARES[kind])
    paths = os.pathsep.join(map(str, (HERE.parent, HERE.parent / "flow")))
    done = subprocess.run(
        [sys.executable, str(HERE / "hunt.py"), kind, str(count)],
        cwd=tmp_path, capture_output=True, text=True, timeout=120 + count / 10, check=False,
        env={
            **os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
            "SONOWORLD_FUZZ_WORLD": str(world),
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["read"] + told["refused"] == count
    assert told["read"] > count / 50
    assert told["peak_mib"] < 1500
    assert told["slowest_s"] < 20


def test_the_bench_hunts_them_all() -> None:
    told = runpy.run_path(str(HERE.parent.parent / "bench" / "fuzz.py"), run_name="bench")
    assert set(told["KINDS"]) == set(KINDS)
