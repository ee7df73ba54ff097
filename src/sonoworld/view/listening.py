"""An application on a port of this machine: until interrupted, or in the background."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from sonoworld.errors import InputError, SonoworldError

PORTS_TRIED = 100
START_SECONDS = 10.0
STOP_SECONDS = 1
"""What is still being sent when the server ends (live progress, for one) is cut off after this."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen: only this machine by default; port 0: any free one. `certificate`, `key`: PEM (https)."""

    host: str = "127.0.0.1"
    port: int = 8787
    certificate: Path | None = None
    key: Path | None = None


def listen(app: ASGIApp, address: Address, on_ready: Callable[[str], None] | None = None) -> None:
    """Serve until interrupted; `on_ready` gets the address, ending in a slash, once it answers.

    The next free port is taken when the port is busy.

    Raises:
        InputError: no port is free.
    """
    with _listening(app, address) as (server, sock, url):
        if on_ready is not None:
            server.ready = lambda: on_ready(url)
        server.run(sockets=[sock])


@contextlib.contextmanager
def listening(app: ASGIApp, address: Address) -> Generator[str]:
    """Serve in the background; yields the address, and stops on leaving."""
    with _listening(app, address) as (server, sock, url):
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            if time.monotonic() > deadline or not thread.is_alive():
                raise SonoworldError(f"the server on {url} did not start within {START_SECONDS:.0f} s")
            time.sleep(0.01)
        try:
            yield url
        finally:
            server.should_exit = True
            thread.join(START_SECONDS)


class _Server(uvicorn.Server):
    """uvicorn, saying when it answers."""

    ready: Callable[[], None] = staticmethod(lambda: None)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.ready()


@contextlib.contextmanager
def _listening(app: ASGIApp, address: Address) -> Generator[tuple[_Server, socket.socket, str]]:
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        ssl_certfile=address.certificate,
        ssl_keyfile=address.key,
    )
    sock = _free_socket(address.host, address.port)
    try:
        scheme = "http" if address.certificate is None else "https"
        shown = f"[{address.host}]" if ":" in address.host else address.host
        yield _Server(config), sock, f"{scheme}://{shown}:{sock.getsockname()[1]}/"
    finally:
        sock.close()


def _free_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    reason = ""
    for candidate in (port,) if port == 0 else range(port, min(port + PORTS_TRIED, 65536)):
        sock = socket.socket(family, socket.SOCK_STREAM)
        if os.name != "nt":  # there it would share a port with a stranger
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, candidate))
        except OSError as error:
            sock.close()
            reason = str(error)
            continue
        return sock
    raise InputError(f"{host}: expected a free port among {port}..{port + PORTS_TRIED - 1}, got none ({reason})")
