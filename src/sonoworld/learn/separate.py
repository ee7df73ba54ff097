"""A recording of a sound field and located sources -> what each of them put into it, and the rest.

Letters: k sources; c channels; t samples; f frequencies; m frames; q diffuse share. Long recordings go through in
pieces that overlap and fade into one another: memory grows with the length of a piece, not with the recording's.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Complex64, Float32, Inexact

from sonoworld.encode.exchange import order_of
from sonoworld.errors import InputError, ShapeError
from sonoworld.learn.separation import beams
from sonoworld.learn.separation.model import (
    OPEN_AIR,
    ROOM_BLUR,
    ROOM_SHARE,
    covariances,
    direction_of,
    furthest_rad,
    loud_bins,
    open_air,
    quiet_noise,
    refined,
)
from sonoworld.learn.separation.nmf import fit_factors
from sonoworld.learn.separation.spatial import Target, response_covariance
from sonoworld.learn.separation.spectra import signals, spectra
from sonoworld.learn.separation.wiener import Steps, fit, floor_of, images, inverted, of_bins
from sonoworld.types import SoundField

Estimator = Literal["auto", "wiener", "nmf", "renderer", "ls", "lcmv", "cardioid", "beam"]
_BINS_AT_ONCE = 96
_FIRST_SHARE, _LAST_SHARE = 0.1, 0.01
"""Diffuse shares under which directions are refined: first from afar, then exactly."""
_APART = 1e-2
_UNSURE = 0.8
"""A point found beyond this part of its reach may be another's place."""


@dataclass(frozen=True, slots=True)
class Separating:
    """How a mixture is taken apart.

    Args:
        estimator: auto: Wiener filters in the open air (point directions refined, noise measured), with diffuse shares
            and neighbours that are alike in rooms. wiener: the same with nothing decided by the mixture.
        window_s: length of the short-time spectra.
        piece_s: length of the pieces of a long recording.
        reach_deg: how far from their given directions points may be found; 0: they are where they are said to be.
        share: diffuse share q of every source, 0..1; None: the mixture says (auto), or 0 (others).
        updates: of variances, factors or waveforms.
        seed: of random starts.

    Raises:
        InputError: a value out of range.
    """

    estimator: Estimator = "auto"
    window_s: float = 0.064
    piece_s: float = 12.0
    reach_deg: float = 30.0
    share: float | None = None
    updates: int = 15
    seed: int = 0

    def __post_init__(self) -> None:
        if not (0.005 <= self.window_s <= 1 and self.piece_s >= 4 * self.window_s and 0 <= self.reach_deg <= 180):
            raise InputError("Separating: expected window_s 0.005..1, piece_s at least four windows, reach_deg 0..180")
        if self.updates < 1 or (self.share is not None and not 0 <= self.share <= 1):
            raise InputError(f"Separating: expected updates >= 1 and share 0..1, got {self.updates}, {self.share}")


@dataclass(frozen=True, slots=True)
class Separation:
    """What was found: images [k c t] per source, and the rest; they add up to the mixture.

    `dry` [k t] is what comes straight from each source, at the listener: its image at W without its diffuse share.
    `share` is the q and `estimator` the way that were used, `targets` what they became.
    """

    images: Float32[np.ndarray, "k c t"]
    dry: Float32[np.ndarray, "k t"]
    residual: Float32[np.ndarray, "c t"]
    targets: tuple[Target, ...]
    share: float
    estimator: Estimator


def separate(mixture: SoundField, targets: Sequence[Target], how: Separating = Separating()) -> Separation:
    """All of a recording at once in memory; see `pieces` for long ones.

    Raises:
        ShapeError: no targets, or targets of another order than the mixture's.
    """
    samples = mixture.signal.shape[1]
    parts = [part for _, part in pieces(mixture, targets, how)]
    joined = Separation(
        np.concatenate([part.images for part in parts], -1),
        np.concatenate([part.dry for part in parts], -1),
        np.concatenate([part.residual for part in parts], -1),
        parts[0].targets,
        parts[0].share,
        parts[0].estimator,
    )
    assert joined.residual.shape[1] == samples
    return joined


