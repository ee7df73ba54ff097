"""From distances to ground, obstacles and the distance that one may comfortably walk.

Letters: r distance along the ray (m), d unit direction, P = r·d a point, n normal, z height (m, eye 0), z_f the
ground's, a area of a pixel's footprint across the ray (m²), Ω its solid angle (sr).
The ground is the surface that goes on from below the eye without a step higher than `HIGHEST_STEP_M`: in every cell the
lowest points count, so what stands on the ground does not lift it. What rises between a step and a head above it is in
the way.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int64

from sonoworld.sphere import pixel_directions, pixel_solid_angles
from sonoworld.terrain.grid import Grid, continued, highest, low_quantile, reached
from sonoworld.types import Geometry, Splats, WalkSurface

VERSION = "1"
RADIUS_M, CELL_M = 6.0, 0.125
HIGHEST_STEP_M = 0.4
"""Higher steps, up or down, stop a walker."""

STEP_WITHIN_M = 0.3
"""A rise counts as a step if it happens within so much ground: slopes up to 53° are walked."""

HEAD_M = 2.0
"""What hangs higher over the ground is not in the way."""

BODY_M, FREE_M = 0.25, 0.3
"""Half the width of a walker; around the eye everything is free: somebody stood there."""

START_M = 0.5
LOWEST_SHARE = 0.1
LEAST_AREA_M2 = 0.02
"""So much surface within a cell, seen across, is a thing: a pole of 3 cm in a cell is twice that; stray pixels less."""

LEAST_FACING = 0.06
"""|n·d| below which a surface that is not ground is taken for a curtain between near and far, not for a wall."""

UPRIGHT = 0.5
NEAREST_SR = 0.02
"""The nearest things that fill so much of the view (8° × 8°) say how far one may walk."""

ASSUMED_EYE_M = 1.6
ROWS = 1024
"""More rows than this add no ground that matters: every second, third, .. pixel is looked at."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """Points of the world that are near enough: place, footprint across the ray, solid angle, and cell."""

    points: Float32[np.ndarray, "k 3"]
    area: Float32[np.ndarray, "k"]
    angle: Float32[np.ndarray, "k"]
    cell: Int64[np.ndarray, "k"]


def walk_surface(geometry: Geometry, splats: Splats | None = None) -> WalkSurface:
    """Ground and obstacles within `RADIUS_M` of the eye.

    `splats` are those of a world that was not seeded from `geometry`: they also show ground behind things. Where
    nothing below the eye is seen, level ground `ASSUMED_EYE_M` below it is assumed, and `seen` is nowhere.
    Cells are `CELL_M` wide, or as wide as a pixel of the panorama at `RADIUS_M` where that is more.
    """
    height = geometry.distance.shape[0]
    cell_m = max(CELL_M, RADIUS_M * math.pi / min(height, ROWS))
    grid = Grid(2 * math.ceil(RADIUS_M / cell_m - 0.5) + 1, cell_m)
    around = _seen(geometry, splats, grid)
    low = _lowest(around, grid)
    ground = _ground(low, grid)
    stands = np.zeros(low.shape, bool)
    floor, thing, over = _level(low, ground), np.zeros(0, bool), np.zeros(0, np.float32)
    for _ in range(2):  # the foot of a wall lies on the ground but is not ground: found first, then left out
        over = around.points[:, 2] - floor.ravel()[around.cell]
        thing = (over > HIGHEST_STEP_M) & (over < HEAD_M)
        area = np.bincount(around.cell[thing], around.area[thing], grid.cells**2).reshape(low.shape)
        stands = (area >= LEAST_AREA_M2) | (low - floor > HIGHEST_STEP_M)
        floor = _level(low, ground & ~stands)
    pit = _with_hidden_edge(floor - low > HIGHEST_STEP_M, np.isfinite(low), grid)
    blocked = _closed(stands | pit) & (grid.distance() > FREE_M)
    top = np.maximum(highest(around.cell[thing], over[thing], grid.cells), np.float32(HIGHEST_STEP_M))
    return WalkSurface(
        floor_m=floor,
        height_m=np.where(blocked & stands, top, np.float32(0)),
        blocked=blocked,
        walkable=_walkable(blocked, grid),
        seen=_closed(np.isfinite(low)) & ~blocked,
        cell_m=grid.cell_m,
        nearest_m=_nearest(around, thing),
    )


def _seen(geometry: Geometry, splats: Splats | None, grid: Grid) -> _Seen:
    height = geometry.distance.shape[0]
    step = max(1, height // ROWS)
    at = (slice(step // 2, None, step), slice(step // 2, None, step))
    d, r, n = pixel_directions(height)[at].astype(np.float32), geometry.distance[at], geometry.normal[at]
    facing = np.abs(np.einsum("hwc,hwc->hw", n, d))
    solid = (facing >= LEAST_FACING) | (np.abs(n[..., 2]) > UPRIGHT)
    points = (r[..., None] * d)[solid & ~geometry.sky[at]]
    pixel_sr = (step * step * pixel_solid_angles(height)).astype(np.float32)[at[0], None]
    angle = np.broadcast_to(pixel_sr, r.shape)[solid & ~geometry.sky[at]]
    area = angle * np.einsum("kc,kc->k", points, points)
    if splats is not None:
        larger = np.sort(splats.log_scales, 1)[:, 1:].sum(1)
        solid = splats.opacity_logits > 0
        points = np.concatenate([points, splats.means[solid]])
        area = np.concatenate([area, np.exp(larger[solid])])
        angle = np.concatenate([angle, np.zeros(int(solid.sum()), np.float32)])
    cell, inside = grid.cell_of(points)
    return _Seen(points[inside], area[inside], angle[inside], cell[inside])


def _lowest(around: _Seen, grid: Grid) -> Float32[np.ndarray, "n n"]:
    """What is seen lowest in each cell, below the eye; NaN where nothing is."""
    below = around.points[:, 2] < 0
    return low_quantile(around.cell[below], around.points[below, 2], grid.cells, LOWEST_SHARE)


def _ground(low: Float32[np.ndarray, "n n"], grid: Grid) -> Bool[np.ndarray, "n n"]:
    """Cells whose lowest points hang together with those below the eye without a step."""
    start = (grid.distance() <= START_M) & np.isfinite(low)
    if not start.any():
        return start
    start &= np.abs(low - np.median(low[start])) <= HIGHEST_STEP_M
    lowest_near = cv2.erode(np.where(np.isfinite(low), low, np.inf).astype(np.float32), grid.disc(STEP_WITHIN_M))
    even = np.isfinite(low) & (low - lowest_near <= HIGHEST_STEP_M)
    return reached(even, start, corners=False) if (even & start).any() else start


def _level(low: Float32[np.ndarray, "n n"], ground: Bool[np.ndarray, "n n"]) -> Float32[np.ndarray, "n n"]:
    """Height of the ground everywhere: as seen, and continued from there."""
    if not ground.any():
        return np.full(low.shape, -ASSUMED_EYE_M, np.float32)
    return np.asarray(cv2.medianBlur(continued(low, ground), 3), np.float32)


def _with_hidden_edge(
    pit: Bool[np.ndarray, "n n"], seen: Bool[np.ndarray, "n n"], grid: Grid
) -> Bool[np.ndarray, "n n"]:
    """Deep ground and what lies, unseen, between it and the edge that hides it from the eye."""
    deep = np.argwhere(pit) - grid.cells // 2
    if not len(deep):
        return pit
    share = np.linspace(1, 0, grid.cells)[None, :, None]  # from there to the eye
    way = np.rint(deep[:, None] * share).astype(np.int64) + grid.cells // 2
    solid = (seen & ~pit)[way[..., 0], way[..., 1]]
    before = way[~np.logical_or.accumulate(solid, axis=1)]
    out = pit.copy()
    out[before[:, 0], before[:, 1]] = True
    return out


def _closed(cells: Bool[np.ndarray, "n n"]) -> Bool[np.ndarray, "n n"]:
    """Without gaps of one cell, which come from rays further apart than cells."""
    return cv2.morphologyEx(cells.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) > 0


def _walkable(blocked: Bool[np.ndarray, "n n"], grid: Grid) -> Bool[np.ndarray, "n n"]:
    """Where a walker of some width gets to from the eye."""
    free = grid.distance() <= FREE_M
    tight = cv2.dilate(blocked.astype(np.uint8), grid.disc(BODY_M)) > 0
    return reached(~tight | (free & ~blocked), free, corners=False)


def _nearest(around: _Seen, thing: Bool[np.ndarray, "k"]) -> float:
    """Distance from the eye within which things fill `NEAREST_SR` of the view; infinite if they never do."""
    r = np.linalg.norm(around.points[thing], axis=1)
    order = np.argsort(r, kind="stable")
    filled = np.cumsum(around.angle[thing][order], dtype=np.float64)
    at = int(np.searchsorted(filled, NEAREST_SR))
    return float(r[order[at]]) if at < len(r) else math.inf
