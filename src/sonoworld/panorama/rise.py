"""What the photo's top cuts off goes on a little: crowns over trees and hills, hipped roofs over buildings.

Letters: a run is a stretch of the band's top row that is upright without a gap; t −1..1 across a run.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32
from scipy.ndimage import binary_closing, gaussian_filter, gaussian_filter1d

from sonoworld.panorama.texture import local_residual, spot_noise

CROWN = 0.45, np.radians(3.0), np.radians(34.0)
"""Height of a crown: share of its width, plus at least, at most (radians)."""

HOUSE = np.radians(14.0), np.radians(26.0)
"""Width of a house under one roof: at least, at most (radians)."""

ROOF = 0.42, np.radians(3.0), np.radians(15.0)
"""Height of a roof over the photo's top: share of its width, at least, at most (radians)."""

HIP = 0.22
"""Share of a roof's half width over which its side slopes."""

EDGE, WALL = 0.01, np.radians(4.0)
"""How far down something must reach to go on above: leaves, walls (radians)."""

NARROWEST = np.radians(5.0)
"""Walls less wide than this have no roof."""

TILES = np.array([0.62, 0.56, 0.53], np.float32)
"""Colour of a roof against the wall under it."""

COURSE, RELIEF = np.radians(0.35), 0.06
"""Height of a row of tiles, and how much darker its lower edge is."""

HOLE = np.radians(12.0)
"""A gap up to this width is a hole between leaves, radians."""

VAULT = 0.8, 1.6
"""A hole between leaves goes on upward under an arch so high: part of its width, drawn from this range."""

LEAF = np.radians(0.9)
"""Raggedness of a crown's outline, radians."""

COARSEST = np.radians(4.0)
"""Texture of crowns is what differs from the mean over this radius."""


@dataclass(frozen=True, slots=True)
class Rise:
    """Rows above the band and its first ones: colours 0..255 and their share 0..1 of the pixel."""

    rgb: Float32[np.ndarray, "k w 3"]
    share: Float32[np.ndarray, "k w"]


def _closed(upright: Bool[np.ndarray, "w"], px: int) -> Bool[np.ndarray, "w"]:
    """Gaps of up to `px` columns are closed: a hole between leaves does not part two crowns."""
    if px < 1:
        return upright
    wide = np.concatenate([upright[-px:], upright, upright[:px]])
    return np.asarray(binary_closing(wide, np.ones(px)))[px:-px]


def _runs(upright: Bool[np.ndarray, "w"]) -> list[tuple[int, int]]:
    """(start, length) of all runs around the circle; start may be close to the right end and wrap."""
    width = len(upright)
    if upright.all():
        return [(0, width)]
    starts = np.flatnonzero(upright & ~np.roll(upright, 1))
    ends = np.flatnonzero(upright & ~np.roll(upright, -1))
    lengths = [int((ends[np.searchsorted(ends, s) % len(ends)] - s) % width) + 1 for s in starts]
    return [(int(s), n) for s, n in zip(starts, lengths, strict=True)]


def _roofs(length: int, row_angle: float, rng: np.random.Generator) -> Float32[np.ndarray, "n"]:
    """Heights (radians) of hipped roofs side by side over so many columns of walls."""
    height = np.zeros(length, np.float32)
    at = 0
    while at < length:
        width = round(rng.uniform(*HOUSE) / row_angle)
        if length - at < 1.5 * width:
            width = length - at
        t = (np.arange(width) + 0.5) / width * 2 - 1
        share, least, most = ROOF
        top = np.clip(share * width * row_angle * rng.uniform(0.7, 1.3), least, most)
        height[at : at + width] = top * np.clip((1 - np.abs(t)) / HIP, 0, 1)
        at += width
    return height


def _outline(
    upright: Bool[np.ndarray, "w"], row_angle: float, man_made: bool, rng: np.random.Generator
) -> Float32[np.ndarray, "w"]:
    """How many rows each column rises above the band."""
    width = len(upright)
    rows = np.zeros(width, np.float32)
    for start, length in _runs(upright if man_made else _closed(upright, round(HOLE / row_angle))):
        if man_made and length * row_angle < NARROWEST:
            continue
        t = np.linspace(-1, 1, length) * (length < width)  # all around there is no side to come down at
        if man_made:
            height = _roofs(length, row_angle, rng)
        else:
            share, least, most = CROWN
            top = min(most, share * length * row_angle * rng.uniform(0.7, 1.3) + least)
            height = top * np.sqrt(np.maximum(1 - np.abs(t) ** 2.5, 0))
        rows[(start + np.arange(length)) % width] = height / row_angle
    if man_made:
        return rows
    slow = gaussian_filter1d(rng.standard_normal(width), width / 120, mode="wrap")
    fast = gaussian_filter1d(rng.standard_normal(width), width / 1200, mode="wrap")
    ragged = (2.5 * slow / slow.std() + fast / fast.std()) * (LEAF / row_angle)
    return np.where(rows > 0, np.maximum(rows + ragged * np.minimum(1, rows * row_angle / np.radians(4)), 0), 0).astype(
        np.float32
    )


