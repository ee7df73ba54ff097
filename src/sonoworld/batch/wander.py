"""Random places and random walks in a world: where one can go, at the eye's height over the ground, without hurry.

Letters: x ahead, y left, z up (m, world); m index of the middle cell of the ground; yaw + left, pitch + up, radians.
"""

import math

import numpy as np
from jaxtyping import Float64

from sonoworld.errors import ShapeError
from sonoworld.render.walk import Walk
from sonoworld.types import COMFORT_RANGE_M, WalkSurface

SPEED_M_S = 0.7
TURN_RAD_S = math.radians(45)
"""At most, both: ears and eyes of a person."""

KEY_S = 0.25
"""Poses are this far apart."""

_LOOK = math.radians(15)
_TRIES = 32
_LEAST_M = 0.05
_CORNERS = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])

Place = Float64[np.ndarray, "3"]


def random_place(ground: WalkSurface | None, rng: np.random.Generator) -> Place:
    """Where a head may be, m, world: over a walkable cell, and near enough to the eye to look whole; every cell alike.

    Without a ground all within the least comfortable radius is level and free.
    """
    if ground is None:
        r, angle = COMFORT_RANGE_M[0] * math.sqrt(rng.random()), rng.uniform(-math.pi, math.pi)
        return np.array([r * math.cos(angle), r * math.sin(angle), 0.0])
    cells = np.argwhere(ground.walkable)
    m = (len(ground.walkable) - 1) // 2
    near = cells[np.linalg.norm((cells - m) * ground.cell_m, axis=1) <= ground.comfortable_radius_m]
    if not len(near):
        return np.zeros(3)
    at = (near[rng.integers(len(near))] - m) * ground.cell_m
    return _standing(ground, at.astype(np.float64))


def random_walk(ground: WalkSurface | None, seconds: float, rng: np.random.Generator) -> Walk:
    """From a random place to others in straight lines, looking about; never faster than `SPEED_M_S`, `TURN_RAD_S`.

    Raises:
        ShapeError: no time to walk.
    """
    if not 0 < seconds < math.inf:
        raise ShapeError("seconds of a random walk", expected="above 0", got=str(seconds))
    count = max(2, math.ceil(seconds / KEY_S) + 1)
    times = np.linspace(0.0, seconds, count)
    step_s = float(times[1])
    places, wanted = [random_place(ground, rng)], [rng.uniform(-math.pi, math.pi)]
    while len(places) < count:
        goal = _reachable(ground, places[-1], rng)
        if goal is None:
            places.append(places[-1])
            wanted.append(wanted[-1] + rng.normal() * TURN_RAD_S * step_s)
            continue
        way = goal - places[-1]
        keys = max(1, math.ceil(float(np.linalg.norm(way[:2])) / (SPEED_M_S * step_s)))
        heading = math.atan2(way[1], way[0]) + rng.uniform(-1, 1) * math.pi / 3
        start = places[-1]
        for i in range(1, keys + 1):
            places.append(_standing(ground, start[:2] + way[:2] * (i / keys)))
            wanted.append(heading)
    yaw = _turned(np.array(wanted[:count]), TURN_RAD_S * step_s)
    pitch = _LOOK * rng.uniform(-1, 1) * np.sin(2 * math.pi * times / max(seconds, 8.0))
    return Walk(times, np.stack(places[:count]), yaw, pitch, np.zeros(count))


def _reachable(ground: WalkSurface | None, here: Place, rng: np.random.Generator) -> Place | None:
    """Another place to which the straight line is free; None if none was found."""
    for _ in range(_TRIES):
        goal = random_place(ground, rng)
        length = float(np.linalg.norm(goal[:2] - here[:2]))
        if length >= _LEAST_M and (ground is None or _free(ground, here[:2], goal[:2])):
            return goal
    return None


def _free(ground: WalkSurface, start: Float64[np.ndarray, "2"], end: Float64[np.ndarray, "2"]) -> bool:
    """Whether a straight line crosses walkable cells only.

    It is looked at every half cell or less: a square of that size about each such place holds all of the line near it,
    and its corners lie in all cells that it touches.
    """
    side_m = ground.cell_m / 2
    count = math.ceil(float(np.linalg.norm(end - start)) / side_m) + 1
    at = start + np.linspace(0, 1, count)[:, None, None] * (end - start) + side_m / 2 * _CORNERS
    i, j = np.moveaxis(np.rint(at / ground.cell_m).astype(int) + (len(ground.walkable) - 1) // 2, -1, 0)
    return bool(ground.walkable[i, j].all())


def _cell(ground: WalkSurface, at: Float64[np.ndarray, "2"]) -> tuple[int, int]:
    i, j = np.rint(at / ground.cell_m).astype(int) + (len(ground.walkable) - 1) // 2
    return int(i), int(j)


def _standing(ground: WalkSurface | None, at: Float64[np.ndarray, "2"]) -> Place:
    z = 0.0 if ground is None else float(ground.floor_m[_cell(ground, at)]) + ground.eye_height_m
    return np.array([at[0], at[1], z])


def _turned(wanted: Float64[np.ndarray, "k"], most: float) -> Float64[np.ndarray, "k"]:
    """Angles that follow the wanted ones on the shorter way, by at most so much from one to the next."""
    yaw = [float(wanted[0])]
    for target in wanted[1:]:
        yaw.append(yaw[-1] + float(np.clip(math.remainder(target - yaw[-1], 2 * math.pi), -most, most)))
    return np.array(yaw)
