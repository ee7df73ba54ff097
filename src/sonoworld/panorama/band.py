"""The band around the horizon: the photo in its place, and beyond its sides a landscape of the same kind.

The land keeps the photo's broad shape, stretched over the whole gap (skyline, ground line and colours run back from
its right edge to its left), and gets fine detail quilted from small pieces of the photo.

Letters: a strip of k rows × n columns cut from the photo; the gap of m columns beside it; a lip is where the gap
begins and ends with the photo mirrored, just far enough to join without an edge.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from scipy.ndimage import distance_transform_edt, gaussian_filter1d

from sonoworld.panorama.cut import join
from sonoworld.panorama.level import Level, level_for, levelled, restored
from sonoworld.panorama.quilt import Material, Row, Wanted, quilt
from sonoworld.panorama.rise import TILES
from sonoworld.panorama.skyline import Lines, Way, continued, cut_off, find_way, lowered, nearer_beside, parting

LIP = 1 / 80
"""Width of a lip as a share of the panorama's width (4.5°); never more than a third of the strip."""

SKY, GROUND = 3, 4
"""Channels of a strip after its colours: shares of sky and ground, times 255."""

AIR = 1 / 100
"""Rows of air over the skyline that belong to the land (tips of trees), as a share of the panorama's width (3.6°)."""

SMOOTH = 1 / 220, 1 / 60
"""Skyline and ground line are smoothed over these shares of the panorama's width."""

CANOPY = 0.4
"""Share of columns without a skyline from which there is none: leaves or walls all around."""

BROAD = 1 / 70, 1 / 300
"""Colours that change over more columns and rows than these (shares of the panorama's width) are not detail."""

UPRIGHT, HOUSE, BLOCK = 1 / 32, 1 / 22, 1 / 36
"""Width of blocks of upright things, of houses and of ground, as a share of the panorama's width."""

NARROWEST = 0.75
"""Widest block as a share of the strip, which is also shown narrower than it is."""

LEAF = 1 / 800
"""Raggedness of an invented outline, as a share of the panorama's width."""

HIGHEST = 0.85
"""How far into the rows above the strip houses may rise."""

EAVES = 0.4
"""Rows of air over a roof, as a share of those over the skyline."""

PURE = 0.25
"""Share of sky up to which a pixel's colour is that of the land."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Rows [top, bottom) and columns [left, right) of the panorama in which the photo is (nearly) whole."""

    top: int
    bottom: int
    left: int
    right: int


