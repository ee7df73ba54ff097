"""Pixels to splats: each pixel's footprint on the tangent plane of the surface it sees.

Letters: r distance (m); d, e_u, e_v a pixel's frame; n normal; s_u, s_v angular spacing of kept pixels (rad);
T_u, T_v the steps on the surface from one kept pixel to the next; k = sigma / spacing.
Covariance = k² (T_u T_uᵀ + T_v T_vᵀ) + a thin part along the normal. Its axes come from the 2×2 Gram matrix of the T.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from sonoworld.lift.surface import EDGE_RATIO, frames_at
from sonoworld.sphere import row_elevations
from sonoworld.types import Splats

SH_C0 = 0.28209479177387814
"""Constant harmonic of the 3DGS colour: rgb = 0.5 + SH_C0 · sh."""

THICKNESS = 0.08
"""Sigma along the normal over the smaller sigma on the surface."""

MOST_SLIDE = 1.02
ROWS_AT_A_TIME = 64


@dataclass(frozen=True, slots=True)
class Layer:
    """One surface seen from the eye: `distance` (m), unit `normal` (world, towards the eye), sRGB `rgb`, `where`."""

    distance: Float32[np.ndarray, "h w"]
    normal: Float32[np.ndarray, "h w 3"]
    rgb: UInt8[np.ndarray, "h w 3"]
    where: Bool[np.ndarray, "h w"]


@dataclass(frozen=True, slots=True)
class Footprint:
    """`size` k; `opacity` 0..1; `max_stretch`: longest T over the footprint of a pixel that faces the eye."""

    size: float
    opacity: float
    max_stretch: float


def surfels(layer: Layer, footprint: Footprint) -> Splats:
    """Splats of a layer, rows from the top, each row from its left edge.

    Rows are thinned towards the poles: a row at latitude φ keeps ceil(W cos φ) pixels, at even spacing, and its
    footprints are widened to that spacing, so that the layer stays as closed as at the horizon.
    """
    height = layer.distance.shape[0]
    parts = [
        _surfels_of_rows(layer, footprint, np.arange(start, min(start + ROWS_AT_A_TIME, height)))
        for start in range(0, height, ROWS_AT_A_TIME)
    ]
    return join(parts)


def join(parts: list[Splats]) -> Splats:
    """All splats of several sets of the same SH degree, in order."""
    return Splats(
        means=np.concatenate([p.means for p in parts]),
        log_scales=np.concatenate([p.log_scales for p in parts]),
        quats=np.concatenate([p.quats for p in parts]),
        opacity_logits=np.concatenate([p.opacity_logits for p in parts]),
        sh=np.concatenate([p.sh for p in parts]),
    )


def kept_in_row(height: int) -> np.ndarray:
    """How many pixels each row keeps: ceil(W cos φ), at least 4 so that the pole closes."""
    return np.maximum(4, np.ceil(2 * height * np.cos(row_elevations(height)))).astype(np.int64)


def _surfels_of_rows(layer: Layer, footprint: Footprint, rows: np.ndarray) -> Splats:
    height, width = layer.distance.shape
    kept = kept_in_row(height)[rows]
    row = np.repeat(rows, kept)
    rank = np.arange(row.size) - np.repeat(np.cumsum(kept) - kept, kept)
    u = (rank + 0.5) * (width / np.repeat(kept, kept))
    column = u.astype(np.int64)
    inside = layer.where[row, column]
    row, column, u = row[inside], column[inside], u[inside]
    spacing_u = (2 * np.pi / kept_in_row(height) * np.cos(row_elevations(height))).astype(np.float32)[row]
    spacing_v = np.float32(np.pi / height)
    elevation, n = row_elevations(height)[row], layer.normal[row, column]
    d, e_u, e_v = frames_at(np.pi - 2 * np.pi * u / width, elevation)
    r = _slid(layer.distance[row, column], n, frames_at(np.pi - 2 * np.pi * (column + 0.5) / width, elevation)[0], d)
    axes, sigma = _ellipses((d, e_u, e_v), n, (spacing_u, spacing_v), footprint)
    sh = (_colours(layer, row, column, u) / np.float32(255) - np.float32(0.5)) / np.float32(SH_C0)
    logit = math.log(footprint.opacity / (1 - footprint.opacity))
    return Splats(
        means=r[:, None] * d,
        log_scales=np.log(sigma * r[:, None]),
        quats=quaternions(axes),
        opacity_logits=np.full(len(r), logit, np.float32),
        sh=sh[:, None, :],
    )


def _colours(layer: Layer, row: np.ndarray, column: np.ndarray, u: np.ndarray) -> Float32[np.ndarray, "n 3"]:
    """Colour at continuous column u, 0..255: linear between two pixels of one surface, else the pixel's own."""
    width = layer.rgb.shape[1]
    beside = (column + np.where(u - column < 0.5, -1, 1)) % width
    r, other = layer.distance[row, column], layer.distance[row, beside]
    same = (np.maximum(r, other) < np.float32(EDGE_RATIO) * np.minimum(r, other)) & layer.where[row, beside]
    share = np.where(same, np.abs(u - column - 0.5), 0).astype(np.float32)[:, None]
    return layer.rgb[row, column] * (1 - share) + layer.rgb[row, beside] * share


