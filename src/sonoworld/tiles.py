"""Overlapping perspective tiles over the whole sphere, and what they show blended back onto the panorama.

Letters: f field of view of a square tile, rad; x y coordinates in its image plane, −1..1 across the tile; θ angle
between a ray and the tile's axis. Tiles are the right way round: left in a tile is left in the world.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from sonoworld.errors import InputError
from sonoworld.frames import Pose, world_from_camera_rotation
from sonoworld.sphere import camera_pixel_directions, pinhole, pixel_directions, pixel_solid_angles, sample_panorama

LEAST_WEIGHT = 1e-3
"""At the very border of a tile: what only borders show is shown by them."""

FOV_RANGE_DEG = (40.0, 110.0)
OVERLAP_RANGE = (0.1, 0.6)


@dataclass(frozen=True, slots=True)
class Tile:
    """One square perspective view of the panorama."""

    K: Float64[np.ndarray, "3 3"]
    pose: Pose
    fov: float


@dataclass(frozen=True, slots=True)
class Lookup:
    """Where panorama pixels lie in one tile: flat pixel numbers, x and y in −1..1, and the weight of the tile there."""

    pixels: np.ndarray
    x: Float32[np.ndarray, "n"]
    y: Float32[np.ndarray, "n"]
    weight: Float32[np.ndarray, "n"]


def sphere_tiles(side_px: int, fov_deg: float = 90.0, overlap: float = 0.25) -> tuple[Tile, ...]:
    """Square tiles that together see every direction: rings from pole to pole, 12 of them at the defaults.

    `overlap`: least part of a tile's width that its neighbour in the ring sees, too.

    Raises:
        InputError: field of view or overlap out of range.
    """
    _require(FOV_RANGE_DEG, fov_deg, "field of view of tiles, degrees")
    _require(OVERLAP_RANGE, overlap, "overlap of tiles")
    fov = np.radians(fov_deg)
    rings = int(np.ceil(np.pi / (fov * (1 - overlap)))) + 1
    K = pinhole(float(fov), (side_px, side_px))
    found: list[Tile] = []
    for ring, elevation in enumerate(np.linspace(-np.pi / 2, np.pi / 2, rings)):
        count = _around(float(elevation), float(fov), overlap)
        for k in range(count):
            yaw = 2 * np.pi * (k + 0.5 * (ring % 2)) / count
            found.append(Tile(K, Pose(world_from_camera_rotation(float(elevation), 0.0, yaw), np.zeros(3)), float(fov)))
    return tuple(found)


def _require(allowed: tuple[float, float], value: float, what: str) -> None:
    if not allowed[0] <= value <= allowed[1]:
        raise InputError(f"{what}: expected {allowed[0]:g}..{allowed[1]:g}, got {value:g}")


def _around(elevation: float, fov: float, overlap: float) -> int:
    """Tiles in a ring. Half a tile spans the azimuth atan(tan(f/2)/cos e) along its middle row."""
    if np.cos(elevation) < 1e-6:
        return 1
    half = np.arctan2(np.tan(fov / 2), np.cos(elevation))
    return int(np.ceil(np.pi / (half * (1 - overlap))))


def side_px(tile: Tile) -> int:
    """Width and height of a tile's picture."""
    return round(2 * float(tile.K[0, 2]))


def cut_tile(rgb: UInt8[np.ndarray, "h w 3"], tile: Tile) -> UInt8[np.ndarray, "s s 3"]:
    """What a tile sees of a panorama, averaged over its pixels where the panorama is finer."""
    side = side_px(tile)
    panorama_per_rad = rgb.shape[0] / np.pi
    finer = max(1, int(np.ceil(panorama_per_rad / float(tile.K[0, 0]))))
    K = tile.K * np.array([[finer], [finer], [1.0]])
    fine = sample_panorama(rgb, camera_pixel_directions(K, (finer * side, finer * side), tile.pose))
    return fine if finer == 1 else cv2.resize(fine, (side, side), interpolation=cv2.INTER_AREA)


