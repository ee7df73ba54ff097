"""One JSON request to Marble's API, which may be busy, slow, gone or hostile.

No redirects (a key must not follow them), bounded bodies, bounded time, bounded tries. A request that is charged is
sent again only after an answer that says it was not taken; what is left open is an `UncertainError`.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import httpx

from sonoworld.asking import Patience, TooLargeError, TooLateError, body, retry_after_s, wait_s
from sonoworld.errors import BackendMissingError, StageError
from sonoworld.lift.marble_address import CREDITS_PAGE, KEY_PAGE, Service

T = TypeVar("T")

MAX_WAIT_S = 120.0
"""A server that asks for more is reported instead of waited for."""

BUSY = {408, 425, 500, 502, 503, 504, 529}
REFUSED = {429}
"""Busy too, and certainly not taken."""

NAP_S = 0.5


class NotThereError(StageError):
    """The service has nothing under this address (404, 410, or 403 from a store: signed addresses expire)."""


class UncertainError(StageError):
    """The answer does not say what became of the request; if it was a charged one, it may have been taken."""


class BusyError(Exception):
    """To be tried again, perhaps after `wait_s`; `taken` None: unknown whether the request was taken."""

    def __init__(self, message: str, wait_s: float | None = None, *, taken: bool | None = None) -> None:
        super().__init__(message)
        self.wait_s = wait_s
        self.taken = taken


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask: a method, a path under /marble/v1, a JSON body; `charged`: asking twice would cost twice."""

    method: str
    path: str
    body: dict[str, object] | None = None
    charged: bool = False


def ask(service: Service, question: Question, patience: Patience) -> dict[str, object]:
    """The JSON object that comes back.

    Raises:
        BackendMissingError: the key is refused.
        NotThereError: status 404.
        UncertainError: the answer cannot be understood, or a charged request may or may not have been taken.
        StageError: anything else that is no answer, after all tries.
    """

    def once() -> dict[str, object]:
        return _ask_once(service, question, patience.timeout_s)

    return trying(once, service.host, patience, charged=question.charged)


def trying(once: Callable[[], T], host: str, patience: Patience, *, charged: bool = False) -> T:
    """What `once` gives, again while it says `BusyError`.

    Raises:
        UncertainError: `charged`, and unknown whether the request was taken.
        StageError: still busy after all tries.
    """
    for tried in range(patience.retries + 1):
        try:
            return once()
        except BusyError as error:
            if charged and error.taken is not False:
                raise UncertainError(f"{host}: {error}") from None
            pause_s = wait_s(tried, error.wait_s, MAX_WAIT_S)
            if tried == patience.retries or pause_s > MAX_WAIT_S:
                asks = f"; it asks to wait {pause_s:.0f} s" if pause_s > MAX_WAIT_S else ""
                raise StageError(f"{host}: {error} (tried {tried + 1} times{asks})") from None
            pause(pause_s, lambda e=error, w=pause_s: patience.tell(f"{host}: {e}; again in {w:g} s"))
    raise AssertionError("the last try returns or raises")


def pause(seconds: float, tell: Callable[[], None]) -> None:
    """Sleep, telling now and then, so that it can be interrupted."""
    until = time.monotonic() + seconds
    tell()
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, NAP_S))
        tell()


def _ask_once(service: Service, question: Question, timeout_s: float) -> dict[str, object]:
    deadline = time.monotonic() + timeout_s
    headers = {"WLT-Api-Key": service.key} if service.key else {}
    url = f"{service.url}/{question.path}"
    try:
        with (
            httpx.Client(timeout=timeout_s, follow_redirects=False, trust_env=not service.local) as client,
            client.stream(question.method, url, json=question.body, headers=headers) as response,
        ):
            text = service.hidden(body(response.iter_bytes(), deadline))
    except (httpx.ConnectError, httpx.ConnectTimeout):
        raise BusyError(f"no server answers at {service.url}", taken=False) from None
    except TooLargeError as error:
        raise UncertainError(f"{service.host}: {error}") from None
    except TooLateError:
        raise BusyError(f"no whole answer within {timeout_s:g} s") from None
    except httpx.TimeoutException:
        raise BusyError(f"no answer within {timeout_s:g} s") from None
    except httpx.HTTPError as error:
        raise BusyError(f"the connection broke ({type(error).__name__})") from None
    check_status(response, text, service.host)
    found = _parsed(text)
    if not isinstance(found, dict):
        raise UncertainError(f"{service.host}: expected a JSON object, got {said(text, 60)!r}")
    return found


def check_status(response: httpx.Response, text: str, host: str) -> None:
    """Raise what a status means, unless it is a success."""
    status = response.status_code
    if response.is_success:
        return
    what = f"status {status}: {_reason(text)}"
    if status in REFUSED | BUSY:
        asked_s = retry_after_s(response.headers.get("retry-after", ""))
        raise BusyError(what, asked_s, taken=False if status in REFUSED else None)
    if status in (401, 403):
        raise BackendMissingError(f"{host}: {what}; is the key right? A new one: {KEY_PAGE}")
    if status == 402:
        raise StageError(f"{host}: {what}; no credits are left and nothing was charged. Buy some: {CREDITS_PAGE}")
    if status in (404, 410):
        raise NotThereError(f"{host}: {what}")
    if 300 <= status < 400:
        raise StageError(f"{host}: {what}; it points elsewhere and was not followed")
    raise StageError(f"{host}: {what}")


def said(text: str, limit: int) -> str:
    """Words of a server on one line, printable, at most `limit` characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 8 * limit]).split())
    return line if len(line) <= limit else f"{line[:limit]}…"


def _reason(text: str) -> str:
    """What an error's body says: FastAPI's `detail`, or `error.message`, or the body."""
    found = _parsed(text)
    if isinstance(found, dict):
        error = found.get("error")
        message = found.get("detail") or (error.get("message") if isinstance(error, dict) else error)
        text = text if message is None else str(message)
    return said(text, 200) or "nothing said"


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
