"""From a given depth map to the distances of a panorama: read, place on the sphere, bring to metres, merge."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from sonoworld.backend import Lift, Lifted, Run
from sonoworld.disk.depth_file import read_depth
from sonoworld.errors import InputError
from sonoworld.lift.given import GivenDepthOptions
from sonoworld.lift.given_map import (
    InverseMap,
    inverse_map,
    on_sphere_from_panorama,
    on_sphere_from_photo,
    scaled,
    shows_photo,
)
from sonoworld.lift.given_merge import asks_for_looks, merged, place, scale_ratio
from sonoworld.lift.popup import PopupOptions
from sonoworld.lift.standing import popup
from sonoworld.types import Camera, Geometry, Panorama

USUAL_HEIGHT_M = 1.6
NEAREST_M = 0.02
"""Nothing is nearer than this: such numbers count as unknown."""

ADVICE = "set lift.unit_m, lift.camera_height_m, or lift.holds=disparity"

LIKELY_M = (0.1, 1000.0)
"""Half of all distances are not nearer, nor farther, than this."""


def given_distances(options: GivenDepthOptions) -> Lift:
    """The stage function of `lift.given`."""

    def lift(panorama: Panorama, run: Run) -> Lifted:
        run.tell(0.0, "reading")
        found = inverse_map(read_depth(Path(options.path), options.array), options)
        return Lifted(geometry(_on_sphere(found, panorama, run.camera, options), panorama, run, options))

    return lift


def _on_sphere(found: InverseMap, panorama: Panorama, camera: Camera | None, options: GivenDepthOptions) -> InverseMap:
    height = panorama.known.shape[0]
    if camera is not None and shows_photo(found, camera, options):
        return on_sphere_from_photo(found, camera, height, along_axis=options.holds != "distance")
    shows_photo(found, camera, options)
    if options.holds == "z_depth":
        raise InputError(f"{options.path}: expected distance or disparity of a panorama, got lift.holds=z_depth")
    return on_sphere_from_panorama(found, height)


def geometry(
    seen: InverseMap, panorama: Panorama, run: Run, options: GivenDepthOptions, advice: str = ADVICE
) -> Geometry:
    """The world of a map on the sphere; what it leaves open, and its scale where that is unknown, a pop-up says.

    Raises:
        InputError: its distances cannot be metres (`advice` says what to do), or there is nothing to scale it by.
    """
    popped: Geometry | None = None
    if not options.knows_metres or asks_for_looks(seen, options) or not seen.known.all():
        popped = _popup(panorama, run, options)
    if popped is not None and not options.knows_metres:
        seen = scaled(seen, 1 / scale_ratio(seen, popped, options.path))
    seen = _likely(seen, options.path, advice)
    run.tell(0.7, "fitting what the map leaves open")
    placed = place(seen, None if popped is None else popped.sky, options)
    if placed.gaps.any():
        popped = popped or _popup(panorama, run, options)
        ratio = scale_ratio(seen, popped, options.path) if options.knows_metres else 1.0
        popped = replace(popped, distance=np.where(popped.sky, popped.distance, popped.distance * np.float32(ratio)))
    run.tell(0.8, f"the map says where {np.mean(placed.solid | placed.sky):.0%} of the sphere is")
    return merged(placed, popped, options, metric=options.knows_metres or options.camera_height_m is not None)


def _popup(panorama: Panorama, run: Run, options: GivenDepthOptions) -> Geometry:
    run.tell(0.1, "pop-up of what the map does not show")
    told = replace(run, tell=lambda fraction, note="": run.tell(0.1 + 0.6 * fraction, note))
    height_m = options.camera_height_m or USUAL_HEIGHT_M
    enclosure = "room" if options.sky == "none" else "auto"
    assumed = PopupOptions.model_validate({"camera_height_m": height_m, "enclosure": enclosure})
    return popup(assumed)(panorama, told).geometry


def _likely(seen: InverseMap, path: str, advice: str) -> InverseMap:
    """The same, without what is too near to be true.

    Raises:
        InputError: it holds no likely distances: the unit is another.
    """
    middle = 1 / max(float(np.median(seen.s[seen.solid])), 1e-30) if seen.solid.any() else np.inf
    if not LIKELY_M[0] <= middle <= LIKELY_M[1]:
        raise InputError(
            f"{path}: expected distances of {LIKELY_M[0]:g} to {LIKELY_M[1]:g} m, got {middle:.3g} m in the "
            f"middle: {advice}"
        )
    return InverseMap(seen.s, seen.known & (seen.s * NEAREST_M <= 1), seen.far)
