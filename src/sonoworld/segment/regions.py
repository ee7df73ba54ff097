"""Class-less regions of a panorama from points: windows that go round the circle, one region for what several show.

Letters: Ω solid angle; s t height and width of a window's small masks. A window is an upright part of the panorama over
its full height, continued across ±180°; a single window is wider than the circle, so that nothing is cut at the seam.
Source of thresholds and order: SAM 2's automatic mask generator (Apache-2.0); joining windows is ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import Bool, Float16, Float32, Float64, Int64, UInt8
from pydantic import Field

from sonoworld.backend import Options, Run
from sonoworld.errors import InputError
from sonoworld.sphere import pixel_solid_angles, row_elevations
from sonoworld.tiles import solid_angles

JOIN_HEIGHT = 256
"""Rows of the panorama on which pieces of different windows are compared."""

MOST_EXTRA = 64
"""Patches of a window that get a point of their own, the largest first."""

CHUNK = 64
"""Masks that are compared with all kept ones at a time."""


class RegionOptions(Options):
    """Where points are set, and which masks are kept."""

    windows: int = Field(default=4, ge=1, le=12, description="parts of the panorama that are looked at one by one")
    margin: float = Field(default=0.125, gt=0, le=0.25, description="share of the circle added at both sides of a part")
    rows: int = Field(default=32, ge=1, le=128, description="rows of points in a window, fewer points near the poles")
    same: float = Field(default=0.7, gt=0, lt=1, description="masks of a larger IoU (solid angle) are the same")
    least_region: float = Field(
        default=2e-5, ge=0, le=1, description="masks of a smaller share of the sphere are dropped"
    )


@dataclass(frozen=True, slots=True)
class Window:
    """Columns `first` .. `first + span` of a panorama, in shares of the circle; it may reach beyond 0 and 1."""

    first: float
    span: float

    def columns(self, width: int) -> Int64[np.ndarray, "n"]:
        """Its columns in a panorama of that width, from left to right; a wide window has some of them twice."""
        begin, end = round(self.first * width), round((self.first + self.span) * width)
        return np.arange(begin, end) % width


@dataclass(frozen=True, slots=True)
class Region:
    """One thing or surface without a name: its pixels in the panorama, and how good its shape is, 0..1."""

    mask: Bool[np.ndarray, "h w"]
    score: float


@dataclass(frozen=True, slots=True)
class Attention:
    """Parts of the panorama: points are set only in `where`, and in every patch of `things`."""

    where: Bool[np.ndarray, "h w"]
    things: Bool[np.ndarray, "h w"]


@runtime_checkable
class Look(Protocol):
    """Masks of points (x y px) in a picture: logits [m s t], positive inside, and a score 0..1 each."""

    def __call__(  # noqa: D102
        self, picture: UInt8[np.ndarray, "h w 3"], points: Float64[np.ndarray, "n 2"]
    ) -> tuple[Float16[np.ndarray, "m s t"], Float32[np.ndarray, "m"]]: ...


@dataclass(frozen=True, slots=True)
class _Piece:
    """A region as one window shows it; `is_cut`: it goes on beyond the window."""

    logits: Float32[np.ndarray, "s t"]
    score: float
    window: int
    is_cut: bool


def circle_windows(count: int, margin: float) -> tuple[Window, ...]:
    """Parts of the circle with a margin at both sides.

    Raises:
        InputError: one of several windows would see a column twice.
    """
    span = 1 / count + 2 * margin
    if count > 1 and span > 1:
        raise InputError(f"windows: expected 1/windows + 2·margin <= 1 for several windows, got {span:g}")
    return tuple(Window(k / count - margin, span) for k in range(count))


def grid(height: int, width: int, rows: int) -> Float64[np.ndarray, "n 2"]:
    """Points x y px in a window of that size, even on the sphere: rows of equal elevation, ∝ cos(elevation) in each."""
    out: list[np.ndarray] = []
    for i, elevation in enumerate(row_elevations(rows)):
        count = max(1, round(rows * width / height * float(np.cos(elevation))))
        x = (np.arange(count) + 0.5) / count * width
        out.append(np.stack([x, np.full(count, (i + 0.5) * height / rows)], 1))
    return np.concatenate(out)


def attended(
    points: Float64[np.ndarray, "n 2"],
    where: Bool[np.ndarray, "h w"],
    things: Bool[np.ndarray, "h w"],
    options: RegionOptions,
) -> Float64[np.ndarray, "m 2"]:
    """Of a window's points those `where` this is true; and of every patch of `things` without one its innermost."""
    x, y = points.astype(np.int64).T
    count, numbers = cv2.connectedComponents(things.astype(np.uint8), connectivity=8)
    patches = np.asarray(numbers, np.int64)
    omega = np.repeat(pixel_solid_angles(len(things))[:, None], things.shape[1], axis=1)
    size = np.bincount(patches.ravel(), weights=omega.ravel(), minlength=count)
    size[np.unique(patches[y, x])] = 0.0  # they have a point
    size[0] = 0.0  # no patch
    missed = [int(k) for k in np.argsort(-size)[:MOST_EXTRA] if size[k] >= 4 * np.pi * options.least_region]
    inner = [_innermost(patches == k) for k in missed]
    return np.concatenate([points[where[y, x]], np.array(inner, np.float64).reshape(-1, 2)])


