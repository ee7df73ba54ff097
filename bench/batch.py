"""Many photos: throughput of the pool and of a Ray cluster, bytes against single runs, workers and heads killed midway.

    python bench/batch.py [PHOTO_OR_FOLDER ...] [--count 64] [--ray] [--parts single pool killed ray ray_killed]

Claims: every world is, to the byte, that of `sonoworld create`; after a worker and then the head were killed (SIGKILL)
the same command ends with all worlds there, no process is left over, none that was finished is made again, and none was
begun more than twice; on free cores two workers have at least 1.5 times the throughput of one.

The photos are variants (crop, mirror, colour; `--side` px wide) of those named, or of the bundled one, all distinct.
The first `--cold` single runs are the command itself, the rest the same verb in one process, to save imports. `--ray`
adds a local cluster of two nodes with a core each (ray.cluster_utils; extra `cluster`), on which a task's process and
then the driver are killed. `--work FOLDER` keeps what was made, and a later run goes on with other parts.
"""

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image, ImageOps

SMALL = ("panorama.width=256", "sound.seconds=4")
PARTS = ("single", "pool", "killed", "ray", "ray_killed")
LEAST_GAIN = 1.5
MOST_BEGUN = 2
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".heic"}
SONOWORLD = (sys.executable, "-m", "sonoworld")


@dataclass(frozen=True)
class Bench:
    """What is measured, and where."""

    work: Path
    photos: Path
    settings: list[str]
    count: int
    cold: int

    def command(self, out: Path, *makers: str) -> list[str]:
        return [*SONOWORLD, "batch", str(self.photos), str(out), *makers, *self.settings]

    def same(self, out: Path) -> bool:
        """Whether all worlds have the bytes of single runs."""
        singles = {world.name: digest(world) for world in (self.work / "single").iterdir() if world.is_dir()}
        return len(singles) == self.count and singles == {id_: digest(out / id_) for id_ in set(done(out))}


