"""`seed.footprint`: one splat per panorama pixel, as large as the pixel's footprint on the surface it sees."""

from typing import Literal

from pydantic import Field

from sonoworld.backend import Backend, Options, Seed


class FootprintOptions(Options):
    """How pixels become splats, and what is put behind them so that a step aside opens no holes."""

    size: float = Field(
        0.6,
        gt=0.2,
        le=2,
        description="sigma over the spacing of pixels: at 0.55 pinholes begin, each 0.05 more costs about 1 dB",
    )
    opacity: float = Field(0.99, gt=0.5, lt=1, description="opacity of every splat")
    max_stretch: float = Field(
        4.0, ge=1, le=20, description="longest footprint on a steep surface, over that of a surface facing the eye"
    )
    snap_edges: Literal["auto", "always", "never"] = Field(
        "auto",
        description="pull distances between near and far to one of the two; auto: where edges are soft, as those of "
        "learned depth are",
    )
    hidden: bool = Field(True, description="continue far surfaces behind near ones")
    walk_m: float = Field(
        1.0, ge=0, le=5, description="how far from the eye the world stays whole, m: width of what is continued"
    )
    dome: bool = Field(True, description="put a shell of sky behind everything, where there is sky")
    refine_steps: int = Field(
        0,
        ge=0,
        le=100_000,
        description="fit the splats to the panorama by gradients, at most so many steps (a few hundred are enough): "
        "sharper from the eye; slow without a GPU; needs torch",
    )
    refine_device: Literal["cpu", "cuda"] = Field(
        "cpu", description="what refines: cpu is the reference renderer, the same bytes again; cuda is gsplat"
    )


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