def _innermost(patch: Bool[np.ndarray, "h w"]) -> tuple[float, float]:
    depth = cv2.distanceTransform(np.pad(patch, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(column) + 0.5, float(row) + 0.5


def regions(
    rgb: UInt8[np.ndarray, "h w 3"],
    look: Look,
    options: RegionOptions,
    run: Run,
    attention: Attention | None = None,
) -> tuple[Region, ...]:
    """Regions all around, best first; they may lie in each other."""
    height, width = rgb.shape[:2]
    windows = circle_windows(options.windows, options.margin)
    pieces: list[_Piece] = []
    for number, window in enumerate(windows):
        run.tell(number / len(windows), "regions")
        columns = window.columns(width)
        points = grid(height, len(columns), options.rows)
        if attention is not None:
            points = attended(points, attention.where[:, columns], attention.things[:, columns], options)
        if not len(points):
            continue
        logits, scores = look(np.ascontiguousarray(rgb[:, columns]), points)
        for i in kept(logits, scores, options, window.span):
            is_cut = bool((logits[i][:, [0, -1]] > 0).any())
            pieces.append(_Piece(logits[i].astype(np.float32), float(scores[i]), number, is_cut))
    found: list[Region] = []
    for group in _groups(pieces, windows, options.same):
        mask = np.logical_or.reduce([fold(p.logits, windows[p.window], height) for p in group])
        found.append(Region(mask, max(p.score for p in group)))
    return tuple(sorted(found, key=lambda region: -region.score))


def kept(
    logits: Float16[np.ndarray, "m s t"], scores: Float32[np.ndarray, "m"], options: RegionOptions, span: float = 1.0
) -> list[int]:
    """Numbers of the masks of one window that are large enough and not the same as a better one, best first."""
    count, s, t = logits.shape
    rows = pixel_solid_angles(s) * (2 * s * span / t)  # a window's pixel is 2π·span/t wide
    masks = logits > 0
    area = masks.sum(2) @ rows
    order = np.argsort(-scores, kind="stable")
    order = order[(area[order] > 0) & (area[order] >= 4 * np.pi * options.least_region)]
    flat, omega = masks.reshape(count, s * t), np.repeat(rows, t)
    found: list[int] = []
    for first in range(0, len(order), CHUNK):
        some = order[first : first + CHUNK]
        if found:
            some = some[iou(flat[some], flat[found], omega).max(1) <= options.same]
        overlap = iou(flat[some], flat[some], omega)
        taken: list[int] = []
        for row in range(len(some)):
            if not taken or overlap[row, taken].max() <= options.same:
                taken.append(row)
        found += [int(i) for i in some[taken]]
    return found


def iou(
    a: Bool[np.ndarray, "n p"], b: Bool[np.ndarray, "m p"], omega: Float64[np.ndarray, "p"]
) -> Float32[np.ndarray, "n m"]:
    """Intersection over union by solid angle of every a with every b; 0 where both are empty."""
    weighted = a * omega.astype(np.float32)
    both = weighted @ b.T.astype(np.float32)
    either = weighted.sum(1)[:, None] + (b @ omega.astype(np.float32))[None] - both
    return both / np.maximum(either, np.float32(1e-12))


def fold(logits: Float32[np.ndarray, "s t"], window: Window, height: int) -> Bool[np.ndarray, "h w"]:
    """Where a window's small mask is positive on the panorama; of a column that it sees twice, either will do."""
    columns = window.columns(2 * height)
    inside = np.asarray(cv2.resize(logits, (len(columns), height), interpolation=cv2.INTER_LINEAR)) > 0
    out = np.zeros((height, 2 * height), np.bool_)
    done = 0
    while done < len(columns):  # runs up to the seam, since slices are ten times as fast as lists of columns
        begin = int(columns[done])
        count = min(len(columns) - done, 2 * height - begin)
        out[:, begin : begin + count] |= inside[:, done : done + count]
        done += count
    return out


def _groups(pieces: Sequence[_Piece], windows: Sequence[Window], same: float) -> list[list[_Piece]]:
    """Pieces that are one region. What one window shows whole stands for what others show cut."""
    if not pieces:
        return []
    flat = np.stack([fold(p.logits, windows[p.window], JOIN_HEIGHT).ravel() for p in pieces])
    parent = list(range(len(pieces)))
    for i, j in _pairs(pieces, windows, flat, same):
        low, high = sorted((_root(parent, i), _root(parent, j)))
        parent[high] = low
    members: dict[int, list[int]] = {}
    for i in range(len(pieces)):
        members.setdefault(_root(parent, i), []).append(i)
    omega = solid_angles(JOIN_HEIGHT).ravel()
    found: list[list[_Piece]] = []
    for group in members.values():
        whole = sorted((i for i in group if not pieces[i].is_cut), key=lambda i: -pieces[i].score)
        if not whole:
            found.append([pieces[i] for i in group])
        chosen: list[int] = []
        for i in whole:
            if not chosen or iou(flat[[i]], flat[chosen], omega).max() <= same:
                chosen.append(i)
        found += [[pieces[i]] for i in chosen]
    return found


def _pairs(
    pieces: Sequence[_Piece], windows: Sequence[Window], flat: Bool[np.ndarray, "n p"], same: float
) -> list[tuple[int, int]]:
    """Pieces that two windows (or both ends of a wide one) show alike where both look, each the other's best match."""
    width = 2 * JOIN_HEIGHT
    times = np.stack([np.bincount(window.columns(width), minlength=width) for window in windows])
    cut = np.array([p.is_cut for p in pieces])
    omega = solid_angles(JOIN_HEIGHT)
    found: list[tuple[int, int]] = []
    for i in range(len(windows)):
        for j in range(i + 1):
            zone = (times[i] > 1) if i == j else (times[i] > 0) & (times[j] > 0)
            a, b = ([n for n, p in enumerate(pieces) if p.window == k] for k in (i, j))
            if not (zone.any() and a and b):
                continue
            shared = np.tile(zone, JOIN_HEIGHT)
            whole = iou(flat[a], flat[b], omega.ravel())
            inside = iou(flat[a][:, shared], flat[b][:, shared], omega.ravel()[shared])
            alike = np.where(cut[a][:, None] | cut[b][None], inside, whole)
            if i == j:
                np.fill_diagonal(alike, 0)
            rows, columns = alike.argmax(1), alike.argmax(0)
            found += [(a[r], b[c]) for r, c in enumerate(rows) if columns[c] == r and alike[r, c] > same]
    return found


def _root(parent: list[int], i: int) -> int:
    while parent[i] != i:
        i = parent[i]
    return i
