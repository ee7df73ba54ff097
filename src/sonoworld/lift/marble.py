"""`lift.marble`: World Labs' Marble makes the world from the panorama, over their API.

The panorama leaves this machine, and every world asked for is charged in credits. So a world is asked for once: what
was asked is written down before and after, under a key of all that it depends on, and the world carries that key as a
tag at World Labs. An interrupted run finds it there and goes on. The key to the API comes from an environment variable
and goes only into the header of requests to the API's own host.
"""

import importlib.util

from pydantic import Field

from sonoworld.backend import Backend, Lift, Options
from sonoworld.lift.marble_address import API_URL, KEY_ENV, trouble


class MarbleOptions(Options):
    """Whom to ask, for what, and how long to wait."""

    model: str = Field(
        default="marble-1.1",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$",
        description="marble-1.1, marble-1.1-plus (larger outdoors), marble-1.0, marble-1.0-draft (fast, no metres)",
    )
    base_url: str = Field(default=API_URL, max_length=500, description="the API's address, without /marble/v1")
    key_env: str = Field(
        default=KEY_ENV,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$",
        description=f"name of the environment variable that holds the key; {KEY_ENV} is sent to World Labs only",
    )
    allow_hosts: tuple[str, ...] = Field(
        default=(),
        max_length=16,
        description="further hosts that may be asked and downloaded from; http is allowed for 127.0.0.1 alone",
    )
    text_prompt: str = Field(default="", max_length=2000, description="what the world is; World Labs writes its own")
    seed: int | None = Field(default=None, ge=0, le=2**32 - 1, description="Marble's seed; not set: from the scene's")
    take: int = Field(default=0, ge=0, le=1000, description="another number asks (and pays) for another world")
    splats: str = Field(
        default="500k", pattern=r"^[A-Za-z0-9_]{1,32}$", description="which file: full_res (about 2M), 500k or 100k"
    )
    sent_width_px: int = Field(default=2560, ge=512, le=2560, description="width of the panorama as sent, at most")
    camera_height_m: float | None = Field(
        default=None, gt=0.1, le=100, description="eye over the ground, m: sets the scale where Marble gives none"
    )
    sky_radius_m: float = Field(default=200.0, ge=20, le=5000, description="what is farther, or open above, is sky")
    max_splats: int = Field(default=5_000_000, ge=1, le=20_000_000, description="refuse files with more")
    timeout_s: float = Field(default=60, gt=0, le=3600, description="longest wait for one answer")
    retries: int = Field(default=4, ge=0, le=20, description="further tries when the service is busy or a line breaks")
    poll_s: float = Field(default=5, gt=0, le=300, description="time between questions whether the world is done")
    wait_s: float = Field(default=3600, gt=0, le=86_400, description="longest wait for the world; later runs go on")


def missing_for(options: MarbleOptions) -> str:
    """Why these options cannot run here, or ""."""
    if importlib.util.find_spec("httpx") is None:
        return "the package httpx is not installed"
    return trouble(options.base_url, options.key_env, options.allow_hosts)


def _make(options: MarbleOptions) -> Lift:
    from sonoworld.lift.marble_lift import marble_lift  # noqa: PLC0415  numba and httpx take their time to import

    return marble_lift(options)


MARBLE = Backend(
    stage="lift",
    name="marble",
    version="1",
    summary="World Labs' Marble makes the world over its API (charged; the panorama is sent there), in metres",
    options=MarbleOptions,
    make=_make,
    extra="marble",
    licence="World Labs terms of service",
    commercial=False,
    missing=lambda: missing_for(MarbleOptions()),
    missing_for=missing_for,
)
