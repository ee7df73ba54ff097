"""A sound field to loudspeakers: one gain for every channel and loudspeaker.

Letters: s full-range loudspeakers, c channels, J virtual loudspeakers with solid angles ω (sum 4π); Y [· c] N3D
harmonics; G [s J] gains of panning; W max-rE weights; D [s c] decoder; g = D·y what a plane wave from one direction
puts on the loudspeakers; E = Σ g² its energy; r_E = Σ g² u / E its energy vector.
Sources: Zotter and Frank, "All-round Ambisonic panning and decoding", J. Audio Eng. Soc. 60 (2012) 807; Pulkki,
"Virtual sound source positioning using vector base amplitude panning", J. Audio Eng. Soc. 45 (1997) 456; Zotter,
Pomberger and Noisternig, "Energy-preserving Ambisonic decoding", Acta Acustica 98 (2012) 37.
"""

from typing import Literal, get_args

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.encode.harmonics import channel_count, channel_degrees, harmonics
from sonoworld.encode.max_re import max_re_weights
from sonoworld.errors import ShapeError
from sonoworld.render.speakers import Layout
from sonoworld.types import SoundField

Method = Literal["allrad", "sampling", "mode", "epad"]
"""allrad: panning of virtual loudspeakers, for every layout. sampling: the field where loudspeakers stand. mode: the
loudspeakers' field equals the given one, for regular layouts. epad: as `mode` with constant energy."""

CELLS = 40
"""Each edge of a triangle of loudspeakers is cut into this many: 1600 virtual loudspeakers in each triangle."""
WORST_CONDITION = 3.0
"""Ratio of the largest to the smallest gain of `mode` and `epad` above which a layout is not regular enough."""


def speaker_decoder(
    layout: Layout, order: int, method: Method = "allrad", max_re: bool = True
) -> Float64[np.ndarray, "n c"]:
    """Gains from an SN3D sound field (ACN, head axes) to the channels of a layout; LFE gets none.

    Energy is normalised: averaged over all directions, a plane wave of amplitude 1 gives loudspeakers whose squared
    gains sum to 1. Where no loudspeaker stands (above and below a ring, behind stereo) the nearest ones share what
    AllRAD's imaginary loudspeakers would play, so that nothing goes missing.

    Args:
        layout: where the loudspeakers stand.
        order: Ambisonic order, 0..10.
        method: see `Method`.
        max_re: gather the energy around its direction (W); False weighs all degrees alike.

    Raises:
        ShapeError: the order is outside 0..10, the method unknown, or the layout too small or irregular for it.
    """
    degrees = np.array(channel_degrees(order))
    n3d = np.sqrt(2 * degrees + 1.0)
    if method == "allrad":
        plain = _allrad(layout.directions, order)
    elif method in get_args(Method):
        plain = _solved(layout, harmonics(layout.directions, order) * n3d, method)
    else:
        raise ShapeError("method", expected=" or ".join(get_args(Method)), got=repr(method))
    D = plain * max_re_weights(order)[degrees] if max_re else plain
    # N3D harmonics are orthonormal in the mean over the sphere, so the mean of |D y|² is the sum of squares of D
    whole = np.zeros((len(layout.speakers), channel_count(order)))
    whole[list(layout.full_range)] = D / np.linalg.norm(D) * n3d
    return whole


def decoded(field: SoundField, layout: Layout, method: Method = "allrad") -> Float32[np.ndarray, "n t"]:
    """A sound field as loudspeaker signals, in the order of the layout's channels.

    Raises:
        ShapeError: see `speaker_decoder`.
    """
    gains = np.asarray(speaker_decoder(layout, field.order, method), np.float32)
    return gains @ field.signal


def energy_vectors(
    gains: Float64[np.ndarray, "s c"], speakers: Float64[np.ndarray, "s 3"], towards: Float64[np.ndarray, "m 3"]
) -> tuple[Float64[np.ndarray, "m"], Float64[np.ndarray, "m 3"]]:
    """E and r_E of plane waves of amplitude 1 from some directions (Gerzon 1992): what a listener in the middle gets.

    Args:
        gains: SN3D decoder, full-range loudspeakers only.
        speakers: unit vectors to them.
        towards: unit vectors to the sources.
    """
    order = round(gains.shape[1] ** 0.5) - 1
    power = (harmonics(towards, order) @ gains.T) ** 2
    energy = power.sum(1)
    return energy, power @ speakers / energy[:, None]


