"""All-round Ambisonic decoding: pan evenly spread virtual loudspeakers to the real ones, and sum.

Letters: s real loudspeakers, p corners of the hull (the real ones first, then imaginary ones), f its triangles,
v_1 v_2 v_3 a triangle's corners, θ a direction, λ its barycentric weights, g gains, y harmonics (SN3D, N order).

Sources: Pulkki, J. Audio Eng. Soc. 45 (1997) 456 (VBAP); Zotter and Frank, J. Audio Eng. Soc. 60 (2012) 807 (AllRAD,
imaginary loudspeakers); Zotter and Frank, Ambisonics (Springer 2019), section 4.9.6 (their gains shared).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float64, Int64

from sonoworld.encode.harmonics import harmonics
from sonoworld.errors import InputError
from sonoworld.render.layouts import SpeakerLayout

MIN_APART_DEG = 2.0
MAX_RADIUS_DEG = 80.0
"""A triangle whose circle is wider has an imaginary loudspeaker put into its middle."""
_SAME_FACET_DEG = 0.2
_MAX_ROUNDS = 16
_NODES, _SPLITS = 12, 2
"""Of the Gauss–Legendre rule along a side, and how often a triangle is cut into four: the integral is exact to 1e-9."""


@dataclass(frozen=True, slots=True)
class Hull:
    """Triangles around the listener, each seen from its inside, and what every corner sends to the real loudspeakers.

    `shares` [p s]: a real loudspeaker is its own; an imaginary one is played by those around it with equal gains and
    energy 1. All are >= 0.
    """

    corners: Float64[np.ndarray, "p 3"]
    triangles: Int64[np.ndarray, "f 3"]
    shares: Float64[np.ndarray, "p s"]


def panning_gains(layout: SpeakerLayout, directions: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n s"]:
    """Vector base amplitude panning: gains >= 0 of energy 1 for every direction, LFE silent.

    Inside a triangle of real loudspeakers, Σ g v points exactly to the source (Pulkki 1997, eq. 11). Where there are
    no loudspeakers (below, above, behind), imaginary ones are played by the real ones around them.

    Raises:
        InputError: the layout cannot be panned on; see `hull_of`.
    """
    hull = hull_of(layout)
    unit = directions / np.linalg.norm(directions, axis=-1, keepdims=True)
    # Pulkki 1997, eq. 9: g = θ [v_1 v_2 v_3]⁻¹; the triangle that is hit is the one without a negative gain
    inverses = np.linalg.inv(hull.corners[hull.triangles])
    weights = np.einsum("nx,fxk->nfk", unit, inverses)
    hit = weights.min(-1).argmax(-1)
    inside = np.maximum(np.take_along_axis(weights, hit[:, None, None], 1)[:, 0], 0.0)
    return _with_lfe(layout, _played(hull, hull.triangles[hit], inside))


@lru_cache(maxsize=64)
def panned_harmonics(layout: SpeakerLayout, order: int) -> Float64[np.ndarray, "s c"]:
    """(1/4π) ∫ g(θ) y(θ)ᵀ dΩ: infinitely many virtual loudspeakers, each panned, each decoding what comes from there.

    Zotter and Frank 2012, eq. 14, with the sum over a dense design taken to its limit, so that no grid breaks the
    layout's symmetry. Within a triangle θ = q/|q|, q = Σ λ v, and the panning gains are proportional to λ.

    Raises:
        InputError: see `hull_of`.
    """
    hull = hull_of(layout)
    nodes, areas = _triangle_rule(_NODES)
    sum_ = np.zeros((hull.shares.shape[1], (order + 1) ** 2))
    for triangle in hull.triangles:
        for part in _split(hull.corners[triangle], np.eye(3), _SPLITS):
            weights = nodes @ part
            places = weights @ hull.corners[triangle]
            # dΩ = |det v| dA/|q|³: a piece of the plane triangle, seen from the listener
            size = abs(np.linalg.det(part @ hull.corners[triangle]))
            solid = areas * size / np.linalg.norm(places, axis=-1) ** 3
            gains = _played(hull, np.broadcast_to(triangle, weights.shape), weights)
            sum_ += (gains * solid[:, None]).T @ harmonics(places, order)
    panned = _with_lfe(layout, sum_.T / (4 * np.pi)).T
    panned.flags.writeable = False
    return panned


def _played(
    hull: Hull, triangles: Int64[np.ndarray, "n 3"], weights: Float64[np.ndarray, "n 3"]
) -> Float64[np.ndarray, "n s"]:
    """Gains of the real loudspeakers for weights on corners, energy 1 after imaginary ones were shared out."""
    gains = np.einsum("nk,nks->ns", weights, hull.shares[triangles])
    return gains / np.linalg.norm(gains, axis=-1, keepdims=True)


def _with_lfe(layout: SpeakerLayout, gains: Float64[np.ndarray, "n s"]) -> Float64[np.ndarray, "n all"]:
    full = np.zeros((len(gains), len(layout.speakers)))
    full[:, ~layout.lfe] = gains
    return full


def _triangle_rule(nodes: int) -> tuple[Float64[np.ndarray, "m 3"], Float64[np.ndarray, "m"]]:
    """Barycentric nodes and weights (sum ½, the area of the unit simplex) of a Gauss product rule (Duffy 1982)."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    x, w = (x + 1) / 2, w / 2
    first, along = np.meshgrid(x, x, indexing="ij")
    second = (1 - first) * along
    bary = np.stack([first, second, 1 - first - second], -1).reshape(-1, 3)
    return bary, (w[:, None] * w * (1 - first)).reshape(-1)


