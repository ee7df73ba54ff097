"""How much each superpixel looks like sky, vegetation, water, ground, road or building: hand-set log-likelihoods.

No constant here was learnt from labelled data; each says in words what people know of such things (sky is bright,
smooth and reachable from the top; water lies below the horizon...). Letters: e elevation in degrees; M man-made gate of
the picture; m the same gate around each superpixel, so that one bench does not make a lake shore a town.
Related: Hoiem, Efros, Hebert, Geometric Context (ICCV 2005).
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float64
from scipy.sparse.csgraph import dijkstra

from sonoworld.perceive.features import Regions

Vector = Float64[np.ndarray, "s"]


def logistic(x: np.ndarray | float) -> np.ndarray:
    """1/(1 + exp(−x)) without overflow."""
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -30, 30))))


def _gate_log_odds(upright_length: np.ndarray | float) -> np.ndarray:
    return np.asarray((np.log(upright_length + 0.01) - np.log(0.25)) / 0.4)


def man_made(upright_length: float) -> float:
    """Gate M in 0..1 from the length of upright lines v: about 0.03 in nature, above 0.6 in towns."""
    return float(logistic(_gate_log_odds(upright_length)))


def man_made_nearby(regions: Regions) -> Vector:
    """Gate m per superpixel: the picture's gate, lowered where no upright line is near."""
    nearby = np.clip(_gate_log_odds(regions.mean["uprights_nearby"]), -3.0, 1.0)
    return logistic(_gate_log_odds(regions.upright_length) + nearby)


@dataclass(frozen=True, slots=True)
class Cues:
    """Soft yes/no answers per superpixel, each in 0..1, and the elevation e in degrees."""

    e: Vector
    above: Vector
    below: Vector
    smooth: Vector
    rough: Vector
    fine: Vector
    grainy: Vector
    green: Vector
    autumn: Vector
    blue: Vector
    gray: Vector
    warm: Vector
    dark: Vector
    lined: Vector
    upright: Vector
    from_top: Vector
    brighter_than_land: Vector
    very_smooth: Vector
    flat_waves: Vector


def cues(regions: Regions, elevation_deg: Vector, elevation_sigma_deg: float) -> Cues:
    """Answer the questions for every superpixel."""
    m = regions.mean
    L, a, b, chroma = m["L"], m["a"], m["b"], m["chroma"]
    width = 0.6 * float(np.hypot(elevation_sigma_deg, 1.0))
    below = logistic(-elevation_deg / width)

    def near_hue(centre: float, spread: float) -> Vector:
        return np.exp(-0.5 * (((m["hue"] - centre + 180) % 360 - 180) / spread) ** 2)

    weight = regions.count * below
    land = float(np.average(L, weights=weight + 1e-6)) if weight.sum() > 0.02 * regions.count.sum() else 45.0
    return Cues(
        e=elevation_deg,
        above=logistic(elevation_deg / width),
        below=below,
        smooth=logistic((3.0 - m["deviation"]) / 0.8),
        rough=logistic((m["deviation"] - 4.5) / 1.2),
        fine=logistic((m["fine"] - 2.2) / 0.6),
        grainy=logistic((m["deviation"] - 0.8) / 0.2),  # any texture at all: shaded leaves have it, black frames do not
        green=np.maximum(near_hue(95.0, 32.0), 0.8 * near_hue(65.0, 14.0))
        * logistic((chroma - 9) / 3)
        * logistic((1 - a) / 1.5),
        autumn=near_hue(32.0, 15.0)
        * logistic((chroma - 20) / 4)
        * logistic((elevation_deg + 1) / 1.0)
        * logistic((m["deviation"] - 2.0) / 0.4),
        blue=logistic((-b - 4) / 2.5) * logistic((4 - a) / 3),
        gray=logistic((12 - chroma) / 2.5),
        warm=logistic((b - 8) / 3) * logistic((a + 3) / 2),
        dark=logistic((30 - L) / 5),
        lined=logistic((m["lines"] - 0.06) / 0.02),
        upright=logistic((m["uprights"] - 0.03) / 0.012),
        from_top=_reach_from_top(regions, elevation_deg),
        brighter_than_land=logistic((L - max(land + 6, 42)) / 7),
        very_smooth=logistic((6.5 - m["deviation"]) / 1.3),
        flat_waves=logistic((m["horizontal"] - 0.12) / 0.08),
    )