def _slid(r: np.ndarray, n: np.ndarray, from_d: np.ndarray, to_d: np.ndarray) -> Float32[np.ndarray, "n"]:
    """Distance along `to_d` of the plane (n, r · from_d), near by; steep planes are not followed to the horizon."""
    from_facing, to_facing = np.einsum("nc,nc->n", n, from_d), np.einsum("nc,nc->n", n, to_d)
    ratio = np.divide(from_facing, to_facing, out=np.ones_like(r), where=to_facing < -1e-3)
    return r * np.clip(ratio, np.float32(1 / MOST_SLIDE), np.float32(MOST_SLIDE))


def _ellipses(
    frame: tuple[np.ndarray, np.ndarray, np.ndarray],
    n: Float32[np.ndarray, "n 3"],
    spacing: tuple[np.ndarray, np.float32],
    footprint: Footprint,
) -> tuple[Float32[np.ndarray, "n 3 3"], Float32[np.ndarray, "n 3"]]:
    """Axes (columns) and sigmas, per metre of distance, of footprints on the tangent plane."""
    d, e_u, e_v = frame
    # A ray turned by s along e meets the plane (n, r d) at r (d + s (e − d (n·e)/(n·d))): T = r s (e − c d).
    facing = np.minimum(np.einsum("nc,nc->n", n, d), np.float32(-1e-6))
    most = np.float32(math.sqrt(footprint.max_stretch**2 - 1))
    c_u = np.clip(np.einsum("nc,nc->n", n, e_u) / facing, -most, most)[:, None]
    c_v = np.clip(np.einsum("nc,nc->n", n, e_v) / facing, -most, most)[:, None]
    t_u, t_v = spacing[0][:, None] * (e_u - c_u * d), spacing[1] * (e_v - c_v * d)
    # Principal axes of T Tᵀ: the rotation that makes the two combined steps orthogonal.
    uu, vv = np.einsum("nc,nc->n", t_u, t_u), np.einsum("nc,nc->n", t_v, t_v)
    angle = np.float32(0.5) * np.arctan2(2 * np.einsum("nc,nc->n", t_u, t_v), uu - vv)
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    first, second = cos * t_u + sin * t_v, cos * t_v - sin * t_u
    s1, s2 = np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1)
    e1 = first / s1[:, None]
    e3 = np.cross(e1, second)
    e3 /= np.linalg.norm(e3, axis=1, keepdims=True)
    k = np.float32(footprint.size)
    sigma = np.stack([k * s1, k * s2, k * np.float32(THICKNESS) * np.minimum(s1, s2)], -1)
    return np.stack([e1, np.cross(e3, e1), e3], -1), sigma


def quaternions(axes: Float32[np.ndarray, "n 3 3"]) -> Float32[np.ndarray, "n 4"]:
    """Unit quaternions wxyz of proper rotations, from the largest of the four squared parts (Shepperd 1978)."""
    m = axes
    x, y, z = m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]
    squares = np.stack([1 + x + y + z, 1 + x - y - z, 1 - x + y - z, 1 - x - y + z])
    largest = np.argmax(squares, 0)
    a, b, c = m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]
    e, f, g = m[:, 1, 0] + m[:, 0, 1], m[:, 0, 2] + m[:, 2, 0], m[:, 2, 1] + m[:, 1, 2]
    cases = ((squares[0], a, b, c), (a, squares[1], e, f), (b, e, squares[2], g), (c, f, g, squares[3]))
    q = np.empty((len(m), 4), np.float32)
    for i, case in enumerate(cases):
        pick = largest == i
        q[pick] = np.stack([part[pick] for part in case], -1)
    return q / np.linalg.norm(q, axis=1, keepdims=True)
