"""Many photos: throughput of the pool, its bytes against single runs, a worker and then the head killed midway.

    python bench/batch.py [PHOTO_OR_FOLDER ...] [--count 4] [--set panorama.width=512 --set sound.seconds=4] [--ray]

Claims: two workers have at least 1.5 times the throughput of one on 2 free cores; every world is, to the byte, that of
`sonoworld create`; after a worker and then the head were killed (SIGKILL) the same command ends with all worlds there,
none that was finished is made again. Without photos: crops of the bundled one. `--ray` adds a local Ray cluster of two
nodes (ray.cluster_utils; needs the extra `cluster`).
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
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import psutil
from PIL import Image

SMALL = ("panorama.width=512", "sound.seconds=4")
LEAST_GAIN = 1.5
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".heic"}
SONOWORLD = (sys.executable, "-m", "sonoworld")


def gather(named: list[Path], count: int, folder: Path) -> list[Path]:
    """Photos to work on, copied into one folder."""
    folder.mkdir()
    found = [p for path in named for p in (sorted(path.iterdir()) if path.is_dir() else [path])]
    for path in [p for p in found if p.suffix.lower() in SUFFIXES][:count]:
        shutil.copy(path, folder / path.name)
    if not named:
        whole = Image.open(str(files("sonoworld.assets").joinpath("meadow.jpg"))).convert("RGB")
        for i in range(count):
            whole.crop((8 * i, 0, whole.width - 8, whole.height)).save(folder / f"meadow-{i}.png")
    return sorted(folder.iterdir())


def digest(world: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(p for p in world.rglob("*") if p.is_file()):
        total.update(path.relative_to(world).as_posix().encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def lines(out: Path) -> list[dict[str, object]]:
    path = out / "manifest.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def done(out: Path) -> list[str]:
    return [str(line["id"]) for line in lines(out) if line["state"] == "done"]


def command(photos: Path, out: Path, settings: list[str], workers: int) -> list[str]:
    return [*SONOWORLD, "batch", str(photos), str(out), "--workers", str(workers), *settings]


def timed(arguments: list[str]) -> float:
    began = time.perf_counter()
    ended = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.exit(f"{' '.join(arguments)}\n{ended.stdout}{ended.stderr}")
    return time.perf_counter() - began


def killed(arguments: list[str], out: Path) -> tuple[int, int]:
    """Kill a worker after the first world, the head after another; worlds done then, workers left over."""
    head = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    wait(lambda: len(done(out)) >= 1)
    psutil.Process(head.pid).children()[0].kill()
    wait(lambda: len(done(out)) >= 2)
    workers = psutil.Process(head.pid).children()
    os.kill(head.pid, signal.SIGKILL)
    head.wait()
    _, left = psutil.wait_procs(workers, timeout=10)
    return len(done(out)), len(left)


def wait(condition: Callable[[], bool], seconds: float = 600.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            sys.exit("never")
        time.sleep(0.05)


def ray_run(photos: Path, out: Path, settings: tuple[str, ...]) -> float:
    """Seconds of a local cluster of two nodes with a core each."""
    from ray.cluster_utils import Cluster  # noqa: PLC0415

    from sonoworld.batch.cluster import ray_cluster  # noqa: PLC0415
    from sonoworld.batch.head import Wanted, run  # noqa: PLC0415
    from sonoworld.batch.photos import find_photos  # noqa: PLC0415

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    began = time.perf_counter()
    wanted, address = Wanted("embedded", settings), cluster.address
    last = list(run(find_photos(str(photos), out), out, wanted, lambda orders: ray_cluster(orders, address)))[-1]
    seconds = time.perf_counter() - began
    cluster.shutdown()
    print(f"  Ray, two nodes: {last.done} made, {last.failed} failed")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--set", action="append", dest="settings")
    parser.add_argument("--ray", action="store_true")
    options = parser.parse_args()
    chosen = tuple(options.settings or SMALL)
    settings = [word for setting in chosen for word in ("--set", setting)]
    work = Path(tempfile.mkdtemp(prefix="bench-batch-"))
    photos = gather(options.photos, options.count, work / "photos")
    n = len(photos)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {n} photos, {', '.join(chosen)}", flush=True)

    single_s = 0.0
    singles: dict[str, str] = {}
    for photo in photos:
        world = work / "single" / photo.stem.lower()
        single_s += timed([*SONOWORLD, "create", str(photo), str(world), "--no-film", *settings])
        singles[photo.name] = digest(world)
    print(f"  create, one after the other: {single_s:6.1f} s, {3600 * n / single_s:5.0f} worlds/h", flush=True)

    def same(out: Path) -> bool:
        return singles == {str(line["photo"]): digest(out / str(line["id"])) for line in lines(out)}

    took: dict[int, float] = {}
    all_same = True
    for workers in (1, 2):
        out = work / f"pool-{workers}"
        took[workers] = timed(command(work / "photos", out, settings, workers))
        all_same &= same(out)
        efficiency = took[1] / workers / took[workers]
        print(
            f"  pool of {workers}: {took[workers]:6.1f} s, {3600 * n / took[workers]:5.0f} worlds/h, "
            f"efficiency per worker {efficiency:.2f}, bytes as alone: {'yes' if same(out) else 'NO'}",
            flush=True,
        )
    out = work / "killed"
    arguments = command(work / "photos", out, settings, 2)
    before, left = killed(arguments, out)
    resumed_s = timed(arguments)
    again = len(done(out)) - len(set(done(out)))
    fine = same(out) and not left and not again and len(set(done(out))) == n
    print(
        f"  a worker, then the head killed at {before} of {n}: workers left over {left}; resumed in {resumed_s:.1f} s: "
        f"{len(set(done(out)))} of {n} there, made again {again}, bytes as alone: {'yes' if same(out) else 'NO'}"
    )
    if options.ray:
        seconds = ray_run(work / "photos", work / "ray", chosen)
        print(f"  Ray: {seconds:6.1f} s, bytes as alone: {'yes' if same(work / 'ray') else 'NO'}")
        all_same &= same(work / "ray")
    gain = took[1] / took[2]
    print(f"two workers: {gain:.2f} times the throughput of one (claim on free cores: {LEAST_GAIN})")
    shutil.rmtree(work)
    sys.exit(0 if all_same and fine else 1)


if __name__ == "__main__":
    main()
