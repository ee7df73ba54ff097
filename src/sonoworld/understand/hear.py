"""Panorama -> what sounds in it, from stuff, things and the kind of place."""

import math

from sonoworld.backend import Run, Understand
from sonoworld.perceive.survey import ELEVATION_SIGMA_RAD, survey
from sonoworld.types import Camera, Panorama, Sounding
from sonoworld.understand.ambience import ambience
from sonoworld.understand.embedded import EmbeddedOptions
from sonoworld.understand.setting import judge
from sonoworld.understand.surfaces import surfaces
from sonoworld.understand.water import find_water


def understander(options: EmbeddedOptions) -> Understand:
    """The stage function with its options. Order: beds, surfaces, things."""

    def understand(panorama: Panorama, camera: Camera | None, run: Run) -> tuple[Sounding, ...]:
        sigma = math.hypot(ELEVATION_SIGMA_RAD, camera.sigma.pitch if camera else 0.0)
        view = survey(panorama, elevation_sigma=sigma)
        run.tell(0.4, "sky, trees, water, roads")
        setting = judge(view, options.indoors, 0.0)
        water = find_water(panorama.rgb, view)
        return (*ambience(view, setting), *surfaces(panorama.rgb, view, water, setting))

    return understand
