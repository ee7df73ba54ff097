"""What refined splats are held against: the panorama from its eye, and carried a step aside by its distances.

Letters: f focal length (px); t how far along its ray a pixel of a view sees the splats (m), p the point there, u its
direction from the panorama's eye, r the geometry's distance along u. From the eye every pixel is known. From elsewhere
it is `sure` where the splats as they were seeded lie on the geometry's surface (|p| = r), and has the panorama's colour
at u; where they do not (edges, what the eye does not see) it is to stay as it was.
"""

import math
from collections.abc import Generator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64

from sonoworld.frames import Pose, angles_from_direction, world_from_camera_rotation
from sonoworld.render.splat import render_view
from sonoworld.sphere import camera_pixel_directions, pad_sphere, pixel_from_direction, sample_panorama
from sonoworld.types import Geometry, Panorama, Splats

FINER = 1.5
"""Pixels of a view per pixel of the panorama: viewers look closer, and what is fitted too coarsely opens up there."""

WIDEST = math.radians(75)
SAME_PLACE = 0.02
"""In log distance; what splats draw may be off by a pixel's angle more: they are no finer."""

COVERED = 0.95
STEPS = 3
CUBIC_PX = 3
"""Pixels around the panorama's border that cubic interpolation may reach."""


Camera = tuple[Float64[np.ndarray, "3 3"], tuple[int, int], Pose]
"""K, (width, height) in px, world_from_camera."""


@dataclass(frozen=True, slots=True)
class View:
    """A camera and what it should see: `rgb` 0..1, `alpha` at least this, `sure` where `rgb` is the panorama's."""

    K: Float64[np.ndarray, "3 3"]
    size_px: tuple[int, int]
    pose: Pose
    rgb: Float32[np.ndarray, "h w 3"]
    alpha: Float32[np.ndarray, "h w"]
    sure: Bool[np.ndarray, "h w"]


def pairs(
    seeded: Splats,
    panorama: Panorama,
    geometry: Geometry,
    reach: tuple[float, int],
    rng: np.random.Generator,
) -> Generator[tuple[View, View]]:
    """Without end: a view from the eye, and one from up to `reach[0]` m aside; `reach[1]` px a side at most.

    Their directions go over the sphere again and again, each time evenly and in another order.
    """
    walk_m, most_px = reach
    K, size, _ = _camera(panorama, np.array([1.0, 0.0, 0.0]), np.zeros(3), most_px)
    side_rad = 2 * math.atan(size[0] / (2 * K[0, 0]))
    count = math.ceil(4 * np.pi / side_rad**2)
    while True:
        for from_eye, from_side in zip(_directions(count, rng), _directions(count, rng), strict=True):
            bearing, step = rng.uniform(-np.pi, np.pi), walk_m * math.sqrt(rng.uniform(0.04, 1))
            eye = np.array([step * math.cos(bearing), step * math.sin(bearing), 0.0])
            aside = _side_view(seeded, panorama, geometry, _camera(panorama, from_side, eye, most_px))
            yield _eye_view(panorama, _camera(panorama, from_eye, np.zeros(3), most_px)), aside


def _directions(count: int, rng: np.random.Generator) -> Float64[np.ndarray, "n 3"]:
    """Directions spread evenly over the sphere (a golden spiral, turned by chance), in an order by chance."""
    k = np.arange(count) + 0.5
    z = 1 - 2 * k / count
    azimuth = np.pi * (1 + math.sqrt(5)) * k + rng.uniform(0, 2 * np.pi)
    flat = np.sqrt(1 - z * z)
    return np.stack([flat * np.cos(azimuth), flat * np.sin(azimuth), z], -1)[rng.permutation(count)]


def _eye_view(panorama: Panorama, camera: Camera) -> View:
    K, size, pose = camera
    rgb = _seen(panorama, camera_pixel_directions(K, size, pose))
    whole = np.ones(rgb.shape[:2], bool)
    return View(K, size, pose, rgb, whole.astype(np.float32), whole)


def _side_view(seeded: Splats, panorama: Panorama, geometry: Geometry, camera: Camera) -> View:
    K, size, pose = camera
    eye = pose.origin
    now = render_view(seeded, K, size, pose)
    rays = camera_pixel_directions(K, size, pose)
    there = np.isfinite(now.depth) & (now.alpha > COVERED)
    t = np.where(there, now.depth, 1.0) / (rays @ pose.rotation[:, 2])
    r, along = geometry.distance, rays @ eye
    on = t
    for _ in range(STEPS):  # |eye + on·ray| = r there: from where the splats are to the surface they stand for
        towards = _unit(eye + rays * on[..., None])
        reach = sample_panorama(r, towards)
        on = np.sqrt(np.maximum(along**2 - eye @ eye + reach**2, 1e-6)) - along
        on = np.maximum(on, 1e-3)
    p = eye + rays * on[..., None]
    u = _unit(p)
    off = np.abs(np.log(np.linalg.norm(p, axis=-1) / sample_panorama(r, u, nearest=True)))
    pixel_rad = np.pi / len(r)
    sure = there & (off < SAME_PLACE) & (np.abs(np.log(on / t)) < SAME_PLACE + pixel_rad)
    rgb = np.where(sure[..., None], _seen(panorama, u), now.rgb)
    return View(K, size, pose, rgb.astype(np.float32), now.alpha, sure)


def _unit(p: Float64[np.ndarray, "h w 3"]) -> Float64[np.ndarray, "h w 3"]:
    return p / np.maximum(np.linalg.norm(p, axis=-1, keepdims=True), 1e-9)


def _camera(
    panorama: Panorama, towards: Float64[np.ndarray, "3"], eye: Float64[np.ndarray, "3"], most_px: int
) -> Camera:
    f = FINER * panorama.rgb.shape[1] / (2 * np.pi)
    side = min(most_px, int(2 * f * math.tan(WIDEST / 2)))
    K = np.array([[f, 0, side / 2], [0, f, side / 2], [0, 0, 1.0]])
    azimuth, elevation = angles_from_direction(towards)
    return K, (side, side), Pose(world_from_camera_rotation(float(elevation), 0.0, float(azimuth)), eye)


def _seen(panorama: Panorama, d: Float64[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w 3"]:
    """Colours 0..1 of the panorama in directions, by cubic interpolation: linear would blur what is to be fitted."""
    u, v = pixel_from_direction(d, len(panorama.rgb))
    wide = pad_sphere(panorama.rgb, CUBIC_PX).astype(np.float32) / np.float32(255)
    x, y = (np.asarray(place + CUBIC_PX - 0.5, np.float32) for place in (u, v))
    return np.clip(cv2.remap(wide, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), 0, 1)
