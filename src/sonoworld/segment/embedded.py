"""The embedded segmentation: soundings without a place are looked for by their words, among stuff and things."""

from pydantic import Field

from sonoworld.backend import Backend, Options, Segment


class EmbeddedOptions(Options):
    """What to look for."""

    detect: bool = Field(default=True, description="look for people, vehicles, animals and furniture, too")


def make(options: EmbeddedOptions) -> Segment:
    """The stage function."""
    from sonoworld.segment.find import finder  # noqa: PLC0415  heavy only where used

    return finder(options)


EMBEDDED = Backend(
    stage="segment",
    name="embedded",
    version="2",
    summary="finds stuff and things by the words of label and prompt",
    options=EmbeddedOptions,
    make=make,
)
