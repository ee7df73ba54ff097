"""From geometry to splats: visible layer, hidden layer, dome, in this order."""

import numpy as np

from sonoworld.backend import Run, Seed
from sonoworld.lift.edges import edges_are_soft, snap_edges, unmixed
from sonoworld.lift.footprint import FootprintOptions
from sonoworld.lift.hidden import hidden_layer, sky_dome
from sonoworld.lift.refining import refining
from sonoworld.lift.surface import surface_normals
from sonoworld.lift.surfels import Footprint, Layer, join, surfels
from sonoworld.types import Geometry, Panorama, Splats

DOME_SIZE_EXTRA = 0.1
"""The dome is coarse and far: a little larger splats keep it closed."""


def seeding(options: FootprintOptions) -> Seed:
    """The stage function of `seed.footprint`."""
    refine = refining(options) if options.refine_steps else None

    def seed(panorama: Panorama, geometry: Geometry, run: Run) -> Splats:
        run.tell(0.0, "edges")
        distance = geometry.distance
        if options.snap_edges == "always" or (options.snap_edges == "auto" and edges_are_soft(distance)):
            distance = snap_edges(distance)
        run.tell(0.1, "visible surfaces")
        footprint = Footprint(options.size, options.opacity, options.max_stretch)
        everywhere = np.ones(distance.shape, bool)
        parts = [surfels(Layer(distance, surface_normals(distance), panorama.rgb, everywhere), footprint)]
        if options.hidden and options.walk_m > 0:
            run.tell(0.5, "hidden surfaces")
            clean = unmixed(distance, panorama.rgb)  # only for what is continued: the visible layer keeps its picture
            parts.append(surfels(hidden_layer(distance, clean, options.walk_m), footprint))
        if options.dome and geometry.sky.any():
            run.tell(0.9, "sky dome")
            larger = Footprint(options.size + DOME_SIZE_EXTRA, options.opacity, options.max_stretch)
            parts.append(surfels(sky_dome(geometry.distance, panorama.rgb, geometry.sky), larger))
        seeded = join(parts)
        return seeded if refine is None else refine(seeded, panorama, geometry, run)

    return seed
