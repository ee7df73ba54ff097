"""Files and requests of strangers: no reader crashes, hangs, leaks or takes more than it may, however long one hunts.

    python bench/fuzz.py [--minutes 10] [--first 0] [--kinds photo ply ...] [--log FILE]

Claims: whatever is in a file, a reader returns a value or one clear error, within 20 s and 3 GiB of address space, and
holds no more memory after many files than after a few. Valid files are changed at random (bytes; documents by meaning;
containers inside, packed again) and read in rounds of 20 s, each in a process of its own (`tests/fuzz/hunt.py`), which
is ended when it hangs. Same numbers, same files: `--first` begins elsewhere. Files that broke a reader are kept in
`fuzz-found/`.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
TESTS = ROOT / "tests"
KINDS = (
    *("photo", "ply", "spz", "sog", "splat", "glb", "mesh", "depth", "sound", "ambix", "sofa", "scene"),
    *("recipe", "sources", "sheet", "walk", "answer", "study", "layout", "server"),
)
ROUND_S, HANG_S = 20.0, 120.0
MOST_GROWN_MIB = 64.0
"""In the second half of a round: caches of libraries still fill; a leak of 10 kB a file would be more."""


@dataclass
class Row:
    """Figures of one reader over all its rounds. `found`: what broke it, and the minute of the last time."""

    files: int = 0
    read: int = 0
    seconds: float = 0.0
    slowest_s: float = 0.0
    peak_mib: float = 0.0
    grown_mib: float = 0.0
    found: dict[str, float] = field(default_factory=dict)


def hunted(kind: str, first: int, seconds: float, keep: Path) -> dict[str, object]:
    """One round; a process that died or hung is a finding."""
    command = [sys.executable, str(TESTS / "fuzz" / "hunt.py"), kind, "100000000", str(first)]
    paths = os.pathsep.join(map(str, (TESTS, TESTS / "flow")))
    environment = {
        **os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
        "SONOWORLD_FUZZ_WORLD": str(keep / "world"), "OPENCV_LOG_LEVEL": "OFF",
    }  # fmt: skip
    try:
        done = subprocess.run(
            [*command, "--seconds", str(seconds), "--keep", str(keep)],
            capture_output=True, text=True, timeout=seconds + HANG_S, check=False, env=environment,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"found": {f"hang at {_doing(keep)}": 0}}
    if done.returncode not in (0, 1) or not done.stdout.strip():
        (keep / f"{kind}-{first}.txt").write_text(done.stderr[-20000:])
        return {"found": {f"exit {done.returncode} at {_doing(keep)}: {done.stderr.strip()[-160:]}": 0}}
    if done.returncode:
        (keep / f"{kind}-{first}.txt").write_text(done.stderr[-20000:])
    return json.loads(done.stdout.splitlines()[-1])


def _doing(keep: Path) -> str:
    return (keep / "doing").read_text() if (keep / "doing").exists() else "start"


def add(row: Row, told: dict[str, object], seconds: float, minute: float) -> None:
    """A round's figures into a reader's."""
    numbers = Counter({k: v for k, v in told.items() if isinstance(v, int | float)})
    row.files += int(numbers["read"] + numbers["refused"] + numbers["broken"])
    row.read += int(numbers["read"])
    row.seconds += seconds
    row.slowest_s = max(row.slowest_s, numbers["slowest_s"])
    row.peak_mib = max(row.peak_mib, numbers["peak_mib"])
    row.grown_mib = max(row.grown_mib, numbers["grown_mib"])
    found = told["found"]
    assert isinstance(found, dict)
    row.found |= dict.fromkeys(found, round(minute, 1))


def shown(rows: dict[str, Row]) -> str:
    """The table, and what was found."""
    lines = [
        f"{'reader':<8} {'files':>9} {'read':>8} {'seconds':>8} {'slowest s':>9} {'peak MiB':>8} {'grown':>6} broken"
    ]
    for kind, r in rows.items():
        lines.append(
            f"{kind:<8} {r.files:>9} {r.read:>8} {r.seconds:>8.0f} {r.slowest_s:>9.3f} {r.peak_mib:>8.0f} "
            f"{r.grown_mib:>6.1f} {len(r.found):>6}"
        )
    total = sum(r.seconds for r in rows.values())
    lines.append(
        f"{'all':<8} {sum(r.files for r in rows.values()):>9} {sum(r.read for r in rows.values()):>8} {total:>8.0f}"
    )
    lines += [f"  {kind}: {what} (last in minute {at})" for kind, r in rows.items() for what, at in r.found.items()]
    return "\n".join(lines)


def main() -> int:
    """Rounds until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--log", type=Path)
    said = parser.parse_args()
    keep = Path("fuzz-found").resolve()
    keep.mkdir(exist_ok=True)
    rows = {kind: Row() for kind in said.kinds}
    began, turn = time.monotonic(), 0
    seconds = min(ROUND_S, 60 * said.minutes / len(rows))
    while time.monotonic() - began < 60 * said.minutes:
        kind = said.kinds[turn % len(said.kinds)]
        start = time.monotonic()
        told = hunted(kind, said.first + rows[kind].files, seconds, keep)
        add(rows[kind], told, time.monotonic() - start, (start - began) / 60)
        turn += 1
        if said.log:
            said.log.write_text(f"{(time.monotonic() - began) / 60:.1f} minutes\n{shown(rows)}\n")
    sys.stdout.write(shown(rows) + "\n")
    broken = any(r.found or r.grown_mib > MOST_GROWN_MIB for r in rows.values())
    sys.stdout.write("FAIL\n" if broken else "no crash, no hang, no leak\n")
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
