"""Where Marble's requests may go, and what may go there.

The API answers with addresses of its own choosing (to upload to, to download from): those are held to known hosts
over https. The key goes to the API's host and nowhere else.
"""

import os
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from sonoworld.errors import BackendMissingError, StageError

API_URL = "https://api.worldlabs.ai"
KEY_ENV = "WORLDLABS_API_KEY"
KEY_PAGE = "https://platform.worldlabs.ai/api-keys"
CREDITS_PAGE = "https://platform.worldlabs.ai/billing"
MAX_KEY_CHARS = 1000

OWN = "worldlabs.ai"
STORES = ("storage.googleapis.com",)
"""Files lie at cdn.marble.worldlabs.ai; uploads go to signed addresses of Google Cloud Storage."""


@dataclass(frozen=True, slots=True)
class Service:
    """The API's `url` (with /marble/v1), the further hosts it may send us to, and the key, in no text made from it."""

    url: str
    host: str
    allow_hosts: tuple[str, ...] = ()
    key: str = field(default="", repr=False)

    @property
    def local(self) -> bool:
        """Whether it runs on this machine."""
        return _is_loopback(self.host)

    def hidden(self, text: str) -> str:
        """Text without the key, for servers that repeat it."""
        return text.replace(self.key, "[key]") if self.key else text

    def require_allowed(self, url: str) -> str:
        """The address, if files may go there or come from there.

        Raises:
            StageError: not https, a host that is not known, or a name or password in it.
        """
        parts = _split(url)
        if parts is not None and not _objection(parts, (*STORES, *self.allow_hosts)):
            return url
        where = "no address" if parts is None else f"{parts.scheme[:20]}://{(parts.hostname or '')[:100]}"
        raise StageError(
            f"{self.host} points to {where}: expected https at {OWN} or {', '.join(STORES)}; "
            "nothing was sent there (option allow_hosts names further hosts)"
        )


def service(base_url: str, key_env: str, allow_hosts: tuple[str, ...]) -> Service:
    """The API with its key from the environment.

    Raises:
        BackendMissingError: `trouble` says why.
    """
    if why := trouble(base_url, key_env, allow_hosts):
        raise BackendMissingError(f"lift.marble cannot run here: {why}")
    parts = urlsplit(base_url.strip())
    url = f"{base_url.strip().rstrip('/')}/marble/v1"
    return Service(url, parts.hostname or "", allow_hosts, _key(parts.hostname or "", key_env))


def trouble(base_url: str, key_env: str, allow_hosts: tuple[str, ...]) -> str:
    """Why nothing can be asked at this address, or "". Says neither key nor password."""
    parts = _split(base_url.strip())
    if parts is None or parts.query or parts.fragment:
        return "base_url: expected https://host"
    if why := _objection(parts, allow_hosts):
        return f"base_url: {why}"
    key = _key(parts.hostname or "", key_env)
    if not key and key_env == KEY_ENV and not _is_ours(parts.hostname or ""):
        return f"no key: {KEY_ENV} is sent to {OWN} only; name another variable by key_env"
    if not key:
        return f"no key: get one at {KEY_PAGE} and set the environment variable {key_env}: export {key_env}=..."
    if len(key) > MAX_KEY_CHARS or not key.isascii() or not key.isprintable() or " " in key:
        return f"the environment variable {key_env} holds no key (expected printable ASCII without spaces)"
    return ""


def _objection(parts: SplitResult, hosts: tuple[str, ...]) -> str:
    """Why an address is not to be used, or ""."""
    host = parts.hostname or ""
    if parts.username is not None or parts.password is not None:
        return "expected no user or password in it; the key belongs in the environment"
    if not (host in hosts or _is_ours(host)):
        return f"expected a host of {OWN}, or one named by allow_hosts; got {host[:100]!r}"
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        return f"expected https, got {parts.scheme[:20]!r}"
    return ""


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  raises where it is no number
    except ValueError:
        return None
    return parts if url.isascii() and url.isprintable() and " " not in url and "\\" not in url else None


def _key(host: str, key_env: str) -> str:
    """The key for this host; the one for World Labs goes nowhere else."""
    return os.environ.get(key_env, "").strip() if _is_ours(host) or key_env != KEY_ENV else ""


def _is_ours(host: str) -> bool:
    return host == OWN or host.endswith(f".{OWN}")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