def pieces(
    mixture: SoundField,
    targets: Sequence[Target],
    how: Separating = Separating(),
) -> Iterator[tuple[float, Separation]]:
    """The recording piece by piece, in order: the share done, 0..1, and what was found in the next samples.

    Directions and diffuse share are found once, in the loudest piece; neighbours overlap by an eighth and fade.
    """
    require_fit(mixture, targets)
    samples, length = mixture.signal.shape[1], int(how.piece_s * mixture.rate_hz)
    overlap = length // 8
    step = length - overlap
    starts = list(range(0, max(1, samples - overlap), step))
    loudest = max(starts, key=lambda s: float(np.mean(mixture.signal[0, s : s + length] ** 2)))
    size = window_size(mixture.rate_hz, how)
    targets, how = decided(mixture.signal[:, loudest : loudest + length], targets, size, how)
    ramp = np.linspace(0, 1, overlap + 2, dtype=np.float32)[1:-1]
    tail: Separation | None = None
    for start in starts:
        last = start == starts[-1]
        found = _piece(mixture.signal[:, start : samples if last else start + length], targets, (size, how))
        if tail is not None:
            found = _map(
                found,
                lambda a, b: np.concatenate([a[..., :overlap] * ramp + b * (1 - ramp), a[..., overlap:]], -1),
                tail,
            )
        if last:
            yield 1.0, found
        else:
            tail = _map(found, lambda a, _: a[..., step:], found)
            yield (start + step) / samples, _map(found, lambda a, _: a[..., :step], found)


def _map(one: Separation, join: Callable[[np.ndarray, np.ndarray], np.ndarray], other: Separation) -> Separation:
    """The three signals of `one`, each joined with the same of `other`."""
    return replace(
        one,
        images=join(one.images, other.images),
        dry=join(one.dry, other.dry),
        residual=join(one.residual, other.residual),
    )


def require_fit(mixture: SoundField, targets: Sequence[Target]) -> None:
    """Targets and mixture have the same channels.

    Raises:
        ShapeError: no targets, order 0, or other channels.
    """
    c = mixture.signal.shape[0]
    if order_of(c) < 1:
        raise ShapeError("mixture", expected="order 1 or more: W alone has no directions", got="order 0")
    if not targets or any(len(target.gains) != c for target in targets):
        raise ShapeError(
            "targets", expected=f"one or more, {c} channels each", got=str([len(t.gains) for t in targets])
        )


def window_size(rate_hz: int, how: Separating) -> int:
    """Samples of the window, a multiple of 64."""
    return max(64, 64 * round(how.window_s * rate_hz / 64))


def decided(
    signal: Float32[np.ndarray, "c t"], targets: Sequence[Target], size: int, how: Separating
) -> tuple[tuple[Target, ...], Separating]:
    """Directions, diffuse share and estimator to use: as the mixture says where `auto`, else as given.

    Open air: what the refined directions leave over is small; they are believed, unless one is so far from where it
    was said to be that it may be another's place: then cardioids, whose width forgives. Otherwise the room speaks,
    refinement would follow reflections: the given directions stay and are believed by 1 - q.
    """
    known = any(target.responses is not None for target in targets)
    if how.estimator != "auto" or known:
        return tuple(targets), replace(how, share=how.share or 0.0)
    x = _bins_first(spectra(signal, size))
    loud = np.ascontiguousarray(x[loud_bins(x)])
    reach = math.radians(how.reach_deg)
    gains = np.stack([target.gains for target in targets])
    if np.linalg.matrix_rank(gains, tol=_APART) < len(targets):
        reach = 0.0  # more sources than independent directions: likelihood no longer tells whose place is whose
    near = refined(loud, targets, reach, _FIRST_SHARE)
    better = refined(loud, near, reach, _LAST_SHARE)
    if how.share is not None:
        return (better if how.share < OPEN_AIR else tuple(targets)), how
    found = open_air(loud, better)
    if not found and not open_air(loud, targets):
        return tuple(targets), replace(how, share=ROOM_SHARE)
    if reach > 0 and furthest_rad(better, targets) > _UNSURE * reach:
        return tuple(targets), replace(how, share=0.0, estimator="cardioid")
    return (better if found else tuple(targets)), replace(how, share=0.0)


def _piece(signal: Float32[np.ndarray, "c t"], targets: Sequence[Target], how: tuple[int, Separating]) -> Separation:
    beam = _beam(signal, targets, how[1].estimator)
    if beam is not None:
        dry = (beam @ signal).astype(np.float32)
        made = _carried(dry, targets)
    else:
        dry, made = _filtered(signal, targets, how)
    if how[1].estimator == "renderer":
        dry = _rendered_back(signal, targets, dry, how[1])
        made = _carried(dry, targets)
    return Separation(made, dry, signal - made.sum(0), tuple(targets), how[1].share or 0.0, how[1].estimator)


