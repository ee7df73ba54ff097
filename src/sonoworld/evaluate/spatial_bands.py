"""Direction error frame by frame and octave by octave, weighted by the energy of the reference.

Letters: `I` = Re W*·[X, Y, Z] summed over the bins of one octave in one frame; `E` its energy, (|W|² + |X|² + …) / 2.
"""

import math

import numpy as np
from jaxtyping import Float, Float64

CENTRES_HZ = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0)
FRAME_S = 0.1
_NO_DIRECTION = 1e-9


def angular_error_rad(
    estimated: Float[np.ndarray, "4 t"], reference: Float[np.ndarray, "4 u"], rate_hz: int
) -> tuple[float, float]:
    """Mean great-circle error over frames of 100 ms and six octaves.

    Args:
        estimated: ACN, SN3D.
        reference: likewise, at the same time.
        rate_hz: of both.

    Returns:
        The error, weighted by the reference's energy, over the cells where both have a direction; and the share of
        that energy where one has none. Both NaN for unequal lengths or less than a frame, or a silent reference.
    """
    if estimated.shape[1] != reference.shape[1] or reference.shape[1] < round(FRAME_S * rate_hz):
        return math.nan, math.nan
    ours, energy_ours = _intensity(estimated, rate_hz)
    theirs, energy = _intensity(reference, rate_hz)
    total = float(energy.sum())
    if total == 0:
        return math.nan, math.nan
    known = _directed(ours, energy_ours) & _directed(theirs, energy)
    share = float(energy[known].sum()) / total
    if share == 0:
        return math.nan, 1.0
    crosses = np.linalg.norm(np.cross(ours[known], theirs[known]), axis=-1)
    angles = np.arctan2(crosses, (ours[known] * theirs[known]).sum(-1))
    return float(np.average(angles, weights=energy[known])), 1 - share


def _directed(
    intensity: Float64[np.ndarray, "f b 3"], energy: Float64[np.ndarray, "f b"]
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.linalg.norm(intensity, axis=-1) > _NO_DIRECTION * energy


def _intensity(
    foa: Float[np.ndarray, "4 t"], rate_hz: int
) -> tuple[Float64[np.ndarray, "f b 3"], Float64[np.ndarray, "f b"]]:
    size = round(FRAME_S * rate_hz)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    frames = np.lib.stride_tricks.sliding_window_view(foa.astype(np.float64), size, axis=1)[:, :: size // 2]
    spectra = np.fft.rfft(frames * window, axis=-1)
    hz = np.fft.rfftfreq(size, 1 / rate_hz)
    bins = [(hz >= centre / math.sqrt(2)) & (hz < centre * math.sqrt(2)) for centre in CENTRES_HZ]
    flow = (np.conj(spectra[:1]) * spectra[[3, 1, 2]]).real
    power = 0.5 * (np.abs(spectra) ** 2).sum(0)
    intensity = np.stack([flow[..., inside].sum(-1) for inside in bins], axis=-1)
    return np.moveaxis(intensity, 0, -1), np.stack([power[..., inside].sum(-1) for inside in bins], axis=-1)
