"""A long hunt for files that break a reader, in a process of its own with little memory.

    PYTHONPATH=tests:tests/flow python tests/fuzz/hunt.py KIND COUNT [FIRST] [--seconds S] [--keep FOLDER]

KIND is one of `fuzz_kinds.KINDS`. Prints one line of JSON: how many files were read and refused, the slowest (s), the
most memory (MiB), and by how much it grew in the second half. The first file that breaks a reader in a new way is
kept as KIND-NUMBER and its traceback printed; after a crash of a C library `doing` in the folder of the kept ones
names the number: `hunt.py KIND 1 NUMBER` makes it again.
"""

import argparse
import json
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

import numpy as np
from fuzz_kinds import KINDS, Kind
from fuzz_outcomes import brief_outcome, outcome

ADDRESS_BYTES = 3 * 2**30
MOST_S = 20.0


@dataclass
class Hunt:
    """What has happened so far. `broken`: kinds of failure, by where and what, with the number of the first file."""

    tally: Counter[str] = field(default_factory=Counter[str])
    slowest_s: float = 0.0
    slowest: int = -1
    broken: dict[str, int] = field(default_factory=dict)


def hunt(kind: Kind, numbers: Iterator[int], folder: Path, keep: Path) -> Hunt:
    """Read one changed file after the other."""
    files, done = list(kind.seeds().items()), Hunt()
    judge = outcome if kind.strict else brief_outcome
    for number in numbers:
        rng = np.random.default_rng(number)
        name, data = files[number % len(files)]
        changed = kind.change(data, rng, files[rng.integers(len(files))][1])
        path = folder / f"{number}-{name}"
        path.write_bytes(changed)
        (keep / "doing").write_text(str(number))
        began = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, MOST_S)
        try:
            done.tally[judge(kind.read, path)] += 1
        except Exception as error:  # noqa: BLE001  that is what is hunted
            done.tally["broken"] += 1
            where = _where(error)
            if where not in done.broken:
                done.broken[where] = number
                (keep / path.name).write_bytes(changed)
                traceback.print_exc()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        took_s = time.perf_counter() - began
        if took_s > done.slowest_s:
            done.slowest_s, done.slowest = took_s, number
        path.unlink()
    return done


def _where(error: BaseException) -> str:
    """Kind of error and the innermost line of ours."""
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if any(w in f.filename for w in ("sonoworld", "fuzz"))
    ]
    at = frames[-1] if frames else None
    return f"{type(error).__name__} at {Path(at.filename).name}:{at.lineno}" if at else type(error).__name__


def _too_slow(_: int, __: FrameType | None) -> None:
    raise TimeoutError(f"expected an end within {MOST_S:g} s")


def mib(line: str) -> float:
    """Memory of this program; `ru_maxrss` would count what the process held before it became this program."""
    return int(Path("/proc/self/status").read_text().split(f"{line}:")[1].split()[0]) / 1024


class Numbers:
    """Numbers of files until `count` or `seconds` are over; remembers the memory at half time."""

    def __init__(self, first: int, count: int, seconds: float) -> None:
        self.first, self.count, self.ends = first, count, time.perf_counter() + seconds
        self.half = time.perf_counter() + seconds / 2
        self.half_mib = 0.0

    def __iter__(self) -> Iterator[int]:
        for i in range(self.count):
            now = time.perf_counter()
            if now > self.ends:
                return
            if not self.half_mib and (i >= self.count // 2 or now > self.half):
                self.half_mib = mib("VmRSS")
            yield self.first + i


def main(words: list[str]) -> dict[str, object]:
    """One hunt, as the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("count", type=int)
    parser.add_argument("first", type=int, nargs="?", default=0)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--keep", type=Path, default=Path())
    said = parser.parse_args(words)
    kind = KINDS[said.kind]
    kind.seeds()
    with TemporaryDirectory() as temporary:
        for name, data in kind.seeds().items():  # warm: what is loaded once is no leak, and seeds must be readable
            path = Path(temporary) / f"seed-{name}"
            path.write_bytes(data)
            became = (outcome if kind.strict else brief_outcome)(kind.read, path)
            assert became == "read" or said.kind in ("server", "ambix"), name
        numbers = Numbers(said.first, said.count, said.seconds)
        done = hunt(kind, iter(numbers), Path(temporary), said.keep)
    grown = mib("VmRSS") - (numbers.half_mib or mib("VmRSS"))
    return {
        "read": 0, "refused": 0, **done.tally, "slowest_s": round(done.slowest_s, 3), "slowest": done.slowest,
        "peak_mib": round(mib("VmHWM")), "grown_mib": round(grown, 1), "found": done.broken,
    }  # fmt: skip


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES, ADDRESS_BYTES))
    signal.signal(signal.SIGALRM, _too_slow)
    told = main(sys.argv[1:])
    sys.stdout.write(json.dumps(told) + "\n")
    sys.exit(1 if told["found"] else 0)
