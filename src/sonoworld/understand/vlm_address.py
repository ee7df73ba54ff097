"""Addresses and keys: where requests go, and what may go there."""

import os
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from sonoworld.errors import BackendMissingError

OPENAI_URL = "https://api.openai.com/v1"
OPENAI_KEY = "OPENAI_API_KEY"
MAX_KEY_CHARS = 1000


@dataclass(frozen=True, slots=True)
class Address:
    """A server's `url` (without a trailing slash) and `host`; the key is in no text made from it."""

    url: str
    host: str
    local: bool
    key: str = field(default="", repr=False)

    @property
    def openai(self) -> bool:
        """Whether this is OpenAI itself, whose models take other parameters."""
        return self.host == urlsplit(OPENAI_URL).hostname

    def hidden(self, text: str) -> str:
        """Text without the key, for servers that repeat it."""
        return text.replace(self.key, "[key]") if self.key else text


def address(base_url: str, key_env: str) -> Address:
    """The address and its key from the environment.

    Raises:
        BackendMissingError: `trouble` says why.
    """
    if why := trouble(base_url, key_env):
        raise BackendMissingError(f"understand.vlm cannot run here: {why}")
    parts = urlsplit(base_url.strip())
    host = parts.hostname or ""
    return Address(base_url.strip().rstrip("/"), host, _is_local(host), _key(parts, key_env))


def trouble(base_url: str, key_env: str) -> str:
    """Why nothing can be asked at this address, or "". Says neither key nor password."""
    try:
        parts = urlsplit(base_url.strip())
        parts.port  # noqa: B018  raises where it is no number
    except ValueError:
        return "base_url: expected http(s)://host[:port]/v1"
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        return "base_url: expected no user, password, query or fragment in it; the key belongs in the variable key_env"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return f"base_url: expected http(s)://host[:port]/v1, got {base_url[:100]!r}"
    key = _key(parts, key_env)
    if not key and parts.hostname == urlsplit(OPENAI_URL).hostname:
        return (
            f"no key: set the environment variable {key_env}, or name another by key_env; "
            "servers of your own (vLLM, Ollama, llama.cpp) need none: base_url=http://localhost:8000/v1"
        )
    if len(key) > MAX_KEY_CHARS or not key.isascii() or not key.isprintable() or " " in key:
        return f"the environment variable {key_env} holds no key (expected printable ASCII without spaces)"
    if key and parts.scheme == "http" and not _is_local(parts.hostname):
        return f"base_url: a key is not sent in the clear; expected https for {parts.hostname}, or localhost"
    return ""


def _key(parts: SplitResult, key_env: str) -> str:
    """The key for this address; the one for OpenAI goes nowhere else, not even in the clear."""
    ours = parts.hostname == urlsplit(OPENAI_URL).hostname
    return os.environ.get(key_env, "").strip() if ours or key_env != OPENAI_KEY else ""


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
