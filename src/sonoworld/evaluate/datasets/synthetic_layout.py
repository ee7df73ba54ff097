"""What synthetic scenes are made of, and the outdoor ones (T1): level ground, spheres and upright walls, some sounding.

Letters: world FLU, m, the eye at the origin, the ground at z = −1.6.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64

from sonoworld.frames import Pose

GROUND_Z_M = -1.6
CAPSULE_M = 1.5
"""Height of microphones over the ground."""

Kind = Literal["ball", "shell", "strip", "wall", "disc"]
Sound = Literal["birds", "stream", "fountain", "siren", "voice", "engine", "silent"]


@dataclass(frozen=True, slots=True)
class Body:
    """One thing in a scene.

    `ball`: `centre`, `half` = (radius, ...), sounds at its centre; `shell`: a ball that sounds all over its surface.
    `strip`: a level rectangle on the ground, half sizes along x and y. `wall`: an upright rectangle with its width
    across the line of `yaw`, half sizes across and up; `disc`: the upright disc in it.
    """

    label: str
    kind: Kind
    sound: Sound
    centre: tuple[float, float, float]
    half: tuple[float, float]
    yaw: float = 0.0
    level_db: float = 70.0
    speed_m_s: tuple[float, float] = (0.0, 0.0)

    @property
    def is_round(self) -> bool:
        """A sphere to the eye."""
        return self.kind in {"ball", "shell"}


@dataclass(frozen=True, slots=True)
class Room:
    """Walls around a scene: lowest and highest corner, m, world, and the time in which sound decays by 60 dB."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    t60_s: float


@dataclass(frozen=True, slots=True)
class Layout:
    """A scene: what stands where, what the truth takes into account, and the microphones."""

    id: str
    bodies: tuple[Body, ...]
    microphones: tuple[Pose, ...]
    bounce: float
    occlusion: bool
    ambient_db: float
    room: Room | None = None
    named: str = ""

    @property
    def part(self) -> str:
        """Its name where it has one; else `open` without ground bounce, occlusion and motion, or what there is."""
        if self.named:
            return self.named
        moving = any(body.speed_m_s != (0.0, 0.0) for body in self.bodies)
        said = {"bounce": self.bounce > 0, "occluded": self.occlusion, "moving": moving}
        return "+".join(name for name, there in said.items() if there) or "open"


def layouts(scenes: int, microphones: int, seed: int) -> tuple[Layout, ...]:
    """The first so many scenes; a scene is the same whatever their number."""
    return tuple(_layout(at, microphones, seed) for at in range(scenes))


def _layout(at: int, microphones: int, seed: int) -> Layout:
    rng = np.random.default_rng([seed, at])
    kinds = (_two_birds, _stream, _fountain, _street)
    bodies = kinds[at % 4](rng)
    stands = tuple(_stand(rng, bodies) for _ in range(microphones))
    name = ("two-birds", "stream", "fountain", "street")[at % 4]
    bounce = 0.0 if at % 4 < 2 else 0.6
    return Layout(f"{name}-{at:02d}", bodies, stands, bounce, at % 4 == 3, 40.0 if at % 4 != 1 else 35.0)


def _two_birds(rng: np.random.Generator) -> tuple[Body, ...]:
    """A tree full of birds and, quieter, a second one."""
    azimuth = rng.uniform(-math.pi, math.pi)
    other = azimuth + rng.uniform(1.2, 2.4)
    return (
        _ball("birds in a tree", "birds", azimuth, rng.uniform(5, 8), rng.uniform(2, 3.5), 1.6, 72.0),
        _ball("bird in a bush", "birds", other, rng.uniform(4, 7), rng.uniform(-0.6, 0.2), 0.8, 62.0),
        _ball("rock", "silent", azimuth + math.pi, 6.0, -1.0, 0.7, 0.0),
    )


