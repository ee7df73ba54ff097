"""The sphere around a listener cut into triangles of loudspeakers, imaginary ones where none stand.

Letters: s loudspeakers, v vertices (loudspeakers first, then imaginary ones), t triangles; U [v 3] unit vectors;
S [s v] what a loudspeaker plays of a vertex.
Source: Zotter and Frank, "All-round Ambisonic panning and decoding", J. Audio Eng. Soc. 60 (2012) 807;
facets of more than three corners get a vertex in the middle, shared evenly (as the n-gons of ITU-R BS.2127), so that no
diagonal is preferred.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float64, Int64
from scipy.spatial import ConvexHull

from sonoworld.errors import ShapeError

WIDEST_HOLE = np.deg2rad(80.0)
"""Radius of the largest round hole left between loudspeakers: at 90° a triangle would pass through the listener."""
_FLAT = 1e-6
_AXES = np.concatenate([np.eye(3), -np.eye(3)])


@dataclass(frozen=True, slots=True)
class Hull:
    """Triangles whose corners are loudspeakers or imaginary ones. Together they cover every direction once."""

    vertices: Float64[np.ndarray, "v 3"]
    triangles: Int64[np.ndarray, "t 3"]
    share: Float64[np.ndarray, "s v"]
    """S: 1 for a loudspeaker itself; of an imaginary one with K neighbours 1/√K each, so that its energy stays."""


def speaker_hull(directions: Float64[np.ndarray, "s 3"]) -> Hull:
    """The convex hull of loudspeakers, closed by imaginary ones in the middle of every hole wider than 80°.

    Raises:
        ShapeError: fewer than two loudspeakers.
    """
    if len(directions) < 2:
        raise ShapeError("loudspeakers", expected="at least 2", got=str(len(directions)))
    real = len(directions)
    closed = _without_holes(directions)
    hull = ConvexHull(closed)
    facets = _facets(hull)
    vertices, triangles = list(closed), list[tuple[int, int, int]]()
    corners: dict[int, list[int]] = {}  # of a facet's middle
    for simplices in facets:
        if len(simplices) == 1:
            triangles.append((int(simplices[0][0]), int(simplices[0][1]), int(simplices[0][2])))
            continue
        middle = len(vertices)
        corners[middle] = sorted({int(i) for i in simplices.ravel()})
        mean = np.mean(closed[corners[middle]], axis=0)
        vertices.append(mean / np.linalg.norm(mean))
        triangles += [(first, second, middle) for first, second in _outline(simplices)]
    share = _shares(real, len(closed), facets, corners)
    return Hull(np.stack(vertices), np.array(triangles, np.int64), share)


def _without_holes(directions: Float64[np.ndarray, "s 3"]) -> Float64[np.ndarray, "v 3"]:
    """With imaginary loudspeakers in the widest holes, equal ones at once, until none is wider than 80°."""
    standing = directions
    while True:
        middles = _hole_middles(standing)
        cosine = (middles @ standing.T).max(1)
        if cosine.min() > np.cos(WIDEST_HOLE):
            return standing
        for middle in middles[cosine < cosine.min() + _FLAT]:
            # the same hole is found from several triples
            if (standing @ middle).max() < cosine.min() + _FLAT:
                standing = np.concatenate([standing, middle[None]])


def _hole_middles(standing: Float64[np.ndarray, "v 3"]) -> Float64[np.ndarray, "h 3"]:
    """Candidates for the middle of the widest empty circle: opposite one, opposite two, as far from three; axes."""
    found = [_AXES, -standing]
    pairs = np.array(list(combinations(range(len(standing)), 2)))
    found.append(-(standing[pairs[:, 0]] + standing[pairs[:, 1]]))
    if len(standing) > 2:
        a, b, c = standing[np.array(list(combinations(range(len(standing)), 3)))].transpose(1, 0, 2)
        normal = np.cross(b - a, c - a)
        found += [normal, -normal]
    every = np.concatenate(found)
    length = np.linalg.norm(every, axis=1)
    return every[length > _FLAT] / length[length > _FLAT, None]


def _facets(hull: ConvexHull) -> list[Int64[np.ndarray, "_ 3"]]:
    """Triangles that lie in one plane, together."""
    left = list(range(len(hull.simplices)))
    facets: list[Int64[np.ndarray, "_ 3"]] = []
    while left:
        plane = hull.equations[left[0]]
        same = [i for i in left if np.abs(hull.equations[i] - plane).max() < _FLAT]
        facets.append(np.asarray(hull.simplices[same], np.int64))
        left = [i for i in left if i not in same]
    return facets


def _outline(simplices: Int64[np.ndarray, "_ 3"]) -> list[tuple[int, int]]:
    """Edges that belong to one triangle only."""
    edges = np.sort(np.concatenate([simplices[:, [0, 1]], simplices[:, [1, 2]], simplices[:, [2, 0]]]), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    return [(int(first), int(second)) for first, second in unique[count == 1]]


def _shares(
    real: int, closed: int, facets: list[Int64[np.ndarray, "_ 3"]], corners: dict[int, list[int]]
) -> Float64[np.ndarray, "s v"]:
    share = np.zeros((closed + len(corners), real))
    share[:real] = np.eye(real)
    for vertex in range(real, closed):
        around = {int(i) for simplices in facets if vertex in simplices for i in simplices.ravel()}
        # walled in by imaginary ones: everybody plays a little
        share[vertex] = _evenly([i for i in around if i < real] or list(range(real)), real)
    for vertex, around in corners.items():
        power = (share[around] ** 2).mean(0)
        share[vertex] = np.sqrt(power)
    return np.ascontiguousarray(share.T)


def _evenly(some: list[int], count: int) -> Float64[np.ndarray, "s"]:
    weights = np.zeros(count)
    weights[some] = 1 / np.sqrt(len(some))
    return weights
