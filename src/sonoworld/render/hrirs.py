"""Head-related impulse responses as values, and a set completed to the whole sphere.

Letters: m directions, 2 ears (left, right), t taps; u unit direction, FLU head axes; a head radius, c speed of sound.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Float64
from scipy.signal import resample_poly
from scipy.spatial import KDTree, SphericalVoronoi

from sonoworld.encode.harmonics import channel_degrees, harmonics
from sonoworld.errors import InputError, ShapeError

HEAD_RADIUS_M = 0.0875
"""Mean radius of a human head (Kuhn, J. Acoust. Soc. Am. 62 (1977) 157)."""

SPEED_OF_SOUND_M_S = 343.0
LARGEST_GAP = np.deg2rad(60.0)
FILL_STEP = np.deg2rad(12.0)
_FILL_ORDER = 4


@dataclass(frozen=True, slots=True)
class HrirSet:
    """Measured or computed impulse responses. `directions` unit, head axes (FLU); ears in the order left, right."""

    taps: Float64[np.ndarray, "m 2 t"]
    directions: Float64[np.ndarray, "m 3"]
    rate_hz: float

    def __post_init__(self) -> None:
        if not np.isfinite(self.taps).all() or not np.isfinite(self.directions).all():
            raise ShapeError("HrirSet", expected="finite numbers", got="NaN or infinity")
        if not self.taps.any():
            raise ShapeError("HrirSet.taps", expected="a sound", got="all zero")


def fibonacci_sphere(count: int) -> Float64[np.ndarray, "m 3"]:
    """Nearly even directions on the sphere: the golden spiral (Swinbank and Purser 2006, eq. 1)."""
    k = np.arange(count) + 0.5
    z = 1 - 2 * k / count
    azimuth = np.pi * (1 + np.sqrt(5)) * k
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(azimuth), r * np.sin(azimuth), z], -1)


def sphere_areas(directions: Float64[np.ndarray, "m 3"]) -> Float64[np.ndarray, "m"]:
    """Solid angle of every direction's Voronoi cell, steradian; sum 4π."""
    return np.asarray(SphericalVoronoi(directions, threshold=1e-9).calculate_areas())


def merge_repeated(hrirs: HrirSet) -> HrirSet:
    """Directions within 0.06° of each other become one, with the mean response (the pole is often repeated)."""
    tree = KDTree(hrirs.directions)
    merged = np.zeros(len(hrirs.directions), bool)
    first: list[int] = []
    taps: list[Float64[np.ndarray, "2 t"]] = []
    for i in range(len(merged)):
        if not merged[i]:
            group = tree.query_ball_point(hrirs.directions[i], 1e-3)
            merged[group] = True
            first.append(i)
            taps.append(hrirs.taps[group].mean(0))
    return HrirSet(np.stack(taps), hrirs.directions[first], hrirs.rate_hz)


def onset_delay_s(direction: Float64[np.ndarray, "m 3"]) -> Float64[np.ndarray, "m 2"]:
    """Arrival at the (left, right) ear after the head's centre, on a rigid sphere (Woodworth and Schlosberg 1954)."""
    side = np.clip(direction[:, 1], -1.0, 1.0)
    towards = np.stack([side, -side], -1)
    # lit side: −a cos γ / c; shadow: (a / c)(γ − π/2), with cos γ = u · ear
    return HEAD_RADIUS_M / SPEED_OF_SOUND_M_S * np.where(towards > 0, -towards, np.arccos(towards) - np.pi / 2)


def require_coverage(hrirs: HrirSet) -> None:
    """Measurements lie on all sides.

    Raises:
        InputError: a gap is wider than 60° from the nearest measurement: there is nothing to continue.
    """
    _uncovered(hrirs)


def _uncovered(hrirs: HrirSet) -> tuple[Float64[np.ndarray, "a 3"], Float64[np.ndarray, "a"]]:
    """Even directions and their angles from the nearest measurement; see `require_coverage`."""
    candidates = fibonacci_sphere(800)
    distance, _ = KDTree(hrirs.directions).query(candidates)
    angle = 2 * np.arcsin(np.clip(distance / 2, 0, 1))
    if angle.max() > LARGEST_GAP:
        raise InputError(
            f"HRTF: expected a set that leaves no gap wider than {np.rad2deg(LARGEST_GAP):.0f}°, got no measurement "
            f"within {np.rad2deg(angle.max()):.0f}° of some direction (a horizontal ring is not enough)"
        )
    return candidates, angle