def lookup(tile: Tile, height: int, feather: float = 0.25) -> Lookup:
    """Which pixels of a panorama [height, 2·height] a tile sees, where, and with how much weight.

    The weight is the solid angle of the tile's pixel there, ∝ cos³θ (so the least distorted tile counts most), times a
    smooth ramp over `feather` of the half-width at each border.
    """
    directions = pixel_directions(height).reshape(-1, 3)
    axis = tile.pose.rotation[:, 2]
    reach = np.cos(np.arctan(np.sqrt(2) * np.tan(tile.fov / 2)))
    near = np.flatnonzero(directions @ axis >= reach - 1e-9)
    ray = directions[near] @ tile.pose.rotation
    x, y = (ray[:, i] / ray[:, 2] / np.tan(tile.fov / 2) for i in (0, 1))
    inside = (np.abs(x) <= 1) & (np.abs(y) <= 1)
    x, y, cosine = x[inside], y[inside], ray[inside, 2]
    weight = cosine**3 * _ramp(x, feather) * _ramp(y, feather) + LEAST_WEIGHT
    return Lookup(near[inside], x.astype(np.float32), y.astype(np.float32), weight.astype(np.float32))


def _ramp(x: Float64[np.ndarray, "n"], feather: float) -> Float64[np.ndarray, "n"]:
    t = np.clip((1 - np.abs(x)) / feather, 0, 1)
    return t * t * (3 - 2 * t)


def values(picture: Float32[np.ndarray, "s t"], where: Lookup) -> Float32[np.ndarray, "n"]:
    """Bilinear values of a picture of any size over the whole tile, at the looked-up pixels."""
    height, width = picture.shape
    u = (where.x + 1) * np.float32(width / 2) - np.float32(0.5)
    v = (where.y + 1) * np.float32(height / 2) - np.float32(0.5)
    shape = (-1, 1) if len(u) < 32000 else (-1, 1000)  # OpenCV refuses maps with a side of 32768 or more
    fill = -len(u) % abs(shape[1])
    map_u, map_v = (np.pad(a, (0, fill)).reshape(shape) for a in (u, v))
    out = cv2.remap(picture, map_u, map_v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out).reshape(-1)[: len(u)]


def blend(pictures: Iterable[Float32[np.ndarray, "k s t"]], tiles: Sequence[Tile], height: int) -> np.ndarray:
    """Maps of all tiles (k of them a tile, in order) as k maps over the panorama: float32 [k, height, 2·height].

    Raises:
        InputError: the tiles leave a part of the sphere unseen, or are fewer or more than the pictures.
    """
    total: Float64[np.ndarray, "k n"] | None = None
    weight = np.zeros(2 * height * height)
    for picture, tile in zip(pictures, tiles, strict=True):
        where = lookup(tile, height)
        if total is None:
            total = np.zeros((len(picture), weight.size))
        for k, one in enumerate(picture):
            total[k, where.pixels] += where.weight * values(one, where)
        weight[where.pixels] += where.weight
    if total is None or not weight.all():
        raise InputError(f"tiles: expected to see the whole sphere, {float((weight == 0).mean()):.1%} is unseen")
    return (total / weight).reshape(-1, height, 2 * height).astype(np.float32)


def seen_by(tile: Tile, height: int) -> Bool[np.ndarray, "h w"]:
    """Pixels of a panorama that a tile sees."""
    out = np.zeros(2 * height * height, np.bool_)
    out[lookup(tile, height).pixels] = True
    return out.reshape(height, 2 * height)


def cut_all(rgb: UInt8[np.ndarray, "h w 3"], tiles: Sequence[Tile], batch: int) -> Iterator[list[np.ndarray]]:
    """The tiles' pictures, `batch` at a time."""
    for first in range(0, len(tiles), batch):
        yield [cut_tile(rgb, tile) for tile in tiles[first : first + batch]]


def solid_angles(height: int) -> Float64[np.ndarray, "h w"]:
    """Solid angle of every pixel of a panorama, sr."""
    return np.repeat(pixel_solid_angles(height)[:, None], 2 * height, axis=1)
