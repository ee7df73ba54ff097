"""Files to and from the stores that Marble's API points to: the key is never sent there.

A download that breaks goes on where it stopped (RFC 9110, 14: Range with If-Range), if the store still has the same
file; otherwise it begins anew. Half a file never gets the whole one's name.
"""

import re
import time
from pathlib import Path

import httpx

from sonoworld.errors import StageError
from sonoworld.lift.marble_address import Service
from sonoworld.lift.marble_http import BusyError, NotThereError, Patience, check_status, trying

MAX_FILE_BYTES = 2**30
MAX_HEADERS = 20
_HEADER = re.compile(r"^[A-Za-z0-9-]{1,64}$")
_FORBIDDEN = {"host", "authorization", "cookie", "content-length", "transfer-encoding", "wlt-api-key"}


def upload(service: Service, info: dict[str, object], data: bytes, patience: Patience) -> None:
    """Send bytes to a signed address. `info` is the API's `upload_info`.

    Raises:
        StageError: the address or its headers are not to be used, or the store does not take the file.
    """
    url, method = info.get("upload_url"), info.get("upload_method") or "PUT"
    if not isinstance(url, str) or method not in ("PUT", "POST"):
        raise StageError(f"{service.host}: expected an upload_url and the method PUT, got others")
    service.require_allowed(url)
    headers = {"Content-Type": "image/png", **_headers(service, info.get("required_headers"))}

    def once() -> None:
        try:
            with (
                _client(service, patience) as client,
                client.stream(str(method), url, content=data, headers=headers) as response,
            ):
                check_stored(response)
        except httpx.HTTPError as error:
            raise BusyError(f"the upload broke ({type(error).__name__})") from None

    trying(once, _host(url), patience)


def download(service: Service, url: str, path: Path, patience: Patience) -> None:
    """Fetch a file to `path`, going on from `path`.part where an earlier try stopped.

    Raises:
        NotThereError: the address has expired or holds nothing.
        StageError: the address is not to be used, the file is too large, or the line kept breaking.
    """
    service.require_allowed(url)
    part = path.with_name(f"{path.name}.part")
    trying(lambda: _continue(service, url, part, patience), _host(url), patience)
    part.replace(path)
    _tag_file(part).unlink(missing_ok=True)


def check_stored(response: httpx.Response) -> None:
    """As for the API, but 401 and 403 of a store mean that its signed address has expired. The body is not read."""
    if response.status_code in (401, 403):
        raise NotThereError(f"{response.url.host}: status {response.status_code}: the address has expired")
    check_status(response, "", response.url.host)


def _continue(service: Service, url: str, part: Path, patience: Patience) -> None:
    have, headers = _begun(part)
    try:
        with _client(service, patience) as client, client.stream("GET", url, headers=headers) as response:
            if response.status_code == 416:
                part.unlink(missing_ok=True)
                raise BusyError("the store has another file than before", 0.0)
            check_stored(response)
            start = have if response.status_code == 206 and _starts_at(response, have) else 0
            if response.status_code == 206 and start != have:
                part.unlink(missing_ok=True)
                raise BusyError("the store sent another part than asked for", 0.0)
            _write(response, part, start, patience)
    except httpx.TimeoutException:
        raise BusyError(f"no data within {patience.timeout_s:g} s") from None
    except httpx.HTTPError as error:
        raise BusyError(f"the download broke ({type(error).__name__})") from None


def _client(service: Service, patience: Patience) -> httpx.Client:
    return httpx.Client(timeout=patience.timeout_s, follow_redirects=False, trust_env=not service.local)


def _begun(part: Path) -> tuple[int, dict[str, str]]:
    """How much is here, and the headers that ask for the rest; everything when it is unknown which file it is of."""
    headers = {"Accept-Encoding": "identity"}
    tag = _tag_file(part)
    have = part.stat().st_size if part.is_file() and tag.is_file() else 0
    if not have:
        return 0, headers
    return have, {**headers, "Range": f"bytes={have}-", "If-Range": tag.read_text("ascii")}


def _write(response: httpx.Response, part: Path, start: int, patience: Patience) -> None:
    length = response.headers.get("content-length", "")
    total = start + int(length) if length.isdecimal() else None
    if total is not None and total > MAX_FILE_BYTES:
        raise StageError(f"{response.url.host}: a file of {total} bytes; expected at most {MAX_FILE_BYTES}")
    tag = response.headers.get("etag", "")
    _keep_tag(part, tag)
    size, told = start, 0.0
    with part.open("ab" if start else "wb") as file:
        for chunk in response.iter_raw():
            file.write(chunk)
            size += len(chunk)
            if size > MAX_FILE_BYTES:
                raise StageError(f"{response.url.host}: a file of more than {MAX_FILE_BYTES} bytes")
            if time.monotonic() - told > 0.2:
                told = time.monotonic()
                patience.tell(f"{size / 1e6:.1f} MB" + (f" of {total / 1e6:.1f}" if total else ""))
    if total is not None and size != total:
        raise BusyError(f"the download ended after {size} of {total} bytes")


def _keep_tag(part: Path, tag: str) -> None:
    """Only a strong ETag says that two answers are of the same bytes (RFC 9110, 8.8.3)."""
    if tag.startswith('"') and tag.isascii() and tag.isprintable() and len(tag) < 200:
        _tag_file(part).write_text(tag, "ascii")
    else:
        _tag_file(part).unlink(missing_ok=True)


def _tag_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.etag")


def _starts_at(response: httpx.Response, have: int) -> bool:
    return response.headers.get("content-range", "").startswith(f"bytes {have}-")


def _headers(service: Service, required: object) -> dict[str, str]:
    """The headers that the store wants, as the API names them.

    Raises:
        StageError: no plain headers, or such as are not the API's to set.
    """
    if required is None:
        return {}
    if not isinstance(required, dict) or len(required) > MAX_HEADERS:
        raise StageError(f"{service.host}: expected at most {MAX_HEADERS} required_headers")
    for name, value in required.items():
        plain = isinstance(value, str) and value.isascii() and value.isprintable() and len(value) < 2000
        if not (isinstance(name, str) and _HEADER.match(name) and plain) or name.lower() in _FORBIDDEN:
            raise StageError(f"{service.host}: expected plain required_headers, got {str(name)[:64]!r}")
    return required


def _host(url: str) -> str:
    return httpx.URL(url).host
