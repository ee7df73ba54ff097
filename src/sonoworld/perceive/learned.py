"""Stuff told by a small network that reads what the detector's network sees, fitted on photos labelled by hand.

Letters: F feature maps [c s s] of a 512 px square, s cells a side; W their weights [c h]; a = Σ F·W + colour + bias the
h hidden units of a cell; z = silu(a)·V + v, the log-probabilities of the 7 kinds up to a constant.
The weights come from `bench/parsing.py --write`; photos and labels are named in `bench/reference/stuff.json`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, reduce
from importlib.resources import files

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from sonoworld.frames import Pose, world_from_camera_rotation
from sonoworld.perceive.objects import CELL_PX, FEATURES, SIDE_PX, features, letterbox
from sonoworld.sphere import (
    camera_pixel_directions,
    camera_pixel_from_direction,
    pinhole,
    pixel_directions,
    sample_turned,
)

CELLS = SIDE_PX // CELL_PX
CUES = 5
"""L, a, b of CIE Lab over 128, sine of the elevation, and on which side of the horizon it is."""
HORIZON_RAD = 0.17
TILE_FOV_RAD = np.radians(100.0)
RINGS = ((0.0, 0.0, 6), (60.0, 0.0, 3), (-60.0, 60.0, 3))
"""Elevation and first azimuth (degrees) of views, and how many around: they see the whole sphere."""
PANORAMA_ROWS = 256
"""The reading is coarse: a cell of a tile is about 0.8° wide."""


@dataclass(frozen=True, slots=True)
class Head:
    """The weights: to the hidden units of each feature map, of the cues and their bias; from them to the kinds."""

    maps: tuple[Float32[np.ndarray, "_ h"], ...]
    cues: Float32[np.ndarray, "5 h"]
    bias: Float32[np.ndarray, "h"]
    out: Float32[np.ndarray, "h 7"]
    out_bias: Float32[np.ndarray, "7"]


@lru_cache(maxsize=1)
def shipped_head() -> Head:
    """The weights that come with the package."""
    with np.load(str(files("sonoworld.perceive").joinpath("data/stuff_head.npz")), allow_pickle=False) as stored:
        maps = tuple(stored[name].astype(np.float32) for name in FEATURES)
        return Head(maps, *(stored[name].astype(np.float32) for name in ("cues", "bias", "out", "out_bias")))


def cell_cues(
    square: UInt8[np.ndarray, "512 512 3"], elevation: Float32[np.ndarray, "128 128"]
) -> Float32[np.ndarray, "128 128 5"]:
    """What is added to the network's own features, per cell of 4 px; `elevation` in rad."""
    cells = cv2.resize(square, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(cells, cv2.COLOR_RGB2LAB).astype(np.float32) / np.float32(128)
    above = np.stack([np.sin(elevation), np.tanh(elevation / HORIZON_RAD)], -1).astype(np.float32)
    return np.concatenate([lab, above], -1)


def read_square(
    square: UInt8[np.ndarray, "512 512 3"], elevation: Float32[np.ndarray, "128 128"], head: Head
) -> Float32[np.ndarray, "128 128 7"]:
    """Log-probabilities of the kinds of stuff, per cell of a square picture."""
    a = cell_cues(square, elevation) @ head.cues + head.bias
    by_size: dict[int, np.ndarray] = {}
    for F, W in zip(features(square), head.maps, strict=True):
        seen = F.reshape(len(F), -1).T @ W
        by_size[F.shape[1]] = by_size[F.shape[1]] + seen if F.shape[1] in by_size else seen
    for side, seen in by_size.items():
        grid = seen.reshape(side, side, -1)
        a += grid if side == CELLS else cv2.resize(grid, (CELLS, CELLS), interpolation=cv2.INTER_LINEAR)
    return _normalised(_silu(a) @ head.out + head.out_bias)


def _silu(a: Float32[np.ndarray, "h w k"]) -> Float32[np.ndarray, "h w k"]:
    with np.errstate(over="ignore"):  # far below 0, where silu is 0
        e = np.exp(-a)
    e += 1
    return a / e


def _normalised(z: Float32[np.ndarray, "h w 7"]) -> Float32[np.ndarray, "h w 7"]:
    most = reduce(np.maximum, np.moveaxis(z, -1, 0))  # along a short last axis `max` and `sum` are many times slower
    z = z - most[..., None]
    return z - np.log(np.exp(z) @ np.ones((z.shape[-1], 1), np.float32))


def read_photo(
    rgb: UInt8[np.ndarray, "h w 3"], elevation: Float32[np.ndarray, "h w"], head: Head | None = None
) -> Float32[np.ndarray, "h w 7"]:
    """Log-probabilities per pixel of one picture; `elevation` above the horizon, rad.

    Raises:
        BackendMissingError: the install lacks the detector.
    """
    height, width = rgb.shape[:2]
    square, fit = letterbox(rgb)
    cell = (np.arange(CELLS, dtype=np.float32) + np.float32(0.5)) * CELL_PX
    x, y = np.meshgrid((cell - fit.left) / fit.scale - 0.5, (cell - fit.top) / fit.scale - 0.5)
    above = cv2.remap(
        elevation, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    read = read_square(square, above, head or shipped_head())
    column = ((np.arange(width) + 0.5) * fit.scale + fit.left) / CELL_PX - 0.5
    row = ((np.arange(height) + 0.5) * fit.scale + fit.top) / CELL_PX - 0.5
    x, y = np.meshgrid(column.astype(np.float32), row.astype(np.float32))
    return _sampled(read, x, y)


def _sampled(read: Float32[np.ndarray, "r c 7"], x: np.ndarray, y: np.ndarray) -> Float32[np.ndarray, "h w 7"]:
    """Bilinear, in cells; OpenCV takes four channels at a time."""
    parts = [read[..., :4], read[..., 4:]]
    taken = [cv2.remap(np.ascontiguousarray(p), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for p in parts]
    return _normalised(np.concatenate(taken, -1))


@dataclass(frozen=True, slots=True)
class View:
    """A tile of a panorama: its camera, what it sees, and the elevation of its cells, rad."""

    K: Float64[np.ndarray, "3 3"]
    pose: Pose
    square: UInt8[np.ndarray, "512 512 3"]
    elevation: Float32[np.ndarray, "128 128"]


def views(rgb: UInt8[np.ndarray, "h w 3"]) -> Iterator[View]:
    """Overlapping views of a panorama that see the whole sphere."""
    K = pinhole(float(TILE_FOV_RAD), (SIDE_PX, SIDE_PX))
    half = CELL_PX // 2
    for elevation_deg, first_deg, count in RINGS:
        tilt = np.radians(elevation_deg)
        ahead = Pose(world_from_camera_rotation(tilt, 0.0, 0.0), np.zeros(3))
        directions = camera_pixel_directions(K, (SIDE_PX, SIDE_PX), ahead)
        elevation = np.arcsin(np.clip(directions[half::CELL_PX, half::CELL_PX, 2], -1, 1)).astype(np.float32)
        azimuths = np.radians(first_deg) + 2 * np.pi * np.arange(count) / count
        for azimuth, square in zip(azimuths, sample_turned(rgb, directions, azimuths), strict=True):
            pose = Pose(world_from_camera_rotation(tilt, 0.0, float(azimuth)), np.zeros(3))
            yield View(K, pose, square, elevation)


def read_panorama(rgb: UInt8[np.ndarray, "h w 3"], head: Head | None = None) -> Float32[np.ndarray, "h w 7"]:
    """Log-probabilities per pixel of a panorama: of overlapping views all around, each trusted most in its middle.

    Raises:
        BackendMissingError: the install lacks the detector.
    """
    around = pixel_directions(PANORAMA_ROWS)
    total = np.zeros((*around.shape[:2], 7), np.float32)
    trust = np.zeros(around.shape[:2], np.float32)
    for view in views(rgb):
        read = read_square(view.square, view.elevation, head or shipped_head())
        x, y, ahead = camera_pixel_from_direction(around, view.K, view.pose)
        edge = np.minimum(np.minimum(x, SIDE_PX - x), np.minimum(y, SIDE_PX - y)) / (SIDE_PX / 2)
        weight = np.where(ahead, np.clip(edge, 0, 1), 0).astype(np.float32)
        total += weight[..., None] * _sampled(read, *((a / CELL_PX - 0.5).astype(np.float32) for a in (x, y)))
        trust += weight
    mean = total / trust[..., None]
    height, width = rgb.shape[:2]
    wrapped = np.concatenate([mean[:, -1:], mean, mean[:, :1]], 1)
    column = (np.arange(width) + 0.5) * 2 * PANORAMA_ROWS / width + 0.5  # one more to the left
    row = (np.arange(height) + 0.5) * PANORAMA_ROWS / height - 0.5
    x, y = np.meshgrid(column.astype(np.float32), row.astype(np.float32))
    return _sampled(wrapped, x, y)
