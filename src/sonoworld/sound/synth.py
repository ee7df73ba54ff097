"""The embedded voice of every source: procedural synthesis, no recordings, no weights."""

from collections.abc import Callable

from pydantic import Field

from sonoworld.backend import Backend, Options, Run
from sonoworld.types import Source


class SynthOptions(Options):
    """How long the loops are."""

    seconds: float = Field(default=12.0, ge=4.0, le=60.0, description="length of each seamless loop, s")


def _make(options: SynthOptions) -> Callable[[tuple[Source, ...], Run], tuple[Source, ...]]:
    from sonoworld.sound.studio import voice_all  # noqa: PLC0415

    return lambda sources, run: voice_all(sources, options.seconds, run)


SYNTH = Backend(
    stage="sound",
    name="synth",
    version="1",
    summary="procedural synthesis from label and prompt, seamless loops",
    options=SynthOptions,
    make=_make,
)
