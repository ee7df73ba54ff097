"""How near one first-order Ambisonic clip is to another in direction, spread and covariance.

Letters: `x` = [W, Y, Z, X], ACN order, SN3D, +X front, +Y left, +Z up; `C` = x xᵀ / T, its covariance;
`I` = mean W·[X, Y, Z], the mean intensity; `E` = mean (W² + X² + Y² + Z²) / 2, the mean energy;
ψ = 1 − |I| / E, the diffuseness. A value without a meaning (the direction of a clip with W only) is NaN.
"""

import math

import numpy as np
from jaxtyping import Float, Float64, Shaped

from sonoworld.errors import InputError
from sonoworld.evaluate import spatial_bands, spatial_map

_NO_DIRECTION = 1e-9
"""Below this |I| / E a field has no direction: rounding alone gives some."""

energy_map = spatial_map.energy_map


def compare(estimated: Float[np.ndarray, "4 t"], reference: Float[np.ndarray, "4 u"], rate_hz: int) -> dict[str, float]:
    """Score an estimated clip against the recorded one.

    Args:
        estimated: ACN, SN3D.
        reference: likewise; its length may differ, since all but the frame-wise score are means over time.
        rate_hz: of both.

    Returns:
        `angular_error_rad`, `angular_error_deg`, `azimuth_error_rad`, `elevation_error_rad`; `cc`, `auc` as
        the release defines them and `cc_isotropic`, `auc_isotropic` alike in all directions (`spatial_map` says how
        they differ);
        `diffuseness_error`; `covariance_distance`; `band_angular_error_rad` (NaN for unequal lengths) and
        `band_undefined_share`, the part of the reference's energy at which either clip has no direction.
        NaN wherever a value is undefined.

    Raises:
        InputError: a clip is empty or not finite, or the rate is not positive.
    """
    for name, clip in (("estimated", estimated), ("reference", reference)):
        _check(clip, name)
    if rate_hz <= 0:
        raise InputError(f"rate_hz must be positive, is {rate_hz}")
    angular, azimuth, elevation = direction_errors_rad(direction(estimated), direction(reference))
    band, undefined = spatial_bands.angular_error_rad(estimated, reference, rate_hz)
    cc, auc = spatial_map.agreement(energy_map(estimated), energy_map(reference))
    cc_isotropic, auc_isotropic = spatial_map.agreement(
        energy_map(estimated, isotropic=True), energy_map(reference, isotropic=True), isotropic=True
    )
    return {
        "angular_error_rad": angular,
        "angular_error_deg": math.degrees(angular),
        "azimuth_error_rad": azimuth,
        "elevation_error_rad": elevation,
        "cc": cc,
        "auc": auc,
        "cc_isotropic": cc_isotropic,
        "auc_isotropic": auc_isotropic,
        "diffuseness_error": abs(diffuseness(estimated) - diffuseness(reference)),
        "band_angular_error_rad": band,
        "band_undefined_share": undefined,
        "covariance_distance": covariance_distance(estimated, reference),
    }


def direction(foa: Float[np.ndarray, "4 t"]) -> Float64[np.ndarray, "3"]:
    """Unit vector (front, left, up) of the mean intensity; NaN where the field has none."""
    covariance = spatial_map.covariance(foa)
    intensity = covariance[0, [3, 1, 2]]
    size = float(np.linalg.norm(intensity))
    if size <= _NO_DIRECTION * 0.5 * float(np.trace(covariance)):
        return np.full(3, np.nan)
    return intensity / size


