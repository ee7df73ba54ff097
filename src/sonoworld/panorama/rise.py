"""What the photo's top cuts off goes on a little: crowns over trees and hills, flat roofs over buildings.

Letters: a run is a stretch of the band's top row that is upright without a gap; t −1..1 across a run.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32
from scipy.ndimage import binary_closing, gaussian_filter1d

from sonoworld.panorama.texture import local_residual, spot_noise

CROWN = 0.45, np.radians(3.0), np.radians(34.0)
"""Height of a crown: share of its width, plus at least, at most (radians)."""

ROOF = np.radians(1.5), np.radians(6.0)
"""Height of a roof over the photo's top: at least, at most (radians)."""

HOLE = np.radians(12.0)
"""A gap up to this width is a hole between leaves, radians."""

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


def _outline(
    upright: Bool[np.ndarray, "w"], row_angle: float, man_made: bool, rng: np.random.Generator
) -> Float32[np.ndarray, "w"]:
    """How many rows each column rises above the band."""
    width = len(upright)
    rows = np.zeros(width, np.float32)
    for start, length in _runs(_closed(upright, round(HOLE / row_angle))):
        t = np.linspace(-1, 1, length) * (length < width)  # all around there is no side to come down at
        if man_made:
            height = np.full(length, rng.uniform(*ROOF))
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
    limit = _outline(upright[: max(2, round(0.01 / row_angle))].mean(0) > 0.5, row_angle, man_made, rng)
    above = np.arange(over, 0, -1)
    free = np.clip(limit[None] - above[:, None] + 1, 0, 1)
    share = np.concatenate([free, upright[:inside]]).astype(np.float32)
    if man_made:
        mirrored = np.concatenate([np.minimum(above, len(rgb) - 1), np.arange(inside)])
        return Rise(rgb=rgb[mirrored], share=share)
    return Rise(rgb=_leaves(rgb, upright, over + inside, rng), share=share)