def _stream(rng: np.random.Generator) -> tuple[Body, ...]:
    """A stream that passes on one side, near by at its nearest."""
    side = float(rng.choice([-1.0, 1.0]))
    strip = Body("stream", "strip", "stream", (0.0, side * rng.uniform(3.5, 5), GROUND_Z_M), (12.0, 1.5), 0.0, 72.0)
    ahead = rng.uniform(-0.6, 0.6)
    return (strip, _ball("person", "voice", ahead + (0 if side > 0 else 0.5), rng.uniform(5, 7), -0.7, 0.8, 62.0))


def _fountain(rng: np.random.Generator) -> tuple[Body, ...]:
    """A wall of falling water, people talking beside it."""
    azimuth = rng.uniform(-math.pi, math.pi)
    far = rng.uniform(4, 6)
    centre = (far * math.cos(azimuth), far * math.sin(azimuth), GROUND_Z_M + 1.5)
    water = Body("fountain", "wall", "fountain", centre, (3.0, 1.5), azimuth, 74.0)
    return (water, _ball("person", "voice", azimuth + rng.uniform(1.5, 2.5), rng.uniform(4, 6), -0.7, 0.8, 62.0))


def _street(rng: np.random.Generator) -> tuple[Body, ...]:
    """A bus, a siren that drives by, and a wall between."""
    azimuth = rng.uniform(-math.pi, math.pi)
    behind = azimuth + rng.uniform(1.5, 2.5)
    wall = (6 * math.cos(behind), 6 * math.sin(behind), GROUND_Z_M + 1.0)
    siren = _ball("siren", "siren", behind + 0.35, 14.0, 0.2, 1.2, 76.0)
    drive = (-1.5 * math.sin(behind), 1.5 * math.cos(behind))
    return (
        _ball("bus", "engine", azimuth, rng.uniform(5, 8), -0.2, 1.4, 74.0),
        Body(*_plain(siren), speed_m_s=drive),
        Body("wall", "wall", "silent", wall, (2.0, 1.0), behind),
    )


def _plain(body: Body) -> tuple[str, Kind, Sound, tuple[float, float, float], tuple[float, float], float, float]:
    return body.label, body.kind, body.sound, body.centre, body.half, body.yaw, body.level_db


def _ball(  # noqa: PLR0913, PLR0917  a ball in polar coordinates
    label: str, sound: Sound, azimuth: float, far_m: float, z_m: float, radius_m: float, level_db: float
) -> Body:
    centre = (far_m * math.cos(azimuth), far_m * math.sin(azimuth), z_m)
    return Body(label, "ball", sound, centre, (radius_m, radius_m), 0.0, level_db)


def _stand(rng: np.random.Generator, bodies: tuple[Body, ...]) -> Pose:
    """A microphone within 2.5 m of the eye, looking anywhere, at least 1.5 m away from all that stands there."""
    while True:
        x, y = rng.uniform(-2.5, 2.5, 2)
        place = np.array([x, y, GROUND_Z_M + CAPSULE_M])
        if math.hypot(x, y) > 0.6 and all(clearance_m(body, place) > 1.5 for body in bodies):
            yaw = rng.uniform(-math.pi, math.pi)
            turn = np.array(
                [[math.cos(yaw), -math.sin(yaw), 0.0], [math.sin(yaw), math.cos(yaw), 0.0], [0.0, 0.0, 1.0]]
            )
            return Pose(turn, place)


def clearance_m(body: Body, place: Float64[np.ndarray, "3"]) -> float:
    """How far a place is from a body, m; a ball's surface, a rectangle's (or that around a disc) nearest point."""
    if body.is_round:
        return float(np.linalg.norm(place - np.array(body.centre))) - body.half[0]
    across, up = rectangle_axes(body)
    offset = place - np.array(body.centre)
    a = float(np.clip(offset @ across, -body.half[0], body.half[0]))
    b = float(np.clip(offset @ up, -body.half[1], body.half[1]))
    return float(np.linalg.norm(offset - a * across - b * up))


def rectangle_axes(body: Body) -> tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]]:
    """Unit vectors along a strip's or wall's two half sizes."""
    if body.kind == "strip":
        return np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])
    return np.array([-math.sin(body.yaw), math.cos(body.yaw), 0.0]), np.array([0.0, 0.0, 1.0])
