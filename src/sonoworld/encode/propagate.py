"""How sound fades on its way: distance and air. Any array library.

Letters: x offset from listener to source, m; d distance, m; ε near radius, m; α absorption, nepers per m (amplitude);
f frequency, Hz; T temperature, K; h molar concentration of water vapour, %; p pressure relative to one atmosphere;
frO, frN relaxation frequencies of oxygen and nitrogen, Hz.
"""

from typing import Any

import numpy as np
from array_api_compat import array_namespace
from jaxtyping import Float, Float64

from sonoworld.encode.options import EncodeOptions
from sonoworld.errors import ShapeError


def distance(offset: Float[Any, "*b 3"], near_m: float) -> Float[Any, "*b"]:
    """D = √(|x|² + ε²), m: never zero, smooth everywhere."""
    xp = array_namespace(offset)
    return xp.sqrt(xp.sum(offset * offset, axis=-1) + near_m * near_m)


def attenuation(d: Float[Any, "*b"], alpha: float) -> Float[Any, "*b"]:
    """σ(d) = exp(−α(d − 1))/d: 1 at one metre."""
    return array_namespace(d).exp(-alpha * (d - 1.0)) / d


def paper_attenuation(d: Float[Any, "*b"], alpha: float) -> Float[Any, "*b"]:
    """σ(d) = exp(−αd)/d, the paper's law."""
    return array_namespace(d).exp(-alpha * d) / d


def fade(offset: Float[Any, "*b 3"], options: EncodeOptions) -> Float[Any, "*b"]:
    """σ of every offset under the options' law. With `air = iso9613` only 1/d: the rest is a filter.

    Raises:
        ShapeError: paper mode and an offset of zero, where its law is infinite.
    """
    if options.mode == "paper":
        d = distance(offset, 0.0)
        if bool(array_namespace(d).any(d == 0)):
            raise ShapeError("offset in paper mode", expected="a listener away from every source point", got="0 m")
        return paper_attenuation(d, options.alpha)
    return attenuation(distance(offset, options.near_m), options.alpha)


def air_absorption_db_m(
    frequency_hz: Float64[np.ndarray, "*b"],
    temperature_c: float = 20.0,
    humidity_percent: float = 50.0,
    pressure_kpa: float = 101.325,
) -> Float64[np.ndarray, "*b"]:
    """Absorption of pure tones in air, dB per metre (ISO 9613-1:1993, eqs. 3-5 and annex B)."""
    T, p = temperature_c + 273.15, pressure_kpa / 101.325
    ratio = T / 293.15
    # eqs. B.2, B.3: saturation vapour pressure over the reference pressure, and molar concentration
    h = humidity_percent * 10.0 ** (-6.8346 * (273.16 / T) ** 1.261 + 4.6151) / p
    fr_o = p * (24 + 4.04e4 * h * (0.02 + h) / (0.391 + h))  # eq. 3
    fr_n = p * ratio**-0.5 * (9 + 280 * h * np.exp(-4.170 * (ratio ** (-1 / 3) - 1)))  # eq. 4
    square = np.asarray(frequency_hz, np.float64) ** 2
    oxygen = 0.01275 * np.exp(-2239.1 / T) / (fr_o + square / fr_o)
    nitrogen = 0.1068 * np.exp(-3352.0 / T) / (fr_n + square / fr_n)
    classical = 1.84e-11 / p * ratio**0.5
    return 8.686 * square * (classical + ratio**-2.5 * (oxygen + nitrogen))  # eq. 5
