"""The embedded understanding: what stuff and things are seen, and what such places sound like. Heuristic."""

from pydantic import Field

from sonoworld.backend import Backend, Options, Understand


class EmbeddedOptions(Options):
    """How much to look and to report."""

    detect: bool = Field(default=True, description="look for people, vehicles, animals and furniture, too")
    indoors: bool | None = Field(
        default=None, description="whether the photo shows a room; by default judged by what is seen"
    )
    most: int = Field(default=9, ge=1, le=64, description="most soundings reported")


def make(options: EmbeddedOptions) -> Understand:
    """The stage function."""
    from sonoworld.understand.listen import listener  # noqa: PLC0415  heavy only where used

    return listener(options)


EMBEDDED = Backend(
    stage="understand",
    name="embedded",
    version="3",
    summary="stuff by rules and a learned reading; people, vehicles and animals by a small detector",
    options=EmbeddedOptions,
    make=make,
)
