"""A world made elsewhere, as splats around its eye: its scale, its floor, and how far everything is.

Letters: h height of the eye over the floor, m; φ elevation of a ray; the floor lies at h / sin(−φ) along it.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from sonoworld.backend import Lifted, Run
from sonoworld.errors import InputError, StageError
from sonoworld.lift.sight import distances
from sonoworld.lift.surface import surface_normals
from sonoworld.sphere import row_elevations
from sonoworld.types import Geometry, Splats

BELOW = np.radians(-50.0)
LEAST_SEEN = 0.2
"""Share of the rays steeper than BELOW that must meet something, for a height of the eye to be measured."""

SHELL = 0.98
"""Share of the sky's radius from which on things are sky: a shell stored in steps is not quite where it was."""


@dataclass(frozen=True, slots=True)
class Placing:
    """How lengths and open rays are understood.

    `metres_per_unit` None: unknown, then `camera_height_m`, if given, sets it. `floor_m`: the floor lies so far below
    the eye (after scaling); None: rays below the horizon stay open. `sky_radius_m`: what is open or farther is sky.
    """

    metres_per_unit: float | None
    camera_height_m: float | None
    floor_m: float | None
    sky_radius_m: float


def lifted(splats: Splats, height: int, placing: Placing, run: Run) -> Lifted:
    """Splats in metres, and the panorama of distances from the eye at their origin.

    Raises:
        InputError: `camera_height_m` is given and the splats leave it open what lies below.
    """
    if not len(splats):
        raise InputError("lift: expected splats, got none")
    run.tell(0.3, "distances")
    distance = distances(splats, height)
    scale = placing.metres_per_unit or 1.0
    if placing.camera_height_m is not None:
        scale = placing.camera_height_m / height_of_eye(distance)
    metric = placing.metres_per_unit is not None or placing.camera_height_m is not None
    run.tell(0.8, "surfaces")
    return Lifted(_geometry(distance * np.float32(scale), placing, metric), scaled(splats, scale))


def scaled(splats: Splats, factor: float) -> Splats:
    """All lengths times `factor`, seen from the origin; sizes are logarithms."""
    if factor == 1.0:
        return splats
    return Splats(
        means=splats.means * np.float32(factor),
        log_scales=splats.log_scales + np.float32(np.log(factor)),
        quats=splats.quats,
        opacity_logits=splats.opacity_logits,
        sh=splats.sh,
    )


def height_of_eye(distance: Float32[np.ndarray, "h w"]) -> float:
    """How far below the eye the ground is: the median over the steep rays that meet something.

    Raises:
        InputError: too few do.
    """
    elevation = row_elevations(distance.shape[0])
    rows = elevation < BELOW
    steep = distance[rows] * np.sin(-elevation[rows])[:, None]
    below = steep[np.isfinite(steep)]
    if below.size < LEAST_SEEN * steep.size:
        raise InputError(
            f"lift.camera_height_m: expected ground below the eye, got {below.size / steep.size:.0%} of the rays there"
        )
    return float(np.median(below))


def _geometry(distance: Float32[np.ndarray, "h w"], placing: Placing, metric: bool) -> Geometry:
    elevation = row_elevations(distance.shape[0])
    stopped = np.isfinite(distance)
    if placing.floor_m is not None:
        floor = np.where(elevation < 0, placing.floor_m / np.maximum(np.sin(-elevation), 1e-9), np.inf)
        distance = np.where(stopped, distance, floor[:, None].astype(np.float32))
    sky = distance >= SHELL * placing.sky_radius_m
    distance = np.where(sky, np.float32(placing.sky_radius_m), distance)
    if not (distance > 0).all():
        raise StageError("lift: expected distances > 0 along every ray, got others")
    valid = stopped | (sky & (elevation > 0)[:, None])
    return Geometry(distance, surface_normals(distance), sky, valid, metric)
