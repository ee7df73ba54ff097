"""A walk surface as few triangles, for physics engines: ground on a coarser grid, and walls around what stands on it.

Letters: n m vertices and triangles.
"""

import cv2
import numpy as np
from jaxtyping import Float32, Int32

from sonoworld.types import WalkSurface

GROUND_M = 0.5
"""Side of the ground's squares, about."""

OUTLINE_M = 0.1
"""How far a wall may run beside what it stands for."""

LEAST_WALL_M = 1.0
"""Walls are at least so high: nothing rolls or jumps over the edge of what blocks a walker."""

Triangles = tuple[Float32[np.ndarray, "n 3"], Int32[np.ndarray, "m 3"]]


def collider(walk: WalkSurface) -> Triangles:
    """Vertices (m, world) and triangles, counter-clockwise seen from where one walks.

    Ground first; then one wall for every side of the outlines of what blocks, from below the ground to its top.
    """
    parts = [_ground(walk), *_walls(walk)]
    offsets = np.cumsum([0, *(len(vertices) for vertices, _ in parts[:-1])])
    faces = [triangles + np.int32(start) for (_, triangles), start in zip(parts, offsets, strict=True)]
    return np.concatenate([vertices for vertices, _ in parts]), np.concatenate(faces)


def _ground(walk: WalkSurface) -> Triangles:
    n = walk.floor_m.shape[0]
    count = max(2, round(n * walk.cell_m / GROUND_M) + 1)
    at = np.linspace(0, n - 1, count)
    i, j = np.meshgrid(at, at, indexing="ij")
    middle = n // 2
    z = cv2.remap(walk.floor_m, j.astype(np.float32), i.astype(np.float32), cv2.INTER_LINEAR)
    vertices = np.stack([(i - middle) * walk.cell_m, (j - middle) * walk.cell_m, z], -1).reshape(-1, 3)
    a = (np.arange(count - 1)[:, None] * count + np.arange(count - 1)[None]).ravel()
    ahead, left = a + count, a + 1
    faces = np.concatenate([np.stack([a, ahead, ahead + 1], 1), np.stack([a, ahead + 1, left], 1)])
    return vertices.astype(np.float32), faces.astype(np.int32)


def _walls(walk: WalkSurface) -> list[Triangles]:
    """Traced in a picture twice as fine, so that outlines run near the borders of cells, not through their middles."""
    fine = np.kron(walk.blocked.astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(fine, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    walls: list[Triangles] = []
    for contour in contours:
        simple = cv2.approxPolyDP(contour, 2 * OUTLINE_M / walk.cell_m, closed=True)[:, 0, ::-1]  # (i, j)
        if len(simple) >= 2:
            walls.append(_wall(walk, simple))
    return walls


def _wall(walk: WalkSurface, outline: np.ndarray) -> Triangles:
    """A closed strip along an outline in cells of half the size; seen from outside, which is where one walks."""
    n = walk.floor_m.shape[0]
    cell = np.clip(outline // 2, 0, n - 1)
    floor, height = walk.floor_m[cell[:, 0], cell[:, 1]], walk.height_m[cell[:, 0], cell[:, 1]]
    xy = ((outline + 0.5) / 2 - n / 2) * walk.cell_m
    top = floor + max(LEAST_WALL_M, float(height.max()))
    bottom = floor - walk.cell_m
    ring = np.concatenate([np.c_[xy, bottom], np.c_[xy, top]]).astype(np.float32)
    k = len(outline)
    a, b = np.arange(k), (np.arange(k) + 1) % k
    faces = np.concatenate([np.stack([a, b + k, a + k], 1), np.stack([a, b, b + k], 1)])
    return ring, faces.astype(np.int32)
