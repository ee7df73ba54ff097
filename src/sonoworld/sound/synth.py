"""Sound by synthesis: physically informed, from words and a seed. No recordings, no weights."""

from pydantic import Field

from sonoworld.backend import Backend, MakeSound, Options


class SynthOptions(Options):
    """How clips are made."""

    seconds: float = Field(10, ge=4, le=60, description="length of every loop in seconds")


def _make(options: SynthOptions) -> MakeSound:
    from sonoworld.sound.studio import maker  # noqa: PLC0415  # heavy: numba and SciPy wait until sounds are made

    return maker(options)


SYNTH = Backend(
    stage="sound",
    name="synth",
    version="2",
    summary="procedural synthesis of everyday sounds from their words; seamless loops, free of rights",
    options=SynthOptions,
    make=_make,
)
