"""How long a clip's room rings, told from the clip alone: a clip should bring no room of its own into a world.

Free decays (Vieira, AES 116, 2004; Prego et al., WASPAA 2015): where a band's level falls from a peak without anything
new, a straight line through −5 to −25 dB (the range of T20, ISO 3382-2) gives the time for 60 dB. A sound's own release
only ever makes a decay longer than its room's, so the faster of them tell (order statistics: Ratnam et al., JASA 114,
2003), and what comes out is an upper bound: a bell in the open rings as long as one in a church.

Letters: t samples; m frames; L level, dB; p frame of a peak; e frame at which its decay ends.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy import signal

from sonoworld.errors import InputError

OCTAVES_HZ = (500.0, 1000.0, 2000.0, 4000.0)
HOP_S = 0.005
FRAME = 5
"""Hops in a frame: 25 ms, in which the level of band noise wavers by about 1.5 dB."""

BEGIN_DB, END_DB = 5.0, 25.0
NEW_DB = 6.0
"""A rise by so much above the lowest level so far is something new."""

ABOVE_FLOOR_DB = 8.0
FLOOR_DB = 90.0
"""Below the loudest frame there is nothing."""

STRAIGHT = 0.9
"""r² of the line from which on a decay counts as free."""

FASTER = 25.0
"""Percentile of a band's decays that stands for its room: the middle of the faster half."""

FEWEST = 2
MAX_T60_S = 20.0


@dataclass(frozen=True, slots=True)
class Reverberation:
    """Time in which a clip's decays fall by 60 dB: at most that is the room's; and from how many decays."""

    t60_s: float
    decays: int

    def told(self) -> str:
        """In words."""
        return f"60 dB in {self.t60_s:.2f} s or less (from {self.decays} free decays)"


def estimated(samples: Float64[np.ndarray, "t"], rate_hz: int) -> Reverberation | None:
    """Reverberation time of a mono clip, blind.

    Args:
        samples: any level; at least 0.1 s.
        rate_hz: at least 4 kHz; octaves from 500 Hz to 4 kHz are looked at, as far as they fit.

    Returns:
        Median over octaves with at least two free decays; None if there is no such octave: nothing in the clip falls
        by 25 dB undisturbed, as in steady noise, and its room cannot be told.

    Raises:
        InputError: NaN, or less than 0.1 s, or less than 4 kHz.
    """
    if rate_hz < 4000 or samples.size < 0.1 * rate_hz or not np.isfinite(samples).all():
        raise InputError(
            f"reverberation: expected at least 0.1 s of finite samples at 4 kHz or more, got {samples.size} samples "
            f"at {rate_hz} Hz{'' if np.isfinite(samples).all() else ' with NaN or infinity'}"
        )
    bands = [decay_times_s(level_db(_octave(samples, rate_hz, hz), rate_hz)) for hz in OCTAVES_HZ if 3 * hz <= rate_hz]
    told = [band for band in bands if band.size >= FEWEST]
    if not told:
        return None
    typical = float(np.median([np.percentile(band, FASTER) for band in told]))
    return Reverberation(typical, int(sum(band.size for band in told)))


def level_db(band: Float64[np.ndarray, "t"], rate_hz: int) -> Float64[np.ndarray, "m"]:
    """L: level of frames of 25 ms every 5 ms, dB re the loudest, held to −90."""
    hop = round(HOP_S * rate_hz)
    energy = np.square(band[: band.size // hop * hop]).reshape(-1, hop).mean(axis=1)
    frames = np.convolve(energy, np.full(FRAME, 1 / FRAME), "valid")
    loudest = float(frames.max())
    if loudest <= 0:
        return np.full(frames.size, -FLOOR_DB)
    return 10 * np.log10(np.maximum(frames / loudest, 10 ** (-FLOOR_DB / 10)))


def decay_times_s(level: Float64[np.ndarray, "m"]) -> Float64[np.ndarray, "k"]:
    """Time for 60 dB of each of the k free decays of a band."""
    floor = max(float(np.percentile(level, 5)), -FLOOR_DB + 1)
    peaks = signal.find_peaks(np.concatenate([[-2 * FLOOR_DB], level]), prominence=NEW_DB)[0] - 1
    found = [_time_s(level[p : _end(level, int(p), floor)]) for p in peaks]
    return np.array([time for time in found if time is not None])


def _end(level: Float64[np.ndarray, "m"], p: int, floor: float) -> int:
    """e: where the level comes near the floor or rises again; what wavered on the lowest way is not part of it."""
    lowest = np.minimum.accumulate(level[p:])
    stops = np.flatnonzero((level[p:] > lowest + NEW_DB) | (level[p:] < floor + ABOVE_FLOOR_DB))
    e = p + int(stops[0]) if stops.size else level.size
    return p + int(np.argmin(level[p:e])) + 1 if e > p else p


def _time_s(fall: Float64[np.ndarray, "q"]) -> float | None:
    """60 dB over the slope of a line from −5 to −25 dB of a fall; None if it is not that deep or not straight."""
    if fall.size < 2 or fall[-1] > fall[0] - END_DB:
        return None
    begin, end = (int(np.argmax(fall <= fall[0] - db)) for db in (BEGIN_DB, END_DB))
    y = fall[begin : end + 1]
    if y.size < FRAME:  # within one frame: faster than can be told
        return HOP_S * FRAME * 60 / (END_DB - BEGIN_DB)
    x = HOP_S * np.arange(y.size)
    slope, offset = np.polyfit(x, y, 1)
    straight = 1 - float(np.sum((y - slope * x - offset) ** 2) / np.sum((y - y.mean()) ** 2))
    time = -60 / float(slope) if slope < 0 else np.inf
    return time if straight >= STRAIGHT and time <= MAX_T60_S else None


def _octave(samples: Float64[np.ndarray, "t"], rate_hz: int, centre_hz: float) -> Float64[np.ndarray, "t"]:
    edges = (centre_hz / np.sqrt(2), centre_hz * np.sqrt(2))
    return np.asarray(
        signal.sosfilt(signal.butter(3, edges, "bandpass", fs=rate_hz, output="sos"), samples), np.float64
    )