def _reach_from_top(regions: Regions, elevation_deg: Vector) -> Vector:
    """exp(−geodesic colour distance from the upper border): sky is reached without crossing a strong edge."""
    n = len(regions.count)
    top = np.unique(regions.index[0])
    top = top[elevation_deg[top] > -2]
    if not len(top):
        return np.zeros(n)
    i, j = regions.neighbours
    step = np.maximum(colour_difference(regions) - 3, 0) + 0.02
    graph = sp.csr_matrix((np.r_[step, step], (np.r_[i, j], np.r_[j, i])), (n, n))
    return np.exp(-dijkstra(graph, indices=top, min_only=True) / 14.0)


def colour_difference(regions: Regions) -> np.ndarray:
    """Distance in (L, 1.5a, 1.5b) between the superpixels of each neighbouring pair."""
    m = regions.mean
    colour = np.stack([m["L"], 1.5 * m["a"], 1.5 * m["b"]], 1)
    return np.linalg.norm(colour[regions.neighbours[0]] - colour[regions.neighbours[1]], axis=1)


def openness(regions: Regions, sky: Vector) -> float:
    """Probability 0..1 that what looks like sky is one, not a ceiling; `sky` is its belief per superpixel.

    The open sky is blue, or brighter than nearly everything below it (its median against their 95 % quantile).
    """
    inside = regions.count * sky
    if inside.sum() < 0.002 * regions.count.sum():
        return 1.0
    L, b = regions.mean["L"], regions.mean["b"]
    blue = float(logistic(-5.5 - _quantile(b, inside, 0.5)))
    bright = float(logistic((_quantile(L, inside, 0.5) - _quantile(L, regions.count * (1 - sky), 0.95)) / 2))
    return max(blue, bright)


def _quantile(values: Vector, weights: Vector, q: float) -> float:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order[min(np.searchsorted(total, q * total[-1]), len(order) - 1)]])


def _log(x: np.ndarray, floor: float) -> np.ndarray:
    return np.log(floor + x)


def log_likelihoods(regions: Regions, c: Cues, M: float) -> Float64[np.ndarray, "s 7"]:
    """Columns: sky, vegetation, water, ground, road, building, other."""
    m = man_made_nearby(regions)
    columns = (
        _sky(regions, c),
        _vegetation(c, m),
        _water(regions, c, m),
        _ground(c, M),
        _road(regions, c, M),
        _building(c, m),
    )
    return np.stack([*columns, np.full_like(c.e, -3.4)], 1)


def _sky(regions: Regions, c: Cues) -> Vector:
    L = regions.mean["L"]
    colour = np.maximum(c.blue * logistic((L - 32) / 5), c.gray * c.brighter_than_land)
    colour = np.maximum(colour, 0.8 * c.warm * c.brighter_than_land)
    seen = (c.brighter_than_land > 0.5) & (c.very_smooth > 0.5) & (c.from_top > 0.4) & (c.e > 0)
    share = regions.count[seen].sum() / regions.count.sum()
    bright = np.maximum(c.brighter_than_land, 0.8 * c.blue * c.very_smooth * logistic((c.e - 15) / 4))
    return (
        1.2 * _log(c.above, 0.004)
        + 1.1 * _log(colour, 0.05)
        + 0.8 * _log(c.very_smooth, 0.08)
        + 0.7 * _log(c.from_top, 0.15)
        + 0.9 * _log(bright, 0.06)
        + 1.5
        - 1.5 * c.green * logistic((25 - c.e) / 8)
        + logistic((c.e - 25) / 5) * c.very_smooth
        - 0.8 * c.upright
        - (1.0 if share < 0.01 else 0.0)
    )


