"""The surface a panorama's distances describe: its normals, taken from one side only at depth edges.

Letters: h w rows and columns; d unit direction of a pixel; e_u, e_v unit vectors along which columns and rows grow
(to the right, downwards); P = distance · d; n normal.
"""

import numpy as np
from jaxtyping import Bool, Float32

from sonoworld.sphere import row_elevations

EDGE_RATIO = 1.08
"""Two neighbouring pixels further apart than this in distance are taken to lie on different surfaces."""


def pixel_frames(
    height: int, rows: slice
) -> tuple[Float32[np.ndarray, "r w 3"], Float32[np.ndarray, "r w 3"], Float32[np.ndarray, "r w 3"]]:
    """(d, e_u, e_v) of the pixels of some rows: an orthonormal frame at each, d towards the pixel."""
    elevation = row_elevations(height)[rows, None]
    azimuth = np.pi - 2 * np.pi * (np.arange(2 * height) + 0.5)[None] / (2 * height)
    return frames_at(azimuth, elevation)


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
    out = np.empty((*distance.shape, 3), np.float32)
    chunk = 128
    for start in range(0, height, chunk):
        rows = slice(start, min(start + chunk, height))
        out[rows] = _normals_of_rows(distance, rows)
    return out


def _normals_of_rows(distance: Float32[np.ndarray, "h w"], rows: slice) -> Float32[np.ndarray, "r w 3"]:
    height = distance.shape[0]
    first, last = max(rows.start - 1, 0), min(rows.stop + 1, height)
    d, e_u, e_v = pixel_frames(height, slice(first, last))
    r = distance[first:last]
    p = r[..., None] * d
    step_u, ok_u = np.roll(p, -1, 1) - p, _same_surface(r, np.roll(r, -1, 1))
    step_v, ok_v = p[1:] - p[:-1], _same_surface(r[:-1], r[1:])
    none = np.zeros((1, r.shape[1]), bool)
    still = np.zeros((1, r.shape[1], 3), np.float32)
    t_u = _mean_step(step_u, ok_u, np.roll(step_u, 1, 1), np.roll(ok_u, 1, 1), e_u)
    t_v = _mean_step(
        np.concatenate([step_v, still]),
        np.concatenate([ok_v, none]),
        np.concatenate([still, step_v]),
        np.concatenate([none, ok_v]),
        e_v,
    )
    inner = slice(rows.start - first, rows.stop - first)
    normal = np.cross(t_u[inner], t_v[inner])  # e_u × e_v = −d: towards the eye
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), np.float32(1e-30))
    away = np.einsum("hwc,hwc->hw", normal, d[inner]) > -1e-3
    normal[away] = -d[inner][away]
    return normal


def _same_surface(a: np.ndarray, b: np.ndarray) -> Bool[np.ndarray, "r w"]:
    return np.maximum(a, b) < np.float32(EDGE_RATIO) * np.minimum(a, b)


def _mean_step(
    ahead: np.ndarray, ahead_ok: np.ndarray, back: np.ndarray, back_ok: np.ndarray, facing: np.ndarray
) -> Float32[np.ndarray, "r w 3"]:
    """Direction of the surface along one axis, unit length; `facing` where neither neighbour is on it."""
    total = ahead * ahead_ok[..., None] + back * back_ok[..., None]
    total = np.where((ahead_ok | back_ok)[..., None], total, facing)
    return total / np.maximum(np.linalg.norm(total, axis=-1, keepdims=True), np.float32(1e-30))
