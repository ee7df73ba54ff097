"""An OpenAI-compatible server on this machine that answers by script, and misbehaves where the script says so."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD = {
    "setting": "town",
    "sources": [
        {
            "label": "church bell",
            "look_for": "bell tower",
            "sound": "a church bell ringing slowly",
            "avoid": "music",
            "spread": "point",
            "level_db": 95,
            "tone_db": {"low": 2, "middle": 0, "high": -3},
            "visible": True,
            "movement": "still",
            "confidence": 0.8,
            "direction": {"azimuth_deg": 40, "elevation_deg": 10},
            "box": None,
        },
        {
            "label": "city hum",
            "look_for": "",
            "sound": "distant city hum",
            "avoid": "",
            "spread": "ambient",
            "level_db": 48,
            "tone_db": {"low": 0, "middle": 0, "high": 0},
            "visible": False,
            "movement": "still",
            "confidence": 0.9,
            "direction": None,
            "box": None,
        },
    ],
}


@dataclass
class Turn:
    """What the server does with one request."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    wait_s: float = 0.0
    drip_s: float = 0.0
    hang_up: bool = False


def says(text: str | None, finish: str = "stop", **message: object) -> Turn:
    """A completion with this text."""
    whole = {"role": "assistant", "content": text, **message}
    return Turn(body={"choices": [{"index": 0, "message": whole, "finish_reason": finish}]})


def fails(status: int, message: str, code: str = "", **headers: str) -> Turn:
    """An error in OpenAI's form."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Turn(status, {"error": {"message": message, "code": code}}, named)


def good() -> Turn:
    return says(json.dumps(GOOD))


@dataclass
class Stub:
    """The server's address, and what it was sent."""

    url: str
    requests: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list[Any])


class Handler(BaseHTTPRequestHandler):
    """Plays the next turn of its server's script."""

    server: "Player"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.stub.requests.append((self.path, dict(self.headers), body))
        turn = next(self.server.turns, None) or good()
        self.server.done.wait(turn.wait_s)
        if turn.hang_up:
            self.close_connection = True
            return
        try:
            self._send(turn, turn.body if isinstance(turn.body, bytes) else json.dumps(turn.body).encode())
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _send(self, turn: Turn, data: bytes) -> None:
        self.send_response(turn.status)
        for name, value in turn.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if not turn.drip_s:
            self.wfile.write(data)
        for i in range(len(data) if turn.drip_s else 0):
            self.wfile.write(data[i : i + 1])
            if self.server.done.wait(turn.drip_s):
                return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name it has in Python
        del format, args


class Player(ThreadingHTTPServer):
    """A server, its script and what it heard."""

    daemon_threads = True

    def __init__(self, script: Sequence[Turn]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.turns = iter(script)
        self.done = threading.Event()
        self.stub = Stub(f"http://127.0.0.1:{self.server_port}/v1")


@contextmanager
def serving(script: Sequence[Turn] = ()) -> Iterator[Stub]:
    """A server that follows the script, then answers well for ever."""
    server = Player(script)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.stub
    finally:
        server.done.set()
        server.shutdown()
        thread.join()
        server.server_close()