def _vegetation(c: Cues, m: Vector) -> Vector:
    shade = c.dark * c.grainy
    leafy = np.maximum(c.green, np.maximum(0.5 * shade, 0.45 * shade * c.rough))
    autumn = c.autumn * (1 - m)
    leafy = np.maximum(leafy, autumn)
    return (
        0.25 * _log(logistic((c.e + 18) / 5), 0.02)
        + 1.5 * _log(leafy, 0.10)
        + 0.8 * _log(np.maximum(np.maximum(c.rough, c.fine), autumn), 0.10)
        - 0.6 * c.upright * m
        + 0.1
    )


def _water(regions: Regions, c: Cues, m: Vector) -> Vector:
    low = c.e < -1.5
    likely = low & (c.blue + 0.3 * c.gray > 0.35) & (regions.mean["horizontal"] > 0.05) & (c.green < 0.3)
    likely &= regions.mean["L"] > 8
    share = regions.count[likely].sum() / max(1.0, regions.count[low].sum())
    return (
        2.2 * _log(c.below, 0.004)
        + 1.1 * _log(np.maximum(c.blue, 0.45 * c.gray), 0.06)
        + 0.9 * _log(np.maximum(c.smooth, c.flat_waves), 0.15)
        - 3.0 * m
        - 1.3 * logistic((regions.mean["fine"] - 3.2) / 0.5)
        - c.green
        - c.warm
        + 0.5
        - 0.8 * logistic((-c.e - 35) / 5)
        + 1.5 * (logistic((share - 0.12) / 0.04) - 0.5)
    )


def _ground(c: Cues, M: float) -> Vector:
    low_or_hill = np.maximum(c.below, (1 - M) * 0.35 * logistic((14 - c.e) / 3))
    soil = np.maximum(np.maximum(c.green, c.warm), 0.6 * c.gray * (1 - M) + 0.3 * c.gray * M)
    hazy = c.blue * (1 - M) * logistic((c.e - 0.5) / 0.5) * logistic((14 - c.e) / 3) * (1 - c.very_smooth)  # far hills
    soil = np.maximum(soil, 0.7 * hazy)
    return (
        1.5 * _log(low_or_hill, 0.02)
        + 0.9 * _log(soil, 0.12)
        + 0.3 * _log(np.maximum(c.fine, c.rough), 0.2)
        - 0.5 * c.blue * (1 - hazy)
        + 0.5 * logistic((-c.e - 10) / 5)
        - 1.5 * M * c.gray
    )


def _road(regions: Regions, c: Cues, M: float) -> Vector:
    night = logistic((14 - regions.mean["L"]) / 3) * logistic((c.e + 7) / 2)  # black near the horizon: trees, gates
    return (
        2.0 * _log(c.below, 0.004)
        + 1.3 * _log(c.gray, 0.06)
        + 0.4 * _log(np.maximum(c.smooth, 1 - c.rough), 0.2)
        + 3.2 * (M - 0.6)
        + 0.7 * logistic((-c.e - 5) / 2)
        - 1.2 * c.green
        - 0.6 * c.blue * (1 - M)
        - 1.5 * night
    )


def _building(c: Cues, m: Vector) -> Vector:
    return (
        0.9 * _log(logistic((c.e + 6) / 2.5), 0.01)
        + 3.2 * (m - 0.85)
        + 1.2 * _log(np.maximum(c.upright, 0.5 * c.lined * m), 0.12)
        + 0.3 * _log(c.rough, 0.2)
        - 1.6 * c.green
        - 0.5 * c.blue * c.smooth
        - 0.9 * c.dark * (1 - c.upright)
        - 1.6 * c.brighter_than_land * (1 - c.upright) * logistic((c.e - 4) / 1.5) * np.minimum(c.from_top / 0.3, 1)
        + 1.2
    )
