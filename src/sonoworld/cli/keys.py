"""Single keys from a terminal, without Enter; the terminal is as before afterwards, however it ends."""

import codecs
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from types import FrameType

KeyReader = Callable[[float], list[str]]
"""Waits up to so many seconds and returns the keys that were pressed: characters in lower case, or names (`up`)."""

_BY_LETTER = {"A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end"}
_BY_NUMBER = {"1": "home", "4": "end", "5": "page up", "6": "page down", "7": "home", "8": "end"}
_BY_SCAN_CODE = {
    "H": "up",
    "P": "down",
    "M": "right",
    "K": "left",
    "G": "home",
    "O": "end",
    "I": "page up",
    "Q": "page down",
}
_PRESS = re.compile(r"\x1b\[([0-9;]*)([@-~])|\x1bO(.)|\x1b(?![\[O])(.)|([^\x1b])", re.DOTALL)
_UNFINISHED = re.compile(r"\x1b(\[[0-9;]*|O)?\Z")


def decode(text: str) -> tuple[list[str], str]:
    """Keys in what a terminal sent (ECMA-48 sequences; xterm's arrows), and a rest that is not whole yet.

    Sequences of no key that is known here are left out, and so is Alt with a character.
    """
    unfinished = _UNFINISHED.search(text)
    whole = text[: unfinished.start()] if unfinished else text
    keys: list[str] = []
    for parameters, final, single, _alt, character in (match.groups() for match in _PRESS.finditer(whole)):
        if character is not None:
            keys.append(character.lower())
        elif single is not None:
            keys.append(_BY_LETTER.get(single, ""))
        elif final is not None:
            keys.append(_BY_NUMBER.get(parameters.split(";")[0], "") if final == "~" else _BY_LETTER.get(final, ""))
    return [key for key in keys if key], unfinished.group() if unfinished else ""


@contextmanager
def open_keys() -> Generator[KeyReader]:
    """Keys of the terminal at standard input. SIGINT, SIGTERM and SIGHUP are raised where keys are read.

    There, and not wherever the program happens to be: half-way into another screen nobody would lead it out again.
    """
    if sys.platform == "win32":
        yield _console_keys
        return
    import termios  # noqa: PLC0415  not on Windows
    import tty  # noqa: PLC0415

    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    with _signals_kept() as received:
        tty.setcbreak(fd)
        try:
            yield _Terminal(fd, received).read
        finally:
            with suppress(termios.error):  # the terminal may have gone, and we because of it
                termios.tcsetattr(fd, termios.TCSAFLUSH, before)


class _Terminal:
    def __init__(self, fd: int, received: list[int]) -> None:
        self._fd, self._received, self._rest = fd, received, ""
        self._characters = codecs.getincrementaldecoder("utf-8")("ignore")

    def read(self, wait_s: float) -> list[str]:
        import select  # noqa: PLC0415

        ready, _, _ = select.select([self._fd], [], [], wait_s)
        if self._received:
            raise KeyboardInterrupt if self._received[0] == signal.SIGINT else SystemExit(128 + self._received[0])
        if not ready:
            self._rest = ""  # an escape alone: no sequence pauses in the middle
            return []
        data = b""
        with suppress(OSError):
            data = os.read(self._fd, 4096)
        if not data:
            return ["q"]  # the terminal has gone
        keys, self._rest = decode(self._rest + self._characters.decode(data))
        return keys


def _console_keys(wait_s: float) -> list[str]:
    """Keys of a Windows console."""
    import msvcrt  # noqa: PLC0415

    keys: list[str] = []
    until = time.monotonic() + wait_s
    while not keys and time.monotonic() < until:
        while msvcrt.kbhit():  # type: ignore[attr-defined]  # Windows alone has it
            key: str = msvcrt.getwch()  # type: ignore[attr-defined]
            keys.append(_BY_SCAN_CODE.get(msvcrt.getwch(), "") if key in "\x00\xe0" else key.lower())  # type: ignore[attr-defined]
        time.sleep(0.005)
    return [key for key in keys if key]


@contextmanager
def _signals_kept() -> Generator[list[int]]:
    """Signals that ask to leave, noted instead of acted on."""
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
