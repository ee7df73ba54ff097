"""What an install costs: size of the wheel, of everything it brings, and the time until it is imported.

    python bench/size.py [--wheel FILE] [--rounds 15] [--report]

Claims: `import sonoworld` and the command line take less than 0.3 s, and the wheel is smaller than 60 MB. Sizes are
those of the files that pip recorded for each distribution, in this environment, over the dependencies without extras.
Import times are of fresh processes in turn, less that of an empty Python, so that all are alike warm; named packages
stand beside ours. Without `--wheel` the wheel is built (from products that are there already, where they are).
"""

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PEERS = ("numpy", "PIL.Image", "scipy", "cv2", "numba", "torch", "transformers")
MOST_IMPORT_S, MOST_WHEEL_MB = 0.3, 60.0
NOTHING = "pass"


def closure(name: str, found: dict[str, Distribution] | None = None) -> dict[str, Distribution]:
    """A distribution and all that it needs here, without extras."""
    found = {} if found is None else found
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in found:
        return found
    found[key] = distribution(name)
    for text in found[key].requires or []:
        needed = Requirement(text)
        if needed.marker is None or needed.marker.evaluate({"extra": ""}):
            closure(needed.name, found)
    return found


def size_mb(what: Distribution) -> float:
    """Of the files that pip recorded; of an editable install, of its source."""
    files = [Path(str(what.locate_file(file))) for file in what.files or []]
    if what.metadata["Name"] == "sonoworld":
        files = [file for file in (ROOT / "src" / "sonoworld").rglob("*") if "__pycache__" not in file.parts]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def import_s(names: list[str], rounds: int) -> dict[str, list[float]]:
    """Seconds of every fresh process, all in turn."""
    times: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            began = time.perf_counter()
            line = name if name == NOTHING else f"import {name}"
            subprocess.run([sys.executable, "-c", line], check=True, capture_output=True, cwd=tempfile.gettempdir())
            times[name].append(time.perf_counter() - began)
    return times


def there(name: str) -> bool:
    """Whether a peer is installed here."""
    return subprocess.run([sys.executable, "-c", f"import {name}"], check=False, capture_output=True).returncode == 0


def wheel_mb(given: Path | None) -> float:
    """Size of the wheel."""
    if given is not None:
        return given.stat().st_size / 1e6
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            folder,
            str(ROOT),
        ]
        subprocess.run(command, check=True)
        (wheel,) = Path(folder).glob("*.whl")
        return wheel.stat().st_size / 1e6


def main() -> int:
    """Two tables and the claims."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--report", action="store_true", help="never fails")
    said = parser.parse_args()
    try:
        all_of_it = closure("sonoworld")
    except PackageNotFoundError as error:
        sys.stdout.write(f"{error} is not installed: pip install -e .\n")
        return 1
    sizes = sorted(((size_mb(what), name) for name, what in all_of_it.items()), reverse=True)
    print(f"{'installed':<26} {'MB':>8}")
    for size, name in sizes[:12]:
        print(f"{name:<26} {size:>8.1f}")
    rest = sizes[12:]
    print(f"{f'{len(rest)} others':<26} {sum(s for s, _ in rest):>8.1f}\n{'all':<26} {sum(s for s, _ in sizes):>8.1f}")
    wheel = wheel_mb(said.wheel)
    print(f"{'the wheel itself':<26} {wheel:>8.1f}\n\n{'import':<26} {'p50 ms':>8} {'fastest':>8}")
    names = [NOTHING, "sonoworld", "sonoworld.cli", "sonoworld.flow", *filter(there, PEERS)]
    times = import_s(names, said.rounds)
    empty = statistics.median(times[NOTHING])
    for name in names:
        p50, least = statistics.median(times[name]) - empty, min(times[name]) - min(times[NOTHING])
        shown = (1e3 * empty, 1e3 * min(times[NOTHING])) if name == NOTHING else (1e3 * p50, 1e3 * least)
        print(f"{'(empty Python)' if name == NOTHING else name:<26} {shown[0]:>8.0f} {shown[1]:>8.0f}")
    ours = max(statistics.median(times[name]) for name in ("sonoworld", "sonoworld.cli")) - empty
    holds = ours < MOST_IMPORT_S and wheel < MOST_WHEEL_MB
    print("claims hold" if holds else "claims do NOT hold")
    return 0 if holds or said.report else 1


if __name__ == "__main__":
    sys.exit(main())
