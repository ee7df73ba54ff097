"""Sources around a listener -> one sound field.

Letters: v voices; k block boundaries; B samples per block; g gains, ramped linearly per sample between boundaries.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.encode.harmonics import channel_count
from sonoworld.encode.level import gain_of
from sonoworld.encode.listener import Track
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.voices import make_voices, source_gains, voice_gains
from sonoworld.errors import ShapeError
from sonoworld.frames import Pose
from sonoworld.types import FULL_SCALE_DB, SoundField, Source

_SEGMENT_BLOCKS = 512


def encode_source(source: Source, listener: Pose, options: EncodeOptions) -> Float64[np.ndarray, "c"]:
    """What one sample of a source's clip puts on every channel of the field at a listener's head, undivided.

    g = gain · Σ w_i σ(d_i) y(u_i) for areas, gain · σ(d) y(u) at the centroid for points, gain on W for ambience;
    `gain` is `level.source_gain`.

    Args:
        source: in world coordinates, m.
        listener: `world_from_head`.
        options: order and laws.

    Returns:
        (N + 1)² gains, ACN, SN3D, head axes.
    """
    policy = "paper" if options.mode == "paper" else "spl"
    return gain_of(source, policy) * source_gains(source, Track.still(listener), options)[0]


def encode_scene(
    sources: Sequence[Source], listener: Pose | Track, options: EncodeOptions, samples: int, rate_hz: int = 48000
) -> SoundField:
    """The sound field at a listener's head, still (a `Pose` world_from_head) or moving (a `Track`).

    Every source starts at sample 0. Gains are computed at block boundaries and ramped per sample in between; areas
    seen wider than about 30° are spread over decorrelated copies unless `options.area` is `coherent`.

    Raises:
        ShapeError: fewer than one sample.
        InputError: a source has no clip.
    """
    if samples < 1:
        raise ShapeError("samples", expected=">= 1", got=str(samples))
    track = Track.still(listener) if isinstance(listener, Pose) else listener
    everyone = [make_voices(source, options, rate_hz) for source in sources]
    signal = np.zeros((channel_count(options.order), samples), np.float32)
    blocks = math.ceil(samples / track.block)
    for first in range(0, blocks, _SEGMENT_BLOCKS):
        last = min(first + _SEGMENT_BLOCKS, blocks)
        start, stop = first * track.block, last * track.block
        part = track.cut(first, last)
        out = signal[:, start : min(stop, samples)]
        for voices in everyone:
            gains = voice_gains(voices, part, options)
            heard = gains.any((0, 2))
            if heard.any():
                mixed = ramped_mix(voices.playing(start, stop)[heard], gains[:, heard], track.block)
                out += mixed[:, : out.shape[1]]
    return SoundField(signal, rate_hz, 0.0 if options.mode == "paper" else FULL_SCALE_DB)


def ramped_mix(
    signals: Float32[np.ndarray, "v t"], gains: Float64[np.ndarray, "k v c"], block: int
) -> Float32[np.ndarray, "c t"]:
    """Σ_v g_v(t)·x_v(t) with g linear between `gains[i]` at sample i·block and `gains[i + 1]`; t = (k − 1)·block.

    One set of gains alone holds throughout.
    """
    if len(gains) == 1:
        return np.ascontiguousarray(gains[0].T.astype(np.float32) @ signals)
    voices, total = signals.shape
    x = np.swapaxes(signals.reshape(voices, total // block, block), 0, 1)
    ramp = (np.arange(block, dtype=np.float32) / np.float32(block))[None, None]
    both = np.concatenate([x, x * ramp], axis=1)
    g = gains.astype(np.float32)
    change = np.diff(gains, axis=0).astype(np.float32)
    weights = np.swapaxes(np.concatenate([g[:-1], change], axis=1), 1, 2)
    mixed = np.matmul(weights, both)
    return np.ascontiguousarray(np.swapaxes(mixed, 0, 1).reshape(gains.shape[2], total))
