"""The embedded panorama: the photo where it speaks, a weights-free continuation of it everywhere else."""

from pydantic import Field, field_validator

from sonoworld.backend import Backend, MakePanorama, Options


class EmbeddedOptions(Options):
    """`width` of the panorama (its height is half of it); `detect`: what lives and drives is not repeated."""

    width: int = Field(default=2048, ge=256, le=8192, description="panorama width, px (even)")
    detect: bool = Field(default=True, description="find people, vehicles and animals, so that they are not repeated")

    @field_validator("width")
    @classmethod
    def _even(cls, width: int) -> int:
        if width % 2:
            raise ValueError(f"expected an even width, got {width}")
        return width


def make(options: EmbeddedOptions) -> MakePanorama:
    """The stage function."""
    from sonoworld.panorama.complete import completer  # noqa: PLC0415  heavy only where used

    return completer(options.width // 2, detect=options.detect)


EMBEDDED = Backend(
    stage="panorama",
    name="embedded",
    version="6",
    summary="projects the photo and continues it around: sky dome, horizon band, ground",
    options=EmbeddedOptions,
    make=make,
)
