"""The panorama of a synthetic scene by tracing one ray per pixel: colours, exact distances, normals and masks.

Letters: d unit directions of pixels; t distance along a ray, m; n normals; q bodies.
"""

import math

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from sonoworld import sphere
from sonoworld.evaluate.datasets.synthetic_layout import GROUND_Z_M, Body, Layout, Room, rectangle_axes
from sonoworld.types import Geometry

SKY_M = 200.0
COLOURS = {
    "birds": (60, 120, 50),
    "stream": (70, 120, 160),
    "fountain": (150, 190, 220),
    "siren": (200, 30, 30),
    "voice": (190, 140, 110),
    "engine": (190, 40, 40),
    "silent": (130, 125, 120),
}
GROUND_RGB, SKY_RGB, ROOM_RGB = (120, 130, 80), (150, 190, 235), (205, 200, 190)


def picture(layout: Layout, height: int) -> tuple[UInt8[np.ndarray, "h w 3"], Geometry, Bool[np.ndarray, "q h w"]]:
    """Panorama, its geometry, and one mask for each body, in the order of `layout.bodies`."""
    d = sphere.pixel_directions(height)
    distance = np.full(d.shape[:2], SKY_M)
    normal = -d.copy()
    owner = np.full(d.shape[:2], -2, np.int64)
    around, inward = _ground(d) if layout.room is None else _walls(layout.room, d)
    near = around < SKY_M
    distance[near], normal[near], owner[near] = around[near], inward[near], -1
    for at, body in enumerate(layout.bodies):
        t, n = _hit(body, d)
        first = t <= distance * (1 + 1e-9)
        distance[first], normal[first], owner[first] = t[first], n[first], at
    masks = owner[None] == np.arange(len(layout.bodies))[:, None, None]
    sky = owner == -2
    geometry = Geometry(distance.astype(np.float32), normal.astype(np.float32), sky, ~sky, metric=True)
    return _colours(layout, owner, normal), geometry, masks


def _ground(d: Float64[np.ndarray, "h w 3"]) -> tuple[Float64[np.ndarray, "h w"], Float64[np.ndarray, "h w 3"]]:
    with np.errstate(divide="ignore"):
        t = np.where(d[..., 2] < 0, GROUND_Z_M / d[..., 2], math.inf)
    return t, np.broadcast_to((0.0, 0.0, 1.0), d.shape)


def _walls(
    room: Room, d: Float64[np.ndarray, "h w 3"]
) -> tuple[Float64[np.ndarray, "h w"], Float64[np.ndarray, "h w 3"]]:
    """Distance to the inside of a box along each ray, and the normal into the box."""
    ahead = np.where(d > 0, room.high, room.low)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(np.abs(d) > 1e-12, ahead / d, math.inf)
    axis = np.argmin(t, axis=-1)
    normal = -np.sign(np.take_along_axis(d, axis[..., None], -1)) * np.eye(3)[axis]
    return np.take_along_axis(t, axis[..., None], -1)[..., 0], normal


def _hit(
    body: Body, d: Float64[np.ndarray, "h w 3"]
) -> tuple[Float64[np.ndarray, "h w"], Float64[np.ndarray, "h w 3"]]:
    """Distance to a body along each ray (infinite where missed), and its normal towards the eye."""
    centre = np.array(body.centre)
    if body.is_round:
        along = d @ centre
        inside = along**2 - (centre @ centre - body.half[0] ** 2)
        hit = (inside > 0) & (along > 0)
        t = np.where(hit, along - np.sqrt(np.maximum(inside, 0)), math.inf)
        where = np.where(hit, t, 0.0)[..., None] * d
        return t, np.where(hit[..., None], (where - centre) / body.half[0], -d)
    across, up = rectangle_axes(body)
    facing = np.cross(across, up)
    slope = d @ facing
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(np.abs(slope) > 1e-9, (centre @ facing) / slope, math.inf)
    offset = np.where(np.isfinite(t), t, 0.0)[..., None] * d - centre
    hit = (t > 0) & np.isfinite(t)
    a, b = (offset @ axis / half for axis, half in zip((across, up), body.half, strict=True))
    hit &= (a**2 + b**2 <= 1) if body.kind == "disc" else (np.abs(a) <= 1) & (np.abs(b) <= 1)
    return np.where(hit, t, math.inf), np.where((slope > 0)[..., None], -facing, facing)


def _colours(
    layout: Layout, owner: Int64[np.ndarray, "h w"], normal: Float64[np.ndarray, "h w 3"]
) -> UInt8[np.ndarray, "h w 3"]:
    """Flat colours, lit from above and a little grainy."""
    level = GROUND_RGB if layout.room is None else ROOM_RGB
    table = np.array([SKY_RGB, level, *(COLOURS[body.sound] for body in layout.bodies)], np.float64)
    light = np.where(owner == -2, 1.0, 0.75 + 0.25 * normal[..., 2])
    grain = np.random.default_rng(0).normal(0, 4, owner.shape)
    rgb = table[owner + 2] * light[..., None] + grain[..., None]
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)
