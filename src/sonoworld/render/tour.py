"""The walk that comes with a world: from the eye to what sounds most, one after the other, and back; always gently.

Letters: R how far one may go (m), r how far one goes towards a sight (m), d its distance (m), w weights of a source's
points; x ahead, y left, z up (m, world). One starts and ends at the photo's eye, level, looking ahead.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float64

from sonoworld.frames import angles_from_direction, direction_from_angles
from sonoworld.render.walk import Walk
from sonoworld.types import COMFORT_RANGE_M, Source, WalkSurface

VERSION = "1"
TOUR_S = 20.0
"""Length of the walk and the film that come with a world."""

TOP_SPEED = 0.7
"""m/s at the fastest: a stroll."""

TOP_TURN = math.radians(30)
"""rad/s at the fastest: no dizziness, no smear."""

Place = Float64[np.ndarray, "3"]
STOPS, HOLD_S, RATE_HZ = 3, 1.0, 20
LEAST_APART = math.radians(20)
"""What lies closer together is looked at together."""

HIGHEST_LOOK = math.radians(15)
_LEAST_TOGETHER = 0.5
_SHARE_OF_WAY, _SHARE_OF_RADIUS = 0.5, 0.9
_FILL = (math.radians(40), math.radians(-40), 0.0, math.radians(80), math.radians(-80))
_FILL_DISTANCE_M = 10.0
_SAMPLES, _MARGIN_M = 121, 0.03
_CORNERS = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
_EVEN_M = 0.3
"""The head does not bob over every bump: the ground counts as its mean over about this distance."""


@dataclass(frozen=True, slots=True)
class _Key:
    """Where a tour leads: the place on the ground plan, the point to look at (None: level, ahead), and the stay."""

    at: Float64[np.ndarray, "2"]
    sight: Place | None = None
    hold_s: float = HOLD_S


_EYE = _Key(np.zeros(2))


def default_walk(seconds: float, sources: Sequence[Source] = (), ground: WalkSurface | None = None) -> Walk:
    """A tour of so many seconds to the sources that are loudest at the eye, each looked at from nearer by, and back.

    It keeps to where `ground` can be walked and looks whole (`WalkSurface.comfortable_radius_m`), at the eye's height
    over it; without `ground` everything within the least comfortable radius is level and free. It starts and ends
    standing, never goes faster than `TOP_SPEED` or turns faster than `TOP_TURN`; what does not fit into the time is
    left out, the quietest first. Where little sounds, it looks around instead.
    """
    places = _places(sources)
    stops = [_stop(place, ground) for place in places]
    for count in range(len(stops), 0, -1):
        tours = [_tour(order, ground) for order in itertools.permutations(stops[:count])]
        natural = min(tours, key=lambda tour: tour.seconds)
        if natural.seconds <= seconds or count == 1:
            return _lasting(natural, seconds, ground)
    raise AssertionError("there are always sights")


def _places(sources: Sequence[Source]) -> list[Place]:
    """Points to look at, most important first: sources by loudness at the eye, then directions to look around."""
    found = [sight for source in sources if (sight := _sight(source)) is not None]
    loudest = [place for _, place in sorted(found, key=lambda sight: -sight[0])]
    around = [_FILL_DISTANCE_M * direction_from_angles(np.array(a), np.array(0.0)) for a in _FILL]
    kept: list[Place] = []
    for place in (*loudest, *around):
        if len(kept) < STOPS and all(_angle(place, other) >= LEAST_APART for other in kept):
            kept.append(place)
    return kept


def _sight(source: Source) -> tuple[float, Place] | None:
    """Level at the eye (dB) and the place from where it comes; None for what comes from all around or from the eye."""
    points, w = source.points.astype(np.float64), source.weights.astype(np.float64)
    d = np.linalg.norm(points, axis=1)
    if not len(points) or d.min() < 1e-3:
        return None
    power = w / d**2
    middle = (power[:, None] * points / d[:, None]).sum(0) / power.sum()
    if np.linalg.norm(middle) < _LEAST_TOGETHER or math.hypot(middle[0], middle[1]) < _LEAST_TOGETHER:
        return None
    place = middle / np.linalg.norm(middle) / math.sqrt(float(power.sum()))
    return source.level_db + 10 * math.log10(float(power.sum())), place


def _angle(a: Place, b: Place) -> float:
    """Between two places on the ground plan, seen from the eye."""
    return abs(math.remainder(math.atan2(a[1], a[0]) - math.atan2(b[1], b[0]), 2 * math.pi))


def _stop(place: Place, ground: WalkSurface | None) -> _Key:
    """Towards a sight, at most half of the way, as far as one may go."""
    d = math.hypot(place[0], place[1])
    ahead = place[:2] / d
    R = COMFORT_RANGE_M[0] if ground is None else ground.comfortable_radius_m
    wanted = min(_SHARE_OF_RADIUS * R, _SHARE_OF_WAY * d)
    steps = np.linspace(0, wanted, _SAMPLES)
    clear = np.logical_and.accumulate(_walkable(ground, steps[:, None] * ahead))
    return _Key(float(steps[clear][-1]) * ahead, place)


def _walkable(ground: WalkSurface | None, at: Float64[np.ndarray, "k 2"]) -> np.ndarray:
    """Which places can be walked, and so much around each that nothing lies between two of a line; the eye's can."""
    here = np.linalg.norm(at, axis=1) < 1e-9
    if ground is None:
        return np.ones(len(at), bool)
    n = len(ground.walkable)
    cell = np.floor((at[:, None] + _MARGIN_M * _CORNERS) / ground.cell_m + n / 2).astype(np.int64)
    inside = np.all((cell >= 0) & (cell < n), axis=(1, 2))
    i, j = np.moveaxis(np.clip(cell, 0, n - 1), -1, 0)
    return here | (inside & ground.walkable[i, j].all(1))


