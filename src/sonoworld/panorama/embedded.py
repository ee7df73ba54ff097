"""The embedded panorama: the photo where it speaks, a weights-free continuation of it everywhere else."""

from pydantic import Field, field_validator

from sonoworld.backend import Backend, MakePanorama, Options


class EmbeddedOptions(Options):
    """`width` of the panorama in px (even; the height is half of it)."""

    width: int = Field(default=2048, ge=256, le=8192, description="panorama width, px (even)")

    @field_validator("width")
    @classmethod
    def _even(cls, width: int) -> int:
        if width % 2:
            raise ValueError(f"expected an even width, got {width}")
        return width


def make(options: EmbeddedOptions) -> MakePanorama:
    """The stage function."""
    from sonoworld.panorama.complete import completer  # noqa: PLC0415  heavy only where used

    return completer(options.width // 2)


EMBEDDED = Backend(
    stage="panorama",
    name="embedded",
    version="1",
    summary="projects the photo and continues it around: sky dome, horizon band, ground",
    options=EmbeddedOptions,
    make=make,
)
