"""How a located source reaches the channels: a covariance per source, and that of a room around it.

Letters: u direction; y(u) SN3D harmonics; c channels; w_i, σ_i weight and fade of a surface point; q share of a
source's power that arrives from all around (late field, or a direction not sure); D covariance of a diffuse field.
All covariances are scaled to 1 on W: a variance is then the power of a source's image at W.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Complex128, Float, Float64

from sonoworld.encode.area import area_gains
from sonoworld.encode.harmonics import channel_count, channel_degrees, harmonics
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.propagate import fade
from sonoworld.errors import InputError, ShapeError
from sonoworld.frames import Pose
from sonoworld.types import Source, Spread

_LAW = EncodeOptions()


@dataclass(frozen=True, slots=True)
class Target:
    """What one stem is made of.

    Args:
        name: of the stem.
        gains: what the source puts on every channel, W = 1; for what has no direction, W alone.
        covariance: symmetric, 1 on W: rank 1 for points, up to c for areas, diagonal for what surrounds.
        point: whether its direction is one direction, which may be refined.
        responses: measured or learnt impulse responses [c taps] of its way through the room, or None.
    """

    name: str
    gains: Float64[np.ndarray, "c"]
    covariance: Float64[np.ndarray, "c c"]
    point: bool
    responses: Float64[np.ndarray, "c taps"] | None = None

    def __post_init__(self) -> None:
        at_w = float(self.covariance[0, 0])
        if abs(at_w - 1) > 1e-6 or not np.allclose(self.covariance, self.covariance.T):
            raise ShapeError(f"Target {self.name}: covariance", expected="symmetric, 1 on W", got=f"{at_w} on W")

    @staticmethod
    def towards(name: str, direction: Float[np.ndarray, "3"], order: int) -> "Target":
        """A point source in a direction, head axes."""
        y = harmonics(np.asarray(direction, np.float64), order)
        return Target(name, y, np.outer(y, y), point=True)


def diffuse_covariance(order: int) -> Float64[np.ndarray, "c c"]:
    """D = diag(1/(2n + 1)): the mean of y y^T over the sphere (SN3D; orthogonality of the harmonics)."""
    return np.diag([1.0 / (2 * n + 1) for n in channel_degrees(order)])


def targets_of(sources: Sequence[Source], listener: Pose, order: int) -> tuple[Target, ...]:
    """One target per source of a scene, as heard from `listener` (world_from_head).

    Points are their centroid, areas Σ w σ² y y^T over their surface, ambience is diffuse.

    Raises:
        InputError: no sources, or two of one name.
    """
    names = [source.id for source in sources]
    if not names or len(set(names)) != len(names):
        raise InputError(f"sources: expected one or more, each with its own name, got {', '.join(names) or 'none'}")
    return tuple(_target(source, listener, order) for source in sources)


def _target(source: Source, listener: Pose, order: int) -> Target:
    D = diffuse_covariance(order)
    centroid = source.centroid
    if centroid is None:
        return Target(source.id, np.eye(len(D))[0], D, point=False)
    if source.spread is Spread.POINT:
        return Target.towards(source.id, (centroid - listener.origin) @ listener.rotation, order)
    offset = (np.asarray(source.points, np.float64) - listener.origin) @ listener.rotation
    sigma, w = fade(offset, _LAW), np.asarray(source.weights, np.float64)
    energy = w * sigma**2
    Y = harmonics(offset, order)
    covariance = (Y * (energy / energy.sum())[:, None]).T @ Y
    gains = area_gains(offset, w, sigma, order)
    return Target(source.id, gains / gains[0], covariance, point=False)


def surrounded(covariance: Float64[np.ndarray, "*k c c"], share: float) -> Float64[np.ndarray, "*k c c"]:
    """(1 − q)·R + q·D: what a source is in a room in which the share q of its power arrives from all around."""
    order = math.isqrt(covariance.shape[-1]) - 1
    channel_count(order)
    if not 0 <= share <= 1:
        raise ShapeError("diffuse share", expected="0..1", got=str(share))
    return (1 - share) * covariance + share * diffuse_covariance(order)


def heard_through(
    targets: Sequence[Target], responses: Mapping[str, Float64[np.ndarray, "c taps"]]
) -> tuple[Target, ...]:
    """Targets whose way through the room is known, from responses by name (measured, or of a fitted room).

    Responses are those of the listener's head axes, at the mixture's rate; a target without one stays as it was.

    Raises:
        InputError: a response of nobody.
        ShapeError: a response with other channels than its target.
    """
    nobody = set(responses) - {target.name for target in targets}
    if nobody:
        raise InputError(f"responses: expected names of sources, got {', '.join(sorted(nobody))}")
    for target in targets:
        h = responses.get(target.name)
        if h is not None and len(h) != len(target.gains):
            raise ShapeError(f"response of {target.name}", expected=f"[{len(target.gains)} taps]", got=str(h.shape))
    return tuple(replace(t, responses=responses[t.name]) if t.name in responses else t for t in targets)


def response_covariance(responses: Float64[np.ndarray, "c taps"], size: int) -> Complex128[np.ndarray, "f c c"]:
    """Covariance per frequency of a source heard through its impulse responses, 1 on W.

    What arrives within one window adds in phase, h(f) h(f)^H; each later quarter window is another realisation
    (Duong, Vincent and Gribonval, TASLP 18 (2010) 1830: full-rank covariances of rooms).
    """
    bins = size // 2 + 1
    heard = np.zeros((bins, len(responses), len(responses)), np.complex128)
    first = np.fft.rfft(responses[:, :size], size, axis=-1)
    heard += np.einsum("af,bf->fab", first, first.conj())
    for start in range(size, responses.shape[1], size // 4):
        part = np.fft.rfft(responses[:, start : start + size // 4], size, axis=-1)
        heard += np.einsum("af,bf->fab", part, part.conj())
    # A bin in which W hears nothing has no shape of its own: it takes the mean of its neighbours' power as its floor.
    at_w = heard[:, 0, 0].real
    floor = 1e-3 * float(at_w.mean())
    if not floor > 0:
        raise ShapeError("responses", expected="sound on W", got="silence")
    heard += floor * diffuse_covariance(math.isqrt(len(responses)) - 1)
    return heard / heard[:, :1, :1].real
