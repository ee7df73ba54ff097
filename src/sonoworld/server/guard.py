"""Who may ask: the right name, the right token, a page of our own; and the headers that every answer carries."""

import hmac
import secrets
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sonoworld.view.server import SECURITY_HEADERS, host_allowed, refusal

READING = ("GET", "HEAD")


def new_token() -> str:
    """Long enough that nobody guesses it; safe in an address."""
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True)
class Guard:
    """An application behind a token, the first part of every path. `bound` is the address that it is bound to.

    Another site that a browser visits can neither guess the token, nor answer to our name (DNS rebinding), nor write:
    what changes something must come from a page of this server.
    """

    app: ASGIApp
    bound: str
    token: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on what lies behind the token."""
        if scope["type"] != "http":
            return
        request = Request(scope)
        refused = self._refused(request)
        if refused is not None:
            await refused(scope, receive, send)
            return
        path = scope["path"].removeprefix(f"/{self.token}")
        inner = {**scope, "path": path, "raw_path": path.encode()}

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(inner, receive, send_guarded)

    def _refused(self, request: Request) -> Response | None:
        if not host_allowed(request.headers.get("host", ""), self.bound):
            return refusal(421, "This server answers only to its own name.")
        first = request.scope["path"].split("/", 2)[1:2]
        if not first or not hmac.compare_digest(first[0].encode(), self.token.encode()):
            return refusal(403, "Open the whole address that was printed when this server started; it has a key in it.")
        if request.scope["path"] == f"/{self.token}":
            return RedirectResponse(f"/{self.token}/", headers=SECURITY_HEADERS)
        if request.method not in READING and not _from_our_page(request):
            return refusal(403, "Only pages of this server may change anything.")
        return None


def _from_our_page(request: Request) -> bool:
    """Whether a writing request is from our own page, or from a program (which sends neither header)."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    origin = request.headers.get("origin")
    return origin is None or origin == f"{request.url.scheme}://{request.headers.get('host', '')}"
