"""The embedded way to find what was named: words to stuff and things, their pixels from perception."""

from pydantic import Field

from sonoworld.backend import Backend, Options, Segment


class EmbeddedOptions(Options):
    """What is looked for."""

    detect: bool = Field(default=True, description="look for people, vehicles, animals and machines (80 kinds of COCO)")
    min_score: float = Field(default=0.25, gt=0, lt=1, description="smallest score of a detected thing, 0..1")


def make(options: EmbeddedOptions) -> Segment:
    """The stage function."""
    from sonoworld.segment.find import segmenter  # noqa: PLC0415  heavy only where used

    return segmenter(options)


EMBEDDED = Backend(
    stage="segment",
    name="embedded",
    version="1",
    summary="finds named stuff (sky, trees, water, ground, road, walls) and things (80 kinds of COCO)",
    options=EmbeddedOptions,
    make=make,
)
