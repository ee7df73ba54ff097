"""Workers that stay alive, told to run a few blocks each in turn, and what their times add up to."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from peers.realtime_environments import ONE_THREAD, PeerMissingError

LIMIT_S = 120.0
"""A worker that does not answer for so long is ended."""


@dataclass(frozen=True, slots=True)
class Case:
    """One scene at one order."""

    scene: str
    order: int


@dataclass(frozen=True, slots=True)
class Timing:
    """ms a block over all rounds, and p99 over p50 of the quietest round."""

    p50_ms: float
    p99_ms: float
    max_ms: float
    blocks: int
    best_spread: float


@dataclass(frozen=True, slots=True)
class Delay:
    """Samples by which the answer to an impulse comes after the filters' own, and their largest difference then.

    `exact` as in `realtime_serve.Heard`; `error` is relative to the peak, None where the reference is not exact.
    """

    samples: int
    error: float | None


class Runner(Protocol):
    """A worker, or what stands for one in tests."""

    def can(self, case: Case) -> bool:
        """Whether it knows this scene and order."""
        ...

    def run(self, case: Case, warm: int, blocks: int) -> list[int]:
        """Nanoseconds of each block; PeerMissingError when it fails."""
        ...


class Worker:
    """A process that answers lines with JSON: see realtime_serve.py.

    Raises:
        PeerMissingError: it does not start, or (later) ends or does not answer; its last words are the reason.
    """

    def __init__(self, command: Sequence[str], log: Path, core: int | None) -> None:
        self._log = log
        with log.open("w", encoding="utf-8") as said:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                env={**os.environ, **ONE_THREAD},
            )
        if core is not None:
            os.sched_setaffinity(self._process.pid, {core})
        try:
            self.about = self._read()
        except PeerMissingError:
            self.close()
            raise

    def can(self, case: Case) -> bool:
        """Whether it knows this scene and order."""
        return case.scene in self.about["scenes"] and case.order in self.about["orders"]

    def run(self, case: Case, warm: int, blocks: int) -> list[int]:
        """Nanoseconds of each block."""
        return self._ask(f"run {case.scene} {case.order} {warm} {blocks}")["ns"]

    def impulse(self, order: int) -> Delay:
        """Its delay, measured."""
        said = self._ask(f"impulse {order}")
        return delay(np.array(said["response"]), np.array(said["reference"]), said["exact"])

    def close(self) -> None:
        """End it by ending its input."""
        try:
            self._process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def _ask(self, line: str) -> dict[str, Any]:
        assert self._process.stdin
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended: the empty answer below says so
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        watch = threading.Timer(LIMIT_S, self._process.kill)
        watch.start()
        line = self._process.stdout.readline()
        watch.cancel()
        if not line:
            words = [said for said in self._log.read_text("utf-8", "replace").splitlines() if said.strip()]
            raise PeerMissingError(words[-1].strip() if words else f"ended, or silent for {LIMIT_S:g} s")
        return json.loads(line)


def turns(names: Sequence[str], cases: Sequence[Case], rounds: int) -> Iterator[tuple[Case, str]]:
    """A B C A B C ...: in every round, for every case, every system in turn."""
    for _ in range(rounds):
        for case in cases:
            for name in names:
                yield case, name


def interleaved(
    workers: Mapping[str, Runner], blocks: Mapping[Case, int], rounds: int, warm: int = 20
) -> tuple[dict[tuple[str, Case], list[list[int]]], dict[str, str]]:
    """Times in ns per system and case, one list a round; and who failed on the way, with the reason.

    `blocks` of each case are shared evenly among the rounds. Of a system that failed nothing is kept.
    """
    times: dict[tuple[str, Case], list[list[int]]] = {}
    failed: dict[str, str] = {}
    for case, name in turns(list(workers), list(blocks), rounds):
        if name in failed or not workers[name].can(case):
            continue
        try:
            taken = workers[name].run(case, warm, -(-blocks[case] // rounds))
        except PeerMissingError as error:
            failed[name] = f"{error} ({case.scene}, order {case.order})"
            continue
        times.setdefault((name, case), []).append(taken)
    return {key: value for key, value in times.items() if key[0] not in failed}, failed


def timing(rounds_ns: Sequence[Sequence[int]]) -> Timing:
    """Percentiles over all rounds together; the best round is the one whose p99 is nearest to its p50."""
    together = np.concatenate([np.asarray(one, np.float64) for one in rounds_ns]) / 1e6
    p50, p99 = np.percentile(together, [50, 99])
    spreads = [float(np.percentile(one, 99) / np.percentile(one, 50)) for one in rounds_ns]
    return Timing(float(p50), float(p99), float(together.max()), len(together), min(spreads))


def delay(response: np.ndarray, reference: np.ndarray, exact: bool) -> Delay:
    """The lag (samples) of the largest cross-correlation of both ears together."""
    correlation = sum(np.correlate(r, h, "full") for r, h in zip(response, reference, strict=True))
    lag = int(np.argmax(correlation)) - (reference.shape[1] - 1)
    if not exact:
        return Delay(lag, None)
    expected = np.zeros_like(response)
    width = min(reference.shape[1], response.shape[1] - max(lag, 0))
    expected[:, max(lag, 0) : max(lag, 0) + width] = reference[:, :width]
    return Delay(lag, float(np.abs(response - expected).max() / np.abs(reference).max()))
