"""Worker processes of this machine: each has a photo at a time; one that dies is replaced, its photo tried again."""

import contextlib
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from sonoworld.batch.worker import ONE_THREAD, Outcome, Request, outcome_of, request_line

MAKER = (sys.executable, "-m", "sonoworld.batch.worker")
ATTEMPTS = 3
"""A photo is given to so many processes before it is given up: one may be killed for what another needed."""

_CLOSE_S = 10.0


@dataclass(frozen=True, slots=True)
class Order:
    """A request and the world's id."""

    id: str
    request: Request


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an order, and how many processes were given it."""

    id: str
    outcome: Outcome
    attempts: int = 1


@runtime_checkable
class Answers(Protocol):
    """Someone who makes worlds: orders in, answers out as they come, in any order."""

    def __call__(self, orders: Sequence[Order]) -> Generator[Answer]: ...  # noqa: D102


def pool(orders: Sequence[Order], workers: int, maker: tuple[str, ...] = MAKER) -> Generator[Answer]:
    """Have all orders done by so many processes. When the generator is closed, they end at once.

    `maker` is the command of a worker, which speaks as `batch.worker` does.
    """
    waiting: queue.SimpleQueue[Order] = queue.SimpleQueue()
    for order in orders:
        waiting.put(order)
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    hands = [_Hand(maker, waiting, answers) for _ in range(min(workers, len(orders)))]
    try:
        for hand in hands:
            hand.start()
        for _ in orders:
            yield answers.get()
    finally:
        for hand in hands:
            hand.close()


class _Hand(threading.Thread):
    """A thread that holds one worker process, and starts another when that has died."""

    def __init__(
        self, maker: tuple[str, ...], waiting: "queue.SimpleQueue[Order]", answers: "queue.SimpleQueue[Answer]"
    ) -> None:
        super().__init__(name="sonoworld-batch", daemon=True)
        self._maker, self._waiting, self._answers = maker, waiting, answers
        self._guard = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._closed = False

    def run(self) -> None:
        while not self._closed:
            try:
                order = self._waiting.get_nowait()
            except queue.Empty:
                break
            answer = self._done(order)
            if not self._closed:
                self._answers.put(answer)
        self._end()

    def close(self) -> None:
        """End the process, whatever it is doing: what it had finished is kept."""
        with self._guard:
            self._closed = True
            if self._process is not None:
                self._process.kill()
        if self.ident is not None:
            self.join(_CLOSE_S)

    def _done(self, order: Order) -> Answer:
        lost = Outcome(0.0)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                outcome = self._asked(order.request)
            except OSError as error:
                lost = replace(lost, error=f"the process that makes worlds cannot be started ({error.strerror})")
                continue
            if outcome is not None:
                return Answer(order.id, outcome, attempt)
            status = self._end()
            lost = Outcome(
                0.0, error=f"{attempt} processes that made this world were ended (the last with status {status}), "
                "perhaps for want of memory; what they finished is kept"
            )  # fmt: skip
            if self._closed:
                break
        return Answer(order.id, lost, ATTEMPTS)

    def _asked(self, request: Request) -> Outcome | None:
        """What a worker says; None where it died over it."""
        process = self._worker()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(request_line(request))
            process.stdin.flush()
            return outcome_of(process.stdout.readline())
        except (BrokenPipeError, ValueError):  # ValueError: half a line, or none, is no outcome
            return None

    def _worker(self) -> "subprocess.Popen[str]":
        with self._guard:
            if self._closed:
                raise OSError(0, "closed")
            if self._process is None:
                self._process = subprocess.Popen(
                    self._maker,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=None if os.environ.get("SONOWORLD_DEBUG") else subprocess.DEVNULL,
                    text=True,
                    encoding="utf-8",
                    env={**os.environ, **ONE_THREAD},
                    start_new_session=True,  # an interrupt from the keyboard is for the head, which ends the rest
                )
            return self._process

    def _end(self) -> int | None:
        """Let the process go; its status."""
        process, self._process = self._process, None
        if process is None:
            return None
        process.kill()
        status = process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):  # a request that nobody read
                pipe.close()
        return status
