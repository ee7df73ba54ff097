"""How well line segments fit a world of one vertical and two horizontal directions (Coughlan & Yuille, ICCV 1999).

Letters: n m t orthonormal frame of a segment seen as rays (n normal of the plane through the eye and the segment,
m its middle, t = n × m along it); u a direction of the world; R world_from_camera; f focal length in px.
A segment points at the vanishing point of u when its plane holds u. Its angular error, seen at its middle, is
atan2(|n·u|, |t·u|): the angle at m between the segment and the line from m to the vanishing point.
"""

import numpy as np
from jaxtyping import Float64

from sonoworld.calibrate.segments import Segments

SIGMA = np.radians(1.1)
"""Angular error of a segment that belongs to a direction, radians."""

SHARE_VERTICAL, SHARE_HORIZONTAL, SHARE_OUTLIER = 0.22, 0.30, 0.48
"""Prior shares of segments: along gravity, along one of the two horizontal directions, neither."""

HEADING_BINS = 45
"""Bins of the quarter turn in which the horizontal frame's heading is voted (2° each)."""


def _frames(segments: Segments, focal_px: float) -> tuple[Float64[np.ndarray, "n 3"], Float64[np.ndarray, "n 3"]]:
    """(n, t) of every segment, camera axes."""
    rays = np.concatenate([segments.ends, np.full((len(segments.ends), 2, 1), focal_px)], -1)
    normal = np.cross(rays[:, 0], rays[:, 1])
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    middle = rays.mean(1)
    middle /= np.linalg.norm(middle, axis=-1, keepdims=True)
    return normal, np.cross(normal, middle)


def _squared_error(across: Float64[np.ndarray, "*k"], along: Float64[np.ndarray, "*k"]) -> Float64[np.ndarray, "*k"]:
    """sin² of the angular error: the small-angle form of atan2(across, along)²."""
    square = across * across
    return square / (square + along * along + 1e-12)


def _half_normal(squared: Float64[np.ndarray, "*k"]) -> Float64[np.ndarray, "*k"]:
    """Density over [0, π/2] of an error with standard deviation SIGMA."""
    return np.exp(squared * (-0.5 / SIGMA**2)) * (np.sqrt(2 / np.pi) / SIGMA)


def _headings(
    n: Float64[np.ndarray, "r s 3"], weights: Float64[np.ndarray, "r s"]
) -> tuple[Float64[np.ndarray, "r 1"], Float64[np.ndarray, "r 1"]]:
    """(cos, sin) of the heading, modulo a quarter turn, on which each hypothesis' horizontal segments agree."""
    heading = np.arctan2(-n[..., 0], n[..., 1]) % (np.pi / 2)  # the horizontal direction inside the segment's plane
    bins = np.minimum((heading * (HEADING_BINS / (np.pi / 2))).astype(np.int64), HEADING_BINS - 1)
    flat = np.arange(len(n))[:, None] * HEADING_BINS + bins
    votes = np.bincount(flat.ravel(), weights.ravel(), len(n) * HEADING_BINS).reshape(-1, HEADING_BINS)
    before, after = np.roll(votes, 1, 1), np.roll(votes, -1, 1)
    best = np.argmax(votes + 0.6 * (before + after), 1)[:, None]
    low, mid, high = (np.take_along_axis(v, best, 1) for v in (before, votes, after))
    centre = best + 0.5 + (high - low) / (low + mid + high + 1e-9)
    angle = centre * (np.pi / 2 / HEADING_BINS)
    return np.cos(angle), np.sin(angle)


def log_likelihood(
    segments: Segments, world_from_camera: Float64[np.ndarray, "r 3 3"], focal_px: float
) -> Float64[np.ndarray, "r"]:
    """Weighted log-likelihood of all segments under each rotation (yaw is found inside; eq. 4 of the paper)."""
    if not len(segments.ends):
        return np.zeros(len(world_from_camera))
    normal, along = _frames(segments, focal_px)
    n = np.einsum("sc,rwc->rsw", normal, world_from_camera)
    t = np.einsum("sc,rwc->rsw", along, world_from_camera)
    vertical = _squared_error(n[..., 2], t[..., 2])
    cos, sin = _headings(n, np.where(vertical > (2.5 * SIGMA) ** 2, segments.weights, 0.0))
    first = _squared_error(cos * n[..., 0] + sin * n[..., 1], cos * t[..., 0] + sin * t[..., 1])
    second = _squared_error(cos * n[..., 1] - sin * n[..., 0], cos * t[..., 1] - sin * t[..., 0])
    density = (
        SHARE_VERTICAL * _half_normal(vertical)
        + SHARE_HORIZONTAL * _half_normal(np.minimum(first, second))
        + SHARE_OUTLIER * (2 / np.pi)
    )
    return np.log(density) @ segments.weights


def upright_length(segments: Segments, world_from_camera: Float64[np.ndarray, "3 3"], focal_px: float) -> float:
    """Total length of long segments within 1.6° of gravity, in (width + height): near 0 in nature, > 0.6 in towns."""
    if not len(segments.ends):
        return 0.0
    normal, along = _frames(segments, focal_px)
    up = world_from_camera[2]
    fits = _squared_error(normal @ up, along @ up) < np.sin(np.radians(1.6)) ** 2
    long = segments.weights > 0.5  # a twentieth of the diagonal
    return float(segments.lengths[fits & long].sum())