def fill_gaps(hrirs: HrirSet) -> HrirSet:
    """Adds directions where none was measured (below a mannequin, say), so that decoders are well conditioned there.

    Responses are aligned by the delay of a rigid sphere, continued by smoothed spherical harmonics of order 4 (after
    Pörschmann et al., IEEE/ACM TASLP 27 (2019) 1060), and delayed again. A set without gaps is returned as it is.

    Raises:
        InputError: a gap is wider than 60° from the nearest measurement: there is nothing to continue.
    """
    candidates, angle = _uncovered(hrirs)
    added = candidates[angle > FILL_STEP]
    if not len(added):
        return hrirs
    t = hrirs.taps.shape[-1]
    size = 2 * t
    frequency = np.fft.rfftfreq(size, 1 / hrirs.rate_hz)
    spectrum = np.fft.rfft(hrirs.taps, size)
    turns = 2j * np.pi * frequency
    aligned = spectrum * np.exp(turns * onset_delay_s(hrirs.directions)[..., None])
    Y = harmonics(hrirs.directions, _FILL_ORDER)
    degree = np.array(channel_degrees(_FILL_ORDER))
    areas = sphere_areas(hrirs.directions)
    # Laplace–Beltrami penalty: what is not measured stays smooth.
    penalty = np.diag(1e-3 * 4 * np.pi * (degree * (degree + 1.0)) ** 2 / (2 * degree + 1))
    fit = np.linalg.solve((Y.T * areas) @ Y + penalty, Y.T * areas)
    continued = np.einsum("ac,cm,mef->aef", harmonics(added, _FILL_ORDER), fit, aligned, optimize=True)
    delayed = np.fft.irfft(continued * np.exp(-turns * onset_delay_s(added)[..., None]), size)[..., :t]
    return HrirSet(np.concatenate([hrirs.taps, delayed]), np.concatenate([hrirs.directions, added]), hrirs.rate_hz)


def resampled(hrirs: HrirSet, rate_hz: int) -> HrirSet:
    """The same filters at another rate (polyphase, Kaiser window); their gain at every frequency stays."""
    ratio = Fraction(rate_hz / hrirs.rate_hz).limit_denominator(1000)
    if ratio == 1:
        return hrirs
    taps = resample_poly(hrirs.taps, ratio.numerator, ratio.denominator, axis=-1) / float(ratio)
    return HrirSet(np.ascontiguousarray(taps, np.float64), hrirs.directions, float(rate_hz))


def trimmed(hrirs: HrirSet, length: int = 512) -> HrirSet:
    """Cut to `length` taps from 0.5 ms before the earliest arrival, with a fade of 64 taps at the end.

    Raises:
        InputError: more than 1 % of the energy lies behind the cut: a room response, not a head's.
    """
    loud = np.abs(hrirs.taps) > 0.1 * np.abs(hrirs.taps).max(-1, keepdims=True)
    start = max(0, int(np.argmax(loud, -1).min()) - round(5e-4 * hrirs.rate_hz))
    cut = hrirs.taps[..., start : start + length].copy()
    if cut.shape[-1] == length:
        cut[..., -64:] *= np.cos(np.pi / 2 * (np.arange(64) + 0.5) / 64) ** 2
    lost = 1 - float((cut**2).sum() / (hrirs.taps**2).sum())
    if lost > 0.01:
        raise InputError(
            "HRTF: expected free-field responses, got a room's: "
            f"{100 * lost:.1f} % of the energy comes later than {1e3 * length / hrirs.rate_hz:.1f} ms after the first"
        )
    return HrirSet(cut, hrirs.directions, hrirs.rate_hz)


def diffuse_power(hrirs: HrirSet, size: int = 2048) -> Float64[np.ndarray, "f"]:
    """Power response in a diffuse field, mean of both ears, at the bins of an FFT; 1 = a free-field wave's."""
    areas = sphere_areas(hrirs.directions) / (4 * np.pi)
    power = np.abs(np.fft.rfft(hrirs.taps, size)) ** 2
    return np.asarray(areas @ power.mean(1))


def levelled(hrirs: HrirSet) -> HrirSet:
    """One gain for all: the diffuse-field power, averaged over log frequency from 200 Hz to 5 kHz, becomes 1.

    So a source whose W has RMS r reaches the two ears at about r on average over directions: the reference level.
    """
    power = diffuse_power(hrirs)
    frequency = np.fft.rfftfreq(2 * (len(power) - 1), 1 / hrirs.rate_hz)
    inside = (frequency >= 200) & (frequency <= 5000)
    mean = float(np.average(power[inside], weights=1 / frequency[inside]))
    return HrirSet(hrirs.taps / np.sqrt(mean), hrirs.directions, hrirs.rate_hz)
