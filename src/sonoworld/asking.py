"""What asking a server over HTTP needs, whoever asks: patience, bounded bodies, and what Retry-After says."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

MAX_BODY_BYTES = 4 * 2**20


class TooLargeError(Exception):
    """The body is larger than `MAX_BODY_BYTES`."""

    def __str__(self) -> str:
        """For people."""
        return f"the answer is larger than {MAX_BODY_BYTES // 2**20} MiB"


class TooLateError(Exception):
    """The body was not there before its deadline."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for one answer, how often to try again, and whom to tell; `tell` may raise to interrupt."""

    timeout_s: float
    retries: int
    tell: Callable[[str], None]


def body(chunks: Iterable[bytes], deadline_s: float) -> str:
    """The text of a body. `deadline_s`: on the clock of `time.monotonic`.

    Raises:
        TooLargeError: it is larger than anything that is asked for here.
        TooLateError: it comes too slowly.
    """
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise TooLargeError
        if time.monotonic() > deadline_s:
            raise TooLateError
        parts.append(chunk)
    return b"".join(parts).decode("utf-8", "replace")


def retry_after_s(value: str) -> float | None:
    """Seconds of a Retry-After header (seconds or a date; RFC 9110, 10.2.3); None where there is none."""
    if value.strip().replace(".", "", 1).isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def wait_s(tried: int, asked_s: float | None, most_s: float) -> float:
    """How long to wait before the next try: as the server asks, else 1 s, doubled each time up to `most_s`."""
    return min(2.0**tried, most_s) if asked_s is None else asked_s
