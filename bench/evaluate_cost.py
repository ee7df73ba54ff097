"""What the dear metrics cost, on one core, and, where asked, what whole evaluations take.

    python bench/evaluate_cost.py                     # seconds: clips as long as those that are scored
    python bench/evaluate_cost.py --whole [R3VIVAL]   # minutes: also `sonoworld evaluate`, from nothing to the report

Claims: `sonoworld evaluate synthetic`, and `r3vival` where its folder is named, take at most five minutes on two cores.
BSSEval with filters of 512 samples takes at most 2 s for one estimate out of four sources of 10 s at 48 kHz,
also where the sources are band-limited, so that its equations are singular.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
from scipy.signal import butter, sosfilt

from sonoworld.evaluate import acoustic, separation, spatial

RATE_HZ, SECONDS, SOURCES = 48_000, 10, 4
LIMIT_S = 2.0
WHOLE_LIMIT_S = 300.0


def timed(name: str, work: Callable[[], object], limit_s: float | None = None) -> bool:
    work()  # what is loaded once does not count
    begin = time.perf_counter()
    work()
    took = time.perf_counter() - begin
    holds = limit_s is None or took <= limit_s
    print(f"{name:54s} {took:7.2f} s  {'' if limit_s is None else 'holds' if holds else 'FAILS'}")
    return holds


def whole(dataset: str, *options: str) -> bool:
    """One evaluation in processes of its own, two workers."""
    with tempfile.TemporaryDirectory() as out:
        line = [sys.executable, "-m", "sonoworld", "evaluate", dataset, *options, "--workers", "2", "-o", out]
        begin = time.perf_counter()
        subprocess.run(line, check=True, capture_output=True)
        took = time.perf_counter() - begin
    holds = took <= WHOLE_LIMIT_S
    print(f"{'sonoworld evaluate ' + dataset + ', two workers':54s} {took:7.0f} s  {'holds' if holds else 'FAILS'}")
    return holds


def main() -> int:
    rng = np.random.default_rng(0)
    white = rng.standard_normal((SOURCES, RATE_HZ * SECONDS))
    low = np.asarray(sosfilt(butter(8, 4000, fs=RATE_HZ, output="sos"), white, axis=1))
    foa = rng.standard_normal((4, RATE_HZ * SECONDS))
    room = rng.standard_normal(RATE_HZ) * 10 ** (-3 * np.arange(RATE_HZ) / RATE_HZ)
    claims = [
        timed(
            f"BSSEval, {name}, 1 estimate of {SOURCES} sources",
            lambda x=sources: separation.sdr_sir_sar(x[0] + 0.1 * x[1] + 0.01 * white[3], x, 0),
            LIMIT_S,
        )
        for name, sources in (("white", white), ("below 4 kHz", low))
    ]
    timed(f"BSSEval, white, {SOURCES} estimates at once", lambda: separation.bss_eval(white[:, ::-1], white))
    timed("spatial.compare, 10 s", lambda: spatial.compare(foa, foa[:, ::-1], RATE_HZ))
    timed("acoustic.compare, 1 s", lambda: acoustic.compare(room, room[::-1].copy(), RATE_HZ))
    if "--whole" in sys.argv:
        claims.append(whole("synthetic"))
        claims += [whole("r3vival", "--data", folder) for folder in sys.argv[sys.argv.index("--whole") + 1 :]]
    return 0 if all(claims) else 1


if __name__ == "__main__":
    sys.exit(main())
