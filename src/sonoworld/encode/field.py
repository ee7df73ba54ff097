"""Sources around a listener -> one sound field.

Letters: v voices; k block boundaries; B samples per block; g gains, ramped linearly per sample between boundaries.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.encode.arrive import arriving, by_degree, lead_blocks
from sonoworld.encode.gains import source_gains, voice_gains
from sonoworld.encode.harmonics import channel_count
from sonoworld.encode.level import gain_of
from sonoworld.encode.listener import Track
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.voices import Voices, make_voices
from sonoworld.encode.way import way_between, way_length
from sonoworld.errors import ShapeError
from sonoworld.frames import Pose
from sonoworld.types import FULL_SCALE_DB, SoundField, Source, Spread

_SEGMENT_BLOCKS = 512


def encode_source(
    source: Source, listener: Pose, options: EncodeOptions, time_s: float = 0.0
) -> Float64[np.ndarray, "c"]:
    """What one sample of a source's clip puts on every channel of the field at a listener's head, undivided.

    g = gain · b · Σ w_i σ(d_i) y(u_i) for areas, gain · b · σ(d) y(u) at the centroid for points, gain on W for
    ambience; `gain` is `level.source_gain`, b the directivity towards the listener.

    Args:
        source: in world coordinates, m.
        listener: `world_from_head`.
        options: order and laws.
        time_s: when, for a source that moves.

    Returns:
        (N + 1)² gains, ACN, SN3D, head axes.
    """
    policy = "paper" if options.mode == "paper" else "spl"
    return gain_of(source, policy) * source_gains(source, Track.still(listener), options, time_s)[0]


def encode_scene(
    sources: Sequence[Source], listener: Pose | Track, options: EncodeOptions, samples: int, rate_hz: int = 48000
) -> SoundField:
    """The sound field at a listener's head, still (a `Pose` world_from_head) or moving (a `Track`).

    Clips and paths start at sample 0; a clip that loops has been sounding before. Gains are computed at block
    boundaries and ramped per sample in between; areas seen wider than about 30° are spread over decorrelated copies
    unless `options.area` is `coherent`. With `options.delay` a source is heard from where its sound was sent.

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
        out = signal[:, first * track.block : min(last * track.block, samples)]
        for voices in everyone:
            heard = _heard(voices, track, (first, last), options, rate_hz)
            if heard is not None:
                out += heard[:, : out.shape[1]]
    return SoundField(signal, rate_hz, 0.0 if options.mode == "paper" else FULL_SCALE_DB)


def _heard(
    voices: Voices, track: Track, span: tuple[int, int], options: EncodeOptions, rate_hz: int
) -> Float32[np.ndarray, "c t"] | None:
    """The field of one source in the blocks span[0]..span[1] − 1; None where it is silent."""
    source, block = voices.source, track.block
    lead = lead_blocks(source, options, block, rate_hz)
    way = way_between(source, track, (span[0] - lead, span[1]), options, rate_hz)
    gains = voice_gains(source, voices.labels, way.after(lead), options)
    live = np.flatnonzero(gains.any((0, 2)))
    if len(live) == 0:
        return None
    way_m = None if source.spread is Spread.AMBIENT else way_length(source, way, options)
    signals = arriving(voices, live, way_m, ((span[0] - lead) * block, span[1] * block), options, rate_hz)
    degrees = by_degree(source, signals, way_m, options, rate_hz)
    now = slice(lead * block, None)
    if len(degrees) == 1:
        return ramped_mix(degrees[0][:, now], gains[:, live], block)
    channels = [slice(n * n, (n + 1) ** 2) for n in range(len(degrees))]
    return np.concatenate(
        [ramped_mix(x[:, now], gains[:, live, c], block) for x, c in zip(degrees, channels, strict=True)]
    )


def ramped_mix(
    signals: Float32[np.ndarray, "v t"], gains: Float64[np.ndarray, "k v c"], block: int
) -> Float32[np.ndarray, "c t"]:
    """Σ_v g_v(t)·x_v(t), g linear from `gains[i]` to `gains[i + 1]` over block i, which it reaches at its last sample.

    One set of gains alone holds throughout; else t = (k − 1)·block.
    """
    if len(gains) == 1:
        return np.ascontiguousarray(gains[0].T.astype(np.float32) @ signals)
    voices, total = signals.shape
    x = np.swapaxes(signals.reshape(voices, total // block, block), 0, 1)
    ramp = (np.arange(1, block + 1, dtype=np.float32) / np.float32(block))[None, None]
    both = np.concatenate([x, x * ramp], axis=1)
    g = gains.astype(np.float32)
    change = np.diff(gains, axis=0).astype(np.float32)
    weights = np.swapaxes(np.concatenate([g[:-1], change], axis=1), 1, 2)
    mixed = np.matmul(weights, both)
    return np.ascontiguousarray(np.swapaxes(mixed, 0, 1).reshape(gains.shape[2], total))
