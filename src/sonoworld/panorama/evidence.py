"""What the photo says on the sphere: its colours, where it speaks, and what is sky, ground or clutter there."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from sonoworld.errors import BackendMissingError
from sonoworld.panorama.empty import emptied
from sonoworld.panorama.place import gather, project, shrunk
from sonoworld.perceive.lively import Lively, look_for_lively
from sonoworld.perceive.stuff import Stuff, parse
from sonoworld.sphere import camera_pixel_directions
from sonoworld.types import Camera, Photo

WORK_PX = 800
"""Longer side of the copy of the photo that is parsed and searched."""

MIN_SIGMA = float(np.radians(2.0))
"""Elevations are never trusted better than this when parsing, radians."""

MARGIN = 1 / 110
"""People and vehicles are taken out with this margin (share of the longer side): their outlines are not exact."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The photo on the sphere. Colours 0..255; shares 0..1, meaningful where `coverage` > 0.

    `rgb` is the photo; `empty` the photo without people, vehicles and animals: what more may be made of. `sky`;
    `ground` is what one stands on (earth, road, water); `clutter` is where those things were and what parsing cannot
    name; the rest is upright, of which `plant` is green. `man_made` 0 (nature) .. 1 (town, indoors).
    """

    rgb: Float32[np.ndarray, "h w 3"]
    empty: Float32[np.ndarray, "h w 3"]
    coverage: Float32[np.ndarray, "h w"]
    sky: Float32[np.ndarray, "h w"]
    ground: Float32[np.ndarray, "h w"]
    clutter: Float32[np.ndarray, "h w"]
    plant: Float32[np.ndarray, "h w"]
    man_made: float


def _small(photo: Photo) -> UInt8[np.ndarray, "k l 3"]:
    width, height = photo.size_px
    scale = min(1.0, WORK_PX / max(width, height))
    size = (max(16, round(width * scale)), max(16, round(height * scale)))
    return np.asarray(cv2.resize(photo.rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _lively(small: UInt8[np.ndarray, "k l 3"], detect: bool) -> Lively:
    """People, vehicles and animals, with a margin; none when not asked to look."""
    if not detect:
        return Lively(np.zeros(small.shape[:2], np.bool_), outdoors=False)
    try:
        found = look_for_lively(small)
    except BackendMissingError as error:
        raise BackendMissingError(f"{error}; here: --set panorama.detect=false") from error
    px = 2 * round(MARGIN * max(small.shape)) + 1
    return Lively(cv2.dilate(found.there.astype(np.uint8), np.ones((px, px), np.uint8)) > 0, found.outdoors)


def _emptied(
    photo: Photo, small: UInt8[np.ndarray, "k l 3"], there: Bool[np.ndarray, "k l"]
) -> tuple[UInt8[np.ndarray, "k l 3"], Float32[np.ndarray, "h w 3"]]:
    """The small copy and the photo itself without what is `there`."""
    rgb = photo.rgb.astype(np.float32)
    if not there.any() or there.all():
        return small, rgb
    painted = emptied(small, there)
    share = cv2.resize(there.astype(np.float32), photo.size_px, interpolation=cv2.INTER_LINEAR)[..., None]
    large = cv2.resize(painted, photo.size_px, interpolation=cv2.INTER_LINEAR).astype(np.float32)
    return painted, rgb * (1 - share) + large * share


def _shares(
    small: UInt8[np.ndarray, "k l 3"], camera: Camera, outdoors: bool
) -> tuple[Float32[np.ndarray, "k l 4"], float]:
    """(sky, ground, unnamed, plants) of a smaller copy of the photo, and how man-made it is."""
    height, width = small.shape[:2]
    K = np.diag([width / camera.size_px[0], height / camera.size_px[1], 1.0]) @ camera.K
    up = camera_pixel_directions(K, (width, height), camera.world_from_camera)[..., 2]
    elevation = np.arcsin(np.clip(up, -1, 1)).astype(np.float32)
    parsed = parse(small, elevation, elevation_sigma=max(MIN_SIGMA, camera.sigma.pitch), outdoors=outdoors)
    p = parsed.probability**2  # shares of a pixel, not beliefs about it: sharper
    p = p / p.sum(-1, keepdims=True)
    ground = p[..., Stuff.GROUND] + p[..., Stuff.ROAD] + p[..., Stuff.WATER]
    return np.stack([p[..., Stuff.SKY], ground, p[..., Stuff.OTHER], p[..., Stuff.VEGETATION]], -1).astype(
        np.float32
    ), parsed.man_made


def look(photo: Photo, camera: Camera, height: int, *, detect: bool) -> Evidence:
    """Place the photo and what is seen in it on a panorama [height, 2·height].

    Raises:
        BackendMissingError: `detect` is asked for and the install lacks the detector.
    """
    at = project(camera, height)
    small = _small(photo)
    found = _lively(small, detect)
    there = found.there
    painted, empty = _emptied(photo, small, there)
    shares, man_made = _shares(painted, camera, found.outdoors)
    shares[..., 2] = np.maximum(shares[..., 2], there)
    stuff = gather(shares, shrunk(at, small.shape[1] / photo.size_px[0]))
    rgb = gather(photo.rgb.astype(np.float32), at)
    return Evidence(
        rgb=rgb,
        empty=gather(empty, at) if there.any() else rgb,
        coverage=at.coverage,
        sky=stuff[..., 0],
        ground=stuff[..., 1],
        clutter=stuff[..., 2],
        plant=stuff[..., 3],
        man_made=man_made,
    )
