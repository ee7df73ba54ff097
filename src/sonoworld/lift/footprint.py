"""`seed.footprint`: one splat per panorama pixel, as large as the pixel's footprint on the surface it sees."""

from typing import Literal

from pydantic import Field

from sonoworld.backend import Backend, Options, Seed


class FootprintOptions(Options):
    """How pixels become splats, and what is put behind them so that a step aside opens no holes.

    `size` is sigma over the spacing of pixels: at 0.55 pinholes begin, each 0.05 more costs about 1 dB. `walk_m` is
    how far from the eye the world shall stay whole: it sets the width of the hidden layer behind depth edges.
    `snap_edges`: pull distances between near and far to one of the two; `auto` does so where edges are soft, as those
    of learned depth are.
    """

    size: float = Field(0.6, gt=0.2, le=2)
    opacity: float = Field(0.99, gt=0.5, lt=1)
    max_stretch: float = Field(4.0, ge=1, le=20)
    snap_edges: Literal["auto", "always", "never"] = "auto"
    hidden: bool = True
    walk_m: float = Field(1.0, ge=0, le=5)
    dome: bool = True


def _make(options: FootprintOptions) -> Seed:
    from sonoworld.lift.seeding import seeding  # noqa: PLC0415  numba and scipy take their time to import

    return seeding(options)


FOOTPRINT = Backend(
    stage="seed",
    name="footprint",
    version="1",
    summary="one splat per pixel from solid angle and slope, a hidden layer behind depth edges, a sky dome",
    options=FootprintOptions,
    make=_make,
)
