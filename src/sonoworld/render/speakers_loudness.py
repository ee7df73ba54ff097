"""Loudness of a loudspeaker recording of any layout (BS.1770 meters in libraries end at five channels).

Letters: z_i mean square of channel i after K weighting, G_i its weight by place; block 0.4 s, one every 0.1 s.
Source: ITU-R BS.1770-5, annex 1 (filters at 48 kHz, gating) and annex 3 (weights by place, for any layout).
"""

import math

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.errors import ShapeError
from sonoworld.render.speakers import Layout

RATE_HZ = 48_000
# tables 1 and 2: the head's shelf, and the fall below 40 Hz; b0 b1 b2 1 a1 a2
_K_WEIGHTING = (
    (1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585),
    (1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621),
)
_STEP, _STEPS = RATE_HZ // 10, 4


def place_weights(layout: Layout) -> Float64[np.ndarray, "n"]:
    """G: 1.41 at the sides (azimuth 60° to 120°, below 30° of elevation), 0 for LFE, else 1."""
    return np.array(
        [
            0.0 if one.lfe else 1.41 if 60 <= _side_deg(one.azimuth_deg) <= 120 and abs(one.elevation_deg) < 30 else 1.0
            for one in layout.speakers
        ]
    )


def _side_deg(azimuth_deg: float) -> float:
    return abs((azimuth_deg + 180) % 360 - 180)


def layout_loudness(signal: Float32[np.ndarray, "n t"], layout: Layout) -> float:
    """Integrated loudness at 48 kHz, LUFS; −inf for silence or less than 0.4 s.

    Raises:
        ShapeError: the channels are not the layout's.
    """
    if len(signal) != len(layout.speakers):
        raise ShapeError(f"channels of {layout.name}", expected=str(len(layout.speakers)), got=str(len(signal)))
    steps = signal.shape[1] // _STEP
    if steps < _STEPS:
        return -math.inf
    from scipy.signal import sosfilt  # noqa: PLC0415  half a second to import

    power = np.zeros(steps)
    for channel, weight in zip(signal, place_weights(layout), strict=True):
        heard = np.asarray(sosfilt(_K_WEIGHTING, channel[: steps * _STEP].astype(np.float64)))
        power += weight * (heard.reshape(steps, _STEP) ** 2).mean(1)
    blocks = np.convolve(power, np.full(_STEPS, 1 / _STEPS), "valid")
    # equations 5 to 7: blocks above −70 LKFS, then those no more than 10 LU below what these have
    loud = blocks[blocks > _power(-70.0)]
    if not len(loud):
        return -math.inf
    gated = loud[loud > loud.mean() * 10 ** (-10 / 10)]
    return -0.691 + 10 * math.log10(float(gated.mean()))


def _power(lufs: float) -> float:
    return 10 ** ((lufs + 0.691) / 10)
