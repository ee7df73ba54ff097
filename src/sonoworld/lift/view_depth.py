"""Depth maps of perspective tiles, or of whole panoramas that were turned, as views of the sphere.

Letters: z depth along a tile's axis, θ angle of a ray to it: distance = z / cos θ; x y place in a tile, −1..1.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from sonoworld.backend import Run
from sonoworld.lift.disparity_fit import Disparity
from sonoworld.lift.view_merge import View
from sonoworld.sphere import pad_sphere, pixel_directions, sample_panorama
from sonoworld.tiles import Lookup, Tile, cut_all, lookup, values

ONE_SURFACE = np.log(1.25)
"""Up to this step of log depth the pixels around a place are mixed; beyond, the nearest counts: nothing in between."""

FEATHER = 0.5
"""Share of a tile's half-width over which its weight falls to nothing."""

AT_SEAM = 0.02
"""Weight of a turned panorama where it ends; opposite it is 2."""

SURE, LIKELY = 0.99, 0.5
"""Of the mixed mask, for a distance (its border is cut off) and for sky."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a model says of one picture: `depth` in m or in units of its own where `solid`; `far` is sky.

    In a tile depth is z, in a panorama it is distance. Where neither solid nor far, it does not say.
    """

    depth: Float32[np.ndarray, "s t"]
    solid: Bool[np.ndarray, "s t"]
    far: Bool[np.ndarray, "s t"]


Look = Callable[[Sequence[UInt8[np.ndarray, "s s 3"]]], Sequence[Seen]]
"""A model: what it sees in tiles of one size and field of view, one after the other or at once."""


def seen(depth: Float32[np.ndarray, "s t"], far: Bool[np.ndarray, "s t"]) -> Seen:
    """Whatever a model gives: depths that are infinite are sky; NaN, 0 and less are nothing."""
    sky = far | np.isposinf(depth)
    solid = ~sky & np.isfinite(depth) & (depth > 0)
    return Seen(np.where(solid, depth, 1).astype(np.float32), solid, sky)


def look_around(
    rgb: UInt8[np.ndarray, "h w 3"], tiles: Sequence[Tile], look: Look, batch: int, run: Run
) -> Iterator[Seen]:
    """What a model sees in each of the tiles, `batch` of them at a time."""
    done = 0
    for pictures in cut_all(rgb, tiles, batch):
        run.tell(0.6 * done / len(tiles), f"view {done + 1} of {len(tiles)}")
        yield from look(pictures)
        done += len(pictures)


def tile_view(found: Seen, tile: Tile, height: int) -> View:
    """A tile's depth along the rays of a panorama [height, 2·height]."""
    where = lookup(tile, height, FEATHER)
    stretch = np.log1p((where.x**2 + where.y**2) * np.float32(np.tan(tile.fov / 2) ** 2)) / 2  # log(1 / cos θ)
    q, far = _looked_up(found, where)
    return View(where.pixels, q + stretch.astype(np.float32), far, where.weight)


def _looked_up(found: Seen, where: Lookup) -> tuple[Float32[np.ndarray, "n"], Bool[np.ndarray, "n"]]:
    solid = values(found.solid.astype(np.float32), where) > SURE
    far = values(found.far.astype(np.float32), where) > LIKELY
    q = np.log(found.depth)
    size = np.ones((3, 3), np.uint8)
    steep = (cv2.dilate(q, size) - cv2.erode(q, size) > ONE_SURFACE).astype(np.float32)
    mixed = np.where(values(steep, where) > 0, _nearest(q, where), values(q, where))
    return np.where(solid, mixed, np.float32(np.nan)).astype(np.float32), far & ~solid


def tile_disparity(found: Seen, tile: Tile, height: int) -> Disparity:
    """A tile's disparity (`depth` of what was seen; what is not solid is 0) at the pixels of a panorama."""
    where = lookup(tile, height, FEATHER)
    s = np.where(found.solid, found.depth, np.float32(0))
    size = np.ones((3, 3), np.uint8)
    steep = (cv2.dilate(s, size) > np.exp(ONE_SURFACE) * cv2.erode(s, size)).astype(np.float32)
    mixed = np.where(values(steep, where) > 0, _nearest(s, where), values(s, where))
    cosine = 1 / np.sqrt(1 + (where.x**2 + where.y**2) * np.float32(np.tan(tile.fov / 2) ** 2))
    return Disparity(where.pixels, mixed.astype(np.float32), cosine.astype(np.float32), where.weight)


def _nearest(picture: Float32[np.ndarray, "s t"], where: Lookup) -> Float32[np.ndarray, "n"]:
    height, width = picture.shape
    column = np.clip(((where.x + 1) * (width / 2)).astype(np.int64), 0, width - 1)
    row = np.clip(((where.y + 1) * (height / 2)).astype(np.int64), 0, height - 1)
    return picture[row, column]


def turned(rgb: UInt8[np.ndarray, "h w 3"], turn: int, turns: int, height: int) -> UInt8[np.ndarray, "_ _ 3"]:
    """The panorama at another size, turned to the left by `turn` of `turns` parts of a circle, a whole column each."""
    if rgb.shape[0] != height:
        way = cv2.INTER_AREA if rgb.shape[0] > height else cv2.INTER_LINEAR
        side = 2 if rgb.shape[0] < height else 0  # enlarged across the seam
        wide = np.pad(rgb, ((0, 0), (side, side), (0, 0)), "wrap")
        scale = height / rgb.shape[0]
        grown = cv2.resize(wide, (round(wide.shape[1] * scale), height), interpolation=way)
        first = round(side * scale)
        rgb = grown[:, first : first + 2 * height]
    return np.ascontiguousarray(np.roll(rgb, -_shift(height, turn, turns), 1))


def _shift(height: int, turn: int, turns: int) -> int:
    return 2 * height * turn // turns


def panorama_view(found: Seen, turn: int, turns: int, height: int) -> View:
    """Distances of a turned panorama as a view of all of the sphere, least trusted at its seam."""
    rows = found.depth.shape[0]
    back = _shift(rows, turn, turns)
    depth, solid, far = (np.roll(one, back, 1) for one in (found.depth, found.solid, found.far))
    q = np.log(depth)
    steep = (_around(q, cv2.dilate) - _around(q, cv2.erode) > ONE_SURFACE).astype(np.float32)
    directions = pixel_directions(height)
    mixed = np.where(
        sample_panorama(steep, directions) > 0,
        sample_panorama(q, directions, nearest=True),
        sample_panorama(q, directions),
    )
    sure = sample_panorama(solid.astype(np.float32), directions) > SURE
    sky = sample_panorama(far.astype(np.float32), directions) > LIKELY
    from_seam = np.pi * ((np.arange(2 * height) + 0.5) / height - back / rows)
    weight = np.repeat((AT_SEAM + 1 - np.cos(from_seam))[None].astype(np.float32), height, 0)
    q = np.where(sure, mixed, np.float32(np.nan)).astype(np.float32)
    return View(np.arange(2 * height * height), q.reshape(-1), (sky & ~sure).reshape(-1), weight.reshape(-1))


def _around(q: Float32[np.ndarray, "h w"], most: Callable[..., np.ndarray]) -> Float32[np.ndarray, "h w"]:
    return most(pad_sphere(q, 1), np.ones((3, 3), np.uint8))[1:-1, 1:-1]
