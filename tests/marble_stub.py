"""World Labs' API on this machine, as far as one world needs it, and misbehaving where a test says so.

It keeps accounts: `charges` counts the worlds that were begun. Answers have the shape of World Labs' OpenAPI document.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "wlt-test-7d1c-never-written"
Fault = Callable[["Handler"], None]


@dataclass
class Service:
    """The service's state. `faults[name]` are played, in order, before the endpoint of that name answers well."""

    spz: bytes
    url: str = ""
    semantics: dict[str, Any] | None = None
    polls: int = 2
    error: dict[str, Any] | None = None
    etag: str = '"one"'
    faults: dict[str, list[Fault]] = field(default_factory=dict[str, list[Fault]])
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list[Any])
    wishes: list[dict[str, Any]] = field(default_factory=list[Any])
    uploads: dict[str, bytes] = field(default_factory=dict[str, bytes])
    ranges: list[str] = field(default_factory=list[str])
    forgotten: bool = False
    addresses: int = 0

    @property
    def charges(self) -> int:
        return len(self.wishes)

    def world(self) -> dict[str, Any]:
        self.addresses += 1
        urls = {"500k": f"{self.url}/files/{self.addresses}/500k.spz", "full_res": f"{self.url}/files/1/full.spz"}
        splats = {"spz_urls": urls, "semantics_metadata": self.semantics}
        return {
            "world_id": "world-1",
            "display_name": "a world",
            "world_marble_url": "https://marble.worldlabs.ai/world/world-1",
            "model": "marble-1.1",
            "assets": {"splats": splats, "imagery": {"pano_url": f"{self.url}/pano"}},
        }


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: "Server"
    body = b""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    do_PUT = do_POST  # noqa: N815  the name it has in http.server

    def _answer(self, body: bytes) -> None:
        service, path = self.server.service, self.path.removeprefix("/marble/v1/").lstrip("/")
        name, self.body = path.split("/")[0], body
        service.seen.append((self.command, path, dict(self.headers)))
        try:
            if service.faults.get(name):
                service.faults[name].pop(0)(self)
            else:
                self._well(name, path, body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _well(self, name: str, path: str, body: bytes) -> None:
        service = self.server.service
        if name == "store":
            service.uploads[path] = body
            self.send(200, b"")
        elif name == "files":
            self._file()
        else:
            self._api(name, path, body)

    def _api(self, name: str, path: str, body: bytes) -> None:
        service = self.server.service
        if self.headers.get("WLT-Api-Key") != KEY:
            self.say(401, {"detail": f"no such key: {self.headers.get('WLT-Api-Key')}"})
        elif name == "media-assets:prepare_upload":
            info = {
                "upload_url": f"{service.url}/store/1",
                "upload_method": "PUT",
                "required_headers": {"x-goog-a": "1"},
            }
            self.say(200, {"media_asset": {"media_asset_id": "asset-1", **json.loads(body)}, "upload_info": info})
        elif name == "worlds:generate":
            service.wishes.append(json.loads(body))
            self.say(200, {"operation_id": "op-1", "done": False})
        elif name == "worlds:list":
            asked = json.loads(body)
            mine = (
                [w for w in service.wishes if set(asked["tags"]) & set(w["tags"])]
                if asked["status"] != "PENDING"
                else []
            )
            self.say(200, {"worlds": [service.world()] if mine else []})
        elif name == "operations":
            self._operation()
        elif path == "worlds/world-1":
            self.say(200, service.world())
        else:
            self.say(404, {"detail": "not found"})

    def _operation(self) -> None:
        service = self.server.service
        service.polls -= 1
        if service.forgotten:
            self.say(404, {"detail": "operation not found"})
        elif service.polls >= 0:
            progress = {"progress": {"status": "IN_PROGRESS", "description": "World generation in progress"}}
            self.say(200, {"operation_id": "op-1", "done": False, "metadata": progress})
        elif service.error:
            service.wishes[-1]["tags"] = []  # a world that failed is in none of the lists asked for
            self.say(200, {"operation_id": "op-1", "done": True, "error": service.error})
        else:
            self.say(200, {"operation_id": "op-1", "done": True, "response": service.world()})

    def _file(self) -> None:
        service = self.server.service
        wanted = self.headers.get("Range", "")
        service.ranges.append(wanted)
        if wanted and self.headers.get("If-Range") == service.etag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            span = f"bytes {start}-{len(service.spz) - 1}/{len(service.spz)}"
            self.send(206, service.spz[start:], {"ETag": service.etag, "Content-Range": span})
        else:
            self.send(200, service.spz, {"ETag": service.etag})

    def say(self, status: int, document: object, headers: dict[str, str] | None = None) -> None:
        self.send(status, json.dumps(document).encode(), headers)

    def send(self, status: int, data: bytes, headers: dict[str, str] | None = None, length: int | None = None) -> None:
        """An answer; a `length` that is not its own breaks off."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)
        if length is not None:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name it has in Python
        del format, args


def status(code: int, document: object = None, **headers: str) -> Fault:
    """An answer with this status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.say(code, {"detail": "as the test wants"} if document is None else document, named)


def raw(data: bytes) -> Fault:
    return lambda handler: handler.send(200, data)


def hang_up(handler: Handler) -> None:
    handler.close_connection = True


def taken_then_silent(handler: Handler) -> None:
    """The world is begun, and the line breaks before the answer."""
    handler.server.service.wishes.append(json.loads(handler.body))
    handler.close_connection = True


def sleeps(seconds: float) -> Fault:
    def fault(handler: Handler) -> None:
        handler.server.done.wait(seconds)
        handler.close_connection = True

    return fault


def half(share: float) -> Fault:
    """A file that breaks off."""

    def fault(handler: Handler) -> None:
        service = handler.server.service
        service.ranges.append(handler.headers.get("Range", ""))
        cut = int(share * len(service.spz))
        handler.send(200, service.spz[:cut], {"ETag": service.etag}, length=len(service.spz))

    return fault


class Server(ThreadingHTTPServer):
    """The server and its service."""

    daemon_threads = True

    def __init__(self, service: Service) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.service = service
        self.done = threading.Event()
        service.url = f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving(service: Service) -> Iterator[Server]:
    server = Server(service)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.done.set()
        server.shutdown()
        thread.join()
        server.server_close()