def variants(named: list[Path], count: int, side: int, folder: Path) -> None:
    """So many distinct photos in a folder: crops, mirrors and colours of those named, or of the bundled one."""
    if folder.exists():
        return
    folder.mkdir(parents=True)
    found = [p for path in named for p in (sorted(path.iterdir()) if path.is_dir() else [path])]
    sources = [p for p in found if p.suffix.lower() in SUFFIXES]
    sources = sources or [Path(str(files("sonoworld.assets").joinpath("meadow.jpg")))]
    for i in range(count):
        rng = np.random.default_rng(i)
        with Image.open(sources[i % len(sources)]) as opened:
            whole = ImageOps.exif_transpose(opened).convert("RGB")
        width = min(whole.width, whole.height * 3 // 2)
        w, h = int(width * rng.uniform(0.8, 1)), int(width * 2 / 3 * rng.uniform(0.8, 1))
        x, y = int(rng.integers(whole.width - w + 1)), int(rng.integers(whole.height - h + 1))
        one = whole.crop((x, y, x + w, y + h)).resize((side, side * h // w), Image.Resampling.LANCZOS)
        one = ImageOps.mirror(one) if i % 2 else one
        tinted = np.clip(np.asarray(one) * rng.uniform(0.9, 1.1, 3), 0, 255).astype(np.uint8)
        Image.fromarray(tinted).save(folder / f"photo-{i:03}.png")
    if len({hashlib.sha256(p.read_bytes()).digest() for p in folder.iterdir()}) != count:
        sys.exit("expected distinct photos")


def digest(world: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(p for p in world.rglob("*") if p.is_file()):
        total.update(path.relative_to(world).as_posix().encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def lines(out: Path) -> list[dict[str, Any]]:
    path = out / "manifest.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def done(out: Path) -> list[str]:
    return [str(line["id"]) for line in lines(out) if line["state"] == "done"]


def timed(arguments: list[str]) -> float:
    began = time.perf_counter()
    ended = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.exit(f"{' '.join(arguments)}\n{ended.stdout}{ended.stderr}")
    return time.perf_counter() - began


def wait(condition: Callable[[], object], seconds: float = 1800.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def children(of: int) -> list[psutil.Process]:
    return psutil.Process(of).children()


def tasks(_: int) -> list[psutil.Process]:
    """Processes of the local cluster that are making a world."""
    found: list[psutil.Process] = []
    for process in psutil.Process().children(recursive=True):
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.cmdline()[0].startswith("ray::_make_world"):
                found.append(process)
        except (psutil.Error, IndexError):
            continue
    return found


def single(bench: Bench) -> bool:
    """Every photo by `sonoworld create`: a process each, then all others in one."""
    began = time.perf_counter()
    photos = sorted(bench.photos.iterdir())
    made = [["create", str(photo), str(bench.work / "single" / photo.stem), "--no-film"] for photo in photos]
    made = [[*words, *bench.settings] for words in made if not (Path(words[2]) / "scene.json").is_file()]
    for words in made[: bench.cold]:
        timed([*SONOWORLD, *words])
    cold_s = time.perf_counter() - began
    program = "import sys, json; from sonoworld import cli; [cli.main(words) for words in json.load(sys.stdin)]"
    subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(made[bench.cold :]),
        text=True,
        capture_output=True,
        check=True,
    )
    if cold := made[: bench.cold]:
        said(f"create, {len(cold)} in a process each", cold_s, len(cold))
    if warm := made[bench.cold :]:
        said(f"create, {len(warm)} in one process", time.perf_counter() - began - cold_s, len(warm))
    return True


def said(what: str, seconds: float, n: int, *more: str) -> None:
    print(f"  {', '.join([f'{what}: {seconds:6.1f} s', f'{3600 * n / seconds:5.0f} worlds/h', *more])}", flush=True)


def of_one(bench: Bench, seconds: float, workers: int) -> str:
    """Efficiency per worker, against a pool of one that was timed before."""
    one = bench.work / "one.json"
    return f"efficiency per worker {json.loads(one.read_text()) / workers / seconds:.2f}" if one.is_file() else ""


def yes(fine: bool) -> str:
    return "yes" if fine else "NO"


def pools(bench: Bench) -> bool:
    """One worker, then two."""
    fine, took = True, dict[int, float]()
    for workers in (1, 2):
        out = bench.work / f"pool-{workers}"
        shutil.rmtree(out, ignore_errors=True)
        took[workers] = timed(bench.command(out, "--workers", str(workers)))
        if workers == 1:
            (bench.work / "one.json").write_text(json.dumps(took[1]))
        same = bench.same(out)
        fine &= same
        efficiency = of_one(bench, took[workers], workers)
        said(f"pool of {workers}", took[workers], bench.count, efficiency, f"bytes as alone: {yes(same)}")
    gain = took[1] / took[2]
    print(f"  two workers: {gain:.2f} times the throughput of one (claim on free cores: {LEAST_GAIN})", flush=True)
    return fine


def killed(bench: Bench, name: str, makers: tuple[str, ...], workers: Callable[[int], list[psutil.Process]]) -> bool:
    """Kill a worker at a quarter of the worlds, the head at half of them; run the same command again."""
    out = bench.work / name
    shutil.rmtree(out, ignore_errors=True)
    arguments = bench.command(out, *makers)
    head = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    wait(lambda: len(done(out)) >= bench.count // 4)
    wait(lambda: workers(head.pid))
    workers(head.pid)[0].kill()
    wait(lambda: len(done(out)) >= max(2, bench.count // 2))
    at_work = workers(head.pid)
    os.kill(head.pid, signal.SIGKILL)
    head.wait()
    _, left = psutil.wait_procs(at_work, timeout=30)
    before = done(out)
    under_way = [path.name[1 : -len(".lock")] for path in out.glob(".*.lock") if path.name != ".batch.lock"]
    resumed_s = timed(arguments)
    again = len(done(out)) - len(set(done(out)))
    begun = {str(line["id"]): int(line["attempts"]) for line in lines(out)}
    for id_ in under_way:
        begun[id_] += 1
    twice, most, same = sum(n > 1 for n in begun.values()), max(begun.values()), bench.same(out)
    print(
        f"  {name}: a worker at {bench.count // 4}, the head at {len(before)} of {bench.count}; processes left over "
        f"{len(left)}; resumed in {resumed_s:.1f} s: {len(set(done(out)))} of {bench.count} there, finished ones made "
        f"again {again}, begun twice {twice}, at most {most} times, bytes as alone: {yes(same)}",
        flush=True,
    )
    return same and not left and not again and most <= MOST_BEGUN and len(set(done(out))) == bench.count


@contextmanager
def cluster() -> Generator[str]:
    """The address of a cluster of two nodes with a core each, on this machine."""
    from ray.cluster_utils import Cluster  # noqa: PLC0415

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        nodes.add_node(num_cpus=1)
        yield nodes.address
    finally:
        nodes.shutdown()


def by_ray(bench: Bench) -> bool:
    """All worlds by the cluster."""
    out = bench.work / "ray"
    shutil.rmtree(out, ignore_errors=True)
    with cluster() as address:
        seconds = timed(bench.command(out, "--ray", address))
    same = bench.same(out)
    efficiency = of_one(bench, seconds, 2)
    said("Ray, two nodes of a core", seconds, bench.count, efficiency, f"bytes as alone: {yes(same)}")
    return same


def ray_killed(bench: Bench) -> bool:
    """The cluster stays; a task's process is killed, then the driver."""
    with cluster() as address:
        return killed(bench, "ray_killed", ("--ray", address), tasks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--cold", type=int, default=4)
    parser.add_argument("--side", type=int, default=384)
    parser.add_argument("--set", action="append", dest="settings")
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--parts", nargs="+", choices=PARTS)
    parser.add_argument("--work", type=Path)
    options = parser.parse_args()
    work = options.work or Path(tempfile.mkdtemp(prefix="bench-batch-"))
    chosen = tuple(options.settings or SMALL)
    variants(options.photos, options.count, options.side, work / "photos")
    bench = Bench(work, work / "photos", [w for one in chosen for w in ("--set", one)], options.count, options.cold)
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {options.count} photos {options.side} px wide",
        *chosen,
        sep=", ",
        flush=True,
    )
    runs: dict[str, Callable[[], bool]] = {
        "single": lambda: single(bench),
        "pool": lambda: pools(bench),
        "killed": lambda: killed(bench, "killed", ("--workers", "2"), children),
        "ray": lambda: by_ray(bench),
        "ray_killed": lambda: ray_killed(bench),
    }
    parts = options.parts or [part for part in PARTS if options.ray or not part.startswith("ray")]
    fine = [part for part in parts if not runs[part]()]
    if not options.work:
        shutil.rmtree(work)
    print(f"claims of {', '.join(parts)}: {'hold' if not fine else 'do NOT hold: ' + ', '.join(fine)}")
    sys.exit(1 if fine else 0)


if __name__ == "__main__":
    main()
