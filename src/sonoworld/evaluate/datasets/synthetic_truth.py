"""The true recording of a synthetic scene, on a path of its own: no formula of `encode` is used.

Every point i of a sounding surface radiates: p_c(f) = Σ_i S_i(f) y_c(u_i) 10^(−a(f) d_i/20) e^(−j2πf d_i/c) / d_i,
with areas cut into patches whose signals are independent takes, each patch integrated over a dense grid.
Letters: d distance, m; u unit direction in head axes; y real spherical harmonics, ACN, SN3D; a air absorption, dB/m;
c speed of sound; N Fresnel number of a screen's edge.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex128, Float32, Float64

from sonoworld.evaluate.datasets.synthetic_layout import GROUND_Z_M, Body, Layout, rectangle_axes
from sonoworld.evaluate.datasets.synthetic_sounds import RATE_HZ, dry_sound
from sonoworld.frames import Pose

SOUND_M_S = 343.2
PATCHES = (12, 4)
GRID = 46
"""Points along each side of a patch: 12 · 4 · 46² ≈ 1e5 in all."""

FULL_SCALE_DB = 100.0
HOP_S = 0.05


@dataclass(frozen=True, slots=True)
class Take:
    """Which performance: seconds, a seed, and how far levels stray (dB, one standard deviation)."""

    seconds: float
    seed: int
    stray_db: float = 0.0


def recording(layout: Layout, listener: Pose, take: Take) -> Float32[np.ndarray, "4 t"]:
    """What a first-order microphone at a pose (world_from_head) records: [W, Y, Z, X], RMS 1 is 100 dB SPL."""
    rng = np.random.default_rng([take.seed, 7])
    samples = round(take.seconds * RATE_HZ)
    field = np.zeros((16, samples))
    for body, stray_db in zip(layout.bodies, strays_db(layout, take), strict=True):
        if body.sound == "silent":
            continue
        gain = 10 ** ((body.level_db + stray_db - FULL_SCALE_DB) / 20)
        field += gain * _body(layout, body, listener, samples, rng)
    wind = 10 ** ((layout.ambient_db - FULL_SCALE_DB) / 20)
    field += wind * diffuse(samples, rng)
    return field[:4].astype(np.float32)  # third order, then cut


def strays_db(layout: Layout, take: Take) -> Float64[np.ndarray, "q"]:
    """How much louder each body is in this performance than what renderers are told."""
    return np.random.default_rng([take.seed, 5]).normal(0, take.stray_db, len(layout.bodies))


def diffuse(samples: int, rng: np.random.Generator, waves: int = 48) -> Float64[np.ndarray, "16 t"]:
    """Independent plane waves of wind from all around, evenly spread (Fibonacci), W of RMS 1."""
    at = np.arange(waves) + 0.5
    z, turn = 1 - 2 * at / waves, np.pi * (1 + math.sqrt(5)) * at
    flat = np.sqrt(1 - z**2)
    u = np.stack([flat * np.cos(turn), flat * np.sin(turn), z], -1)
    signals = np.stack([dry_sound("wind", samples / RATE_HZ, rng) for _ in range(waves)])
    return harmonics_explicit(u).T @ signals / math.sqrt(waves)


def _body(
    layout: Layout, body: Body, listener: Pose, samples: int, rng: np.random.Generator
) -> Float64[np.ndarray, "16 t"]:
    if body.speed_m_s != (0.0, 0.0):
        return _driving(body, listener, dry_sound(body.sound, samples / RATE_HZ, rng))
    out = np.zeros((16, samples // 2 + 1), np.complex128)
    for points, share in _patches(body):
        spectrum = np.fft.rfft(dry_sound(body.sound, samples / RATE_HZ, rng)) * math.sqrt(share)
        out += _through(layout, points, listener, samples) * spectrum
    return np.fft.irfft(out, samples)


def _patches(body: Body) -> list[tuple[Float64[np.ndarray, "m 3"], float]]:
    """Dense points of every independent patch, and its share of the power; a ball sounds at its centre."""
    if body.kind == "ball":
        return [(np.array([body.centre]), 1.0)]
    across, up = rectangle_axes(body)
    inner = (np.arange(GRID) + 0.5) / GRID
    patches: list[tuple[Float64[np.ndarray, "m 3"], float]] = []
    for i in range(PATCHES[0]):
        for j in range(PATCHES[1]):
            a = (2 * (i + inner) / PATCHES[0] - 1) * body.half[0]
            b = (2 * (j + inner) / PATCHES[1] - 1) * body.half[1]
            grid = np.array(body.centre) + (a[:, None, None] * across + b[None, :, None] * up)
            patches.append((grid.reshape(-1, 3), 1 / (PATCHES[0] * PATCHES[1])))
    return patches


def _through(
    layout: Layout, points: Float64[np.ndarray, "m 3"], listener: Pose, samples: int
) -> Complex128[np.ndarray, "16 f"]:
    """Transfer function of one patch, direct and by the ground; delay and air are its middle's."""
    f = np.fft.rfftfreq(samples, 1 / RATE_HZ)
    out = _arrival(points, listener, f)
    if layout.occlusion:
        out *= 10 ** (-_screened_db(layout, points.mean(0), listener.origin, f) / 20)
    if layout.bounce > 0 and points[:, 2].max() > GROUND_Z_M + 0.01:
        mirrored = points * (1.0, 1.0, -1.0) + (0.0, 0.0, 2 * GROUND_Z_M)
        out += layout.bounce * _arrival(mirrored, listener, f)
    return out


