"""A world for agents that see and hear: go somewhere, and get what a camera there sees and what two ears there hear.

The manner is Gymnasium's, the package is not needed: `reset(seed)`, then `step(pose)` as often as one likes. There is
no reward in it: whoever trains an agent knows what for.
"""

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, UInt8

from sonoworld.batch.wander import random_place
from sonoworld.disk.scene import load_ground, load_lite, load_sources
from sonoworld.errors import BackendMissingError, ShapeError
from sonoworld.frames import FLU_FROM_RDF, Pose, world_from_head_rotation
from sonoworld.render.live import HeadPose, Player
from sonoworld.render.splat import render_view
from sonoworld.sphere import pinhole

RATE_HZ = 48000
MOST_STEP_S = 60.0


class Observation(NamedTuple):
    """What is seen and heard after a step.

    `rgb` over black; `depth` in m along the optical axis, infinite where nothing is; `binaural` left and right since
    the step before, RMS 1 is 100 dB SPL, what would be louder than −1 dBFS is held by a limiter.
    """

    rgb: UInt8[np.ndarray, "h w 3"]
    depth: Float32[np.ndarray, "h w"]
    binaural: Float32[np.ndarray, "2 t"]


class Listener:
    """Eyes and ears in a finished world. The same seed and the same poses give the same arrays.

    A step lasts `step_s`: within its first block (5 ms) the head comes to where it is sent, and it stays there. It may
    be sent anywhere, through walls too; `ground` says where one could walk.

    Args:
        scene: folder of a world.
        size_px: (width, height) of what is seen.
        fov: horizontal field of view, radians.
        step_s: how long a step lasts.
        hrtf: "kemar", "sphere", or a SOFA file.

    Raises:
        InputError: not a world, or a source of it has no sound.
        ShapeError: numbers out of range.
    """

    def __init__(
        self,
        scene: Path,
        *,
        size_px: tuple[int, int] = (128, 128),
        fov: float = math.radians(90),
        step_s: float = 0.1,
        hrtf: str = "kemar",
    ) -> None:
        if not (min(size_px) >= 1 and max(size_px) <= 4096 and 0 < fov < math.pi):
            raise ShapeError("Listener", expected="1..4096 px, a field of view in 0..π", got=f"{size_px}, {fov:g}")
        if not 1 / RATE_HZ <= step_s <= MOST_STEP_S:
            raise ShapeError("Listener.step_s", expected=f"one sample to {MOST_STEP_S:g} s", got=f"{step_s:g}")
        self.size_px, self.fov, self.step_s, self._hrtf = size_px, fov, step_s, hrtf
        self._splats, self._sources = load_lite(scene), load_sources(scene)
        self.ground = load_ground(scene)
        self._player: Player | None = None
        self.pose = HeadPose()

    @property
    def samples(self) -> int:
        """Of one step."""
        return max(1, round(self.step_s * RATE_HZ))

    def reset(self, seed: int | None = None) -> Observation:
        """Start all sounds again; stand at the photo's eye looking ahead, or with a seed at a random place in reach."""
        pose = HeadPose()
        if seed is not None:
            rng = np.random.default_rng(seed)
            x, y, z = random_place(self.ground, rng).tolist()
            pose = HeadPose((x, y, z), float(rng.uniform(-math.pi, math.pi)))
        self._player = Player(self._sources, hrtf=self._hrtf)
        return self.step(pose)

    def step(self, pose: HeadPose) -> Observation:
        """Go there; see it, and hear the next `samples`.

        Raises:
            ShapeError: before the first `reset`.
        """
        if self._player is None:
            raise ShapeError("Listener.step", expected="a reset before the first step", got="none")
        self.pose = pose
        self._player.move(pose.position, pose.yaw, pose.pitch, pose.roll)
        binaural = np.array(self._player.pull(self.samples), np.float32)
        rotation = world_from_head_rotation(pose.yaw, pose.pitch, pose.roll) @ FLU_FROM_RDF
        camera = Pose(rotation, np.array(pose.position, np.float64))
        seen = render_view(self._splats, pinhole(self.fov, self.size_px), self.size_px, camera)
        return Observation(np.rint(seen.rgb * 255).astype(np.uint8), seen.depth, binaural)

    @property
    def observation_space(self) -> Any:
        """Gymnasium's description of `Observation`: a tuple of three boxes.

        Raises:
            BackendMissingError: gymnasium is not installed.
        """
        spaces = _spaces()
        (width, height), box = self.size_px, spaces.Box
        return spaces.Tuple(
            (
                box(0, 255, (height, width, 3), np.uint8),
                box(0.0, np.inf, (height, width), np.float32),
                box(-1.0, 1.0, (2, self.samples), np.float32),
            )
        )

    @property
    def action_space(self) -> Any:
        """Gymnasium's description of a pose as six numbers: x, y, z (m), yaw, pitch, roll (radians); see `as_pose`.

        Raises:
            BackendMissingError: gymnasium is not installed.
        """
        return _spaces().Box(-np.inf, np.inf, (6,), np.float64)


def as_pose(action: np.ndarray) -> HeadPose:
    """Six numbers as a pose.

    Raises:
        ShapeError: not six finite numbers.
    """
    if action.shape != (6,):
        raise ShapeError("action", expected="six numbers: x, y, z, yaw, pitch, roll", got=str(action.shape))
    x, y, z, yaw, pitch, roll = (float(number) for number in action)
    return HeadPose((x, y, z), yaw, pitch, roll)


def _spaces() -> Any:
    import importlib  # noqa: PLC0415  only where it is asked for

    try:
        return importlib.import_module("gymnasium").spaces
    except ImportError as error:
        raise BackendMissingError("spaces need the package gymnasium: pip install gymnasium") from error
