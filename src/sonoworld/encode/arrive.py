"""Signals as they arrive at the listener's head: later, duller, and from near by with more bass.

Letters: v voices; k block boundaries; B block; n degree.
"""

import math

import numpy as np
from jaxtyping import Float32, Float64, Int64

from sonoworld.encode.air import air_bank, through_air
from sonoworld.encode.nearfield import REFERENCE_M, SETTLES_S, near_field_sections, through_near_field
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.travel import TAPS, delay_samples, delayed
from sonoworld.encode.voices import Voices
from sonoworld.types import Source, Spread


def lead_blocks(source: Source, options: EncodeOptions, block: int, rate_hz: int) -> int:
    """How many blocks before the first that is wanted have to be heard, so that every filter knows its past."""
    if source.spread is Spread.AMBIENT:
        return 0
    air = air_bank(rate_hz).shape[1] if options.air == "iso9613" else 0
    near = math.ceil(SETTLES_S * rate_hz) if _has_near_field(source, options) else 0
    return math.ceil(max(air, near) / block)


def arriving(
    voices: Voices,
    live: Int64[np.ndarray, "_"],
    way_m: Float64[np.ndarray, "k"] | None,
    span: tuple[int, int],
    options: EncodeOptions,
    rate_hz: int,
) -> Float32[np.ndarray, "v t"]:
    """The `live` voices at the head from sample span[0] to span[1]: `encode.travel`, then `encode.air`.

    Args:
        voices: of one source.
        live: which of them are heard.
        way_m: distances at the block boundaries, or one throughout; None: no way at all (ambience).
        span: samples of the timeline, may begin before 0.
        options: laws.
        rate_hz: of the signals.
    """
    start, stop = span
    if way_m is None:
        return voices.playing(start, stop)[live]
    moves = len(way_m) > 1
    block = (stop - start) // (len(way_m) - 1) if moves else stop - start
    if options.delay:
        delay = delay_samples(way_m, rate_hz)
        reach = math.ceil(float(delay.max())) + TAPS
        boundaries = delay if moves else np.repeat(delay, 2)
        heard = delayed(voices.playing(start - reach, stop)[live], boundaries, block)
    else:
        heard = voices.playing(start, stop)[live]
    if options.air == "iso9613":
        past = np.zeros((len(heard), air_bank(rate_hz).shape[1] - 1), np.float32)
        heard = through_air(np.concatenate([past, heard], axis=1), way_m - 1, block, rate_hz)
    return heard


def by_degree(
    source: Source,
    heard: Float32[np.ndarray, "v t"],
    way_m: Float64[np.ndarray, "k"] | None,
    options: EncodeOptions,
    rate_hz: int,
) -> tuple[Float32[np.ndarray, "v t"], ...]:
    """What each degree 0..N hears of the signals: the same, but for point sources within `REFERENCE_M`."""
    degrees = options.order + 1
    if way_m is None or not _has_near_field(source, options) or way_m.min() >= REFERENCE_M:
        return (heard,)
    block = heard.shape[1] // (len(way_m) - 1) if len(way_m) > 1 else heard.shape[1]
    sections = near_field_sections(way_m, rate_hz, options.order)
    return tuple(through_near_field(heard, sections[n], block) if n else heard for n in range(degrees))


def _has_near_field(source: Source, options: EncodeOptions) -> bool:
    return options.near_field and source.spread is Spread.POINT
