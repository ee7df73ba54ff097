"""A lighter set of splats that still covers: neighbours merge into one, nothing is dropped.

Letters: μ S centre and covariance of a splat; A its area (product of its two larger sigmas), a its opacity; w = A a.
Splats are neighbours if the origin (the photo's eye) sees them in one cell of direction and of log distance. A cell
becomes the Gaussian with its splats' weighted mean and covariance (moment matching), widened until its area is the
sum of theirs: moments alone would make the merged splats too small to touch.
"""

import numpy as np
from jaxtyping import Float64, Int64

from sonoworld.errors import InputError
from sonoworld.lift.surfels import quaternions
from sonoworld.types import Splats

SHELL_RATIO = 1.15
"""Farthest over nearest distance of splats that may merge."""

SPARE = 1.1
"""Area added because merged splats do not lie as evenly as pixels do."""

MOST_WIDENING = 2.0
SEARCH_STEPS = 12


def lite(splats: Splats, limit: int = 500_000) -> Splats:
    """At most `limit` splats that look alike from near the origin; the same set if it is small enough already.

    Deterministic; ordered by cell. Higher harmonics are averaged like colour.

    Raises:
        InputError: `limit` is below 1000, too few to close a sphere.
    """
    if limit < 1000:
        raise InputError(f"lite: expected a limit of at least 1000 splats, got {limit}")
    if len(splats) <= limit:
        return splats
    keys = _cells_within(splats, limit)
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    return _merged(splats, order, starts)


def _cells_within(splats: Splats, limit: int) -> Int64[np.ndarray, "n"]:
    """Cell number of every splat, for the finest cells of which at most `limit` are taken."""
    means = splats.means.astype(np.float64)
    r = np.maximum(np.linalg.norm(means, axis=1), 1e-6)
    elevation, azimuth = np.arcsin(np.clip(means[:, 2] / r, -1, 1)), np.arctan2(means[:, 1], means[:, 0])
    shell = np.floor(np.log(r) / np.log(SHELL_RATIO)).astype(np.int64)
    shell -= shell.min()
    fine, coarse = np.sqrt(4 * np.pi / len(splats)) / 4, 0.5
    best = _cells(elevation, azimuth, shell, coarse)
    if _count(best) > limit:
        raise InputError(f"lite: expected a scene that {limit} splats can cover, got {_count(best)} shells of distance")
    for _ in range(SEARCH_STEPS):
        middle = float(np.sqrt(fine * coarse))
        keys = _cells(elevation, azimuth, shell, middle)
        if _count(keys) <= limit:
            best, coarse = keys, middle
        else:
            fine = middle
    return best


def _cells(elevation: np.ndarray, azimuth: np.ndarray, shell: np.ndarray, side: float) -> Int64[np.ndarray, "n"]:
    """Cells of about side × side radians: rows of equal height, each cut into a whole number of columns."""
    row = np.floor((np.pi / 2 - elevation) / side).astype(np.int64)
    rows = int(row.max()) + 1
    middle = np.pi / 2 - (np.arange(rows) + 0.5) * side
    columns = np.maximum(3, np.ceil(2 * np.pi * np.cos(middle) / side)).astype(np.int64)
    column = np.minimum(((np.pi - azimuth) / (2 * np.pi) * columns[row]).astype(np.int64), columns[row] - 1)
    cell = np.concatenate([[0], np.cumsum(columns)[:-1]])[row] + column
    return cell * (int(shell.max()) + 1) + shell


def _count(keys: Int64[np.ndarray, "n"]) -> int:
    ordered = np.sort(keys)
    return 1 + int(np.count_nonzero(ordered[1:] != ordered[:-1]))


def _merged(splats: Splats, order: Int64[np.ndarray, "n"], starts: Int64[np.ndarray, "m"]) -> Splats:
    """One splat for each stretch of `order` that begins at `starts`; splats alone in their cell stay as they are."""
    counts = np.diff(np.append(starts, len(order)))
    alone = order[starts[counts == 1]]
    several = np.repeat(counts > 1, counts)
    order, counts = order[several], counts[counts > 1]
    if len(order) == 0:
        return _pick(splats, alone)
    begin = np.concatenate([[0], np.cumsum(counts)[:-1]])
    log_scales = np.sort(splats.log_scales[order].astype(np.float64), axis=1)
    area = np.exp(log_scales[:, 1] + log_scales[:, 2])
    alpha = 1 / (1 + np.exp(-splats.opacity_logits[order].astype(np.float64)))
    weight = area * alpha
    share = weight / np.repeat(np.add.reduceat(weight, begin), counts)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values * share.reshape(-1, *[1] * (values.ndim - 1)), begin, axis=0)

    centre = mean(splats.means[order].astype(np.float64))
    offset = splats.means[order] - np.repeat(centre, counts, axis=0)
    covariance = mean(_covariances(splats, order) + offset[:, :, None] * offset[:, None, :])
    sigma, axes = _ellipsoids(covariance, np.add.reduceat(area, begin))
    opacity = np.clip(mean(alpha), 1e-6, 1 - 1e-6)
    together = Splats(
        means=centre.astype(np.float32),
        log_scales=np.log(sigma).astype(np.float32),
        quats=quaternions(axes.astype(np.float32)),
        opacity_logits=np.log(opacity / (1 - opacity)).astype(np.float32),
        sh=mean(splats.sh[order]).astype(np.float32),
    )
    kept = _pick(splats, alone)
    return Splats(
        *(np.concatenate([getattr(together, name), getattr(kept, name)]) for name in Splats.__dataclass_fields__)
    )


def _covariances(splats: Splats, order: Int64[np.ndarray, "n"]) -> Float64[np.ndarray, "n 3 3"]:
    q = splats.quats[order].astype(np.float64)
    w, x, y, z = (q / np.linalg.norm(q, axis=1, keepdims=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    axes = np.stack([np.stack(row, -1) for row in rows], -2)
    half = axes * np.exp(splats.log_scales[order].astype(np.float64))[:, None, :]
    return half @ half.transpose(0, 2, 1)


def _ellipsoids(
    covariance: Float64[np.ndarray, "m 3 3"], area: Float64[np.ndarray, "m"]
) -> tuple[Float64[np.ndarray, "m 3"], Float64[np.ndarray, "m 3 3"]]:
    """Sigmas, largest last, and axes (columns, right-handed), the two larger widened to the area that was there."""
    variance, axes = np.linalg.eigh(covariance)
    sigma = np.sqrt(np.maximum(variance, 1e-12))
    widening = np.sqrt(SPARE * area / (sigma[:, 1] * sigma[:, 2]))
    sigma[:, 1:] *= np.clip(widening, 1, MOST_WIDENING)[:, None]
    axes[:, :, 0] *= np.sign(np.linalg.det(axes))[:, None]
    return sigma, axes


def _pick(splats: Splats, which: Int64[np.ndarray, "k"]) -> Splats:
    return Splats(*(getattr(splats, name)[which] for name in Splats.__dataclass_fields__))
