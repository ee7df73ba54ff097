"""Where an edited source is: regions grown from a click, discs, shifts and scales of surfaces.

Letters: p surface points, m; w their weights, sum 1; c centroid Σ w p; R radius, m; o a visitor, u where they point,
p(t) = o + t u, D(p) how far the world is that the eye sees on the way to p: p is behind it by e = |p| − D(p).
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Float64

from sonoworld import sphere
from sonoworld.errors import InputError
from sonoworld.localize import LocalizeOptions, localize
from sonoworld.segment.from_click import from_click
from sonoworld.types import Geometry, Motion, Panorama, Sounding, Source, Spread

DISC_POINTS = 64
GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))
ANYWHERE = LocalizeOptions(never_imagined=())
"""A person may place a source in pixels that were filled in."""


NEAREST_M = 0.05
STEP = 1.01
"""Steps along a ray grow by this."""

HIDDEN = 0.25
"""Behind what is seen by more than this share of its distance is not on its surface, but hidden by it."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a ray meets what is seen: m, world; `sky` where that is the sky's shell."""

    position: Float64[np.ndarray, "3"]
    sky: bool


def hit(geometry: Geometry, origin: Float64[np.ndarray, "3"], ahead: Float64[np.ndarray, "3"]) -> Hit:
    """What somebody points at who stands at `origin` and points `ahead` (unit; both world).

    Raises:
        InputError: nothing of what was seen lies there.
    """
    farthest = 2 * (float(geometry.distance.max()) + float(np.linalg.norm(origin)))
    t = NEAREST_M * STEP ** np.arange(np.ceil(np.log(farthest / NEAREST_M) / np.log(STEP)) + 1)
    p = origin + t[:, None] * ahead
    away = np.linalg.norm(p, axis=1)
    rows, columns = sphere.nearest_pixel(p / np.maximum(away, 1e-9)[:, None], geometry.distance.shape[0])
    seen = geometry.distance[rows, columns].astype(np.float64)
    e = away - seen
    met = np.flatnonzero((e[:-1] < 0) & (e[1:] >= 0) & (e[1:] <= HIDDEN * seen[1:]))
    if not met.size:
        raise InputError("edit: nothing of what the photo shows lies there; point somewhere else")
    k = int(met[0])
    share = -e[k] / (e[k + 1] - e[k])  # e is taken as straight between steps: exact from the eye
    return Hit(p[k] + share * (p[k + 1] - p[k]), bool(geometry.sky[rows[k + 1], columns[k + 1]]))


def unit(direction: tuple[float, float, float]) -> Float64[np.ndarray, "3"]:
    """The direction, of length 1.

    Raises:
        InputError: it points nowhere.
    """
    d = np.array(direction, np.float64)
    length = float(np.linalg.norm(d))
    if length < 1e-9:
        raise InputError("edit: direction: expected one that points somewhere, got 0, 0, 0")
    return d / length


def region(panorama: Panorama, direction: Float64[np.ndarray, "3"], tolerance: float) -> Bool[np.ndarray, "h w"]:
    """What hangs together where somebody points; at least the pixel itself."""
    mask = from_click(panorama.rgb, direction, tolerance=tolerance)
    mask[sphere.nearest_pixel(direction, mask.shape[0])] = True
    return mask


def placed(sounding: Sounding, panorama: Panorama, geometry: Geometry) -> Source:
    """One source without a clip, where a sounding's direction or mask is seen."""
    found = localize((sounding,), geometry, panorama.known, ANYWHERE)
    return found[0]


def shifted(source: Source, position: Float64[np.ndarray, "3"]) -> Source:
    """The source with its centroid at a position, turned to face the eye as it faced it, its path moved along."""
    c = _centre(source)
    path = source.path
    if path is not None:
        path = Motion(path.times_s, path.positions + (position - c), path.loops, path.faces_ahead)
    points = (source.points.astype(np.float64) + (position - c)).astype(np.float32)
    normals = -_towards(position) if source.spread is Spread.POINT else source.normals
    normals = np.broadcast_to(normals, source.points.shape).astype(np.float32)
    return replace(source, points=points, normals=normals, path=path)


def widened(source: Source, radius_m: float) -> Source:
    """The source spread over a disc of that radius, or its own surface scaled to it about its centroid; 0: a point.

    The radius of a surface is that of the disc with the same spread: √2 times the weighted RMS distance from c.
    """
    c = _centre(source)
    if radius_m == 0:
        return as_point(source)
    away = source.points.astype(np.float64) - c
    rms = float(np.sqrt(source.weights.astype(np.float64) @ (away**2).sum(1)))
    if rms < 1e-6:
        points, normals, weights = _disc(c, radius_m)
        return replace(source, spread=Spread.AREA, points=points, normals=normals, weights=weights)
    points = c + away * (radius_m / (np.sqrt(2) * rms))  # uniform disc: E r² = R²/2
    return replace(source, spread=Spread.AREA, points=points.astype(np.float32))


def as_point(source: Source) -> Source:
    """The source at its centroid."""
    c = _centre(source)
    return replace(
        source,
        spread=Spread.POINT,
        points=c[None].astype(np.float32),
        normals=-_towards(c)[None].astype(np.float32),
        weights=np.ones(1, np.float32),
    )


def around(source: Source) -> Source:
    """The source from everywhere: it loses its place, its path and where it radiates to."""
    none = np.zeros((0, 3), np.float32)
    return replace(
        source,
        spread=Spread.AMBIENT,
        points=none,
        normals=none,
        weights=none[:, 0],
        solid_angle_sr=4 * np.pi,
        directivity=None,
        path=None,
    )


def _centre(source: Source) -> Float64[np.ndarray, "3"]:
    c = source.centroid
    if c is None:
        raise InputError(
            f"edit: {source.id} sounds from all around; retype it to point or area first, with a direction"
        )
    return c


def _towards(c: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3"]:
    length = float(np.linalg.norm(c))
    return c / length if length > 1e-9 else np.array([1.0, 0.0, 0.0])


def _disc(
    c: Float64[np.ndarray, "3"], radius_m: float
) -> tuple[Float32[np.ndarray, "k 3"], Float32[np.ndarray, "k 3"], Float32[np.ndarray, "k"]]:
    """A sunflower's seeds (Vogel 1979: r ∝ √n at the golden angle), even over a disc that faces the eye."""
    ahead = _towards(c)
    helper = np.array([0.0, 0.0, 1.0]) if abs(ahead[2]) < 0.9 else np.array([1.0, 0.0, 0.0])
    left = np.cross(helper, ahead)
    left /= np.linalg.norm(left)
    up = np.cross(ahead, left)
    n = np.arange(DISC_POINTS) + 0.5
    r, turn = radius_m * np.sqrt(n / DISC_POINTS), GOLDEN_ANGLE * n
    flat = (r * np.cos(turn))[:, None] * left + (r * np.sin(turn))[:, None] * up
    points = c + flat - flat.mean(0)
    weights = np.full(DISC_POINTS, 1 / DISC_POINTS, np.float32)
    return points.astype(np.float32), np.tile(-ahead, (DISC_POINTS, 1)).astype(np.float32), weights
