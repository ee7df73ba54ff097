"""Wall time, peak memory and repeatability of `sonoworld create` on every photo of a folder.

    python bench/create.py [PHOTO_OR_FOLDER ...] [--recipe embedded] [--keep FOLDER]

Claim: at panorama 2048×1024 each photo takes at most 60 s and 2.5 GiB on 2 cores, and a second run with the same
seed gives the same bytes. Every world is made twice in processes of their own; without arguments, of the bundled photo.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path

LIMIT_S, LIMIT_GIB = 60.0, 2.5
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".heic"}


def photos(named: list[str]) -> list[Path]:
    if not named:
        return [Path(str(files("sonoworld.assets").joinpath("meadow.jpg")))]
    paths = [Path(name) for name in named]
    found = [p for path in paths for p in (sorted(path.iterdir()) if path.is_dir() else [path])]
    return [p for p in found if p.suffix.lower() in SUFFIXES]


def create(photo: Path, out: Path, recipe: str) -> tuple[float, float, str]:
    """(seconds, peak GiB of the process and its children, stages) of one run."""
    command = [sys.executable, "-m", "sonoworld", "create", str(photo), str(out), "--recipe", recipe, "--no-film"]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        sys.exit(f"{photo.name}: create failed\n{output}")
    stages = [line.split()[:2] for line in output.splitlines() if line.startswith("  ") and " s" in line[-24:]]
    slow = ", ".join(f"{s[0]} {s[1]}" for s in stages if s[0] != "total" and float(s[1]) >= 1.0)
    return seconds, usage.ru_maxrss / 2**20, slow


def digest(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        total.update(path.relative_to(folder).as_posix().encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*")
    parser.add_argument("--recipe", default="embedded")
    parser.add_argument("--keep", type=Path, help="keep the worlds in this folder")
    options = parser.parse_args()
    work = options.keep or Path(tempfile.mkdtemp(prefix="bench-create-"))
    work.mkdir(parents=True, exist_ok=True)
    print(f"{os.cpu_count()} cores, recipe {options.recipe}; claim: <= {LIMIT_S:g} s, <= {LIMIT_GIB:g} GiB, same bytes")
    print(f"{'photo':<32} {'wall s':>7} {'again s':>7} {'GiB':>5} {'MB':>5}  same  stages of a second or more")
    worst_s = worst_gib = 0.0
    all_same = True
    for photo in photos(options.photos):
        out, again = work / photo.stem, work / f"{photo.stem}.again"
        for folder in (out, again):
            for leftover in (folder, folder.with_name(f"{folder.name}.partial")):
                shutil.rmtree(leftover, ignore_errors=True)
        seconds, gib, slow = create(photo, out, options.recipe)
        seconds_again, gib_again, _ = create(photo, again, options.recipe)
        same = digest(out) == digest(again)
        size = sum(p.stat().st_size for p in out.rglob("*") if p.is_file()) / 1e6
        print(
            f"{photo.name[:32]:<32} {seconds:7.1f} {seconds_again:7.1f} {max(gib, gib_again):5.2f} {size:5.0f}  "
            f"{'yes' if same else 'NO':<4}  {slow}",
            flush=True,
        )
        worst_s = max(worst_s, seconds, seconds_again)
        worst_gib, all_same = max(worst_gib, gib, gib_again), all_same and same
        shutil.rmtree(again)
    print(f"worst: {worst_s:.1f} s, {worst_gib:.2f} GiB, same bytes: {'yes' if all_same else 'NO'}")
    if not options.keep:
        shutil.rmtree(work)
    held = worst_s <= LIMIT_S and worst_gib <= LIMIT_GIB and all_same
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
