"""Closed forms (T0): scenes whose covariance is known by formula, and recordings that have exactly this covariance.

No sum over points is taken: a disc on its axis and a sphere from outside have integrals that are known, and a recording
is orthonormal noise through the root of the covariance, so that nothing is left to chance.
Letters: C covariance of [W, Y, Z, X] at unit power, 1/m²; R radius, h distance to a disc on its axis, D to the middle
of a sphere, m; a unit direction to either; I₀ = C_WW, I₁ = the mean of cos/d², I₂ = of cos²/d², cos towards a.
"""

import math

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.evaluate.datasets.synthetic_layout import CAPSULE_M, GROUND_Z_M, Body, Kind, Layout, Sound
from sonoworld.evaluate.datasets.synthetic_sounds import RATE_HZ, dry_sound
from sonoworld.evaluate.datasets.synthetic_truth import FULL_SCALE_DB, Take
from sonoworld.frames import Pose

SCENES = ("plane wave", "point", "two points", "disc", "sphere", "diffuse")
LABELS: dict[Sound, str] = {"siren": "siren", "birds": "bird", "voice": "person", "fountain": "fountain"}
SILENT_DB = -100.0
ROUND_M = 1.4
"""Radius of disc and sphere: just above the ground at the height of the microphones."""


def closed_layouts(scenes: int, microphones: int, seed: int) -> tuple[Layout, ...]:
    """The first so many scenes, then the same again elsewhere; microphones stand in a row on the axis of the disc."""
    return tuple(_layout(at, microphones, seed) for at in range(scenes))


def closed_recording(layout: Layout, listener: Pose, take: Take) -> Float32[np.ndarray, "4 t"]:
    """[W, Y, Z, X] at a pose (world_from_head) whose covariance is the sum of the formulas; RMS 1 is 100 dB SPL."""
    parts = [_power(body.level_db) * covariance(body, listener) for body in layout.bodies if body.sound != "silent"]
    parts.append(_power(layout.ambient_db) * np.diag([1.0, 1 / 3, 1 / 3, 1 / 3]))
    rng = np.random.default_rng([take.seed, 11])
    takes = np.stack([dry_sound("stream", take.seconds, rng) for _ in range(4 * len(parts))])
    noise = np.linalg.qr(takes.T)[0].T * math.sqrt(round(take.seconds * RATE_HZ))
    roots = np.concatenate([_root(part) for part in parts], axis=1)
    return (roots @ noise).astype(np.float32)


def covariance(body: Body, listener: Pose) -> Float64[np.ndarray, "4 4"]:
    """C of a body of incoherent points with unit power in all: mean of y(u) y(u)ᵀ / d² over its surface.

    A disc must be seen from a point of its axis, a shell from outside.
    """
    offset = (np.array(body.centre) - listener.origin) @ listener.rotation
    far = float(np.linalg.norm(offset))
    a = offset / far
    zeroth, first, second = _moments(body, far)
    dipoles = second * np.outer(a, a) + (zeroth - second) / 2 * (np.eye(3) - np.outer(a, a))
    order = [1, 2, 0]  # Y, Z, X
    out = np.empty((4, 4))
    out[0, 0], out[0, 1:], out[1:, 0] = zeroth, first * a[order], first * a[order]
    out[1:, 1:] = dipoles[np.ix_(order, order)]
    return out


def _moments(body: Body, far: float) -> tuple[float, float, float]:
    """I₀, I₁, I₂."""
    radius = body.half[0]
    if body.kind == "disc":
        rim = radius**2 + far**2
        return math.log(rim / far**2) / radius**2, 2 * (1 - far / math.sqrt(rim)) / radius**2, 1 / rim
    if body.kind == "shell":
        near, beyond, tangent = far - radius, far + radius, far**2 - radius**2
        spread = math.log(beyond / near)
        inside = tangent**2 / 2 * (near**-2 - beyond**-2) + 2 * tangent * spread + (beyond**2 - near**2) / 2
        return spread / (2 * radius * far), far**-2, inside / (8 * radius * far**3)  # I₁: Newton's shell
    return far**-2, far**-2, far**-2


def _layout(at: int, microphones: int, seed: int) -> Layout:
    rng = np.random.default_rng([seed, at, 13])
    kind, azimuth = SCENES[at % len(SCENES)], rng.uniform(-math.pi, math.pi)
    stands = tuple(_stand(rng, azimuth, 0.8 + 0.4 * m) for m in range(microphones))
    ambient_db = 60.0 if kind == "diffuse" else SILENT_DB
    name = f"{kind.replace(' ', '-')}-{at:02d}"
    return Layout(name, _bodies(kind, azimuth, rng), stands, 0.0, False, ambient_db, named=kind)


def _bodies(kind: str, azimuth: float, rng: np.random.Generator) -> tuple[Body, ...]:
    if kind == "plane wave":
        return (_body("siren", "ball", azimuth + rng.uniform(1.0, 5.0), 60.0, 15.0, 3.0, 70 + 20 * math.log10(60)),)
    if kind == "point":
        return (_body("birds", "ball", azimuth + rng.uniform(-1.0, 1.0), 4.0, 1.5, 0.4, 72.0),)
    if kind == "two points":
        apart = rng.uniform(1.5, 2.5)
        return (
            _body("birds", "ball", azimuth, 4.0, 1.0, 0.4, 72.0),
            _body("voice", "ball", azimuth + apart, 3.5, -0.4, 0.4, 69.0),
        )
    if kind == "disc":
        return (_body("fountain", "disc", azimuth, 2.5, GROUND_Z_M + CAPSULE_M, ROUND_M, 72.0),)
    if kind == "sphere":
        return (_body("fountain", "shell", azimuth, 3.0, 0.4, ROUND_M, 72.0),)
    return ()


def _body(  # noqa: PLR0913, PLR0917  as the outdoor scenes place theirs
    sound: Sound, kind: Kind, azimuth: float, far_m: float, z_m: float, radius_m: float, level_db: float
) -> Body:
    centre = (far_m * math.cos(azimuth), far_m * math.sin(azimuth), z_m)
    return Body(LABELS[sound], kind, sound, centre, (radius_m, radius_m), azimuth, level_db)


def _stand(rng: np.random.Generator, azimuth: float, back_m: float) -> Pose:
    """Behind the eye on the disc's axis, looking anywhere."""
    yaw = rng.uniform(-math.pi, math.pi)
    turn = np.array([[math.cos(yaw), -math.sin(yaw), 0.0], [math.sin(yaw), math.cos(yaw), 0.0], [0.0, 0.0, 1.0]])
    return Pose(turn, np.array([-back_m * math.cos(azimuth), -back_m * math.sin(azimuth), GROUND_Z_M + CAPSULE_M]))


def _power(level_db: float) -> float:
    return 10 ** ((level_db - FULL_SCALE_DB) / 10)


def _root(part: Float64[np.ndarray, "4 4"]) -> Float64[np.ndarray, "4 4"]:
    values, vectors = np.linalg.eigh(part)
    return vectors * np.sqrt(np.maximum(values, 0))
