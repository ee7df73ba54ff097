"""The fast twin of `render.splat.render_view_plain`: numba kernels over tiles of 16×16 px, nearest splat first.

Letters: n splats; q = (x, y in px; A, B, C of the inverse 2D covariance; z in m; half width and height in px of the
box in which the splat adds at least MIN_ALPHA). A picture does not depend on the number of threads: each tile is
blended by one of them, in order of depth, equal depths in the order of the splats. (`no_type_check` keeps run-time
checkers of annotations from wrapping what numba compiles.)
"""

import math
from typing import no_type_check

import numpy as np
from jaxtyping import Float32, Float64
from numba import njit, prange

from sonoworld.frames import Pose
from sonoworld.render.splat import GUARD, LOW_PASS_PX2, MAX_ALPHA, MIN_ALPHA, MIN_TRANSMITTANCE, NEAR_M
from sonoworld.types import Splats

TILE_PX = 16


def rasterise(
    splats: Splats,
    colours: Float32[np.ndarray, "n 3"],
    K: Float64[np.ndarray, "3 3"],
    size_px: tuple[int, int],
    world_from_camera: Pose,
) -> tuple[Float32[np.ndarray, "h w 3"], Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w"]]:
    """Sums of a·T·colour and of a·T·z, and alpha = 1 − T, for every pixel."""
    width, height = size_px
    camera = np.array([K[0, 0], K[1, 1], K[0, 2], K[1, 2]], np.float32)
    r = np.ascontiguousarray(world_from_camera.rotation.T, dtype=np.float32)
    o = world_from_camera.origin.astype(np.float32)
    q, opacity = _project(
        (splats.means, splats.log_scales, splats.quats, splats.opacity_logits), r, o, camera, width, height
    )
    seen = np.flatnonzero(q[:, 5] > 0)
    order = seen[np.argsort(q[seen, 5], kind="stable")]
    image = _blend(_bin(order, q, width, height), q, opacity, colours, size_px)
    return image[..., :3].copy(), image[..., 3].copy(), image[..., 4].copy()


@njit(cache=True, inline="always")
@no_type_check
def _axes(q: np.ndarray, i: int, r: np.ndarray, s0: float, s1: float, s2: float) -> tuple[float, ...]:
    """The splat's three half axes in camera axes, as nine numbers."""
    w, x, y, z = q[i, 0], q[i, 1], q[i, 2], q[i, 3]
    norm = 1 / math.sqrt(w * w + x * x + y * y + z * z)
    w, x, y, z = w * norm, x * norm, y * norm, z * norm
    a0, a1, a2 = s0 * (1 - 2 * (y * y + z * z)), s0 * 2 * (x * y + w * z), s0 * 2 * (x * z - w * y)
    b0, b1, b2 = s1 * 2 * (x * y - w * z), s1 * (1 - 2 * (x * x + z * z)), s1 * 2 * (y * z + w * x)
    c0, c1, c2 = s2 * 2 * (x * z + w * y), s2 * 2 * (y * z - w * x), s2 * (1 - 2 * (x * x + y * y))
    return (
        (r[0, 0] * a0 + r[0, 1] * a1 + r[0, 2] * a2),
        (r[1, 0] * a0 + r[1, 1] * a1 + r[1, 2] * a2),
        (r[2, 0] * a0 + r[2, 1] * a1 + r[2, 2] * a2),
        (r[0, 0] * b0 + r[0, 1] * b1 + r[0, 2] * b2),
        (r[1, 0] * b0 + r[1, 1] * b1 + r[1, 2] * b2),
        (r[2, 0] * b0 + r[2, 1] * b1 + r[2, 2] * b2),
        (r[0, 0] * c0 + r[0, 1] * c1 + r[0, 2] * c2),
        (r[1, 0] * c0 + r[1, 1] * c1 + r[1, 2] * c2),
        (r[2, 0] * c0 + r[2, 1] * c1 + r[2, 2] * c2),
    )


@njit(cache=True, parallel=True)
@no_type_check
def _project(
    raw: tuple[np.ndarray, ...], r: np.ndarray, o: np.ndarray, camera: np.ndarray, width: int, height: int
) -> tuple[np.ndarray, np.ndarray]:
    means, log_scales, quats, logits = raw
    n = means.shape[0]
    q = np.zeros((n, 8), np.float32)
    opacity = np.empty(n, np.float32)
    fx, fy, cx, cy = camera[0], camera[1], camera[2], camera[3]
    left, right = (-GUARD * width - cx) / fx, ((1 + GUARD) * width - cx) / fx
    top, bottom = (-GUARD * height - cy) / fy, ((1 + GUARD) * height - cy) / fy
    for i in prange(n):
        dx, dy, dz = means[i, 0] - o[0], means[i, 1] - o[1], means[i, 2] - o[2]
        z = r[2, 0] * dx + r[2, 1] * dy + r[2, 2] * dz
        opacity[i] = 1 / (1 + math.exp(-logits[i]))
        if z < NEAR_M or opacity[i] <= MIN_ALPHA:
            continue
        x = (r[0, 0] * dx + r[0, 1] * dy + r[0, 2] * dz) / z
        y = (r[1, 0] * dx + r[1, 1] * dy + r[1, 2] * dz) / z
        s0, s1, s2 = math.exp(log_scales[i, 0]), math.exp(log_scales[i, 1]), math.exp(log_scales[i, 2])
        a0, a1, a2, b0, b1, b2, c0, c1, c2 = _axes(quats, i, r, s0, s1, s2)
        tx, ty = min(max(x, left), right), min(max(y, top), bottom)
        ju, jv = fx / z, fy / z
        ua, ub, uc = ju * (a0 - tx * a2), ju * (b0 - tx * b2), ju * (c0 - tx * c2)
        va, vb, vc = jv * (a1 - ty * a2), jv * (b1 - ty * b2), jv * (c1 - ty * c2)
        uu = ua * ua + ub * ub + uc * uc + LOW_PASS_PX2
        vv = va * va + vb * vb + vc * vc + LOW_PASS_PX2
        uv = ua * va + ub * vb + uc * vc
        # in double: uu·vv and uv² nearly cancel for a thin splat
        det = np.float64(uu) * np.float64(vv) - np.float64(uv) * np.float64(uv)
        # a >= MIN_ALPHA where dᵀ C⁻¹ d <= 2 ln(opacity / MIN_ALPHA): an ellipse in this box
        reach = math.sqrt(2 * math.log(opacity[i] / MIN_ALPHA))
        hx, hy = reach * math.sqrt(uu), reach * math.sqrt(vv)
        u, v = fx * x + cx, fy * y + cy
        inside = u + hx > 0 and u - hx < width and v + hy > 0 and v - hy < height
        if not (inside and det > 0 and det < math.inf):  # a NaN fails all of these
            continue
        q[i, 0], q[i, 1], q[i, 5], q[i, 6], q[i, 7] = u, v, z, hx, hy
        q[i, 2], q[i, 3], q[i, 4] = vv / det, -uv / det, uu / det
    return q, opacity


@njit(cache=True, inline="always")
@no_type_check
def _tiles(q: np.ndarray, i: int, width: int, height: int) -> tuple[int, int, int, int]:
    """First and last tile column and row of splat i."""
    last_x, last_y = (width - 1) // TILE_PX, (height - 1) // TILE_PX
    x0 = int(max(q[i, 0] - q[i, 6], 0.0)) // TILE_PX
    y0 = int(max(q[i, 1] - q[i, 7], 0.0)) // TILE_PX
    x1 = int(min(q[i, 0] + q[i, 6], width - 1.0)) // TILE_PX
    y1 = int(min(q[i, 1] + q[i, 7], height - 1.0)) // TILE_PX
    return min(x0, last_x), min(x1, last_x), min(y0, last_y), min(y1, last_y)


@njit(cache=True)
@no_type_check
def _bin(order: np.ndarray, q: np.ndarray, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """For every tile its splats, nearest first: `ids[starts[t]:starts[t + 1]]`."""
    columns, rows = (width + TILE_PX - 1) // TILE_PX, (height + TILE_PX - 1) // TILE_PX
    starts = np.zeros(columns * rows + 1, np.int64)
    for i in order:
        x0, x1, y0, y1 = _tiles(q, i, width, height)
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                starts[y * columns + x + 1] += 1
    for t in range(columns * rows):
        starts[t + 1] += starts[t]
    at = starts[:-1].copy()
    ids = np.empty(starts[-1], np.int32)
    for i in order:
        x0, x1, y0, y1 = _tiles(q, i, width, height)
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                t = y * columns + x
                ids[at[t]] = i
                at[t] += 1
    return starts, ids


@njit(cache=True, parallel=True, fastmath=True)  # twice as fast; `_project` lets no NaN or infinity through
@no_type_check
def _blend(
    bins: tuple[np.ndarray, np.ndarray], q: np.ndarray, opacity: np.ndarray, colours: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    (starts, ids), (width, height) = bins, size
    columns, rows = (width + TILE_PX - 1) // TILE_PX, (height + TILE_PX - 1) // TILE_PX
    image = np.zeros((height, width, 5), np.float32)
    for t in prange(columns * rows):
        left, top = (t % columns) * TILE_PX, (t // columns) * TILE_PX
        w, h = min(TILE_PX, width - left), min(TILE_PX, height - top)
        passes = np.ones((TILE_PX, TILE_PX), np.float32)
        live = w * h
        for j in range(starts[t], starts[t + 1]):
            i = ids[j]
            live -= _add(image[top : top + h, left : left + w], passes, q[i], opacity[i], colours[i], (left, top))
            if live == 0:
                break
        for y in range(h):
            for x in range(w):
                image[top + y, left + x, 4] = 1 - passes[y, x]
    return image


@njit(cache=True, inline="always")
@no_type_check
def _add(
    tile: np.ndarray, passes: np.ndarray, q: np.ndarray, opacity: float, colour: np.ndarray, corner: tuple[int, int]
) -> int:
    """Lay one splat behind what the tile already shows; returns how many pixels it closed."""
    u, v = q[0] - np.float32(0.5) - corner[0], q[1] - np.float32(0.5) - corner[1]
    a, b, c, z = np.float32(-0.5) * q[2], q[3], np.float32(-0.5) * q[4], q[5]
    x0, x1 = max(0, math.ceil(u - q[6])), min(tile.shape[1] - 1, math.floor(u + q[6]))
    y0, y1 = max(0, math.ceil(v - q[7])), min(tile.shape[0] - 1, math.floor(v + q[7]))
    least = math.log(np.float32(MIN_ALPHA) / opacity)
    closed = 0
    for y in range(y0, y1 + 1):
        dy = y - v
        for x in range(x0, x1 + 1):
            before = passes[y, x]
            if before < MIN_TRANSMITTANCE:
                continue
            dx = x - u
            power = a * dx * dx + c * dy * dy - b * dx * dy
            if power < least:
                continue
            alpha = min(np.float32(MAX_ALPHA), opacity * np.float32(math.exp(power)))
            weight = alpha * before
            tile[y, x, 0] += weight * colour[0]
            tile[y, x, 1] += weight * colour[1]
            tile[y, x, 2] += weight * colour[2]
            tile[y, x, 3] += weight * z
            passes[y, x] = before * (1 - alpha)
            closed += passes[y, x] < MIN_TRANSMITTANCE
    return closed
