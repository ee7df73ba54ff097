"""What the near hides of the far: a second layer behind depth edges, and a dome of sky behind everything.

Letters: r distance (m); r_f, r_b distances on the near and far side of an edge; a the angle of a pixel (rad).
A walk of w metres shifts near against far by about w (1/r_f − 1/r_b) radians: that much of the far must exist behind
the near. It is continued from the far side only, inverse distance and colour alike, by a membrane: inverse distance
is linear in direction on a plane, so floors and walls go on as they were.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from sonoworld.lift import membrane
from sonoworld.lift.nearest import nearest_of
from sonoworld.lift.surface import surface_normals
from sonoworld.lift.surfels import Layer
from sonoworld.sphere import row_elevations

EDGE_RATIO, OPENS_PX = 1.08, 2.0
"""Neighbouring pixels further apart than this in distance, that part by more than this on the walk, make an edge."""

WIDEST_BAND = 1 / 6
"""Widest hidden band, as part of the panorama's height; beyond, only the dome is behind."""

BEHIND = 1.03
"""The hidden layer lies at least this much farther than what hides it."""

DOME_DOWN_RAD = 0.1
DOME_FARTHER = 1.05
DOME_COARSER = 4


def hidden_layer(distance: Float32[np.ndarray, "h w"], rgb: UInt8[np.ndarray, "h w 3"], walk_m: float) -> Layer:
    """The far surfaces behind the rims of near ones, as far as a walk of `walk_m` can uncover them."""
    band, near_side = _band(distance, walk_m)
    kind = np.full(distance.shape, membrane.KNOWN, np.uint8)
    kind[near_side] = membrane.OUTSIDE
    kind[band] = membrane.MISSING
    values = np.concatenate([(1 / distance)[..., None], rgb.astype(np.float32)], -1)
    filled = membrane.fill(values, kind)
    farthest = distance.max()
    hidden = np.where(band, 1 / np.maximum(filled[..., 0], 1 / farthest), distance).astype(np.float32)
    hidden = np.where(band, np.maximum(hidden, np.float32(BEHIND) * distance), hidden)
    # Normals must not see the step from the hidden layer to the object that hides it.
    normal = surface_normals(np.where(near_side, np.float32(1e6), hidden))
    colour = np.clip(np.rint(filled[..., 1:]), 0, 255).astype(np.uint8)
    return Layer(hidden, normal, colour, band)


def _band(distance: np.ndarray, walk_m: float) -> tuple[Bool[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
    """Pixels that hide something a walk can uncover, and the rest of the near objects next to them."""
    height = distance.shape[0]
    pixel_rad = np.pi / height
    widest = max(4, round(height * WIDEST_BAND))
    beside = _farthest_neighbour(distance)
    shift_px = walk_m / pixel_rad  # times the difference of inverse distances: how far two surfaces part
    edge = (shift_px * (1 / distance - 1 / beside) > OPENS_PX) & (beside > np.float32(EDGE_RATIO) * distance)
    if not edge.any():
        return edge, edge
    away_px, nearest = nearest_of(edge, widest)
    r_b, r_f = beside.ravel()[nearest], distance.ravel()[nearest]
    need_px = np.minimum(np.ceil(shift_px * (1 / r_f - 1 / r_b)) + 2, widest)
    in_front = distance * (0.5 + 0.5 * EDGE_RATIO) < r_b
    band = (away_px <= need_px) & in_front
    near_side = ~band & in_front & (away_px <= need_px + 4)
    return band, near_side


def _farthest_neighbour(distance: np.ndarray) -> np.ndarray:
    sides = np.maximum(np.roll(distance, 1, 1), np.roll(distance, -1, 1))
    sides[1:] = np.maximum(sides[1:], distance[:-1])
    sides[:-1] = np.maximum(sides[:-1], distance[1:])
    return sides


def sky_dome(
    distance: Float32[np.ndarray, "h w"], rgb: UInt8[np.ndarray, "h w 3"], sky: Bool[np.ndarray, "h w"]
) -> Layer:
    """A shell behind the sky shell, over the upper half and a little below, at a quarter of the resolution."""
    small = (2 * (sky.shape[0] // DOME_COARSER), sky.shape[0] // DOME_COARSER)
    open_sky = cv2.resize(sky.astype(np.uint8) * 255, small, interpolation=cv2.INTER_AREA) == 255
    open_sky = cv2.erode(open_sky.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0  # without the fringe at its edge
    where = np.broadcast_to(row_elevations(small[1])[:, None] > -DOME_DOWN_RAD, open_sky.shape).copy()
    kind = np.where(open_sky, membrane.KNOWN, np.where(where, membrane.MISSING, membrane.OUTSIDE)).astype(np.uint8)
    colour = cv2.resize(rgb, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    filled = np.clip(np.rint(membrane.fill(colour, kind)), 0, 255).astype(np.uint8)
    shell = np.full(open_sky.shape, DOME_FARTHER * float(np.max(distance[sky])), np.float32)
    return Layer(shell, surface_normals(shell), filled, where)