def _split(
    triangle: Float64[np.ndarray, "3 3"], part: Float64[np.ndarray, "3 3"], times: int
) -> list[Float64[np.ndarray, "3 3"]]:
    """A triangle cut into 4^times, pushed out to the sphere: rows of each part weigh the triangle's own corners."""
    if times == 0:
        return [part]
    middles = (part + np.roll(part, -1, axis=0)) / 2
    middles /= np.linalg.norm(middles @ triangle, axis=-1, keepdims=True)
    (a, b, c), (ab, bc, ca) = part, middles
    smaller = ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))
    return [piece for rows in smaller for piece in _split(triangle, np.stack(rows), times - 1)]


@lru_cache(maxsize=64)
def hull_of(layout: SpeakerLayout) -> Hull:
    """The convex hull of the loudspeakers, closed by imaginary ones.

    An imaginary loudspeaker stands in the middle of every opening wider than 80° to all sides (below, above, behind),
    and in the middle of every face with more than three corners, which has no triangles that keep its symmetry. All
    on one circle: one on either side of it. Two loudspeakers: one behind, one above and one below them.

    Raises:
        InputError: two loudspeakers closer than 2°.
    """
    real = layout.directions[~layout.lfe]
    _require_apart(layout, real)
    corners, shares = list(real), list(np.eye(len(real)))
    for where in _beside(real):
        corners.append(where)
        shares.append(_shared(shares, range(len(real))))
    for _ in range(_MAX_ROUNDS):
        triangles, faces = _faces(np.stack(corners))
        open_ = _to_fill(faces)
        if not open_:
            return Hull(np.stack(corners), triangles, np.stack(shares))
        # all equal openings at once: one after the other would favour a side
        added = [(face.normal, _shared(shares, face.corners)) for face in open_]
        corners += [normal for normal, _ in added]
        shares += [share for _, share in added]
    raise InputError(
        f"layout {layout.name!r}: expected loudspeakers that can be panned on, got a hull that never closes"
    )


def _require_apart(layout: SpeakerLayout, real: Float64[np.ndarray, "s 3"]) -> None:
    names = [speaker.label for speaker in layout.speakers if not speaker.lfe]
    apart = np.arccos(np.clip(real @ real.T, -1, 1)) + 4 * np.eye(len(real))
    i, j = divmod(int(apart.argmin()), len(real))
    if np.degrees(apart[i, j]) < MIN_APART_DEG:
        raise InputError(
            f"layout {layout.name!r}: expected loudspeakers at least {MIN_APART_DEG:g}° apart, "
            f"got {names[i]} and {names[j]} at {np.degrees(apart[i, j]):.2g}°"
        )


def _shared(shares: Sequence[Float64[np.ndarray, "s"]], among: Sequence[int]) -> Float64[np.ndarray, "s"]:
    total = np.sum([shares[i] for i in among], axis=0)
    return total / np.linalg.norm(total)


def _beside(real: Float64[np.ndarray, "s 3"]) -> list[Float64[np.ndarray, "3"]]:
    """Imaginary loudspeakers that give a layout without depth (all on one circle, or two alone) a hull at all."""
    middle = real.mean(0)
    _, sizes, axes = np.linalg.svd(real - middle)
    flat = int((sizes > 1e-3).sum())
    if flat >= 3:
        return []
    if flat == 2:
        return [axes[2], -axes[2]]
    # two loudspeakers on the line axes[0]: beside it, away from their middle, or (opposite each other) on four sides
    width = np.linalg.norm(middle)
    ahead = middle / width if width > 1e-3 else _across(axes[0])
    up = np.cross(ahead, axes[0])
    return [-ahead, up, -up] if width > 1e-3 else [ahead, -ahead, up, -up]


def _across(line: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3"]:
    """A direction at right angles to a line, the same for the line turned round."""
    axis = np.eye(3)[int(np.abs(line).argmin())]
    across = axis - (axis @ line) * line
    return across / np.linalg.norm(across)


@dataclass(frozen=True, slots=True)
class _Face:
    """Corners on one plane; `radius` rad: of the circle through them, which is empty of other corners."""

    normal: Float64[np.ndarray, "3"]
    corners: tuple[int, ...]
    radius: float


def _faces(corners: Float64[np.ndarray, "p 3"]) -> tuple[Int64[np.ndarray, "f 3"], list[_Face]]:
    from scipy.spatial import ConvexHull  # noqa: PLC0415  slow to import

    hull = ConvexHull(corners)
    triangles = np.asarray(hull.simplices, np.int64)
    planes = np.asarray(hull.equations, np.float64)
    left = list(range(len(triangles)))
    faces: list[_Face] = []
    while left:
        normal = planes[left[0], :3]
        same = [i for i in left if planes[i, :3] @ normal > np.cos(np.radians(_SAME_FACET_DEG))]
        left = [i for i in left if i not in same]
        middle = planes[same, :3].mean(0)
        radius = float(np.arccos(np.clip(-planes[same, 3].mean(), -1, 1)))
        held = tuple(sorted({int(k) for k in triangles[same].ravel()}))
        faces.append(_Face(middle / np.linalg.norm(middle), held, radius))
    return triangles, faces


def _to_fill(faces: Sequence[_Face]) -> list[_Face]:
    """The widest openings (all that are equal); where none is too wide, all faces that are no triangles."""
    widest = max(face.radius for face in faces)
    if np.degrees(widest) > MAX_RADIUS_DEG:
        return [face for face in faces if face.radius > widest - 1e-6]
    return [face for face in faces if len(face.corners) > 3]
