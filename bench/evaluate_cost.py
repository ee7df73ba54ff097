"""What the dear metrics cost: seconds for clips as long as those that are scored, on one core.

    python bench/evaluate_cost.py

Claim: BSSEval with filters of 512 samples takes at most 2 s for one estimate out of four sources of 10 s at 48 kHz,
also where the sources are band-limited, so that its equations are singular.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
import time
from collections.abc import Callable

import numpy as np
from scipy.signal import butter, sosfilt

from sonoworld.evaluate import acoustic, separation, spatial

RATE_HZ, SECONDS, SOURCES = 48_000, 10, 4
LIMIT_S = 2.0


def timed(name: str, work: Callable[[], object], limit_s: float | None = None) -> bool:
    work()  # what is loaded once does not count
    begin = time.perf_counter()
    work()
    took = time.perf_counter() - begin
    holds = limit_s is None or took <= limit_s
    print(f"{name:54s} {took:7.2f} s  {'' if limit_s is None else 'holds' if holds else 'FAILS'}")
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
    return 0 if all(claims) else 1


if __name__ == "__main__":
    sys.exit(main())
