"""The fast twin of `render.splat.render_view_plain`: numba kernels over tiles of 16×16 px, nearest splat first.

Letters as in `render.splat_footprints`. A picture does not depend on the number of threads: each tile is blended by one
of them, in order of depth, equal depths in the order of the splats. A row of a tile is blended as a whole, without
branches, so that compilers make vector instructions of it: what lies outside a splat is added with weight 0.
(`no_type_check` keeps run-time checkers of annotations from wrapping what numba compiles.)
"""

import math
from typing import no_type_check

import numpy as np
from jaxtyping import Float32, Float64
from numba import njit, prange

from sonoworld.frames import Pose
from sonoworld.render.splat import MAX_ALPHA, MIN_ALPHA, MIN_TRANSMITTANCE, colours_from
from sonoworld.render.splat_footprints import (
    BLUE,
    GREEN,
    LEAST,
    OPACITY,
    RED,
    X0,
    X1,
    Y0,
    Y1,
    A,
    B,
    C,
    U,
    V,
    Z,
    candidates,
    footprints,
)
from sonoworld.types import Splats

TILE_PX = 16
LOOK_AFTER = 16
"""So many splats are laid into a tile before it is asked again which of its rows are still open."""

DIGIT_BITS = 11
LOWEST = math.log(MIN_ALPHA)
MIDDLE = LOWEST / 16
T0, T2, T3, T4, T5 = (np.float32(math.exp(MIDDLE) / math.factorial(k)) for k in (0, 2, 3, 4, 5))
"""Taylor's series of e^x around MIDDLE; to e^power it is true to 3·10⁻⁵ between LOWEST and 0."""


