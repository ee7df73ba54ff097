"""A walk: where the listener's head is, and where it looks, over time.

Letters: t time, s; yaw + left, pitch + up, roll + right ear down, radians.
"""

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
from jaxtyping import Float64

from sonoworld.encode.listener import Track
from sonoworld.errors import InputError, ShapeError
from sonoworld.frames import Pose, head_angles, world_from_head_rotation

MAX_POSES = 200_000
_FIELDS = {"t", "position", "yaw", "pitch", "roll"}


@dataclass(frozen=True, slots=True)
class Walk:
    """Head poses at rising times: positions in m, world; angles in radians (`world_from_head_rotation`).

    Before the first and after the last time the head stays where it is.

    Raises:
        ShapeError: no pose, times that do not rise, or numbers that are not finite.
    """

    times_s: Float64[np.ndarray, "k"]
    positions: Float64[np.ndarray, "k 3"]
    yaw: Float64[np.ndarray, "k"]
    pitch: Float64[np.ndarray, "k"]
    roll: Float64[np.ndarray, "k"]

    def __post_init__(self) -> None:
        k = len(self.times_s)
        shapes = {a.shape for a in (self.times_s, self.yaw, self.pitch, self.roll)}
        if k == 0 or shapes != {(k,)} or self.positions.shape != (k, 3):
            raise ShapeError("Walk", expected="k >= 1 poses in every field", got=f"{k} times, {self.positions.shape}")
        everything = np.concatenate([self.times_s, self.positions.reshape(-1), self.yaw, self.pitch, self.roll])
        if not np.isfinite(everything).all():
            raise ShapeError("Walk", expected="finite numbers", got="NaN or infinity")
        if not (np.diff(self.times_s) > 0).all():
            raise ShapeError("Walk.times_s", expected="times that rise", got="one that does not")

    @property
    def seconds(self) -> float:
        """Time of the last pose."""
        return float(self.times_s[-1])

    def pose_at(self, time_s: float) -> Pose:
        """`world_from_head` at a time."""
        rotations, origins = self.at(np.array([time_s], np.float64))
        return Pose(rotations[0], origins[0])

    def at(self, times_s: Float64[np.ndarray, "n"]) -> tuple[Float64[np.ndarray, "n 3 3"], Float64[np.ndarray, "n 3"]]:
        """Rotations world_from_head and origins at any times: positions linear, rotations on the shortest arc."""
        origins = np.stack([np.interp(times_s, self.times_s, self.positions[:, axis]) for axis in range(3)], -1)
        keys = [
            world_from_head_rotation(float(y), float(p), float(r))
            for y, p, r in zip(self.yaw, self.pitch, self.roll, strict=True)
        ]
        return _between(np.stack(keys), self.times_s, times_s), origins

    def track(self, rate_hz: int, block: int, samples: int) -> Track:
        """Poses at every block boundary of a rendering."""
        blocks = math.ceil(samples / block)
        rotations, origins = self.at(np.arange(blocks + 1) * (block / rate_hz))
        return Track(rotations, origins, block)


def still_walk(pose: Pose, seconds: float) -> Walk:
    """Standing at one place, looking one way."""
    yaw, pitch, roll = (np.array([angle, angle]) for angle in head_angles(pose.rotation))
    return Walk(np.array([0.0, seconds]), np.stack([pose.origin, pose.origin]), yaw, pitch, roll)


def looking_ahead(walk: Walk) -> Walk:
    """The same way with the head kept level and looking along the world's x."""
    level = np.zeros_like(walk.yaw)
    return Walk(walk.times_s, walk.positions, level, level, level)


def walk_document(walk: Walk) -> dict[str, object]:
    """A walk in its JSON form, as `parse_walk` reads it; numbers to a tenth of a millimetre, milliradian or second."""
    poses = [
        {
            "t": round(float(t), 4),
            "position": [round(float(x), 4) for x in place],
            "yaw": round(float(yaw), 4),
            "pitch": round(float(pitch), 4),
            "roll": round(float(roll), 4),
        }
        for t, place, yaw, pitch, roll in zip(
            walk.times_s, walk.positions, walk.yaw, walk.pitch, walk.roll, strict=True
        )
    ]
    return {"poses": poses}


