"""A static export on this machine: loopback only unless asked, nothing outside its folder, no surprise in a browser.

Against DNS rebinding the Host header must name this server; scripts run only from the folder itself (CSP).
"""

import contextlib
import ipaddress
from collections.abc import Callable, Generator
from pathlib import Path, PurePosixPath

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from sonoworld.disk import atomic
from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.view.export import WORLD
from sonoworld.view.listening import Address, listen, listening

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".flac": "audio/flac",
    ".opus": "audio/ogg",
    ".wasm": "application/wasm",
    ".ply": "application/octet-stream",
    ".sog": "application/octet-stream",
    ".bin": "application/octet-stream",
}
"""Our own table: the system's differs between machines (Windows may call .js text/plain). Other kinds are not sent."""

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self' data: blob:; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def application(folder: Path, host: str = "127.0.0.1") -> Starlette:
    """The server of one export as an ASGI application; `host` is the address it is bound to.

    Raises:
        InputError: the folder is not an export.
    """
    root = folder.resolve()
    if not (root / WORLD).is_file():
        raise InputError(f"{folder}: expected an exported world (with {WORLD})")

    async def send(request: Request) -> Response:
        if not host_allowed(request.headers.get("host", ""), host):
            return refusal(421, "This server answers only to its own name.")
        return file_answer(root, request.path_params["path"] or "index.html", request)

    return Starlette(routes=[Route("/{path:path}", send, methods=["GET", "HEAD"])])


def host_allowed(header: str, bound: str) -> bool:
    """Whether a Host header names this server: a loopback name, its address, or any literal one if bound to all."""
    name = header.rsplit(":", 1)[0] if not header.endswith("]") else header
    name = name.strip("[]").lower()
    if name in ("localhost", "127.0.0.1", "::1", bound.lower()):
        return True
    if bound not in ("0.0.0.0", "::"):
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def file_answer(root: Path, name: str, request: Request) -> Response:
    """A file below `root`, or the part of it that is asked for, unless the browser has it; 404 for all else."""
    path = _inside(root, name)
    if path is None:
        return refusal(404, "Not here.")
    answer = FileResponse(path, 200, SECURITY_HEADERS, MEDIA_TYPES[path.suffix], stat_result=path.stat())
    if answer.headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={**SECURITY_HEADERS, "ETag": answer.headers["etag"]})
    return answer


def _inside(root: Path, name: str) -> Path | None:
    """The file to send, or None: outside the folder, hidden, of an unknown kind, or not there."""
    try:
        path = atomic.inside(root, name)
    except (UnsafeFileError, ValueError, OSError):
        return None
    hidden = any(part.startswith(".") for part in PurePosixPath(name).parts)
    return path if not hidden and path.suffix in MEDIA_TYPES and path.is_file() else None


def refusal(status: int, text: str) -> Response:
    """A short text instead of what was asked for."""
    return PlainTextResponse(text, status_code=status, headers=SECURITY_HEADERS)


def serve(
    folder: Path, host: str = "127.0.0.1", port: int = 8787, on_ready: Callable[[str], None] | None = None
) -> None:
    """Serve an exported world until interrupted; `on_ready` gets its address once it answers.

    The next free port is taken when `port` is busy.

    Raises:
        InputError: the folder is not an export, or no port is free.
    """
    listen(application(folder, host), Address(host, port), on_ready)


@contextlib.contextmanager
def running(folder: Path, host: str = "127.0.0.1", port: int = 0) -> Generator[str]:
    """Serve in the background; yields the address, and stops on leaving. Port 0: any free one."""
    with listening(application(folder, host), Address(host, port)) as url:
        yield url
