"""What keys do to a listener: steps, turns, solos, volume. A press is a short glide, so that nothing jumps."""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from sonoworld.frames import direction_from_angles
from sonoworld.render.live import HeadPose, Player
from sonoworld.render.mix import Mix

STEP_M = 0.25
TURN = math.radians(10.0)
LOOK = math.radians(5.0)
_HIGHEST_LOOK = 1.45
"""As far up and down as in the browser, rad."""
_VOLUME_STEP_DB = 2.0
_GLIDE_S = 0.08
"""Time constant of a glide: a step is over in a quarter of a second."""

_STEPS = {"up": 0.0, "w": 0.0, "down": math.pi, "s": math.pi, "a": math.pi / 2, "d": -math.pi / 2}
"""Azimuth of a step, head axes."""
_TURNS = {"left": (TURN, 0.0), "right": (-TURN, 0.0), "page up": (0.0, LOOK), "page down": (0.0, -LOOK)}

HELP = (
    "↑↓ W S walk · ←→ turn · A D step aside · PgUp PgDn look · Home · 1-9 solo · 0 all · m mute · + − volume · q quit"
)


def stepped(pose: HeadPose, key: str) -> HeadPose | None:
    """Where a key leads to from a pose; None for a key that does not move."""
    if key in _STEPS:
        ahead = direction_from_angles(np.array(pose.yaw + _STEPS[key]), np.array(0.0))
        x, y, z = (np.array(pose.position) + STEP_M * ahead).tolist()
        return replace(pose, position=(x, y, z))
    if key in _TURNS:
        turn, look = _TURNS[key]
        pitch = min(_HIGHEST_LOOK, max(-_HIGHEST_LOOK, pose.pitch + look))
        return replace(pose, yaw=pose.yaw + turn, pitch=pitch)
    return HeadPose() if key == "home" else None


def eased(now: HeadPose, target: HeadPose, seconds: float) -> HeadPose:
    """A while later on the way from one pose to another; the yaw goes as it was turned, not the short way round."""
    left = math.exp(-seconds / _GLIDE_S)
    before, after = (np.array([*pose.position, pose.yaw, pose.pitch, pose.roll]) for pose in (now, target))
    if np.abs(after - before).max() < 1e-4:
        return target
    x, y, z, yaw, pitch, roll = (after + (before - after) * left).tolist()
    return HeadPose((x, y, z), yaw, pitch, roll)


@dataclass(slots=True)
class Stroll:
    """A listener led by keys. Until the first key that moves, a walk that the player follows goes on."""

    player: Player
    gain_db: float
    volume_db: float = 0.0
    muted: bool = False
    _now: HeadPose = field(default_factory=HeadPose)
    _target: HeadPose | None = None

    def __post_init__(self) -> None:
        self._set_master()

    @property
    def moved(self) -> bool:
        """Whether keys have taken the head over."""
        return self._target is not None

    def press(self, key: str) -> bool:
        """Do what a key says; False when it is to quit. Other keys do nothing."""
        if key == "q":
            return False
        if self._target is None:
            self._now = self.player.pose
        target = stepped(self._target or self._now, key)
        if target is not None:
            self._target = target
        elif key.isdecimal() and key.isascii():
            self._solo(int(key))
        elif key in ("m", "+", "=", "-"):
            self.muted ^= key == "m"
            self.volume_db += {"+": _VOLUME_STEP_DB, "=": _VOLUME_STEP_DB, "-": -_VOLUME_STEP_DB}.get(key, 0.0)
            self._set_master()
        return True

    def advance(self, seconds: float) -> None:
        """Glide on for a while."""
        if self._target is not None and (self._now != self._target or self.player.following):
            self._now = eased(self._now, self._target, seconds)
            pose = self._now
            self.player.move(pose.position, pose.yaw, pose.pitch, pose.roll)

    def _solo(self, number: int) -> None:
        mix = self.player.mix
        if number == 0:
            self.player.mix = Mix(mix.gains_db)
        elif number <= len(mix.gains_db):
            self.player.mix = mix.with_solo(number - 1, number - 1 not in mix.solo)

    def _set_master(self) -> None:
        self.player.set_master_db(-math.inf if self.muted else self.gain_db + self.volume_db)