def rasterise(
    splats: Splats, K: Float64[np.ndarray, "3 3"], size_px: tuple[int, int], world_from_camera: Pose
) -> tuple[Float32[np.ndarray, "h w 3"], Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w"]]:
    """Sums of a·T·colour and of a·T·z, and alpha = 1 − T, for every pixel."""
    width, height = size_px
    camera = np.array([K[0, 0], K[1, 1], K[0, 2], K[1, 2]], np.float32)
    pose = np.vstack([world_from_camera.rotation.T, world_from_camera.origin]).astype(np.float32)
    kept = candidates(splats.means, splats.log_scales, pose, camera, size_px)
    colours = colours_from(
        splats.sh[kept], splats.means[kept] if splats.sh.shape[1] > 1 else None, world_from_camera.origin
    )
    raw = (splats.means, splats.log_scales, splats.quats, splats.opacity_logits)
    table = footprints(raw, kept, colours, pose, camera, size_px)
    order = _nearest_first(table[:, Z].copy().view(np.uint32))
    starts, rows = _bin(order, table, width, height)
    return _blend(starts, rows, table, size_px, _stride(len(starts) - 1))


def _stride(tiles: int) -> int:
    """A step that visits every tile once and lays neighbours far apart, so that all threads get their share of work."""
    step = max(1, int(0.6180339887 * tiles))
    while math.gcd(step, tiles) != 1:
        step += 1
    return step


@njit(cache=True)
@no_type_check
def _nearest_first(keys: np.ndarray) -> np.ndarray:
    """Rows by rising depth (its bits as an integer: positive floats sort alike), equal ones in order: a radix sort."""
    n = len(keys)
    order, other = np.arange(n).astype(np.int32), np.empty(n, np.int32)
    digits = 1 << DIGIT_BITS
    for shift in range(0, 32, DIGIT_BITS):
        starts = np.zeros(digits + 1, np.int64)
        for k in range(n):
            starts[((keys[k] >> shift) & (digits - 1)) + 1] += 1
        for d in range(digits):
            starts[d + 1] += starts[d]
        for k in order:
            d = (keys[k] >> shift) & (digits - 1)
            other[starts[d]] = k
            starts[d] += 1
        order, other = other, order
    return order


@njit(cache=True)
@no_type_check
def _bin(order: np.ndarray, table: np.ndarray, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """For every tile its rows of the table, nearest first: `rows[starts[t]:starts[t + 1]]`."""
    columns, lines = (width + TILE_PX - 1) // TILE_PX, (height + TILE_PX - 1) // TILE_PX
    starts = np.zeros(columns * lines + 1, np.int64)
    for k in range(len(table)):
        q = table[k]
        for y in range(int(q[Y0]) // TILE_PX, int(q[Y1]) // TILE_PX + 1):
            for x in range(int(q[X0]) // TILE_PX, int(q[X1]) // TILE_PX + 1):
                starts[y * columns + x + 1] += 1
    for t in range(columns * lines):
        starts[t + 1] += starts[t]
    at = starts[:-1].copy()
    rows = np.empty(starts[-1], np.int32)
    for k in order:
        q = table[k]
        for y in range(int(q[Y0]) // TILE_PX, int(q[Y1]) // TILE_PX + 1):
            for x in range(int(q[X0]) // TILE_PX, int(q[X1]) // TILE_PX + 1):
                t = y * columns + x
                rows[at[t]] = k
                at[t] += 1
    return starts, rows


@njit(cache=True, parallel=True, fastmath=True)  # `footprints` lets no NaN or infinity through
@no_type_check
def _blend(
    starts: np.ndarray, rows: np.ndarray, table: np.ndarray, size: tuple[int, int], stride: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    width, height = size
    columns, tiles = (width + TILE_PX - 1) // TILE_PX, len(starts) - 1
    rgb = np.empty((height, width, 3), np.float32)
    depth, alpha = np.empty((height, width), np.float32), np.empty((height, width), np.float32)
    for k in prange(tiles):
        t = (k * stride) % tiles
        left, top = (t % columns) * TILE_PX, (t // columns) * TILE_PX
        tile = np.zeros((4, TILE_PX, TILE_PX), np.float32)
        passes = np.ones((TILE_PX, TILE_PX), np.float32)
        _lay(tile, passes, table, rows[starts[t] : starts[t + 1]], (left, top))
        for y in range(min(TILE_PX, height - top)):
            for x in range(min(TILE_PX, width - left)):
                for c in range(3):
                    rgb[top + y, left + x, c] = tile[c, y, x]
                depth[top + y, left + x] = tile[3, y, x]
                alpha[top + y, left + x] = 1 - passes[y, x]
    return rgb, depth, alpha


@njit(cache=True, fastmath=True)
@no_type_check
def _lay(tile: np.ndarray, passes: np.ndarray, table: np.ndarray, rows: np.ndarray, corner: tuple[int, int]) -> None:
    """Lay splats, nearest first, each behind what the tile already shows, until no light passes."""
    first, last, since = 0, TILE_PX - 1, 0
    for k in rows:
        q = table[k]
        u, v = q[U] - np.float32(corner[0]), q[V] - np.float32(corner[1])
        a, b, c, opacity, least = q[A], q[B], q[C], q[OPACITY], q[LEAST]
        red, green, blue, z = q[RED], q[GREEN], q[BLUE], q[Z]
        for y in range(max(int(q[Y0]) - corner[1], first), min(int(q[Y1]) - corner[1], last) + 1):
            dy = np.float32(y) - v
            slope, base = b * dy, c * dy * dy
            for x in range(TILE_PX):  # always the whole row: a constant count is what becomes vector instructions
                dx = np.float32(x) - u
                power = (a * dx + slope) * dx + base
                # e^(power / 8), Taylor's series around the middle of what may be; then three squares
                e = max(power, np.float32(LOWEST)) * np.float32(0.125) - np.float32(MIDDLE)
                e = T0 + e * (T0 + e * (T2 + e * (T3 + e * (T4 + e * T5))))
                e = e * e
                e = e * e
                before = passes[y, x]
                adds = np.float32((power >= least) & (before >= np.float32(MIN_TRANSMITTANCE)))
                weight = adds * min(np.float32(MAX_ALPHA), opacity * e * e) * before
                tile[0, y, x] += weight * red
                tile[1, y, x] += weight * green
                tile[2, y, x] += weight * blue
                tile[3, y, x] += weight * z
                passes[y, x] = before - weight
        since += 1
        if since == LOOK_AFTER:
            since = 0
            first, last = _open_rows(passes, first, last)
            if first > last:
                break


@njit(cache=True)
@no_type_check
def _open_rows(passes: np.ndarray, first: int, last: int) -> tuple[int, int]:
    """First and last row through which light still passes."""
    while first <= last and passes[first].max() < MIN_TRANSMITTANCE:
        first += 1
    while first <= last and passes[last].max() < MIN_TRANSMITTANCE:
        last -= 1
    return first, last
