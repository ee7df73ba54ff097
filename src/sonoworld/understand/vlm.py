"""Asking a vision-language model behind an OpenAI-compatible address: GPT-5, or a local vLLM, Ollama, llama.cpp.

The pictures leave this machine when the address does. The key comes from an environment variable and goes only into
the request's header. The default variable's key is sent to OpenAI only: another server's key has a variable of its own.
"""

import importlib.util
from typing import Literal

from pydantic import Field

from sonoworld.backend import Backend, Options, Understand
from sonoworld.understand.vlm_address import OPENAI_KEY, OPENAI_URL, trouble


class VlmOptions(Options):
    """Whom to ask, and how."""

    model: str = Field(default="gpt-5", min_length=1, max_length=200, description="the model's name at the server")
    base_url: str = Field(
        default=OPENAI_URL,
        max_length=500,
        description="the server's address, up to and with /v1; local ones need no key",
    )
    key_env: str = Field(
        default=OPENAI_KEY,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$",
        description="name of the environment variable that holds the key; OPENAI_API_KEY is sent to OpenAI only",
    )
    known_sources: tuple[str, ...] = Field(default=(), description="labels of what is known to sound here")
    views: int = Field(default=6, ge=0, le=12, description="views around the horizon, beside the panorama")
    side_px: int = Field(default=768, ge=64, le=2048, description="side of a view, at most")
    panorama_width_px: int = Field(default=2048, ge=128, le=8192, description="width of the panorama as sent, at most")
    most: int = Field(default=12, ge=1, le=64, description="most soundings reported")
    structured: Literal["auto", "json_schema", "json_object", "none"] = Field(
        default="auto", description="how the answer's form is asked for; auto tries them in this order"
    )
    max_tokens: int = Field(default=16_000, ge=256, le=200_000, description="longest answer, with what it thinks")
    timeout_s: float = Field(default=180, gt=0, le=3600, description="longest wait for one answer")
    retries: int = Field(default=3, ge=0, le=10, description="further tries when the server is busy or fails")
    cache: bool = Field(default=True, description="keep answers in the user's cache folder, and use them again")


def missing_for(options: VlmOptions) -> str:
    """Why these options cannot run here, or ""."""
    if importlib.util.find_spec("httpx") is None:
        return "the package httpx is not installed"
    return trouble(options.base_url, options.key_env)


def make(options: VlmOptions) -> Understand:
    """The stage function."""
    from sonoworld.understand.vlm_listen import listener  # noqa: PLC0415  heavy only where used

    return listener(options)


VLM = Backend(
    stage="understand",
    name="vlm",
    version="1",
    summary="asks a vision-language model: GPT-5, or any OpenAI-compatible server by base_url",
    options=VlmOptions,
    make=make,
    extra="vlm",
    licence="the model's own terms",
    missing=lambda: missing_for(VlmOptions()),
    missing_for=missing_for,
)
