"""A long hunt for files that break a reader, in a process of its own with little memory.

    PYTHONPATH=tests python tests/fuzz/hunt.py sound|ambix|sofa COUNT [FIRST]

Prints one line of JSON: how many files were read and refused, the slowest (s) and the most memory (MiB). A file that
breaks the rules is kept as broken-KIND-NUMBER and ends the hunt with its traceback; after a crash of a C library,
number FIRST + (files read so far) is the one: `hunt.py KIND 1 NUMBER` makes it again.
"""

import json
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from fuzz_edits import edited, seeded_edits
from fuzz_outcomes import ambix_outcome, outcome, sofa_outcome, sound_outcome
from fuzz_seeds import ambisonics, sofas, sounds

ADDRESS_BYTES = 3 * 2**30
READERS = {"sound": (sound_outcome, sounds), "ambix": (ambix_outcome, ambisonics), "sofa": (sofa_outcome, sofas)}


def hunt(kind: str, count: int, first: int, folder: Path) -> dict[str, object]:
    read, seeds = READERS[kind]
    files = list(seeds().items())
    tally: Counter[str] = Counter()
    slowest_s = 0.0
    for number in range(first, first + count):
        rng = np.random.default_rng(number)
        name, data = files[number % len(files)]
        other = files[rng.integers(len(files))][1]
        path = folder / f"{number}-{name}"
        path.write_bytes(edited(data, seeded_edits(rng), other))
        began = time.perf_counter()
        try:
            tally[outcome(read, path)] += 1
        except BaseException:
            Path(f"broken-{kind}-{number}{path.suffix}").write_bytes(path.read_bytes())
            raise
        slowest_s = max(slowest_s, time.perf_counter() - began)
        path.unlink()
    return {**tally, "slowest_s": round(slowest_s, 3), "peak_mib": round(peak_mib())}


def peak_mib() -> float:
    """Of this program; `ru_maxrss` would count what the process held before it became this program."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES, ADDRESS_BYTES))
    with TemporaryDirectory() as temporary:
        done = hunt(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0, Path(temporary))
    sys.stdout.write(json.dumps(done) + "\n")
