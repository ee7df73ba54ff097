"""The two commands of the README on a bare machine: `make demo` and `make test`, timed, and what they leave on disk.

    python bench/bare.py [--targets demo test] [--keep FOLDER]

A clone of this checkout's last commit, an empty HOME, no virtual environment, no caches of pip, npm or numba; of the
environment only PATH, the locale and the settings of package indexes and proxies. Every target runs in its own clone,
as two users would. Exit code 0: all targets ended well. Needs git, make and, for the tests, a browser.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PASSED = ("PATH", "LANG", "LC_ALL", "CXX", "CHROMIUM", "NODE_EXTRA_CA_CERTS")
PREFIXES = (
    "PIP_",
    "UV_",
    "npm_config_",
    "NPM_CONFIG_",
    "http",
    "HTTP",
    "no_proxy",
    "NO_PROXY",
    "SSL_",
    "REQUESTS_",
)
ARGUMENTS = {"demo": ["ARGS=--no-serve"]}
PARTS = (".venv", "src/sonoworld/products", "demo-world", ".git")


def bare_environment(home: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k in PASSED or k.startswith(PREFIXES)}
    return {**kept, "HOME": str(home), "TMPDIR": str(home / "tmp")}


def size_mb(folder: Path) -> float:
    """Of all files, each counted once."""
    seen: dict[tuple[int, int], int] = {}
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            status = file.stat()
            seen[status.st_dev, status.st_ino] = status.st_size
    return sum(seen.values()) / 1e6


def run(target: str, folder: Path) -> bool:
    home, clone = folder / "home", folder / "sonoworld"
    (home / "tmp").mkdir(parents=True)
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    log = folder / "log.txt"
    began = time.perf_counter()
    with log.open("wb") as out:
        command = ["make", target, *ARGUMENTS.get(target, [])]
        done = subprocess.run(command, cwd=clone, env=bare_environment(home), stdout=out, stderr=out, check=False)
    took = time.perf_counter() - began
    print(f"make {target:6s} {took / 60:6.1f} min  {'ended well' if done.returncode == 0 else 'FAILED'}", flush=True)
    for part in PARTS:
        if (clone / part).exists():
            print(f"    {part:24s} {size_mb(clone / part):8.0f} MB")
    print(f"    {'caches in HOME':24s} {size_mb(home):8.0f} MB", flush=True)
    words = log.read_text(errors="replace").splitlines()
    for line in [one for one in words if " passed" in one] or words[-3:]:
        print(f"    | {line}")
    if done.returncode:
        print("\n".join(words[-40:]))
    return done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", nargs="+", default=["demo", "test"])
    parser.add_argument("--keep", type=Path, help="a new folder for clones and logs (default: temporary)")
    given = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory(prefix="sonoworld-bare-") as temporary:
        folder = given.keep or Path(temporary)
        ended = [run(target, folder / target) for target in given.targets]
        return 0 if all(ended) else 1


if __name__ == "__main__":
    sys.exit(main())