@dataclass(frozen=True, slots=True)
class _Tour:
    """Poses [k, 5] (x, y, z, yaw, pitch), evenly in time, that need so many seconds at the speeds aimed at."""

    poses: Float64[np.ndarray, "k 5"]
    seconds: float


def _tour(stops: Sequence[_Key], ground: WalkSurface | None) -> _Tour:
    """From the eye to stop after stop and back; straight, or by the eye where something stands between two stops."""
    keys = [_EYE]
    for stop in (*stops, _EYE):
        line = np.linspace(keys[-1].at, stop.at, _SAMPLES)
        if not _walkable(ground, line).all():
            keys.append(_Key(np.zeros(2), stop.sight, 0.0))
        keys.append(stop)
    poses = _poses(keys, ground)
    parts = [poses[:1]]
    for before, after, key in zip(poses[:-1], poses[1:], keys[1:], strict=True):
        way, turn = np.linalg.norm(after[:3] - before[:3]), np.linalg.norm(after[3:] - before[3:])
        # 3s² − 2s³ starts and ends standing, and is 1.5 times as fast as its mean in the middle
        count = max(2, math.ceil(RATE_HZ * 1.5 * max(way / TOP_SPEED, turn / TOP_TURN)))
        share = np.arange(1, count + 1) / count
        parts.append(before + (share**2 * (3 - 2 * share))[:, None] * (after - before))
        if key is not keys[-1]:
            parts.append(np.repeat(after[None], round(key.hold_s * RATE_HZ), 0))
    path = np.concatenate(parts)
    path[:, 2] = _heights(ground, path[:, :2])
    return _Tour(path, _needed_s(path))


def _poses(keys: Sequence[_Key], ground: WalkSurface | None) -> Float64[np.ndarray, "k 5"]:
    """Place and gaze of each key; yaw goes on the short way from one to the next."""
    poses = np.zeros((len(keys), 5))
    poses[:, :2] = [key.at for key in keys]
    poses[:, 2] = _heights(ground, poses[:, :2])
    for k, key in enumerate(keys):
        if key.sight is not None:
            azimuth, elevation = angles_from_direction(key.sight - poses[k, :3])
            poses[k, 3:] = azimuth, min(HIGHEST_LOOK, max(-HIGHEST_LOOK, float(elevation)))
    poses[:, 3] = np.unwrap(poses[:, 3])
    return poses


def _heights(ground: WalkSurface | None, at: Float64[np.ndarray, "k 2"]) -> Float64[np.ndarray, "k"]:
    """Where the head is, z: as high over the (evened) ground as the photo's eye is over the ground below it."""
    if ground is None:
        return np.zeros(len(at))
    middle = len(ground.floor_m) // 2
    even = cv2.GaussianBlur(ground.floor_m, (0, 0), max(0.5, _EVEN_M / ground.cell_m))
    cell = (at / ground.cell_m + middle).astype(np.float32)
    z = cv2.remap(even, cell[:, 1:2], cell[:, 0:1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return z[:, 0].astype(np.float64) - float(even[middle, middle])


def _needed_s(path: Float64[np.ndarray, "k 5"]) -> float:
    """How long it takes at the speeds aimed at: as sampled, or longer where the ground makes a step longer."""
    steps = np.diff(path, axis=0)
    speed = float(np.linalg.norm(steps[:, :3], axis=1).max()) * RATE_HZ
    turn = float(np.linalg.norm(steps[:, 3:], axis=1).max()) * RATE_HZ
    return max(1.0, speed / TOP_SPEED, turn / TOP_TURN) * len(steps) / RATE_HZ


def _lasting(tour: _Tour, seconds: float, ground: WalkSurface | None) -> Walk:
    """The tour at the pace that fills the time; if that is too short even for one stop, a smaller one, less far."""
    poses = tour.poses * min(1.0, seconds / tour.seconds)
    times = np.linspace(0.0, seconds, max(2, math.ceil(seconds * RATE_HZ) + 1))
    sampled = np.linspace(0.0, seconds, len(poses))
    x, y, yaw, pitch = (np.interp(times, sampled, poses[:, column]) for column in (0, 1, 3, 4))
    z = _heights(ground, np.stack([x, y], -1))
    return Walk(times, np.stack([x, y, z], -1), yaw, pitch, np.zeros(len(times)))
