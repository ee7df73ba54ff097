"""Where splats fall in a pinhole's picture: the kernels that come before `render.splat_tiles` blends them.

Letters as in `render.splat`; k a row of the table of what may be seen, in the order of the splats; s the largest of a
splat's three scales. (`no_type_check` keeps run-time checkers of annotations from wrapping what numba compiles.)
"""

import math
from typing import no_type_check

import numpy as np
from numba import njit, prange

from sonoworld.render.splat import GUARD, LOW_PASS_PX2, MIN_ALPHA, NEAR_M

U, V, A, B, C, Z, OPACITY, LEAST, RED, GREEN, BLUE, X0, X1, Y0, Y1 = range(15)
"""Columns of a footprint. Power at (dx, dy) from (u, v), array indices: A dx² + B dx dy + C dy², added where >= LEAST;
first and last column and row of pixels where that can be (whole numbers; the last before the first: nowhere)."""

COLUMNS = 16
"""Of which the last is empty: a footprint fills one line of the processor's cache."""

CHUNK = 4096
WIDEST = math.sqrt(2 * math.log(1 / MIN_ALPHA))
"""An opaque splat adds at least MIN_ALPHA out to so many standard deviations."""


@njit(cache=True, parallel=True)
@no_type_check
def candidates(
    means: np.ndarray, log_scales: np.ndarray, pose: np.ndarray, camera: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """Indices, rising, of at least the splats that fall in the picture, by a ball around each; most end here."""
    n = means.shape[0]
    chunks = (n + CHUNK - 1) // CHUNK
    found, counts = np.empty(n, np.int32), np.zeros(chunks + 1, np.int64)
    fx, fy, cx, cy = camera[0], camera[1], camera[2], camera[3]
    width, height = np.float32(size[0]), np.float32(size[1])
    tx = np.float32(1 + GUARD) * max(cx, width - cx, width) / fx
    ty = np.float32(1 + GUARD) * max(cy, height - cy, height) / fy
    # the length of J's rows: f/z · |(1, t)|, Zwicker et al. 2001 eq. 29; 1 % for rounding
    lx, ly = np.float32(1.01) * math.sqrt(1 + tx * tx), np.float32(1.01) * math.sqrt(1 + ty * ty)
    widest, low_pass = np.float32(WIDEST), np.float32(1.01) * np.float32(math.sqrt(LOW_PASS_PX2))
    for chunk in prange(chunks):
        at = chunk * CHUNK
        for i in range(chunk * CHUNK, min((chunk + 1) * CHUNK, n)):
            dx, dy, dz = means[i, 0] - pose[3, 0], means[i, 1] - pose[3, 1], means[i, 2] - pose[3, 2]
            z = pose[2, 0] * dx + pose[2, 1] * dy + pose[2, 2] * dz
            if z < NEAR_M:
                continue
            per_z = np.float32(1) / z
            u = fx * per_z * (pose[0, 0] * dx + pose[0, 1] * dy + pose[0, 2] * dz) + cx
            v = fy * per_z * (pose[1, 0] * dx + pose[1, 1] * dy + pose[1, 2] * dz) + cy
            out_x, out_y = max(-u, u - width), max(-v, v - height)
            if out_x > 0 or out_y > 0:
                s = math.exp(max(log_scales[i, 0], log_scales[i, 1], log_scales[i, 2]))
                # sqrt(a² + b²) <= a + b
                if out_x > widest * (fx * per_z * lx * s + low_pass) or out_y > widest * (
                    fy * per_z * ly * s + low_pass
                ):
                    continue
            found[at] = i
            at += 1
        counts[chunk + 1] = at - chunk * CHUNK
    starts = np.cumsum(counts)
    kept = np.empty(starts[-1], np.int32)
    for chunk in range(chunks):
        kept[starts[chunk] : starts[chunk + 1]] = found[chunk * CHUNK : chunk * CHUNK + counts[chunk + 1]]
    return kept


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
def footprints(
    raw: tuple[np.ndarray, ...],
    kept: np.ndarray,
    colours: np.ndarray,
    pose: np.ndarray,
    camera: np.ndarray,
    size: tuple[int, int],
) -> np.ndarray:
    """A row for each of `kept`; nothing in one with an empty box of pixels is to be read, except its Z."""
    means, log_scales, quats, logits = raw
    table = np.empty((len(kept), COLUMNS), np.float32)
    width, height = size
    fx, fy, cx, cy = camera[0], camera[1], camera[2], camera[3]
    left, right = (-GUARD * width - cx) / fx, ((1 + GUARD) * width - cx) / fx
    top, bottom = (-GUARD * height - cy) / fy, ((1 + GUARD) * height - cy) / fy
    half, one = np.float32(0.5), np.float32(1)
    for k in prange(len(kept)):
        i, q = kept[k], table[k]
        dx, dy, dz = means[i, 0] - pose[3, 0], means[i, 1] - pose[3, 1], means[i, 2] - pose[3, 2]
        z = pose[2, 0] * dx + pose[2, 1] * dy + pose[2, 2] * dz
        opacity = one / (one + math.exp(-logits[i]))
        q[Z], q[X0], q[X1], q[Y0], q[Y1] = z, 0, -1, 0, -1
        if not opacity > MIN_ALPHA:
            continue
        x = (pose[0, 0] * dx + pose[0, 1] * dy + pose[0, 2] * dz) / z
        y = (pose[1, 0] * dx + pose[1, 1] * dy + pose[1, 2] * dz) / z
        s0, s1, s2 = math.exp(log_scales[i, 0]), math.exp(log_scales[i, 1]), math.exp(log_scales[i, 2])
        a0, a1, a2, b0, b1, b2, c0, c1, c2 = _axes(quats, i, pose, s0, s1, s2)
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
        least = math.log(MIN_ALPHA / opacity)
        hx, hy = math.sqrt(-2 * least * uu), math.sqrt(-2 * least * vv)
        u, v = fx * x + cx - half, fy * y + cy - half
        x0, x1 = max(math.ceil(max(u - hx, 0.0)), 0), math.floor(min(u + hx, width - 1.0))
        y0, y1 = max(math.ceil(max(v - hy, 0.0)), 0), math.floor(min(v + hy, height - 1.0))
        if not (det > 0 and det < math.inf and x0 <= x1 and y0 <= y1):  # a NaN fails one of these
            continue
        q[U], q[V], q[OPACITY], q[LEAST] = u, v, opacity, least
        q[A], q[B], q[C] = -0.5 * vv / det, uv / det, -0.5 * uu / det
        q[RED], q[GREEN], q[BLUE] = colours[k, 0], colours[k, 1], colours[k, 2]
        q[X0], q[X1], q[Y0], q[Y1] = x0, x1, y0, y1
    return table
