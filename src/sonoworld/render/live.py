"""A world's sound as it is heard now: the engine with its clips, a head that another thread moves, and a limiter.

No sound card in here: whoever has one pulls blocks. Its offline twin is `walk_audio.render_walk`.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float32

from sonoworld.encode.listener import Track
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.voices import make_voices
from sonoworld.errors import ShapeError
from sonoworld.frames import Pose, head_angles, world_from_head_rotation
from sonoworld.render.engine import Engine
from sonoworld.render.engine_room import engine_room
from sonoworld.render.limiter import Limiter
from sonoworld.render.mix import Mix
from sonoworld.render.placement import Placement, input_rows
from sonoworld.render.reel import PAUSE_S, Reel
from sonoworld.render.walk import Walk
from sonoworld.render.walk_audio import MAX_SECONDS, FittedRoom
from sonoworld.types import Scene, Source

_METER_S = 0.12
_LOAD_S = 1.0
"""Time constants of what is shown: levels of the ears, share of time that rendering takes."""
_LOWEST_DB = -120.0


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Where the head is: m, world; yaw + left, pitch + up, roll + right ear down, radians.

    Raises:
        ShapeError: numbers that are not finite.
    """

    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (*self.position, self.yaw, self.pitch, self.roll))):
            raise ShapeError("HeadPose", expected="finite metres and radians", got=str(self))


@dataclass(frozen=True, slots=True)
class Meters:
    """What a player shows: RMS of both ears of the last moments and the limiter's cut, dB; load as shares of real time.

    `worst_load` is the slowest block so far; beyond 1 a sound card would have run dry without a reserve.
    """

    left_db: float
    right_db: float
    limited_db: float
    load: float
    worst_load: float


