"""Ambisonic conventions at the edge: N3D, SN3D (AmbiX) and FuMa. Inside, everything is ACN with SN3D.

FuMa (Malham 2003): order W X Y Z R S T U V K L M N O P Q, weights "maxN" with W at −3 dB, up to third order.
"""

import math
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device
from jaxtyping import Float, Float64

from sonoworld.encode.harmonics import channel_degrees
from sonoworld.errors import ShapeError

FUMA_ACN = (0, 3, 1, 2, 6, 7, 5, 8, 4, 12, 13, 11, 14, 10, 15, 9)
"""ACN channel of every FuMa channel."""

# FuMa / SN3D, in FuMa order: W; X Y Z; R S T U V; K L M N O P Q (Chapman et al. 2009, table of conversion factors)
_SECOND, _THIRD_1, _THIRD_2, _THIRD_3 = 2 / math.sqrt(3), math.sqrt(45 / 32), 3 / math.sqrt(5), math.sqrt(8 / 5)
FUMA_PER_SN3D = (
    *(1 / math.sqrt(2), 1.0, 1.0, 1.0),
    *(1.0, _SECOND, _SECOND, _SECOND, _SECOND),
    *(1.0, _THIRD_1, _THIRD_1, _THIRD_2, _THIRD_2, _THIRD_3, _THIRD_3),
)


def order_of(channels: int) -> int:
    """Ambisonic order of a channel count.

    Raises:
        ShapeError: the count is not (N + 1)² for N in 0..10.
    """
    order = math.isqrt(max(channels, 0)) - 1
    if order < 0 or order > 10 or (order + 1) ** 2 != channels:
        raise ShapeError("Ambisonic channels", expected="(N + 1)² for N in 0..10", got=str(channels))
    return order


def n3d_from_sn3d(signal: Float[Any, "c t"]) -> Float[Any, "c t"]:
    """N3D = √(2n + 1) · SN3D."""
    return signal * _column(signal, _n3d_weights(signal.shape[0]))


def sn3d_from_n3d(signal: Float[Any, "c t"]) -> Float[Any, "c t"]:
    """SN3D = N3D / √(2n + 1)."""
    return signal / _column(signal, _n3d_weights(signal.shape[0]))


def fuma_from_sn3d(signal: Float[Any, "c t"]) -> Float[Any, "c t"]:
    """Channels in FuMa order with FuMa weights.

    Raises:
        ShapeError: the order is above 3, where FuMa ends.
    """
    channels = _fuma_channels(signal)
    xp = array_namespace(signal)
    picked = xp.stack([signal[FUMA_ACN[i], ...] for i in range(channels)], axis=0)
    return picked * _column(signal, np.array(FUMA_PER_SN3D[:channels]))


def sn3d_from_fuma(signal: Float[Any, "c t"]) -> Float[Any, "c t"]:
    """ACN channels with SN3D weights, from all FuMa channels of an order.

    Raises:
        ShapeError: the channel count is not that of an order 0..3.
    """
    channels = _fuma_channels(signal)
    xp = array_namespace(signal)
    plain = signal / _column(signal, np.array(FUMA_PER_SN3D[:channels]))
    return xp.stack([plain[FUMA_ACN.index(acn), ...] for acn in range(channels)], axis=0)


def _n3d_weights(channels: int) -> Float64[np.ndarray, "c"]:
    return np.sqrt(2 * np.array(channel_degrees(order_of(channels))) + 1.0)


def _fuma_channels(signal: Any) -> int:
    channels = int(signal.shape[0])
    if order_of(channels) > 3:
        raise ShapeError("FuMa", expected="order 0..3", got=f"{channels} channels")
    return channels


def _column(signal: Any, weights: Float64[np.ndarray, "c"]) -> Any:
    return array_namespace(signal).asarray(weights[:, None], dtype=signal.dtype, device=device(signal))