def _holes(
    there: Bool[np.ndarray, "w"], rows: Float32[np.ndarray, "w"], row_angle: float, rng: np.random.Generator
) -> Float32[np.ndarray, "w"]:
    """How many rows of sky each column keeps under crowns that closed over it: a ragged arch over every hole."""
    width = len(there)
    open_ = np.zeros(width, np.float32)
    if there.all():
        return open_
    for start, length in _runs((rows > 0) & ~there):
        t = np.linspace(-1, 1, length)
        at = (start + np.arange(length)) % width
        open_[at] = length * rng.uniform(*VAULT) * np.sqrt(1 - 0.96 * t**2)
    ragged = gaussian_filter1d(rng.standard_normal(width), width / 1000, mode="wrap")
    ragged *= 1.5 * LEAF / row_angle / ragged.std()
    return np.where(open_ > 0, np.maximum(open_ + ragged, 0), 0).astype(np.float32)


def _leaves(
    rgb: Float32[np.ndarray, "k w 3"], upright: Float32[np.ndarray, "k w"], rows: int, rng: np.random.Generator
) -> Float32[np.ndarray, "r w 3"]:
    """Colour of the band's uppermost upright things carried up, with random-phase texture of upright things."""
    height = rgb.shape[1] / 2
    near = upright[: max(2, round(height * np.radians(6) / np.pi))]
    sigma = height / 60
    weight = gaussian_filter1d(near.sum(0), sigma, mode="wrap")[:, None] + 1e-2
    colour = gaussian_filter1d((rgb[: len(near)] * near[..., None]).sum(0), sigma, axis=0, mode="wrap") / weight
    mask = upright > 0.8
    residual = local_residual(rgb, mask, float(COARSEST / np.pi * height))
    texture = spot_noise(residual, mask, (rows, rgb.shape[1]), rng)
    return (colour[None] + 0.85 * texture).astype(np.float32)


def _tiles(
    rgb: Float32[np.ndarray, "k w 3"], upright: Float32[np.ndarray, "k w"], rows: int, rng: np.random.Generator
) -> Float32[np.ndarray, "r w 3"]:
    """Roofs in darker colours than the walls under them, with rows of tiles, a little weathered."""
    row_angle = 2 * np.pi / rgb.shape[1]
    near = upright[: max(2, round(np.radians(6) / row_angle))]
    sigma = HOUSE[0] / 2 / row_angle
    weight = gaussian_filter1d(near.sum(0), sigma, mode="wrap")[:, None] + 1e-2
    wall = gaussian_filter1d((rgb[: len(near)] * near[..., None]).sum(0), sigma, axis=0, mode="wrap") / weight
    course = RELIEF * np.cos(2 * np.pi * np.arange(rows) * row_angle / COURSE)
    weather = gaussian_filter(rng.standard_normal((rows, rgb.shape[1])), (1.0, 3.0), mode="wrap")
    light = 1 + course[:, None] + 0.06 * weather / (weather.std() + 1e-6)
    return (wall[None] * TILES * light[..., None]).astype(np.float32)


def rise(
    rgb: Float32[np.ndarray, "k w 3"],
    upright: Float32[np.ndarray, "k w"],
    rows: tuple[int, int],
    man_made: bool,
    rng: np.random.Generator,
) -> Rise:
    """Upright things going on above a band (its top row first) until they end in a plausible outline.

    `rows` says how many rows above the band and how many inside it (to be joined with it) are wanted.
    """
    over, inside = rows
    row_angle = 2 * np.pi / rgb.shape[1]
    depth = WALL if man_made else EDGE
    there = upright[: max(2, round(depth / row_angle))].mean(0) > (0.95 if man_made else 0.5)
    limit = _outline(there, row_angle, man_made, rng)
    above = np.arange(over, 0, -1)
    free = np.clip(limit[None] - above[:, None] + 1, 0, 1)
    if not man_made:
        free *= np.clip(above[:, None] - _holes(there, limit, row_angle, rng)[None], 0, 1)
    share = np.concatenate([free, upright[:inside]]).astype(np.float32)
    if man_made:
        return Rise(rgb=np.concatenate([_tiles(rgb, upright, over, rng), rgb[:inside]]), share=share)
    return Rise(rgb=_leaves(rgb, upright, over + inside, rng), share=share)
