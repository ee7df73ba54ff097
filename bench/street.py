"""An analytic street: boxes, spheres and a chequered ground, seen exactly from anywhere. Used by bench/lift.py.

Inside: x right, y down, z ahead (RDF), metres, eye at the origin, ground at y = 1.6, sky beyond 60 m. Outside: FLU.
"""

import numpy as np

GROUND_M, FAR_M = 1.6, 60.0
BOXES = np.array(  # xmin xmax ymin ymax zmin zmax r g b
    [
        *([-12, 12, -6, 1.6, 14, 20, 0.62, 0.42, 0.33], [-14, -8, -4, 1.6, -10, 12, 0.70, 0.66, 0.52]),
        *([8, 13, -3, 1.6, -14, 9, 0.40, 0.50, 0.62], [-9, 9, -2.2, 1.6, -20, -16, 0.55, 0.56, 0.50]),
        *([-0.35, 0.35, -0.9, 1.6, 2.7, 3.4, 0.80, 0.22, 0.18], [1.9, 2.5, -1.4, 1.6, 1.4, 2.0, 0.25, 0.55, 0.30]),
        *([-2.6, -1.8, 0.5, 1.6, 1.2, 2.4, 0.55, 0.35, 0.20], [-1.2, -0.9, -2.5, 1.6, -3.4, -3.1, 0.35, 0.30, 0.28]),
        *([3.4, 4.6, 0.0, 1.6, -3.0, -1.2, 0.75, 0.70, 0.30], [-5.0, -4.7, -2.5, 1.6, 3.0, 3.3, 0.35, 0.30, 0.28]),
    ],
    np.float64,
)
SPHERES = np.array(  # x y z radius r g b
    [
        [1.0, 1.1, 3.8, 0.5, 0.85, 0.75, 0.2],
        [-3.6, 0.6, -2.5, 1.0, 0.3, 0.4, 0.8],
        [0.9, 1.25, -2.2, 0.35, 0.9, 0.5, 0.7],
    ]
)


def look(origin: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colours [... 3] 0..1 and distances [...] (infinite: sky) along unit directions; origin and directions FLU."""
    o = np.array([-origin[1], -origin[2], origin[0]], np.float64)
    flat = directions.reshape(-1, 3)
    d = np.stack([-flat[:, 1], -flat[:, 2], flat[:, 0]], -1)
    best = np.full(len(d), np.inf)
    rgb = _sky(d)
    _ground(o, d, best, rgb)
    for box in BOXES:
        _box(o, d, box, best, rgb)
    for sphere in SPHERES:
        _sphere(o, d, sphere, best, rgb)
    shape = directions.shape[:-1]
    return np.minimum(rgb, 1).reshape(*shape, 3).astype(np.float32), best.reshape(shape)


def _cells(x: np.ndarray) -> np.ndarray:
    """A fixed pseudo-random number 0..1 for every cell of whole coordinates [n 3]."""
    i, j, k = np.floor(x).astype(np.int64).T
    with np.errstate(over="ignore"):
        n = (i * 73856093) ^ (j * 19349663) ^ (k * 83492791)
        n = (n ^ (n >> 13)) * 1274126177
    return ((n ^ (n >> 16)) & 0xFFFF) / 65535.0


def _texture(p: np.ndarray, scale: float) -> np.ndarray:
    return 0.7 + 0.25 * _cells(p * scale) + 0.15 * _cells(p * scale * 4)


def _sky(d: np.ndarray) -> np.ndarray:
    up = np.maximum(0, -d[:, 1])[:, None]
    return np.array([0.75, 0.85, 0.98]) - up * np.array([0.4, 0.3, 0.1])


def _ground(o: np.ndarray, d: np.ndarray, best: np.ndarray, rgb: np.ndarray) -> None:
    with np.errstate(divide="ignore"):
        t = np.where(d[:, 1] > 1e-9, (GROUND_M - o[1]) / d[:, 1], np.inf)
    hit = np.flatnonzero(t < FAR_M)
    p = o + t[hit, None] * d[hit]
    light = (np.floor(p[:, 0]).astype(int) + np.floor(p[:, 2]).astype(int)) & 1
    value = np.where(light == 1, 0.46, 0.36) * _texture(p * [1, 0, 1], 3.0)
    best[hit] = t[hit]
    rgb[hit] = value[:, None] * [1.05, 1.0, 0.9]


def _box(o: np.ndarray, d: np.ndarray, box: np.ndarray, best: np.ndarray, rgb: np.ndarray) -> None:
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = (box[0:6:2] - o) / d, (box[1:6:2] - o) / d
    near, far = np.minimum(a, b), np.maximum(a, b)
    axis = near.argmax(1)
    t0, t1 = near.max(1), far.min(1)
    hit = np.flatnonzero((t0 < t1) & (t0 > 1e-6) & (t0 < best))
    p = o + t0[hit, None] * d[hit]
    normal = np.where(np.take_along_axis(d[hit], axis[hit, None], 1)[:, 0] > 0, -1.0, 1.0)
    side = np.where(axis[hit] == 0, normal * 0.4, np.where(axis[hit] == 2, -0.3 * normal, 0.0))
    shade = 0.65 + 0.35 * np.maximum(0, -side)
    best[hit] = t0[hit]
    rgb[hit] = box[6:9] * (_texture(p + 0.01, 2.0) * shade)[:, None]


def _sphere(o: np.ndarray, d: np.ndarray, sphere: np.ndarray, best: np.ndarray, rgb: np.ndarray) -> None:
    c = o - sphere[:3]
    b = d @ c
    inside = b * b - (c @ c - sphere[3] ** 2)
    t = -b - np.sqrt(np.maximum(inside, 0))
    hit = np.flatnonzero((inside > 0) & (t > 1e-6) & (t < best))
    p = o + t[hit, None] * d[hit]
    down = (c[1] + t[hit] * d[hit, 1]) / sphere[3]
    best[hit] = t[hit]
    rgb[hit] = sphere[4:7] * ((0.55 + 0.45 * np.maximum(0, -down)) * _texture(p, 4.0))[:, None]