def _arrival(
    points: Float64[np.ndarray, "m 3"], listener: Pose, f: Float64[np.ndarray, "f"]
) -> Complex128[np.ndarray, "16 f"]:
    offset = points - listener.origin
    d = np.linalg.norm(offset, axis=1)
    gains = (harmonics_explicit((offset / d[:, None]) @ listener.rotation) / d[:, None]).mean(0)
    middle = float(d.mean())
    way = 10 ** (-iso9613_db_m(f) * middle / 20) * np.exp(-2j * np.pi * f * middle / SOUND_M_S)
    return gains[:, None] * way[None]


def _screened_db(
    layout: Layout, source: Float64[np.ndarray, "3"], ear: Float64[np.ndarray, "3"], f: Float64[np.ndarray, "f"]
) -> Float64[np.ndarray, "f"]:
    """Loss behind silent walls, 10 lg(3 + 20 N) (ISO 9613-2, eq. 14, C2 = 20), over the top."""
    loss = np.zeros_like(f)
    for body in layout.bodies:
        if body.kind != "wall" or body.sound != "silent":
            continue
        across, _ = rectangle_axes(body)
        facing = np.cross(across, (0.0, 0.0, 1.0))
        centre = np.array(body.centre)
        sides = (source - centre) @ facing, (ear - centre) @ facing
        if sides[0] * sides[1] >= 0:
            continue
        cross = ear + (source - ear) * (sides[1] / (sides[1] - sides[0]))
        offset = cross - centre
        if abs(offset @ across) > body.half[0] or offset[2] > body.half[1]:
            continue
        edge = cross + np.array([0.0, 0.0, body.half[1] - offset[2]])
        detour = np.linalg.norm(source - edge) + np.linalg.norm(ear - edge) - np.linalg.norm(source - ear)
        loss += 10 * np.log10(3 + 20 * 2 * float(detour) * f / SOUND_M_S)
    return loss


def _driving(body: Body, listener: Pose, dry: Float64[np.ndarray, "t"]) -> Float64[np.ndarray, "16 t"]:
    """A source that drives through its place at half time; per sample, with the delay of its way."""
    t = np.arange(dry.size) / RATE_HZ
    middle = t - t[-1] / 2
    velocity = np.array([*body.speed_m_s, 0.0])
    offset = np.array(body.centre) + middle[:, None] * velocity - listener.origin
    d = np.linalg.norm(offset, axis=1)
    late = np.interp(t - d / SOUND_M_S, t, dry, left=0.0)
    y = harmonics_explicit((offset / d[:, None]) @ listener.rotation)
    return y.T * (late / d)


def iso9613_db_m(f: Float64[np.ndarray, "f"]) -> Float64[np.ndarray, "f"]:
    """Air absorption, dB/m, at 20 °C, 50 % humidity, 101.325 kPa (ISO 9613-1, eqs. 3 to 5 and B.3)."""
    kelvin, reference = 293.15, 293.15
    saturation = 10 ** (-6.8346 * (273.16 / kelvin) ** 1.261 + 4.6151)
    h = 50.0 * saturation
    oxygen = 24 + 4.04e4 * h * (0.02 + h) / (0.391 + h)
    nitrogen = 9 + 280 * h
    ratio = kelvin / reference
    relaxed = 0.01275 * math.exp(-2239.1 / kelvin) * oxygen / (oxygen**2 + f**2)
    relaxed = relaxed + 0.1068 * math.exp(-3352.0 / kelvin) * nitrogen / (nitrogen**2 + f**2)
    return 8.686 * f**2 * (1.84e-11 * math.sqrt(ratio) + ratio**-2.5 * relaxed)


def harmonics_explicit(u: Float64[np.ndarray, "m 3"]) -> Float64[np.ndarray, "m 16"]:
    """Real spherical harmonics to order 3, ACN, SN3D, written out (Ambisonics on Wikipedia, data exchange formats)."""
    x, y, z = u[:, 0], u[:, 1], u[:, 2]
    s3, s15, s58, s38 = math.sqrt(3), math.sqrt(15), math.sqrt(5 / 8), math.sqrt(3 / 8)
    columns = [np.ones_like(x), y, z, x]
    columns += [s3 * x * y, s3 * y * z, (3 * z**2 - 1) / 2, s3 * x * z, s3 / 2 * (x**2 - y**2)]
    columns += [s58 * y * (3 * x**2 - y**2), s15 * x * y * z, s38 * y * (5 * z**2 - 1), z * (5 * z**2 - 3) / 2]
    columns += [s38 * x * (5 * z**2 - 1), s15 / 2 * z * (x**2 - y**2), s58 * x * (x**2 - 3 * y**2)]
    return np.stack(columns, -1)
