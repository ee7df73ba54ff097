"""Things all around: the detector on overlapping perspective tiles of a panorama, each thing reported once.

A box in a tile is a small piece of a gnomonic plane; two boxes are compared in the plane of the better one, so neither
the seam at ±180° nor the poles are special.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from sonoworld.frames import Pose, world_from_camera_rotation
from sonoworld.perceive.coco import alike
from sonoworld.perceive.objects import SIDE_PX, maps, peaks
from sonoworld.perceive.outline import outline
from sonoworld.sphere import (
    camera_pixel_from_direction,
    camera_ray,
    direction_from_pixel,
    pinhole,
    pixel_from_direction,
    sample_turned,
)
from sonoworld.tiles import Tile

Box = tuple[float, float, float, float]

RINGS: tuple[tuple[float, float, int], ...] = (
    (100.0, 0.0, 6),
    (60.0, 3.0, 9),
    (60.0, -32.0, 8),
    (60.0, 36.0, 6),
    (38.0, -2.0, 14),
)
"""(field of view, elevation of the centre, how many around), degrees: near, around, below, above, far."""

MIN_SCORE = 0.25
MIN_KNOWN_OF_TILE = 0.04
MIN_KNOWN_OF_THING = 0.7
EDGE_PX = 4.0
CUT_PENALTY = 0.6
"""A box that touches the border of its tile is probably a piece of something larger."""

SAME_IOU = 0.45
SAME_COVER = 0.65
ALIKE_IOU = 0.6
MAX_OUTLINES = 40


@dataclass(frozen=True, slots=True)
class Thing:
    """Something seen on the sphere: COCO label, score 0..1, unit `direction` of the middle of its box (world).

    `width` and `height`: angles of the box, rad; `mask` its pixels in the panorama.
    """

    label: str
    score: float
    direction: Float64[np.ndarray, "3"]
    width: float
    height: float
    mask: Bool[np.ndarray, "h w"]


@dataclass(frozen=True, slots=True)
class _Candidate:
    label: str
    score: float
    box: Box
    tile: int


def tiles() -> tuple[Tile, ...]:
    """All views, in fixed order."""
    views: list[Tile] = []
    for fov_deg, elevation_deg, count in RINGS:
        K = pinhole(np.radians(fov_deg), (SIDE_PX, SIDE_PX))
        for k in range(count):
            rotation = world_from_camera_rotation(np.radians(elevation_deg), 0.0, 2 * np.pi * k / count)
            views.append(Tile(K, Pose(rotation, np.zeros(3)), float(np.radians(fov_deg))))
    return tuple(views)


def detect_panorama(
    rgb: UInt8[np.ndarray, "h w 3"], known: Bool[np.ndarray, "h w"], *, min_score: float = MIN_SCORE
) -> tuple[Thing, ...]:
    """Things in the known pixels of a panorama, best first.

    Only tiles that see known pixels are looked at; a thing must lie mostly in known pixels.

    Raises:
        BackendMissingError: the install lacks the detector.
    """
    views = tiles()
    pictures = _pictures(rgb, _overlapping(known))
    candidates = [c for i, picture in pictures.items() for c in _candidates(picture, i, min_score)]
    kept = _each_once(candidates, views)[:MAX_OUTLINES]
    things = [_thing(c, views[c.tile], pictures[c.tile], known.shape[0]) for c in kept]
    return tuple(t for t in things if t.mask.any() and float(known[t.mask].mean()) >= MIN_KNOWN_OF_THING)


def _overlapping(known: Bool[np.ndarray, "h w"]) -> frozenset[int]:
    at = np.linspace(8, SIDE_PX - 8, 24)
    shares = _looks(known.astype(np.uint8), at, frozenset(range(sum(count for *_, count in RINGS))), nearest=True)
    return frozenset(i for i, seen in shares.items() if float(seen.mean()) >= MIN_KNOWN_OF_TILE)


def _pictures(rgb: UInt8[np.ndarray, "h w 3"], wanted: frozenset[int]) -> dict[int, UInt8[np.ndarray, "512 512 3"]]:
    return _looks(rgb, np.arange(SIDE_PX) + 0.5, wanted)


def _looks(
    image: np.ndarray, at: Float64[np.ndarray, "n"], wanted: frozenset[int], *, nearest: bool = False
) -> dict[int, np.ndarray]:
    """What the wanted tiles see at a grid of their pixels [n n ...], `at` along both sides."""
    x, y = np.meshgrid(at, at)
    looks: dict[int, np.ndarray] = {}
    first = 0
    for fov_deg, elevation_deg, count in RINGS:
        rotation = world_from_camera_rotation(np.radians(elevation_deg), 0.0, 0.0)
        rays = camera_ray(x, y, pinhole(np.radians(fov_deg), (SIDE_PX, SIDE_PX)), Pose(rotation, np.zeros(3)))
        here = [k for k in range(count) if first + k in wanted]
        turned = sample_turned(image, rays, (2 * np.pi * k / count for k in here), nearest=nearest)
        looks.update(zip((first + k for k in here), turned, strict=True))
        first += count
    return looks


def _candidates(picture: UInt8[np.ndarray, "512 512 3"], tile: int, min_score: float) -> list[_Candidate]:
    found: list[_Candidate] = []
    for one in peaks(*maps(picture), min_score):
        x0, y0, x1, y1 = one.box_px
        cut = min(x0, y0) < EDGE_PX or max(x1, y1) > SIDE_PX - EDGE_PX
        score = one.score * (CUT_PENALTY if cut else 1.0)
        box = (max(0.0, x0), max(0.0, y0), min(float(SIDE_PX), x1), min(float(SIDE_PX), y1))
        if score >= min_score and box[2] - box[0] >= 4 and box[3] - box[1] >= 4:
            found.append(_Candidate(one.label, score, box, tile))
    return found


def _each_once(candidates: list[_Candidate], views: tuple[Tile, ...]) -> list[_Candidate]:
    """Greedy suppression, best first: a box that another of its kind covers is the same thing."""
    kept: list[_Candidate] = []
    for c in sorted(candidates, key=lambda c: (-c.score, c.label, c.tile, c.box)):
        if not any(alike(c.label, k.label) and _same(k, c, views) for k in kept):
            kept.append(c)
    return kept


def _same(better: _Candidate, other: _Candidate, views: tuple[Tile, ...]) -> bool:
    box = _carried(other.box, views[other.tile], views[better.tile])
    if box is None:
        return False
    a = better.box
    overlap = _area((max(a[0], box[0]), max(a[1], box[1]), min(a[2], box[2]), min(a[3], box[3])))
    small, large = sorted((_area(better.box), _area(box)))
    iou = overlap / (small + large - overlap)
    if better.label != other.label:
        return iou > ALIKE_IOU
    return iou > SAME_IOU or overlap > SAME_COVER * small


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _carried(box: Box, source: Tile, target: Tile) -> Box | None:
    """The box around `box` as the other tile sees it; None where part of it lies behind that tile."""
    s = np.linspace(0.0, 1.0, 5)
    x0, y0, x1, y1 = box
    x = np.r_[x0 + (x1 - x0) * s, np.full(5, x1), x0 + (x1 - x0) * s, np.full(5, x0)]
    y = np.r_[np.full(5, y0), y0 + (y1 - y0) * s, np.full(5, y1), y0 + (y1 - y0) * s]
    u, v, ahead = camera_pixel_from_direction(camera_ray(x, y, source.K, source.pose), target.K, target.pose)
    if not ahead.all():
        return None
    return float(u.min()), float(v.min()), float(u.max()), float(v.max())


def _thing(c: _Candidate, view: Tile, picture: UInt8[np.ndarray, "512 512 3"], height: int) -> Thing:
    x0, y0, x1, y1 = c.box
    ends = np.array([[x0, (y0 + y1) / 2], [x1, (y0 + y1) / 2], [(x0 + x1) / 2, y0], [(x0 + x1) / 2, y1]])
    rays = camera_ray(ends[:, 0], ends[:, 1], view.K, view.pose)
    middle = camera_ray(np.array((x0 + x1) / 2), np.array((y0 + y1) / 2), view.K, view.pose)
    mask = project_mask(outline(picture, c.box), view, height)
    wide, high = (float(np.arccos(np.clip(rays[i] @ rays[i + 1], -1, 1))) for i in (0, 2))
    return Thing(c.label, c.score, middle, wide, high, mask)


def project_mask(mask: Bool[np.ndarray, "512 512"], view: Tile, height: int) -> Bool[np.ndarray, "h w"]:
    """Panorama pixels [height, 2·height] whose centres fall on the mask of a tile."""
    out = np.zeros((height, 2 * height), np.bool_)
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return out
    edge = _ring(rows, columns)
    rays = camera_ray(edge[:, 0], edge[:, 1], view.K, view.pose)
    centre = rays.mean(0) / np.linalg.norm(rays.mean(0))
    radius = float(np.arccos(np.clip(rays @ centre, -1, 1)).max()) + np.pi / height
    grid = _window(centre, radius, height)
    u, v = np.meshgrid(grid[1] + 0.5, grid[0] + 0.5)
    x, y, ahead = camera_pixel_from_direction(direction_from_pixel(u, v, height), view.K, view.pose)
    inside = ahead & (x >= 0) & (x < SIDE_PX) & (y >= 0) & (y < SIDE_PX)
    hit = np.zeros(inside.shape, np.bool_)
    hit[inside] = mask[y[inside].astype(np.int64), x[inside].astype(np.int64)]
    out[np.ix_(grid[0], np.mod(grid[1], 2 * height))] = hit
    return out


def _ring(rows: np.ndarray, columns: np.ndarray) -> Float64[np.ndarray, "8 2"]:
    x = np.linspace(columns.min(), columns.max() + 1, 3)
    y = np.linspace(rows.min(), rows.max() + 1, 3)
    return np.array([[a, b] for a in x for b in y if (a, b) != (x[1], y[1])])


def _window(centre: Float64[np.ndarray, "3"], radius: float, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and (unwrapped) columns of a panorama that may lie within `radius` of `centre`."""
    u, v = (float(a) for a in pixel_from_direction(centre, height))
    reach = radius * height / np.pi + 1
    rows = np.arange(max(0, int(v - reach)), min(height, int(v + reach) + 1))
    cosine = float(np.hypot(centre[0], centre[1]))
    if np.sin(min(radius, np.pi / 2)) >= cosine:
        return rows, np.arange(2 * height)
    side = np.arcsin(np.sin(radius) / cosine) * height / np.pi + 1
    return rows, np.arange(int(np.floor(u - side)), min(int(u + side) + 1, int(np.floor(u - side)) + 2 * height))