def direction_errors_rad(
    estimated: Float64[np.ndarray, "3"], reference: Float64[np.ndarray, "3"]
) -> tuple[float, float, float]:
    """Great-circle, azimuth and elevation error of two directions, in radians."""
    azimuth = abs(math.atan2(estimated[1], estimated[0]) - math.atan2(reference[1], reference[0]))
    azimuth = min(azimuth, 2 * math.pi - azimuth)
    heights = [math.atan2(v[2], math.hypot(v[0], v[1])) for v in (estimated, reference)]
    elevation = abs(heights[0] - heights[1])
    # haversine, as the release has it
    h = math.sin(elevation / 2) ** 2 + math.cos(heights[0]) * math.cos(heights[1]) * math.sin(azimuth / 2) ** 2
    if math.isnan(h):
        return math.nan, math.nan, math.nan
    h = min(h, 1.0)  # rounding takes antipodes past 1
    return 2 * math.atan2(math.sqrt(h), math.sqrt(1 - h)), azimuth, elevation


def diffuseness(foa: Float[np.ndarray, "4 t"]) -> float:
    """ψ: 0 for a plane wave, 1 for a field without direction; NaN for silence."""
    covariance = spatial_map.covariance(foa)
    energy = 0.5 * float(np.trace(covariance))
    return 1 - float(np.linalg.norm(covariance[0, 1:])) / energy if energy > 0 else math.nan


def covariance_distance(estimated: Float[np.ndarray, "4 t"], reference: Float[np.ndarray, "4 u"]) -> float:
    """‖C / tr C − C′ / tr C′‖, Frobenius; NaN where a clip is silent."""
    ours, theirs = spatial_map.covariance(estimated), spatial_map.covariance(reference)
    if np.trace(ours) == 0 or np.trace(theirs) == 0:
        return math.nan
    return float(np.linalg.norm(ours / np.trace(ours) - theirs / np.trace(theirs)))


def centre_clip(foa: Shaped[np.ndarray, "c t"], seconds: float, rate_hz: int) -> Shaped[np.ndarray, "c u"]:
    """The middle of a clip, as the release cuts it; a shorter clip stays whole."""
    wanted = round(seconds * rate_hz)
    begin = max(0, foa.shape[1] - wanted) // 2
    return foa[:, begin : begin + wanted]


def match_sources(
    estimated: Float64[np.ndarray, "n 3"], reference: Float64[np.ndarray, "m 3"], *, within_deg: float = 20.0
) -> dict[str, float]:
    """Pair estimated with true directions so that the summed angle is least (Hungarian), and score as DCASE does.

    Args:
        estimated: directions, of any length but 0.
        reference: likewise.
        within_deg: a pair at most this far apart counts as found.

    Returns:
        `localisation_error_rad` (mean over all pairs; NaN without a pair), `recall` and `precision` at
        `within_deg` (NaN where nothing is there to be found or was found), `pairs`.

    Raises:
        InputError: a direction is zero or not finite.
    """
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - heavy

    sides = [_unit(estimated, "estimated"), _unit(reference, "reference")]
    crosses = np.linalg.norm(np.cross(sides[0][:, None], sides[1][None]), axis=-1)
    angles = np.arctan2(crosses, sides[0] @ sides[1].T)
    rows, columns = linear_sum_assignment(angles)
    errors = angles[rows, columns]
    hits = int((errors <= math.radians(within_deg)).sum())
    return {
        "localisation_error_rad": float(errors.mean()) if errors.size else math.nan,
        "recall": hits / len(reference) if len(reference) else math.nan,
        "precision": hits / len(estimated) if len(estimated) else math.nan,
        "pairs": float(errors.size),
    }


def _unit(vectors: Float64[np.ndarray, "n 3"], name: str) -> Float64[np.ndarray, "n 3"]:
    sizes = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.all((sizes > 0) & np.isfinite(sizes)):
        raise InputError(f"{name}: directions must be finite and not zero, are {vectors.tolist()}")
    return vectors / sizes


def _check(clip: Shaped[np.ndarray, "4 t"], name: str) -> None:
    if clip.shape[1] == 0:
        raise InputError(f"{name}: expected samples, got none")
    if not np.isfinite(clip).all():
        raise InputError(f"{name}: expected finite samples, {int((~np.isfinite(clip)).sum())} are not")
