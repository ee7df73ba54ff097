"""The surface a panorama's distances describe: its normals, taken from one side only at depth edges.

Letters: h w rows and columns; d unit direction of a pixel; e_u, e_v unit vectors along which columns and rows grow
(to the right, downwards); P = distance · d; n normal.
"""

import numpy as np
from jaxtyping import Bool, Float32

EDGE_RATIO = 1.08
"""Two neighbouring pixels nearer to each other than this in distance lie on one surface."""

MARGIN_ROWS, ROWS_AT_A_TIME = 2, 128
STEEPEST_RATIO, STRAIGHT = 1.5, 0.2
"""Up to the first they do so too where the surface goes on straight: inverse distance is linear on a plane, so its
second difference is a small part of the first; at an edge they are alike."""


def frames_at(
    azimuth: np.ndarray, elevation: np.ndarray
) -> tuple[Float32[np.ndarray, "*b 3"], Float32[np.ndarray, "*b 3"], Float32[np.ndarray, "*b 3"]]:
    """(d, e_u, e_v) at broadcast azimuths and elevations (radians)."""
    azimuth, elevation = np.broadcast_arrays(azimuth, elevation)
    ca, sa = np.cos(azimuth).astype(np.float32), np.sin(azimuth).astype(np.float32)
    ce, se = np.cos(elevation).astype(np.float32), np.sin(elevation).astype(np.float32)
    d = np.stack([ce * ca, ce * sa, se], -1)
    e_u = np.stack([sa, -ca, np.zeros_like(sa)], -1)
    e_v = np.stack([se * ca, se * sa, -ce], -1)
    return d, e_u, e_v


def surface_normals(distance: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w 3"]:
    """Unit normals, world axes, towards the eye.

    The slope at a pixel is the mean of the steps to those neighbours that lie on the same surface (distance ratio
    below `EDGE_RATIO`); a pixel without any in one direction faces the eye in that direction.
    """
    height = distance.shape[0]
    over_poles = np.concatenate(
        [
            np.roll(distance[:MARGIN_ROWS][::-1], height, 1),  # half a turn away
            distance,
            np.roll(distance[-MARGIN_ROWS:][::-1], height, 1),
        ]
    )
    out = np.empty((*distance.shape, 3), np.float32)
    for start in range(0, height, ROWS_AT_A_TIME):
        stop = min(start + ROWS_AT_A_TIME, height)
        out[start:stop] = _normals_of_rows(over_poles[start : stop + 2 * MARGIN_ROWS], start, height)
    return out


def _normals_of_rows(r: Float32[np.ndarray, "R w"], start: int, height: int) -> Float32[np.ndarray, "r w 3"]:
    """Normals of all but `MARGIN_ROWS` rows of `r` at either end; the first of them is row `start`."""
    row = np.arange(start - MARGIN_ROWS, start - MARGIN_ROWS + len(r))[:, None]
    column = np.arange(2 * height)[None]
    # beyond a pole elevation goes on past 90°, which is the direction half a turn away
    d, e_u, e_v = frames_at(np.pi - np.pi * (column + 0.5) / height, np.pi / 2 - np.pi * (row + 0.5) / height)
    p = r[..., None] * d
    step_u, step_v = np.roll(p, -1, 1) - p, np.roll(p, -1, 0) - p
    ok_u, ok_v = same_surface(r, 1), same_surface(r, 0)
    inner = slice(MARGIN_ROWS, -MARGIN_ROWS)
    t_u = _mean_step(step_u[inner], ok_u[inner], np.roll(step_u, 1, 1)[inner], np.roll(ok_u, 1, 1)[inner], e_u[inner])
    t_v = _mean_step(step_v[inner], ok_v[inner], np.roll(step_v, 1, 0)[inner], np.roll(ok_v, 1, 0)[inner], e_v[inner])
    normal = np.cross(t_v, t_u)  # e_v × e_u = −d: towards the eye
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), np.float32(1e-30))
    away = np.einsum("hwc,hwc->hw", normal, d[inner]) > -1e-3
    normal[away] = -d[inner][away]
    return normal


def same_surface(distance: Float32[np.ndarray, "r w"], axis: int) -> Bool[np.ndarray, "r w"]:
    """Whether each pixel and the next along an axis lie on one surface; the last one's next is the first."""
    s = 1 / distance
    beside = np.roll(s, -1, axis)
    jump = beside - s
    bend = np.abs(jump - np.roll(jump, 1, axis))
    ratio = np.maximum(s, beside) / np.minimum(s, beside)
    straight = np.minimum(bend, np.roll(bend, -1, axis)) < np.float32(STRAIGHT) * np.abs(jump)
    return (ratio < EDGE_RATIO) | ((ratio < STEEPEST_RATIO) & straight)


def _mean_step(
    ahead: np.ndarray, ahead_ok: np.ndarray, back: np.ndarray, back_ok: np.ndarray, facing: np.ndarray
) -> Float32[np.ndarray, "r w 3"]:
    """Direction of the surface along one axis, unit length; `facing` where neither neighbour is on it."""
    total = ahead * ahead_ok[..., None] + back * back_ok[..., None]
    total = np.where((ahead_ok | back_ok)[..., None], total, facing)
    return total / np.maximum(np.linalg.norm(total, axis=-1, keepdims=True), np.float32(1e-30))