def _allrad(speakers: Float64[np.ndarray, "s 3"], order: int) -> Float64[np.ndarray, "s c"]:
    """D = G·diag(ω)·Y (Zotter and Frank 2012, with quadrature in place of a t-design), triangle by triangle."""
    from sonoworld.render.speakers_hull import speaker_hull  # noqa: PLC0415  slow imports

    hull = speaker_hull(speakers)
    n3d = np.sqrt(2 * np.array(channel_degrees(order)) + 1.0)
    gains = np.zeros((len(speakers), channel_count(order)))
    for triangle in hull.triangles:
        corners = hull.vertices[triangle]
        virtual, omega = _cells(corners)
        # u = Σ g_i v_i (Pulkki 1997); imaginary loudspeakers handed on; then Σ g² = 1
        panned = virtual @ np.linalg.inv(corners) @ hull.share[:, triangle].T
        panned /= np.linalg.norm(panned, axis=1, keepdims=True)
        gains += panned.T @ (omega[:, None] * harmonics(virtual, order) * n3d)
    return gains


def _cells(corners: Float64[np.ndarray, "3 3"]) -> tuple[Float64[np.ndarray, "j 3"], Float64[np.ndarray, "j"]]:
    """Middles and solid angles of a triangle cut into `CELLS`² small ones, no corner preferred."""
    row, column = np.indices((CELLS, CELLS)).reshape(2, -1)
    upright, upended = (np.stack([row, column], -1)[row + column < CELLS - less] for less in (0, 1))
    steps = np.array([[[0, 0], [1, 0], [0, 1]]]), np.array([[[1, 0], [0, 1], [1, 1]]])
    ab = np.concatenate([upright[:, None] + steps[0], upended[:, None] + steps[1]]) / CELLS
    small = np.concatenate([ab, 1 - ab.sum(-1, keepdims=True)], -1) @ corners
    small /= np.linalg.norm(small, axis=-1, keepdims=True)
    a, b, c = small.transpose(1, 0, 2)
    # tan(ω/2) = |a·(b × c)| / (1 + a·b + b·c + c·a) (Van Oosterom and Strackee 1983, eq. 8)
    volume = np.abs((a * np.cross(b, c)).sum(-1))
    omega = 2 * np.arctan2(volume, 1 + (a * b).sum(-1) + (b * c).sum(-1) + (c * a).sum(-1))
    middle = small.sum(1)
    return middle / np.linalg.norm(middle, axis=-1, keepdims=True), omega


def _solved(layout: Layout, Y: Float64[np.ndarray, "s c"], method: Method) -> Float64[np.ndarray, "s c"]:
    if method == "sampling":
        return Y
    if Y.shape[0] < Y.shape[1]:
        wanted = f"at least {Y.shape[1]} loudspeakers for {Y.shape[1]} channels, or method 'allrad'"
        raise ShapeError(f"method {method!r}", expected=wanted, got=f"{Y.shape[0]} in layout {layout.name!r}")
    U, stretch, Vt = np.linalg.svd(Y, full_matrices=False)
    if stretch[0] > WORST_CONDITION * stretch[-1]:
        wanted = f"a layout whose harmonics have a condition of at most {WORST_CONDITION:g}, or method 'allrad'"
        raise ShapeError(f"method {method!r}", expected=wanted, got=f"layout {layout.name!r}, {_ratio(stretch)}")
    # the pseudo-inverse, and with all its gains made equal (Zotter, Pomberger and Noisternig 2012)
    return U @ (Vt if method == "epad" else Vt / stretch[:, None])


def _ratio(stretch: Float64[np.ndarray, "c"]) -> str:
    return f"condition {stretch[0] / stretch[-1]:.3g}" if stretch[-1] > 1e-9 * stretch[0] else "singular"
