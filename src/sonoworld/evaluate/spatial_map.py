"""Energy maps of a sound field over the sphere, and how well two agree: CC and AUC.

Letters: `C` covariance of x = [W, Y, Z, X]; `b` the beam towards azimuth θ and elevation φ; E(θ, φ) = √(bᵀ C b).

Both scores come in two kinds. The released one is that of SonoWorld's evaluator to the last step, so that numbers
compare: rows are elevations 90 … −88°, columns display azimuths −180 … 178° (0 front, +90 right); the beams take
height for less than it is; the samples of a row end half a sample before the row does; the curve of AUC counts each
place to be found as wrong until the next is found. The isotropic kind has none of this: max-rE beams at the middles of
the cells of the same 2° grid, samples even in every row, and the area under the true curve.
"""

import math
from functools import cache

import numpy as np
from jaxtyping import Bool, Float, Float64

ROWS, COLUMNS = 90, 180


def covariance(foa: Float[np.ndarray, "4 t"]) -> Float64[np.ndarray, "4 4"]:
    """X xᵀ / T, in double precision."""
    x = foa.astype(np.float64)
    return x @ x.T / x.shape[1]


def energy_map(foa: Float[np.ndarray, "4 t"], *, isotropic: bool = False) -> Float64[np.ndarray, "90 180"]:
    """Level heard by a first-order beam towards every direction.

    Args:
        foa: ACN, SN3D.
        isotropic: a max-rE beam, alike in all directions, towards the middles of the cells (elevation 89 … −89°,
            display azimuth −179 … 179°), instead of the release's beam, whose horizontal part is √2 and whose vertical
            part is 1, towards their upper left corners.

    Returns:
        RMS level by elevation, highest first, and display azimuth, left to right; the release's in single precision.
    """
    beams = _beams(isotropic)
    power = np.einsum("rca,ab,rcb->rc", beams, covariance(foa), beams, optimize=True)
    level = np.sqrt(np.maximum(power, 0.0))  # C is positive: below 0 there is rounding only
    return level if isotropic else level.astype(np.float32).astype(np.float64)


@cache
def _beams(isotropic: bool) -> Float64[np.ndarray, "90 180 4"]:
    corner_deg = 1.0 if isotropic else 0.0
    elevation = np.radians(90.0 - corner_deg - 2.0 * np.arange(ROWS))[:, None]
    azimuth = np.radians(-180.0 + corner_deg + 2.0 * np.arange(COLUMNS))[None, :]
    # the release: [1, √2 horizontal, 1 vertical]; max-rE at order 1: 1 + 3·(1/√3) cos, Zotter & Frank 2019, (4.36)
    flat, up = (math.sqrt(3), math.sqrt(3)) if isotropic else (math.sqrt(2), 1.0)
    beams = np.empty((ROWS, COLUMNS, 4))
    beams[..., 0] = 1.0
    beams[..., 1] = -flat * np.sin(azimuth) * np.cos(elevation)
    beams[..., 2] = up * np.sin(elevation)
    beams[..., 3] = flat * np.cos(azimuth) * np.cos(elevation)
    return beams


def sphere_samples(energy: Float64[np.ndarray, "90 180"], *, isotropic: bool = False) -> Float64[np.ndarray, "n"]:
    """About as many samples from each row as its circle is long: n = round(180 sin(π (r + ½) / 90)), interpolated.

    Args:
        energy: a map.
        isotropic: samples at (k + ½)·180/n, even around the circle, instead of the release's k·(180 − 90/n)/n, which
            leave a gap behind the listener on the right.

    Returns:
        The samples, row by row.
    """
    columns = np.arange(COLUMNS)
    rows: list[np.ndarray] = []
    for r, row in enumerate(energy):
        n = round(COLUMNS * math.sin(math.pi * (r + 0.5) / ROWS))
        k = np.arange(n)
        # value c stands at the middle of cell c: at c + ½
        places = (k + 0.5) * COLUMNS / n - 0.5 if isotropic else k * (COLUMNS - 0.5 * (COLUMNS / n)) / n
        rows.append(np.interp(places, columns, row, period=COLUMNS))
    return np.concatenate(rows)


def agreement(
    estimated: Float64[np.ndarray, "90 180"], reference: Float64[np.ndarray, "90 180"], *, isotropic: bool = False
) -> tuple[float, float]:
    """CC and AUC of two maps of one kind, over samples of the sphere; NaN where a map is flat."""
    ours, theirs = (sphere_samples(energy, isotropic=isotropic) for energy in (estimated, reference))
    if _flat(ours) or _flat(theirs):
        return math.nan, math.nan
    auc = auc_judd(ours, theirs) if isotropic else auc_judd_released(ours, theirs)
    return float(np.corrcoef(ours, theirs)[0, 1]), auc


def auc_judd(saliency: Float64[np.ndarray, "n"], truth: Float64[np.ndarray, "n"]) -> float:
    """AUC after Judd: where the truth exceeds its maximum less its deviation is to be found by saliency.

    Args:
        saliency: the estimate.
        truth: at the same places.

    Returns:
        Area under the curve of true against false positives, 0..1; NaN where all or nothing is to be found.
    """
    above, found, rest = _thresholds(saliency, _fixated(truth))
    if found == 0 or rest == 0:
        return math.nan
    i = np.arange(1, found + 1)
    return _area(i / found, (above - i) / rest)


def auc_judd_released(saliency: Float64[np.ndarray, "n"], truth: Float64[np.ndarray, "n"]) -> float:
    """`auc_judd` as SonoWorld's and ViSAGe's evaluators have it: their count of what is found begins at 0, not 1."""
    span = float(np.ptp(saliency))
    if span <= 0:
        return math.nan
    above, found, rest = _thresholds((saliency - saliency.min()) / span, _fixated(truth))
    if found == 0 or rest == 0:
        return math.nan
    i = np.arange(found)
    return _area(i / found, (above - i) / rest)


def _fixated(truth: Float64[np.ndarray, "n"]) -> Bool[np.ndarray, "n"]:
    return truth > truth.max() - truth.std()


def _thresholds(saliency: Float64[np.ndarray, "n"], fixated: Bool[np.ndarray, "n"]) -> tuple[np.ndarray, int, int]:
    """How many samples reach the saliency of each fixated one, the highest first; how many are fixated or not."""
    thresholds = np.sort(saliency[fixated])[::-1]
    above = saliency.size - np.searchsorted(np.sort(saliency), thresholds, side="left")
    return above, int(fixated.sum()), int((~fixated).sum())


def _area(true: Float64[np.ndarray, "f"], false: Float64[np.ndarray, "f"]) -> float:
    corners = np.array([0.0]), np.array([1.0])
    y, x = (np.concatenate([corners[0], side, corners[1]]) for side in (true, false))
    return float(np.trapezoid(y, x))


def _flat(samples: Float64[np.ndarray, "n"]) -> bool:
    return float(np.ptp(samples)) <= 1e-9 * float(np.abs(samples).max())
