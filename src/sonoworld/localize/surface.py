"""The piece of visible surface behind a mask, as weighted points."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float64, Int64

from sonoworld import sphere
from sonoworld.pointset import cells, mean
from sonoworld.types import Geometry


@dataclass(frozen=True, slots=True)
class Surface:
    """`points` m and `normals`, world; `weights` proportional to surface area, sum 1."""

    points: Float64[np.ndarray, "m 3"]
    normals: Float64[np.ndarray, "m 3"]
    weights: Float64[np.ndarray, "m"]


@dataclass(frozen=True, slots=True)
class Seen(Surface):
    """A surface whose points are pixels of the panorama, in these `rows`."""

    rows: Int64[np.ndarray, "m"]


def visible_surface(mask: Bool[np.ndarray, "h w"], geometry: Geometry, edge_ratio: float, grazing: float) -> Seen:
    """All surface points seen in a (non-empty) mask.

    Sky, depth edges and the pixels beside those are left out where anything else remains.
    """
    solid = mask & ~geometry.sky
    chosen = solid if solid.any() else mask
    edge = depth_edges(geometry.distance, edge_ratio)
    wide = cv2.dilate(sphere.pad_sphere(edge.astype(np.uint8), 1), np.ones((3, 3), np.uint8))[1:-1, 1:-1] > 0
    inner = next((part for part in (chosen & ~wide, chosen & ~edge) if part.any()), chosen)
    rows, columns = np.nonzero(inner)
    height = geometry.distance.shape[0]
    direction = sphere.pixel_directions(height)[rows, columns]
    distance = geometry.distance[rows, columns].astype(np.float64)
    normal = geometry.normal[rows, columns].astype(np.float64)
    facing = np.maximum(np.abs((normal * direction).sum(1)), grazing)
    area = distance**2 * sphere.pixel_solid_angles(height)[rows] / facing
    return Seen(direction * distance[:, None], normal, area / area.sum(), rows)


def weighted_median(values: Float64[np.ndarray, "m"], weights: Float64[np.ndarray, "m"]) -> float:
    """The value with half of the weight on either side: rows near the poles have many pixels for little angle."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][int(np.searchsorted(total, 0.5 * total[-1]))])


def depth_edges(distance: np.ndarray, ratio: float) -> Bool[np.ndarray, "h w"]:
    """Pixels with a 4-neighbour (closed at ±180°) nearer or farther by more than `ratio`: blends of two surfaces."""
    log = np.log(distance)
    limit = np.log(ratio)
    across = np.abs(log - np.roll(log, 1, axis=1)) > limit
    down = np.abs(np.diff(log, axis=0)) > limit
    edge = across | np.roll(across, -1, axis=1)
    edge[1:] |= down
    edge[:-1] |= down
    return edge


def thinned(surface: Surface, limit: int) -> Surface:
    """At most `limit` points with the same total weight and the same centroid."""
    if len(surface.weights) <= limit:
        return surface
    found = cells(surface.points, surface.weights, limit)
    points = np.stack([mean(surface.points[cell], surface.weights[cell]) for cell in found])
    normals = np.stack([mean(surface.normals[cell], surface.weights[cell]) for cell in found])
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    towards_eye = -points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)
    normals = np.where(length > 1e-6, normals / np.maximum(length, 1e-6), towards_eye)
    weights = np.array([surface.weights[cell].sum() for cell in found])
    return Surface(points, normals, weights / weights.sum())
