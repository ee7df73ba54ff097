"""A depth map as it was read: which pixels have a distance, which are out of reach, and its look-up between pixels.

Letters: s inverse distance (1/m, or 1/unit while the scale is not known): 0 is infinitely far; f the camera's optical
axis (unit, world), d a pixel's direction: z-depth = distance · (d·f).
Inverse distances are what is mixed and continued: they are linear on planes, and the sky is a number like others.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from sonoworld.disk.depth_file import DepthFile
from sonoworld.errors import InputError
from sonoworld.frames import Pose
from sonoworld.lift.given import GivenDepthOptions
from sonoworld.sphere import camera_pixel_from_direction, pixel_directions
from sonoworld.types import Camera

SAME_SHAPE = 0.01
ONE_SURFACE = 1.25
"""Up to this ratio the four pixels around a place are mixed; beyond, the nearest counts: no distances in between."""


@dataclass(frozen=True, slots=True)
class InverseMap:
    """`s` >= 0; `known`: the file says something here; `far`: it says infinite, or as far as it can count."""

    s: Float32[np.ndarray, "h w"]
    known: Bool[np.ndarray, "h w"]
    far: Bool[np.ndarray, "h w"]

    @property
    def solid(self) -> Bool[np.ndarray, "h w"]:
        """Where it has a distance."""
        return self.known & ~self.far


def inverse_map(found: DepthFile, options: GivenDepthOptions) -> InverseMap:
    """Numbers of a file as inverse distances in 1/m (1/unit where nothing says what the unit is).

    Raises:
        InputError: no pixel has a distance.
    """
    values = found.values
    unit = options.unit_m or (1.0 if options.inverse or not found.whole else 1e-3)
    with np.errstate(over="ignore", divide="ignore"):
        if options.inverse:
            far = (values <= options.sky_from) if options.sky_from is not None else (values == 0)
            s = values / np.float32(unit)
        else:
            most = options.sky_from if options.sky_from is not None else found.most
            far = np.isposinf(values) | (values >= most if most is not None else False)
            s = np.float32(1 / unit) / values
    known = far | (np.isfinite(s) & (s > 0))
    if not (known & ~far).any():
        raise InputError(f"{options.path}: expected distances, got none that is finite and > 0")
    return InverseMap(np.where(known & ~far, s, 0).astype(np.float32), known, known & far)


def scaled(given: InverseMap, factor: float) -> InverseMap:
    """All distances times `factor`."""
    return InverseMap(given.s / np.float32(factor), given.known, given.far)


def shows_photo(given: InverseMap, camera: Camera | None, options: GivenDepthOptions) -> bool:
    """Whether the map is of the photo (else of the panorama), as told or by its shape.

    Raises:
        InputError: its shape is that of neither, of both, or not of what it is told to be.
    """
    rows, columns = given.s.shape
    panoramic = columns == 2 * rows
    width, height = (0, 0) if camera is None else camera.size_px
    like_photo = camera is not None and abs(columns * height / (rows * width) - 1) <= SAME_SHAPE
    got = f"got {columns}×{rows}"
    if options.shows == "auto" and like_photo and panoramic:
        raise InputError(
            f"{options.path}: expected lift.shows=photo or panorama: a map of either may be {columns}×{rows}"
        )
    if (like_photo and options.shows != "panorama") or (panoramic and options.shows != "photo"):
        return like_photo and options.shows != "panorama"
    photo = (
        "no photo: this world was made from a panorama" if camera is None else f"the photo's shape, {width}×{height}"
    )
    wanted = {"photo": photo, "panorama": "twice as wide as high", "auto": f"{photo}, or twice as wide as high"}
    raise InputError(f"{options.path}: expected a map of {wanted[options.shows]}; {got}")


def on_sphere_from_panorama(given: InverseMap, height: int) -> InverseMap:
    """A panorama's map at the size of another panorama; columns wrap."""
    ratio = given.s.shape[0] / height
    wide = InverseMap(*(np.pad(image, ((0, 0), (1, 1)), "wrap") for image in (given.s, given.known, given.far)))
    u, v = np.meshgrid(np.arange(2 * height) + 0.5, np.arange(height) + 0.5)
    return _looked_up(wide, (u * ratio + 1).astype(np.float32), (v * ratio).astype(np.float32))


def on_sphere_from_photo(given: InverseMap, camera: Camera, height: int, *, along_axis: bool) -> InverseMap:
    """A photo's map along the rays of a panorama; nothing is known where the camera does not look.

    `along_axis`: its distances are depths along the optical axis.
    """
    rows, columns = given.s.shape
    width, high = camera.size_px
    d = pixel_directions(height)
    x, y, ahead = camera_pixel_from_direction(d, camera.K, Pose(camera.world_from_camera.rotation, np.zeros(3)))
    inside = ahead & (x >= 0) & (x < width) & (y >= 0) & (y < high)
    u, v = np.where(inside, x * (columns / width), 0.5), np.where(inside, y * (rows / high), 0.5)
    seen = _looked_up(given, u.astype(np.float32), v.astype(np.float32))
    along = (d @ camera.world_from_camera.rotation[:, 2]).astype(np.float32) if along_axis else np.float32(1)
    s = np.where(inside, seen.s * along, np.float32(0)).astype(np.float32)
    return InverseMap(s, seen.known & inside, seen.far & inside)


def _looked_up(given: InverseMap, u: Float32[np.ndarray, "H W"], v: Float32[np.ndarray, "H W"]) -> InverseMap:
    """The map at continuous pixels (0.5 = centre of the first), held at its borders.

    Linear on one surface; at edges, and beside pixels without a distance, the nearest pixel's value.
    """
    x, y = np.asarray(u - np.float32(0.5), np.float32), np.asarray(v - np.float32(0.5), np.float32)

    def mixed(image: np.ndarray, mode: int) -> np.ndarray:
        return cv2.remap(image, x, y, mode, borderMode=cv2.BORDER_REPLICATE)

    def corner(image: np.ndarray, down: int, right: int) -> np.ndarray:
        left, top = np.floor(x) + np.float32(right), np.floor(y) + np.float32(down)
        return cv2.remap(image, left, top, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)

    corners = [(down, right) for down in (0, 1) for right in (0, 1)]
    around = [corner(given.s, *one) for one in corners]
    low, high = np.minimum.reduce(around), np.maximum.reduce(around)
    solid = np.logical_and.reduce([corner(given.solid.astype(np.uint8), *one) > 0 for one in corners])
    one_surface = solid & (high <= ONE_SURFACE * low)
    s = np.where(one_surface, mixed(given.s, cv2.INTER_LINEAR), mixed(given.s, cv2.INTER_NEAREST))
    known, far = (mixed(mask.astype(np.uint8), cv2.INTER_NEAREST) > 0 for mask in (given.known, given.far))
    return InverseMap(s.astype(np.float32), known, far)
