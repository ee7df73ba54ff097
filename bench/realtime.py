"""Real-time rendering, block by block: this engine beside others, in the same run and the same scene.

    python bench/realtime.py [--orders 1 3 5 7] [--blocks 4000] [--rounds 8] [--peers NAME ...] [--json] [--report]

8 mono sources, 256 samples a block at 48 kHz; every source and the head move in every block. Each system runs in its
own process and environment with one thread on one core, all in turn, a few hundred blocks at a time. Exit code 0: all
claims hold. What is measured, and how: bench/README.md.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from peers import realtime_environments as environments
from peers.realtime_claims import (
    FOOTPRINT,
    MANY,
    NATIVE,
    NUMPY,
    SPATIAL,
    SPATIAL_SHORT,
    SPAUDIOPY,
    SPHERICAL,
    SPIN,
    Measured,
    claims,
)
from peers.realtime_environments import ONE_THREAD, PeerMissingError
from peers.realtime_rounds import Case, Delay, Worker, interleaved, timing
from peers.realtime_scene import RATE_HZ, RATE_OF_256_TAPS_HZ, write
from peers.realtime_table import document, show

HERE = Path(__file__).resolve().parent / "peers"
PEERS = (SPAUDIOPY, SPHERICAL, SPATIAL)
OTHER_SCENES = ("all_on", "static", "single", "turned")
COUNTED_BLOCKS, COUNTED_ORDER = 10_000, 5

Command = Callable[[Path], list[str]]
"""Takes the folder of the scene."""


def commands(peers: Sequence[str]) -> dict[str, Command]:
    """How every system is started; making its environment is part of it."""
    ours = str(HERE / "realtime_sonoworld.py")
    spaudiopy = ("spaudiopy==0.2.0", "scipy<1.17")
    known: dict[str, Command] = {
        SPIN: lambda _: [sys.executable, str(HERE / "realtime_spin.py")],
        NATIVE: lambda _: [sys.executable, ours, "native"],
        NUMPY: lambda _: [sys.executable, ours, "numpy"],
        SPATIAL: lambda folder: _spatialaudio(folder, RATE_HZ),
        SPATIAL_SHORT: lambda folder: _spatialaudio(folder, RATE_OF_256_TAPS_HZ),
        SPAUDIOPY: lambda _: [str(environments.python_with(spaudiopy)), str(HERE / "realtime_spaudiopy.py")],
        SPHERICAL: lambda _: [
            str(environments.python_with(("spherical-array-processing==0.6.0",))),
            str(HERE / "realtime_spherical.py"),
        ],
    }
    wanted = {SPIN, NATIVE, NUMPY, *peers} | ({SPATIAL_SHORT} if SPATIAL in peers else set[str]())
    return {name: command for name, command in known.items() if name in wanted}


def _spatialaudio(folder: Path, hrtf_rate_hz: int) -> list[str]:
    program, hrtf = environments.spatialaudio_program()
    return [str(program), str(folder), str(hrtf), str(hrtf_rate_hz)]


def started(wanted: Mapping[str, Command], folder: Path, core: int | None) -> tuple[dict[str, Worker], dict[str, str]]:
    """Workers that are ready, and why others are missing."""
    workers: dict[str, Worker] = {}
    missing = {name: "not asked for (--peers)" for name in PEERS if name not in wanted}
    for name, command in wanted.items():
        _say(f"starting {name}")
        try:
            workers[name] = Worker(command(folder), folder / f"{name}.log", core)
        except (PeerMissingError, OSError) as error:
            missing[name] = str(error)
    return workers, missing


def delays(workers: Mapping[str, Worker], orders: Sequence[int]) -> tuple[dict[tuple[str, int], Delay], dict[str, str]]:
    """Of every system but the loop, by impulse; and who failed, with the reason."""
    measured: dict[tuple[str, int], Delay] = {}
    failed: dict[str, str] = {}
    for name, worker in workers.items():
        try:
            for order in orders if name != SPIN else ():
                if worker.can(Case("moving", order)):
                    measured[name, order] = worker.impulse(order)
        except PeerMissingError as error:
            failed[name] = f"{error} (impulse)"
    return measured, failed


def footprint(found: Measured, orders: Sequence[int]) -> Measured:
    """Adds memory and allocations of our engines, each measured in a fresh process."""
    missing = dict(found.missing)
    names = [name for name in (NATIVE, NUMPY) if name not in missing]
    memory: dict[tuple[str, int], float] = {}
    counted: dict[str, float] = {}
    try:
        memory = {(name, n): _footprint(["memory", _short(name), str(n)], {})["mib"] for name in names for n in orders}
        counter = {"LD_PRELOAD": str(environments.allocation_counter())}
        for name in names:
            blocks = COUNTED_BLOCKS if name == NATIVE else COUNTED_BLOCKS // 10
            counts = _footprint(["allocations", _short(name), str(COUNTED_ORDER), str(blocks)], counter)
            counted |= counts if name == NATIVE else {"numpy": counts["into"]}
    except PeerMissingError as error:
        missing[FOOTPRINT] = str(error)
    return replace(found, missing=missing, memory_mib=memory, allocations=counted)


def _short(name: str) -> str:
    return name.removeprefix("sonoworld ")


def _footprint(words: Sequence[str], more: Mapping[str, str]) -> dict[str, float]:
    command = [sys.executable, str(HERE / "realtime_footprint.py"), *words]
    environment = {**os.environ, **ONE_THREAD, **more}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise PeerMissingError((done.stderr.strip().splitlines() or ["no message"])[-1])
    return json.loads(done.stdout)


def plan(orders: Sequence[int], blocks: int) -> dict[Case, int]:
    """Blocks of every case: the moving scene in full, the others a quarter."""
    moving = {Case("moving", order): blocks for order in orders}
    others = {Case(scene, order): max(1, blocks // 4) for scene in OTHER_SCENES for order in orders}
    return {**moving, **others, MANY: max(1, blocks // 4)}


def quiet_core() -> int | None:
    """The core that the workers get for themselves: the last one; this process moves to the others."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    allowed = os.sched_getaffinity(0)
    core = max(allowed)
    if len(allowed) > 1:
        os.sched_setaffinity(0, allowed - {core})
    return core


