"""One JSON request to a server that may be busy, slow, gone or hostile.

No redirects (a key must not follow them), bounded bodies, bounded time, bounded tries; no jitter, so that a run can be
told from its log. httpx comes with the extra `vlm`.
"""

import json
import time

import httpx

from sonoworld.asking import Patience, TooLargeError, TooLateError, body, wait_s
from sonoworld.asking import retry_after_s as _retry_after_s
from sonoworld.errors import StageError
from sonoworld.understand.answer_clean import plain
from sonoworld.understand.vlm_address import Address

MAX_WAIT_S = 60.0
"""A server that asks for more is reported instead of waited for."""

BUSY = {408, 425, 429, 500, 502, 503, 504, 529}


class RefusedRequestError(StageError):
    """The server does not take the request as it is (400, 422): another form may do."""


class _BusyError(Exception):
    """To be tried again, perhaps after `wait_s`."""

    def __init__(self, message: str, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.wait_s = wait_s


def post(address: Address, question: dict[str, object], patience: Patience) -> dict[str, object]:
    """POST to chat/completions: the JSON object that comes back.

    Raises:
        RefusedRequestError: status 400 or 422, with what the server says.
        StageError: anything else that is no answer, after all tries.
    """
    for tried in range(patience.retries + 1):
        try:
            return _post_once(address, question, patience.timeout_s)
        except _BusyError as error:
            pause_s = wait_s(tried, error.wait_s, MAX_WAIT_S)
            if tried == patience.retries or pause_s > MAX_WAIT_S:
                asks = f"; it asks to wait {pause_s:.0f} s" if pause_s > MAX_WAIT_S else ""
                raise StageError(f"{address.host}: {error} (tried {tried + 1} times{asks})") from None
            patience.tell(f"{address.host}: {error}; again in {pause_s:g} s")
            time.sleep(pause_s)
    raise AssertionError("the last try returns or raises")


def _post_once(address: Address, question: dict[str, object], timeout_s: float) -> dict[str, object]:
    headers = {"Authorization": f"Bearer {address.key}"} if address.key else {}
    deadline = time.monotonic() + timeout_s
    try:
        with (
            httpx.Client(timeout=timeout_s, follow_redirects=False, trust_env=not address.local) as client,
            client.stream("POST", f"{address.url}/chat/completions", json=question, headers=headers) as response,
        ):
            text = address.hidden(body(response.iter_bytes(), deadline))
    except httpx.ConnectError:
        raise StageError(f"{address.url}: no server answers there; is it running, and is base_url right?") from None
    except TooLargeError as error:
        raise StageError(f"{address.host}: {error}") from None
    except TooLateError:
        raise _BusyError(f"no whole answer within {timeout_s:g} s") from None
    except httpx.TimeoutException:
        raise _BusyError(f"no answer within {timeout_s:g} s") from None
    except httpx.HTTPError as error:
        raise _BusyError(f"the connection broke ({type(error).__name__})") from None
    _check_status(response, text, address)
    return _object(text, address)


def _check_status(response: httpx.Response, text: str, address: Address) -> None:
    status = response.status_code
    if status == 200:
        return
    said = f"status {status}: {_said(text)}"
    if status in BUSY and "insufficient_quota" not in text:
        raise _BusyError(said, _retry_after_s(response.headers.get("retry-after", "")))
    if status in (400, 422):
        raise RefusedRequestError(f"{address.host}: {said}")
    if 300 <= status < 400:
        raise StageError(f"{address.host}: {said}; it points elsewhere and was not followed: set base_url yourself")
    hint = {
        401: "; is the key right (option key_env)?",
        403: "; may this key use this model?",
        404: "; are model and base_url (with /v1) right?",
    }.get(status, "")
    raise StageError(f"{address.host}: {said}{hint}")


def _said(text: str) -> str:
    """What an error's body says, short and plain."""
    try:
        message = json.loads(text)["error"]["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        message = text
    return plain(str(message), 200) or "nothing said"


def _object(text: str, address: Address) -> dict[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise StageError(
            f"{address.host}: expected a JSON object, got {plain(text, 60)!r}; is base_url (with /v1) right?"
        )
    return found