def core_extent(known: Bool[np.ndarray, "h w"]) -> Extent:
    """The part of the photo to continue sideways.

    Rows: where the photo is widest (at least 70 % of that), short of going all around. Columns: where most of
    those rows are known.
    """
    count = known.sum(1)
    width = known.shape[1]
    around = np.where(count < 0.9 * width, count, 0)
    rows = np.flatnonzero(around >= 0.7 * max(int(around.max()), 1))
    middle = rows[len(rows) // 2]
    gaps = np.flatnonzero(np.diff(rows) > 1)
    first = max([int(rows[g + 1]) for g in gaps if rows[g + 1] <= middle], default=int(rows[0]))
    last = min([int(rows[g]) for g in gaps if rows[g] >= middle], default=int(rows[-1]))
    columns = np.flatnonzero(known[first : last + 1].mean(0) > 0.6)
    spare = width // 32  # a gap is left to close the circle in, even where the photo goes all around
    left, right = max(int(columns[0]), spare), min(int(columns[-1]) + 1, width - spare)
    return Extent(top=first, bottom=last + 1, left=left, right=right)


def _strip(
    layers: Float32[np.ndarray, "h w c"], known: Bool[np.ndarray, "h w"], at: Extent
) -> Float32[np.ndarray, "k n c"]:
    """The extent's pixels; where a slanted edge of the photo cuts into it, the row goes on mirrored.

    What even that leaves open (a photo around a pole has holes) takes the nearest pixel seen.
    """
    part, seen = layers[at.top : at.bottom, at.left : at.right], known[at.top : at.bottom, at.left : at.right]
    n = part.shape[1]
    first = np.argmax(seen, 1)
    last = n - 1 - np.argmax(seen[:, ::-1], 1)
    column = np.arange(n)[None]
    column = np.where(column < first[:, None], 2 * first[:, None] - column, column)
    column = np.where(column > last[:, None], 2 * last[:, None] - column, column)
    column = np.clip(column, 0, n - 1)
    strip, there = np.take_along_axis(part, column[..., None], 1), np.take_along_axis(seen, column, 1)
    if there.all():
        return strip
    nearest = np.asarray(distance_transform_edt(~there, return_distances=False, return_indices=True))
    return strip[nearest[0], nearest[1]]


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known beside the pixels: the strip's row of the `horizon`, whether houses stand there, any sky.

    `towers`: rows above the strip's into which houses may rise.
    """

    horizon: float
    built: bool
    sky: bool
    towers: int


def _lines(strip: Float32[np.ndarray, "k n c"], width: int, scene: Scene) -> Lines:
    """Skyline and ground line of the strip."""
    over, under = (max(1.0, px * width) for px in SMOOTH)
    k, n = strip.shape[:2]
    s = parting(strip[..., SKY] / 255, over) if scene.sky else np.zeros(n, np.float32)
    if cut_off(s).mean() > CANOPY:
        s = np.zeros(n, np.float32)
    g = parting(1 - strip[..., GROUND] / 255, min(under, n / 8))
    return Lines(np.minimum(s, k - 4), np.clip(g, np.minimum(s + 2, k - 2), k - 2).astype(np.float32))


def _land(strip: Float32[np.ndarray, "k n c"]) -> Float32[np.ndarray, "k n 5"]:
    """Colours of the land (where sky is, of the nearest land), its share of the pixel and that of ground, times 255."""
    sky = strip[..., SKY] / 255
    solid = np.clip(1 - (sky - PURE) / (1 - 2 * PURE), 0, 1)
    colour = strip[..., :3]
    if (sky < PURE).any():
        nearest = np.asarray(distance_transform_edt(sky >= PURE, return_distances=False, return_indices=True))
        colour = colour[nearest[0], nearest[1]]
    return np.concatenate([colour, 255 * solid[..., None], strip[..., GROUND, None]], -1).astype(np.float32)


def _ragged(
    flat: Float32[np.ndarray, "r n 5"], s: Float32[np.ndarray, "n"], level: Level, built: bool, rng: np.random.Generator
) -> Float32[np.ndarray, "r n 5"]:
    """Air that ends without land; and leaves, or roofs, where the photo's top cuts off the columns' own outline."""
    if not level.a:
        return flat
    flat = flat.copy()
    flat[: level.a, :, SKY] *= np.clip(np.arange(level.a) / (0.3 * level.a), 0, 1)[:, None]
    cut = cut_off(s)
    if not cut.any():
        return flat
    if built:
        begin = round(EAVES * level.a)
        flat[:begin, cut, SKY], flat[begin : level.a, cut, SKY] = 0, 255
        flat[: level.a, cut, :3] *= TILES
        return flat
    n = len(s)
    leaf = max(0.7, LEAF * 5 * n)
    wave = gaussian_filter1d(rng.standard_normal(n), leaf, mode="wrap")
    tips = level.a * np.clip(0.4 + 0.25 * wave / (wave.std() + 1e-6), 0, 1)
    y = np.arange(level.a)[:, None]
    solid = np.clip(tips[None] - (level.a - y) + 1, 0, 1) * 255
    flat[: level.a, cut, SKY] = solid[:, cut]
    return flat


def _broad(flat: Float32[np.ndarray, "r n 5"], width: int) -> Float32[np.ndarray, "r n 3"]:
    """The colours of the land that change slowly."""
    weight = flat[..., SKY, None] / 255 + 1e-3
    x, y = (max(1.0, b * width) for b in BROAD)
    total = cv2.GaussianBlur(flat[..., :3] * weight, (0, 0), sigmaX=x, sigmaY=y, borderType=cv2.BORDER_REFLECT)
    mass = cv2.GaussianBlur(weight, (0, 0), sigmaX=x, sigmaY=y, borderType=cv2.BORDER_REFLECT)
    return np.asarray(total / mass.reshape(*weight.shape), np.float32)


def _spikes(flat: Float32[np.ndarray, "r n 5"], level: Level) -> Float32[np.ndarray, "a n"]:
    """0..1 for columns in which something stands through the upper half of the air: poles, and what towers."""
    if not level.a:
        return np.zeros((0, flat.shape[1]), np.float32)
    there = flat[: max(1, level.a // 2), :, SKY].mean(0) / 255
    if np.median(there) > 0.3:  # so does everything
        there = np.zeros_like(there)
    return np.broadcast_to(np.clip(2 * there, 0, 1)[None], (level.a, len(there))).astype(np.float32)


def _rows(level: Level, width: int, n: int, built: bool) -> list[Row]:
    """Rows of blocks: upright things whole or in a few rows, ground in as many as it takes."""
    rows: list[Row] = []
    most = max(2, int(NARROWEST * n))
    w = min(max(4, round((HOUSE if built else UPRIGHT) * width)), most)
    parts = 1 if built else max(1, round((level.a + level.p) / (1.4 * w)))
    edges = [round((level.a + level.p) * (k + 1) / parts) for k in range(parts)]
    small = min(max(4, round(BLOCK * width)), most)
    while edges[-1] < level.rows:
        left = level.rows - edges[-1]
        edges.append(level.rows if left < 1.5 * small else edges[-1] + small)
    before = 0
    for number, end in enumerate(edges):
        upright = number < parts
        wide = w if upright else small
        overlap = min(before, wide // 4)
        first = before - overlap
        play = 0 if number == 0 else max(1, wide // 8)
        rows.append(Row(first, end - first, wide, overlap, play))
        before = end
    return rows


def _invented(
    strip: Float32[np.ndarray, "k n c"],
    dislike: Float32[np.ndarray, "k n"],
    way: Way,
    width: int,
    scene: Scene,
    rng: np.random.Generator,
) -> Float32[np.ndarray, "l m 5"]:
    """The gap's land, `scene.towers` rows more than the strip: colours, its share of the pixel and of ground, × 255."""
    k, n = strip.shape[:2]
    lines, over = _lines(strip, width, scene), scene.towers
    level = level_for(lines, k, 0 if cut_off(lines.s).all() and not over else max(3, round(AIR * width)))
    flat = _ragged(levelled(_land(strip), lines, level), lines.s, level, scene.built, rng)
    bad = levelled(dislike[..., None], lines, level)[..., 0]
    broad = _broad(flat, width)
    at = np.round(way.path).astype(int)
    aim = lowered(lines.s, scene.horizon) if level.a else lines.s
    s = continued(lines.s, aim, way, rng)
    s = nearer_beside(s, scene.horizon, way, n, rng) if over else s
    s = np.clip(s, HIGHEST * -over, k - 4).astype(np.float32)
    g = np.clip(continued(lines.g, lines.g, way, rng), s + 2, k - 2).astype(np.float32)
    bad[: level.a] = np.maximum(bad[: level.a], _spikes(flat, level))
    material = Material(flat, broad, bad, np.maximum(lines.g - lines.s, 4))
    wanted = Wanted(broad[:, at], np.maximum(g - s, 4))
    made = quilt(material, flat[:, at[: way.lip]], wanted, _rows(level, width, n, scene.built), not scene.built, rng)
    return restored(made, Lines(s + over, g + over), level, k + over)


def _open(sky: Float32[np.ndarray, "o n 3"]) -> Float32[np.ndarray, "o n 5"]:
    """Rows of nothing but sky."""
    share = np.broadcast_to(np.array([255, 0], np.float32), (*sky.shape[:2], 2))
    return np.concatenate([sky, share], -1)


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known beside the photo's pixels.

    `dislike` (0..1) marks what should not be shown again; `sky` is what stands over invented land, None where there is
    no sky; `built`: houses stand there, which may rise into so many rows above the photo's (`towers`).
    """

    dislike: Float32[np.ndarray, "h w"]
    sky: Float32[np.ndarray, "h w 3"] | None
    built: bool
    towers: int


def continue_around(
    layers: Float32[np.ndarray, "h w c"],
    known: Bool[np.ndarray, "h w"],
    beside: Beside,
    at: Extent,
    rng: np.random.Generator,
) -> Float32[np.ndarray, "l w c"]:
    """The extent's rows, and above them those for towers, all around: the photo in place, elsewhere what is invented.

    `layers` are colours and, as fourth and fifth channel 0..255, the shares of sky and of ground.
    """
    height, width = known.shape
    strip = _strip(layers, known, at)
    n = strip.shape[1]
    m = width - n
    lip = max(2, min(round(LIP * width), n // 3, m // 3))
    over = 0 if beside.sky is None else beside.towers
    scene = Scene(height / 2 - at.top, beside.built, beside.sky is not None, over)
    way = find_way(n, m, lip, beside.built, rng)
    land = _invented(strip, beside.dislike[at.top : at.bottom, at.left : at.right], way, width, scene, rng)
    gap = np.concatenate([land[..., :3], 255 - land[..., 3:4], land[..., 4:]], -1)
    if beside.sky is not None:
        share = land[..., 3:4] / 255
        behind = np.roll(beside.sky[at.top - over : at.bottom], -at.right, 1)
        gap[..., :3] = behind[:, :m] + share * (land[..., :3] - behind[:, :m])
        strip = np.concatenate([_open(behind[:over, m:]), strip])
    edge = np.minimum(np.arange(lip), n - 1)
    gap[:, :lip] = join(np.ascontiguousarray(strip[:, n - 1 - edge]), np.ascontiguousarray(gap[:, :lip]))
    gap[:, -lip:] = join(np.ascontiguousarray(gap[:, -lip:]), np.ascontiguousarray(strip[:, edge[::-1]]))
    out = np.concatenate([strip, gap], 1)
    return np.roll(out, at.left, 1)
