"""What comes in: documents and files of bounded size; and errors as the page gets them."""

import errno
import json
from pathlib import Path
from typing import cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sonoworld.errors import BackendMissingError, InputError, SonoworldError, StaleVersionError

MOST_JSON_BYTES = 2**20
MOST_DIGITS = 18


async def document(request: Request) -> dict[str, object]:
    """The JSON object in a request.

    Raises:
        HTTPException: 415 it does not say that it is JSON, 413 it is too large, 400 it is none.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "expected application/json")
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MOST_JSON_BYTES:
            raise HTTPException(413, f"expected at most {MOST_JSON_BYTES >> 20} MiB of JSON")
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "expected JSON") from error
    if not isinstance(found, dict):
        raise HTTPException(400, "expected a JSON object")
    return cast("dict[str, object]", found)


async def save_body(request: Request, target: Path, limit_bytes: int) -> None:
    """Write what is sent to a file; nothing is left of what is too large, or breaks off.

    Raises:
        HTTPException: 413 it is larger than `limit_bytes`, 400 it is empty or says no length,
            507 the disk is full.
    """
    too_large = HTTPException(413, f"expected a file of at most {limit_bytes >> 20} MB")
    promised = request.headers.get("content-length", "0")
    if not (promised.isascii() and promised.isdigit()):
        raise HTTPException(400, "expected a number of bytes as content-length")
    if len(promised) > MOST_DIGITS or int(promised) > limit_bytes:
        raise too_large
    size, done = 0, False
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit_bytes:
                    raise too_large
                file.write(chunk)
        done = size > 0
    except OSError as error:
        raise HTTPException(507, f"the file cannot be kept ({error.strerror})") from error
    finally:
        if not done:
            target.unlink(missing_ok=True)
    if not done:
        raise HTTPException(400, "expected a file, got nothing")


def failed(_: Request, error: Exception) -> Response:
    """What went wrong, as JSON with a status that says whose fault it is."""
    if isinstance(error, HTTPException):
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)
    if isinstance(error, OSError):
        said = f"this machine could not do it ({error.strerror}); nothing was changed"
        return JSONResponse({"error": said}, 507 if error.errno == errno.ENOSPC else 500)
    return JSONResponse({"error": str(error)}, _status(error))


def _status(error: Exception) -> int:
    if isinstance(error, StaleVersionError):
        return 409
    if isinstance(error, InputError):
        return 400
    if isinstance(error, BackendMissingError):
        return 501
    return 503 if isinstance(error, SonoworldError) else 500