def _carried(dry: Float32[np.ndarray, "k t"], targets: Sequence[Target]) -> Float32[np.ndarray, "k c t"]:
    return np.stack([target.gains for target in targets]).astype(np.float32)[..., None] * dry[:, None]


def _rendered_back(
    signal: Float32[np.ndarray, "c t"], targets: Sequence[Target], first: Float32[np.ndarray, "k t"], how: Separating
) -> Float32[np.ndarray, "k t"]:
    """Waveforms through the differentiable renderer, from Wiener's; ten steps for every update."""
    if not all(target.point for target in targets):
        named = ", ".join(target.name for target in targets if not target.point)
        raise InputError(f"estimator renderer: expected point sources, got {named}; use auto")
    from sonoworld.learn.separation.renderer import waveforms_of  # noqa: PLC0415  torch waits until it is asked for

    directions = np.stack([direction_of(target) for target in targets])
    return waveforms_of(signal, directions, first, 10 * how.updates)


def _beam(signal: Float32[np.ndarray, "c t"], targets: Sequence[Target], estimator: Estimator) -> np.ndarray | None:
    order = order_of(len(signal))
    if estimator == "cardioid":
        return beams.cardioid_weights(targets, order)
    if estimator == "beam":
        return beams.sharpest_weights(targets, order)
    if estimator == "ls":
        return beams.ls_weights(targets)
    return beams.lcmv_weights(targets, signal) if estimator == "lcmv" else None


def _filtered(
    signal: Float32[np.ndarray, "c t"], targets: Sequence[Target], how: tuple[int, Separating]
) -> tuple[Float32[np.ndarray, "k t"], Float32[np.ndarray, "k c t"]]:
    size, options = how
    share = options.share or 0.0
    x = _bins_first(spectra(signal, size))
    straight = np.stack([target.covariance[0] for target in targets]).astype(np.complex64)
    R = _heard(targets, share, size)
    k, (bins, frames, c) = len(targets), x.shape
    made = np.empty((k, c, bins, frames), np.complex64)
    dry = np.empty((k, bins, frames), np.complex64)
    floor = floor_of(x)
    if options.estimator == "auto" and share < OPEN_AIR:
        floor += quiet_noise(x, targets)
    v = _variances(x, R, (share, floor), options)
    for first in range(0, bins, _BINS_AT_ONCE):
        here = slice(first, first + _BINS_AT_ONCE)
        y = inverted(x[here], v[:, here], of_bins(R, here), floor[here]).turned
        made[:, :, here] = images(y, v[:k, here], of_bins(R, here)[:k]).transpose(0, 3, 1, 2)
        dry[:, here] = (1 - share) * v[:k, here] * np.einsum("kc,fmc->kfm", straight, y)
    return signals(dry, signal.shape[1]), signals(made, signal.shape[1])


def _heard(targets: Sequence[Target], share: float, size: int) -> Inexact[np.ndarray, "k1 g c c"]:
    """Covariances of targets and the rest; of those whose responses are known, frequency by frequency."""
    alike = covariances(targets, share)
    if all(target.responses is None for target in targets):
        return alike
    each = np.repeat(alike, size // 2 + 1, 1).astype(np.complex64)
    for k, target in enumerate(targets):
        if target.responses is not None:
            R = response_covariance(target.responses, size)
            each[k] = (1 - share) * R + share * alike[-1]  # a fitted room is believed by 1 - q
    return each


def _variances(
    x: Complex64[np.ndarray, "f m c"],
    R: Inexact[np.ndarray, "k1 g c c"],
    known: tuple[float, Float32[np.ndarray, "f c"]],
    options: Separating,
) -> Float32[np.ndarray, "k1 f m"]:
    """Variances of targets and the rest, under a diffuse share and a floor that are known."""
    if options.estimator == "nmf":
        return fit_factors(x, R, options.updates, options.seed)
    share, floor = known
    smooth = options.estimator == "auto" and share >= OPEN_AIR  # what a room blurs
    steps = Steps(options.updates, *(ROOM_BLUR if smooth else (1, 1)))
    cuts = [slice(i, i + _BINS_AT_ONCE) for i in range(0, len(x), _BINS_AT_ONCE)]
    return np.concatenate([fit(x[s], of_bins(R, s), steps, floor[s]).variances for s in cuts], axis=1)


def _bins_first(spectrum: Complex64[np.ndarray, "c f m"]) -> Complex64[np.ndarray, "f m c"]:
    return np.ascontiguousarray(spectrum.transpose(1, 2, 0))
