"""Requests of strangers to the gallery's server: whatever is asked, it answers, soon, and only from its folder."""

import asyncio
import contextlib
import functools
import shutil
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import numpy as np
from fuzz_documents import changed_json
from fuzz_packed import changed_bytes

from sonoworld.server.app import gallery_app

TOKEN = "key-of-fuzz"
SECRET = b"nobody-may-read-this"
PATIENCE_S = 120.0
"""Of the first request of its kind, which loads models; a hunt is stricter, once it has begun."""
NOT_OUR_FAULT = (501, 503, 507)
"""No such part installed, not now, disk full: said so, and nothing broken."""

PATHS = (
    *("", "gallery.js", "worlds/garden/", "worlds/garden/world.json", "worlds/garden/viewer.js", "api/worlds"),
    *("worlds/garden/poster.jpg", "worlds/garden/edit/state", "worlds/garden/edit/log", "api/events"),
    *("worlds/garden/edit/hit?x=1&y=0&z=0", "worlds/garden/edit/suggest?x=1&y=0.2&z=0", "worlds/garden/splats.sog"),
    *("worlds/garden/edit/region.png?x=1&y=0&z=0&tolerance=12", "worlds/garden/edit/panorama.jpg"),
    *("worlds/garden/edit/sound.flac?id=stream", "worlds/..%2f..%2fsecret.json", "worlds/elsewhere/world.json"),
)
WRITES = (
    ("worlds/garden/edit/operation", b'{"operation": {"op": "level", "id": "stream", "level_db": 60}, "base": 1}'),
    ("worlds/garden/edit/operation", b'{"operation": {"op": "move", "id": "wind", "position": [1, 2, 0]}, "base": 1}'),
    ("worlds/garden/edit/operation", b'{"operation": {"op": "add", "direction": [1, 0, -0.3]}, "base": 1}'),
    ("worlds/garden/edit/operation", b'{"operation": {"op": "sound", "id": "stream", "file": "abc"}, "base": 1}'),
    ("worlds/garden/edit/undo", b'{"base": 1}'),
    ("worlds/garden/edit/redo", b'{"base": null}'),
    ("worlds/garden/edit/recordings", b"RIFF\x24\0\0\0WAVEfmt "),
    ("api/photos?name=a.jpg", b"\xff\xd8\xff\xe0 no photo"),
    ("api/jobs/abc/retry", b""),
)
HEADERS = (
    *("range: bytes=0-9", "range: bytes=-5", "range: bytes=9-1", "range: bytes=0-0,2-2,4-9", "range: lines=1"),
    *("range: bytes=99999999999999999999-", "content-length: 5", "content-length: -1", "content-length: abc"),
    *("content-length: 99999999999999", "if-none-match: *", "if-range: x", "origin: null", "sec-fetch-site: none"),
    *("content-type: text/plain", "host: evil.example", "host: ", "host: [::1", "accept-encoding: gzip", "cookie: a=b"),
)


@functools.cache
def seeds() -> dict[str, bytes]:
    """Requests as lines: method and path, headers, an empty line, the body."""
    ours = b"host: 127.0.0.1\n"
    asked = [b"GET /%s/%s\n%s\n" % (TOKEN.encode(), path.encode(), ours) for path in PATHS]
    json = ours + b"content-type: application/json\n\n"
    sent = [b"POST /%s/%s\n%s%s" % (TOKEN.encode(), path.encode(), json, body) for path, body in WRITES]
    gone = [b"DELETE /%s/api/jobs/abc\n%s\n" % (TOKEN.encode(), ours)]
    return {f"{i}.http": request for i, request in enumerate([*asked, *sent, *gone])}


def change(data: bytes, rng: np.random.Generator, other: bytes) -> bytes:
    """The path, the headers or the body."""
    head, _, body = data.partition(b"\n\n")
    lines = head.split(b"\n")
    kind = rng.random()
    if kind < 0.35:
        start = len(b"GET /") + (len(TOKEN) + 1 if rng.random() < 0.9 else 0)
        lines[0] = lines[0][:start] + changed_bytes(lines[0][start:] or b"x", rng, other).replace(b"\n", b"")
    elif kind < 0.6:
        lines.insert(1, HEADERS[rng.integers(len(HEADERS))].encode())
    elif kind < 0.7:
        lines[0] = (b"PUT", b"PATCH", b"HEAD", b"OPTIONS", b"TRACE", b"post")[rng.integers(6)] + lines[0][3:]
    elif body.startswith(b"{"):
        body = changed_json(body, rng) if rng.random() < 0.8 else changed_bytes(body, rng, other)
    elif body:
        body = changed_bytes(body, rng, other)
    return b"\n".join(lines) + b"\n\n" + body


@functools.cache
def server() -> Any:
    """The application over a fresh folder with one world, a link out of it, and a secret beside it."""
    from fuzz_world import world  # noqa: PLC0415

    outside = Path(tempfile.mkdtemp(prefix="sonoworld-fuzz-"))
    shutil.copytree(world(), outside / "worlds" / "garden")
    (outside / "secret.json").write_bytes(SECRET)
    shutil.copytree(world(), outside / "secret")
    (outside / "secret" / "world.json").write_bytes(SECRET)
    (outside / "worlds" / "elsewhere").symlink_to(outside / "secret")
    stack = contextlib.ExitStack()
    return stack.enter_context(gallery_app(outside / "worlds", "127.0.0.1", TOKEN)), stack


def read(path: Path) -> str:
    """ "read" for an answer of 200s, "refused" for others; anything else is an assertion."""
    status, body = asyncio.run(ask(path.read_bytes()))
    assert status < 500 or status in NOT_OUR_FAULT, f"status {status}: {body[:300]!r}"
    assert SECRET not in body, "a file from outside"
    return "read" if status < 400 else "refused"


async def ask(data: bytes) -> tuple[int, bytes]:
    """One request to the application, without a socket: as uvicorn would pass it on."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    method, _, target = first.partition(b" ")
    raw, _, query = target.partition(b"?")
    headers = [(k.strip().lower(), v.strip()) for k, _, v in (line.partition(b":") for line in lines)]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "root_path": "",
        "method": method.decode("latin-1"), "path": unquote_to_bytes(raw).decode("utf-8", "replace"), "raw_path": raw,
        "query_string": query, "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    waiting = [body[i : i + 4096] for i in range(0, len(body), 4096)] or [b""]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await asyncio.wait_for(server()[0](scope, receive, send), PATIENCE_S)
    status = next((m["status"] for m in sent if m["type"] == "http.response.start"), 0)
    assert status, "no answer"
    return status, b"".join(m.get("body", b"") for m in sent)