def machine(core: int | None, blocks: int, rounds: int) -> dict[str, Any]:
    """What the numbers belong to."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cpu = models[0] if models else platform.processor() or platform.machine()
    pinned = "not pinned" if core is None else f"{core} of {os.cpu_count()}"
    return {"cpu": cpu, "core": pinned, "python": platform.python_version(), "blocks": blocks, "rounds": rounds}


def measure(
    wanted: Mapping[str, Command], orders: Sequence[int], blocks: int, rounds: int
) -> tuple[Measured, dict[str, dict[str, Any]], dict[str, Any]]:
    """All numbers, what the systems say about themselves, and the machine."""
    core = quiet_core()
    with tempfile.TemporaryDirectory(prefix="sonoworld-realtime-") as scratch:
        folder = Path(scratch)
        write(folder)
        workers, missing = started(wanted, folder, core)
        try:
            _say(f"{rounds} rounds of {len(workers)} systems")
            times, failed = interleaved(workers, plan(orders, blocks), rounds)
            alive = {name: worker for name, worker in workers.items() if name not in failed}
            lags, deaf = delays(alive, orders)
            found = Measured({key: timing(one) for key, one in times.items()}, missing | failed | deaf, lags)
        finally:
            for worker in workers.values():
                worker.close()
        _say("memory and allocations")
        about = {name: worker.about for name, worker in alive.items() if name != SPIN}
        return footprint(found, orders), about, machine(core, blocks, rounds)


def _say(words: str) -> None:
    print(words, "...", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Our real-time engine beside others.")
    parser.add_argument("--orders", type=int, nargs="+", default=[1, 3, 5, 7], choices=range(1, 8))
    parser.add_argument("--blocks", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--peers", nargs="*", default=PEERS, choices=PEERS)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    parser.add_argument("--report", action="store_true", help="exit code 0 even where a claim fails")
    asked = parser.parse_args()
    begin = time.monotonic()
    found, about, here = measure(commands(asked.peers), asked.orders, asked.blocks, asked.rounds)
    if asked.json:
        print(document(found, about, here))
    else:
        show(found, about, here)
    _say(f"{time.monotonic() - begin:.0f} s")
    return 0 if asked.report or all(one.holds for one in claims(found)) else 1


if __name__ == "__main__":
    sys.exit(main())
