"""From Marble's files to geometry and splats."""

import math
from collections.abc import Generator
from pathlib import Path

import numpy as np

from sonoworld.backend import Lift, Lifted, Run
from sonoworld.disk.atomic import read_json
from sonoworld.disk.splat_file import read_splats
from sonoworld.disk.splat_file_axes import turned
from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.frames import world_from_axes, world_from_head_rotation
from sonoworld.lift.imported import Placing, lifted
from sonoworld.lift.marble_file import MarbleFileOptions
from sonoworld.types import Panorama

KEYS = ("metric_scale_factor", "ground_plane_offset")
MAX_METADATA_BYTES = 2**22
MAX_DEPTH = 12


def marble_world(options: MarbleFileOptions) -> Lift:
    """The stage function of `lift.marble_file`."""

    def lift(panorama: Panorama, run: Run) -> Lifted:
        run.tell(0.0, "reading")
        scale, offset = options.metric_scale_factor, options.ground_plane_offset
        if options.metadata is not None:
            scale, offset = read_metadata(Path(options.metadata))
        splats = read_splats(Path(options.path), axes=options.axes, max_splats=options.max_splats)
        splats = turned(splats, world_from_head_rotation(math.radians(options.yaw_deg), 0.0))
        floor_m = None if offset is None else floor_below(offset, options.axes)
        placing = Placing(scale, options.camera_height_m, floor_m, options.sky_radius_m)
        return lifted(splats, panorama.known.shape[0], placing, run)

    return lift


def floor_below(offset_m: float, axes: str) -> float:
    """How far below the eye the ground plane y = offset lies, m.

    Raises:
        InputError: it would lie above the eye: the axes are others than said.
    """
    below = -float((world_from_axes(axes) @ np.array([0.0, offset_m, 0.0]))[2])
    if not below > 0:
        raise InputError(
            f"lift.ground_plane_offset: expected the ground below the eye, got {-below:+.2f} m (lift.axes={axes}?)"
        )
    return below


def read_metadata(path: Path) -> tuple[float | None, float | None]:
    """(metric_scale_factor, ground_plane_offset) of a world's JSON, wherever in it they stand; None what is not there.

    Raises:
        UnsafeFileError: not JSON, too large, or values that are no numbers, or several that differ.
        InputError: neither is in it.
    """
    found: dict[str, set[float]] = {key: set() for key in KEYS}
    for key, value in _pairs(read_json(path, limit_bytes=MAX_METADATA_BYTES), path, 0):
        if key not in found or value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise UnsafeFileError(f"{path}: {key}: expected a number, got {str(value)[:40]!r}")
        found[key].add(float(value))
    several = [key for key, values in found.items() if len(values) > 1]
    if several:
        raise UnsafeFileError(f"{path}: expected one {several[0]}, got {sorted(found[several[0]])}")
    if not any(found.values()):
        raise InputError(f"{path}: expected metric_scale_factor and ground_plane_offset, got neither")
    scale, offset = (next(iter(found[key]), None) for key in KEYS)
    if scale is not None and not 0 < scale < 1e6:
        raise UnsafeFileError(f"{path}: metric_scale_factor: expected a number > 0, got {scale}")
    return scale, offset


def _pairs(document: object, path: Path, depth: int) -> Generator[tuple[str, object]]:
    """Every key and value of a JSON document, however deep."""
    if depth > MAX_DEPTH:
        raise UnsafeFileError(f"{path}: expected JSON at most {MAX_DEPTH} deep, got deeper")
    if isinstance(document, list):
        for item in document:
            yield from _pairs(item, path, depth + 1)
    elif isinstance(document, dict):
        for key, value in document.items():
            yield key, value
            yield from _pairs(value, path, depth + 1)