def parse_walk(document: object) -> Walk:
    """A walk from its JSON form: `{"rate_hz": 30, "poses": [{"t", "position", "yaw", "pitch", "roll"?}]}`.

    `t` in seconds, `position` [x, y, z] in m, world (x ahead, y left, z up), angles in radians; a pose without `t`
    stands at its index divided by `rate_hz`.

    Raises:
        InputError: anything unknown, missing, not a finite number, or times that do not rise; says which pose.
    """
    if not isinstance(document, dict) or not set(document) <= {"rate_hz", "poses"}:
        raise InputError('walk: expected an object with "poses" (and perhaps "rate_hz") and nothing else')
    table = cast("dict[str, object]", document)
    rate_hz = None if table.get("rate_hz") is None else _number(table["rate_hz"], "walk.rate_hz")
    poses = table.get("poses")
    if not isinstance(poses, list) or not 0 < len(poses) <= MAX_POSES or (rate_hz is not None and rate_hz <= 0):
        raise InputError(f'walk: expected 1..{MAX_POSES} poses in a list and a "rate_hz" above 0')
    rows = np.array([_row(pose, i, rate_hz) for i, pose in enumerate(cast("list[object]", poses))])
    late = np.flatnonzero(np.diff(rows[:, 0]) <= 0)
    if len(late):
        i = int(late[0]) + 1
        raise InputError(f"walk.poses[{i}].t: expected more than {rows[i - 1, 0]:g} s (times rise), got {rows[i, 0]:g}")
    return Walk(*(np.ascontiguousarray(rows[:, part]) for part in (0, slice(1, 4), 4, 5, 6)))


def _row(pose: object, i: int, rate_hz: float | None) -> list[float]:
    where = f"walk.poses[{i}]"
    if not isinstance(pose, dict) or not set(pose) <= _FIELDS:
        raise InputError(f"{where}: expected an object of {', '.join(sorted(_FIELDS))}, got {_short(pose)}")
    table = cast("dict[str, object]", pose)
    position = table.get("position")
    if not isinstance(position, list) or len(cast("list[object]", position)) != 3:
        raise InputError(f"{where}.position: expected [x, y, z] in m, got {_short(position)}")
    if "t" not in table and rate_hz is None:
        raise InputError(f'{where}.t: expected a time in seconds (or "rate_hz" for the whole walk)')
    time = _number(table["t"], f"{where}.t") if "t" in table else i / cast("float", rate_hz)
    if time < 0:
        raise InputError(f"{where}.t: expected >= 0 s, got {time:g}")
    place = [_number(value, f"{where}.position") for value in cast("list[object]", position)]
    return [time, *place, *(_number(table.get(key, default), f"{where}.{key}") for key, default in _ANGLES)]


_ANGLES: tuple[tuple[str, float | None], ...] = (("yaw", None), ("pitch", None), ("roll", 0.0))


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e6:
        raise InputError(f"{where}: expected a finite number within ±1e6, got {_short(value)}")
    return float(value)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _between(
    keys: Float64[np.ndarray, "k 3 3"], key_times_s: Float64[np.ndarray, "k"], times_s: Float64[np.ndarray, "n"]
) -> Float64[np.ndarray, "n 3 3"]:
    """Rotations between keys on the shortest arc at even speed (Shoemake 1985)."""
    if len(keys) == 1:
        return np.repeat(keys, len(times_s), 0)
    from scipy.spatial.transform import Rotation  # noqa: PLC0415  slow to import

    left = np.clip(np.searchsorted(key_times_s, times_s, side="right") - 1, 0, len(keys) - 2)
    share = np.clip((times_s - key_times_s[left]) / (key_times_s[left + 1] - key_times_s[left]), 0.0, 1.0)
    step = Rotation.from_matrix(np.swapaxes(keys[:-1], 1, 2) @ keys[1:]).as_rotvec()
    part = Rotation.from_rotvec(step[left] * share[:, None]).as_matrix()
    return keys[left] @ part