class Player:
    """Plays all sources of a world around a head. One thread pulls; another may move, mute and read.

    Every source starts at sample 0; loops go round, other clips come again after 4 s of silence. Areas are spread over
    decorrelated copies, ambience is W only, sources with paths move: all as `render_walk` has it (with `law.delay`,
    ambience comes 0.3 ms late, and each source with a path takes a millisecond of every block). After the engine come
    the master gain and the limiter, which lets sound under −1 dBFS through unchanged, `added_samples` later.

    Args:
        scene: a scene, or its sources alone.
        law: order and laws of encoding, as for `Engine`.
        hrtf: "kemar", "sphere" or a SOFA file.
        executor: "native" or "numpy".
        rate_hz: of the output; clips are resampled once.
        block: samples per step of head and gains.
        room: adds first reflections and a late field, both of first order (`engine_room`); with it, the loudspeaker
            that measured it, if one did.

    Raises:
        InputError: a source has no clip.
        ShapeError: what `Engine` refuses.
        BackendMissingError: the compiled kernel is not in this install.
    """

    def __init__(  # noqa: PLR0913  one per choice that a listener has
        self,
        scene: Scene | Sequence[Source],
        law: EncodeOptions | None = None,
        *,
        hrtf: str | Path = "kemar",
        executor: Literal["native", "numpy"] = "native",
        rate_hz: int = 48000,
        block: int = 256,
        room: FittedRoom | None = None,
    ) -> None:
        self.sources = tuple(scene.sources if isinstance(scene, Scene) else scene)
        self.law = law or EncodeOptions()
        self.rate_hz, self.block = rate_hz, block
        everyone = [make_voices(source, self.law, rate_hz) for source in self.sources]
        self._rows = input_rows(everyone)
        inputs = max(1, sum(len(voices.signals) for voices in everyone))
        around = None if room is None else engine_room(room, everyone, self._rows, inputs, rate_hz)
        self._engine = Engine(self.law.order, rate_hz, block, hrtf, inputs, executor, law=self.law, room=around)
        self._inputs = np.zeros((inputs, block), np.float32)
        self._limiter = Limiter(rate_hz)
        pause = round(PAUSE_S * rate_hz)
        self._reels = [Reel(voices.signals, 0 if voices.loops else pause, block) for voices in everyone]
        self._placement = Placement(self._engine, everyone, self.law)
        self._mix = Mix((0.0,) * len(self.sources))
        self._wanted = self._gains = self._mix.factors
        self._master_wanted = self._master = 1.0
        self._ramp = (np.arange(block, dtype=np.float32) + 1) / np.float32(block)
        self._asked: HeadPose | Track = HeadPose()
        self._pose: HeadPose | None = None
        self._track: Track | None = None
        self._track_at = 0
        self._blocks = 0
        self._left_over = np.zeros((2, 0), np.float32)
        self._pulled = 0
        self._power = np.zeros(2)
        self._load = self._worst_load = 0.0

    @property
    def executor(self) -> str:
        """What computes the blocks."""
        return self._engine.executor

    @property
    def added_samples(self) -> int:
        """Delay beyond the block: the limiter's look-ahead."""
        return self._engine.added_samples + self._limiter.added_samples

    @property
    def pose(self) -> HeadPose:
        """Where the head is now."""
        return self._pose or HeadPose()

    @property
    def mix(self) -> Mix:
        """Who is heard, and how loud; set it to change that over the next block."""
        return self._mix

    @mix.setter
    def mix(self, mix: Mix) -> None:
        if len(mix.gains_db) != len(self.sources):
            raise ShapeError("mix", expected=f"{len(self.sources)} sources", got=str(len(mix.gains_db)))
        self._mix, self._wanted = mix, mix.factors

    def set_master_db(self, gain_db: float) -> None:
        """One gain on everything before the limiter; −inf is silence.

        Raises:
            ShapeError: not a number, or above 200 dB.
        """
        if not gain_db <= 200:
            raise ShapeError("master gain", expected="at most 200 dB", got=str(gain_db))
        self._master_wanted = 10 ** (gain_db / 20)

    def move(self, position: tuple[float, float, float], yaw: float, pitch: float = 0.0, roll: float = 0.0) -> None:
        """Put the head somewhere (m, world; radians) over the next block; ends a walk.

        Raises:
            ShapeError: numbers that are not finite.
        """
        self._asked = HeadPose(position, yaw, pitch, roll)

    def follow(self, walk: Walk) -> None:
        """Lead the head along a walk from the next block on, in time with the sound; at its end the head stays.

        Raises:
            ShapeError: a walk of more than an hour.
        """
        if walk.seconds > MAX_SECONDS:
            raise ShapeError("walk", expected=f"at most {MAX_SECONDS:g} s", got=f"{walk.seconds:g} s")
        self._asked = walk.track(self.rate_hz, self.block, max(1, math.ceil(walk.seconds * self.rate_hz)))

    @property
    def following(self) -> bool:
        """Whether a walk leads the head and is not over."""
        asked = self._asked
        return isinstance(asked, Track) and (asked is not self._track or self._track_at < len(asked.origins) - 1)

    @property
    def seconds(self) -> float:
        """Sound pulled so far."""
        return self._pulled / self.rate_hz

    @property
    def meters(self) -> Meters:
        """What can be shown of the last moments."""
        left, right = (10 * math.log10(max(float(power), 10 ** (_LOWEST_DB / 10))) for power in self._power)
        return Meters(left, right, self._limiter.reduction_db, self._load, self._worst_load)

    def pull(self, frames: int) -> Float32[np.ndarray, "2 t"]:
        """The next `frames` samples for two ears; any number, though multiples of `block` copy least."""
        line = self._left_over
        while line.shape[1] < frames:
            line = np.concatenate([line, self._next()], 1)
        self._left_over = line[:, frames:]
        self._pulled += frames
        return line[:, :frames]

    def _next(self) -> Float32[np.ndarray, "2 b"]:
        began = time.perf_counter()
        now, wanted = self._wanted, self._master_wanted
        # what was set before the first block holds at once
        before, master = (self._gains, self._master) if self._blocks else (now, wanted)
        self._blocks += 1
        self._settle()
        for i, reel in enumerate(self._reels):
            reel.fill(self._inputs[self._rows[i]], before[i], now[i])
        self._gains = now
        ears = self._engine.process(self._inputs)
        ears *= np.float32(master) + np.float32(wanted - master) * self._ramp
        self._master = wanted
        out = self._limiter.process(ears)
        self._measure(out, time.perf_counter() - began)
        return out

    def _settle(self) -> None:
        """Bring the head to where it was asked to be at the end of this block."""
        asked = self._asked
        if isinstance(asked, Track):
            if asked is not self._track:
                self._track, self._track_at = asked, 0
            self._track_at = min(self._track_at + 1, len(asked.origins) - 1)
            yaw, pitch, roll = head_angles(asked.rotations[self._track_at])
            x, y, z = asked.origins[self._track_at].tolist()
            asked = HeadPose((x, y, z), yaw, pitch, roll)
        moved = asked != self._pose
        if not (moved or self._placement.moves):
            return
        origin = np.array(asked.position, np.float64)
        if moved:
            self._pose = asked
            self._engine.set_listener(origin, asked.yaw, asked.pitch, asked.roll)
            self._placement.surround(origin)
        if self._placement.moves:
            head = Pose(world_from_head_rotation(asked.yaw, asked.pitch, asked.roll), origin)
            self._placement.carry(head, self._blocks * self.block / self.rate_hz)

    def _measure(self, out: Float32[np.ndarray, "2 b"], took_s: float) -> None:
        block_s = self.block / self.rate_hz
        self._power += (np.square(out).mean(1) - self._power) * -math.expm1(-block_s / _METER_S)
        load = took_s / block_s
        self._load += (load - self._load) * -math.expm1(-block_s / _LOAD_S)
        self._worst_load = max(self._worst_load, load)
