"""What the photo says on the sphere: its colours, where it speaks, and what is sky, ground or clutter there."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from sonoworld.panorama.place import gather, project, shrunk
from sonoworld.perceive.stuff import Stuff, parse
from sonoworld.sphere import camera_pixel_directions
from sonoworld.types import Camera, Photo

PARSE_PX = 800
"""Longer side of the copy of the photo that is parsed."""

MIN_SIGMA = float(np.radians(2.0))
"""Elevations are never trusted better than this when parsing, radians."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The photo on the sphere. Colours 0..255; shares 0..1, meaningful where `coverage` > 0.

    `sky`; `ground` is what one stands on (earth, road, water); `clutter` should not be repeated (people, vehicles);
    the rest is upright. `man_made` 0 (nature) .. 1 (town, indoors).
    """

    rgb: Float32[np.ndarray, "h w 3"]
    coverage: Float32[np.ndarray, "h w"]
    sky: Float32[np.ndarray, "h w"]
    ground: Float32[np.ndarray, "h w"]
    clutter: Float32[np.ndarray, "h w"]
    man_made: float


def _shares(photo: Photo, camera: Camera) -> tuple[Float32[np.ndarray, "k l 3"], float, float]:
    """(sky, ground, clutter) of a smaller copy of the photo, how much smaller it is, and how man-made."""
    width, height = photo.size_px
    scale = min(1.0, PARSE_PX / max(width, height))
    size = (max(16, round(width * scale)), max(16, round(height * scale)))
    small = np.asarray(cv2.resize(photo.rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    K = np.diag([size[0] / width, size[1] / height, 1.0]) @ camera.K
    up = camera_pixel_directions(K, size, camera.world_from_camera)[..., 2]
    elevation = np.arcsin(np.clip(up, -1, 1)).astype(np.float32)
    parsed = parse(small, elevation, elevation_sigma=max(MIN_SIGMA, camera.sigma.pitch))
    p = parsed.probability**2  # shares of a pixel, not beliefs about it: sharper
    p = p / p.sum(-1, keepdims=True)
    ground = p[..., Stuff.GROUND] + p[..., Stuff.ROAD] + p[..., Stuff.WATER]
    return (
        np.stack([p[..., Stuff.SKY], ground, p[..., Stuff.OTHER]], -1).astype(np.float32),
        size[0] / width,
        parsed.man_made,
    )


def look(photo: Photo, camera: Camera, height: int) -> Evidence:
    """Place the photo and what is seen in it on a panorama [height, 2·height]."""
    at = project(camera, height)
    rgb = gather(photo.rgb.astype(np.float32), at)
    shares, scale, man_made = _shares(photo, camera)
    stuff = gather(shares, shrunk(at, scale))
    return Evidence(
        rgb=rgb, coverage=at.coverage, sky=stuff[..., 0], ground=stuff[..., 1], clutter=stuff[..., 2], man_made=man_made
    )
