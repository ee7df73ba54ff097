"""A sound field for loudspeakers: one matrix, [loudspeakers, channels].

Letters: s loudspeakers, c channels (ACN, SN3D), N order, n degree, w_n max-rE weights, D decoder, g gains, E energy,
r_E energy vector.

Level: D is scaled so that a source whose W has RMS r gives the energy Σ rms_s² = r², on average over all directions
(a diffuse field). LFE is silent: it is a channel for effects, played 10 dB louder (ITU-R BS.775-4), and all other
channels carry the full band; a receiver with bass management sends theirs to the subwoofer.
"""

from typing import Literal

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.encode.harmonics import channel_degrees, harmonics
from sonoworld.encode.max_re import max_re_weights
from sonoworld.errors import ShapeError
from sonoworld.render.allrad import panned_harmonics
from sonoworld.render.layouts import SpeakerLayout
from sonoworld.types import SoundField

DecoderMethod = Literal["allrad", "sampling"]


def speaker_decoder(
    layout: SpeakerLayout, order: int, method: DecoderMethod = "allrad", *, max_re: bool = True
) -> Float64[np.ndarray, "s c"]:
    """Decoder from a sound field to loudspeakers.

    Args:
        layout: the loudspeakers; one that is LFE gets a row of zeros.
        order: Ambisonic order, 0..10.
        method: "allrad" for any layout (panned over the hull of the loudspeakers); "sampling" for regular ones: every
            loudspeaker plays the field at its place.
        max_re: narrow the picture as far as the order allows; without it there are side lobes of opposite sign.

    Returns:
        [s, c]; column c multiplies the ACN channel c, SN3D. Diffuse-field energy Σ D²/(2n + 1) = 1.

    Raises:
        ShapeError: an unknown method or an order outside 0..10.
        InputError: loudspeakers that cannot be panned on (closer than 2°).
    """
    degrees = np.array(channel_degrees(order))
    if method == "allrad":
        sampled = panned_harmonics(layout, order)
    elif method == "sampling":
        sampled = harmonics(layout.directions, order) * ~layout.lfe[:, None]
    else:
        raise ShapeError("decoder method", expected="'allrad' or 'sampling'", got=repr(method))
    per_degree = max_re_weights(order) if max_re else np.ones(order + 1)
    # Σ_nm N3D(θ) N3D(θ') gathers a direction: 2n + 1 for SN3D on both sides (Zotter and Frank 2012, eq. 8 and 14)
    decoder = sampled * (per_degree * (2 * np.arange(order + 1) + 1))[degrees]
    # the mean of an SN3D harmonic's square is 1/(2n + 1)
    return decoder / np.sqrt((decoder**2 / (2 * degrees + 1)).sum())


def loudspeaker_signals(
    field: SoundField, layout: SpeakerLayout, method: DecoderMethod = "allrad"
) -> Float32[np.ndarray, "s t"]:
    """A sound field on loudspeakers, one signal each in the layout's order, max-rE; no gain, nothing clipped.

    Raises:
        InputError: see `speaker_decoder`.
    """
    decoder = speaker_decoder(layout, field.order, method).astype(np.float32)
    return decoder @ field.signal


def energy_and_vector(
    gains: Float64[np.ndarray, "n s"], layout: SpeakerLayout
) -> tuple[Float64[np.ndarray, "n"], Float64[np.ndarray, "n 3"]]:
    """E = Σ g² and r_E = Σ g² v/E for the gains of each direction (Gerzon 1992, eq. 3).

    r_E points to where a broad-band sound is heard; its length is the cosine of the sound's half width.
    """
    squares = gains**2
    energy = squares.sum(-1)
    return energy, squares @ layout.directions / energy[:, None]
