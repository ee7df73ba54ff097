"""A room told from a picture's depth alone: where its walls are; how it rings, from its size and usual materials.

Letters: r distance along the ray, u ray, n normal towards the eye, Ω solid angle of a pixel; q offset of a wall;
V volume, m³; S surface, m²; ᾱ mean absorption; m absorption of air, per m; T time for 60 dB.
"""

import math

import numpy as np
from jaxtyping import Float64

from sonoworld.acoustics.bands import OCTAVES_HZ
from sonoworld.acoustics.materials import absorption_of
from sonoworld.acoustics.room import SPEED_OF_SOUND_M_S, LateField, Room, Walls, diffuse_covariance, shoebox
from sonoworld.encode.propagate import air_absorption_db_m
from sonoworld.sphere import pixel_directions, pixel_solid_angles
from sonoworld.types import Geometry

MOST_SKY, MOST_ROOM_M = 0.02, 25.0
"""More sky than this share of the sphere, or a way farther than this to nine tenths of it: outdoors."""
FURNITURE = 0.12
"""Absorption that furniture and people add to that of every wall: living rooms ring for about half a second."""
EYE_M = 1.6
LEAST_SEEN_SR = 0.05
FACING = 0.85


def looks_indoors(geometry: Geometry) -> bool:
    """Whether the depth alone says that one stands in a room."""
    area = np.repeat(pixel_solid_angles(len(geometry.sky))[:, None], geometry.sky.shape[1], 1)
    sky = float(area[geometry.sky].sum()) / (4 * math.pi)
    return sky <= MOST_SKY and _quantile(geometry.distance.ravel().astype(np.float64), area.ravel(), 0.9) <= MOST_ROOM_M


def guessed_room(geometry: Geometry, *, indoors: bool | None = None, ground: str = "soil") -> Room:
    """A default room. Indoors a box of plasterboard with a wooden floor and furniture; outdoors the ground alone.

    Args:
        geometry: metres, or proportional ones taken for metres.
        indoors: None lets the depth say.
        ground: material underfoot, outdoors.
    """
    inside = looks_indoors(geometry) if indoors is None else indoors
    normals, offsets = _box(geometry)
    if not inside:
        walls = Walls(normals[5:], offsets[5:], absorption_of(ground)[None], (ground,))
        return Room(walls, None, 1, guessed=True)
    names = ("plasterboard",) * 5 + ("wood",)
    walls = Walls(normals, offsets, np.stack([absorption_of(name) for name in names]), names)
    return Room(walls, statistical_late(walls), 2, guessed=True)


def statistical_late(walls: Walls, furniture: float = FURNITURE) -> LateField:
    """Late field of a box by Eyring (1930) with air: T = 24 ln 10 · V/(c (−S ln(1 − ᾱ) + 4mV)); diffuse.

    Its energy re the direct sound at 1 m is 16π (1 − ᾱ)/(S ᾱ) in all (Barron & Lee, JASA 84, 1988, without early
    part), of which e^(−13.8 t/T) comes after t.
    """
    length, width, height = (float(walls.offsets_m[2 * i] + walls.offsets_m[2 * i + 1]) for i in range(3))
    volume, areas = length * width * height, np.repeat([width * height, length * height, length * width], 2)
    surface = float(areas.sum())
    mean = np.clip(areas @ walls.absorption / surface + furniture, 0.01, 0.95)
    air = air_absorption_db_m(np.array(OCTAVES_HZ)) / (10 / math.log(10))
    t60 = 24 * math.log(10) * volume / (SPEED_OF_SOUND_M_S * (-surface * np.log(1 - mean) + 4 * air * volume))
    mixing_s = max(0.01, 2.0e-3 * math.sqrt(volume))  # √V ms (Polack 1993), twice: two orders are single
    energy = 16 * math.pi * (1 - mean) / (surface * mean) * np.exp(-6 * math.log(10) * mixing_s / t60)
    return LateField(t60, 10 * np.log10(energy), mixing_s, diffuse_covariance())


def box_walls(geometry: Geometry, absorption: float = 0.2) -> Walls:
    """The six walls of the box that the depth suggests, all swallowing alike: where a fit begins."""
    normals, offsets = _box(geometry)
    return Walls(normals, offsets, np.full((6, len(OCTAVES_HZ)), absorption), ("wall",) * 6)


def box_of_size(size_m: tuple[float, float, float], eye_m: tuple[float, float, float], absorption: float) -> Walls:
    """A box of known size; `eye_m` from its back right lower corner."""
    return shoebox(size_m, eye_m, np.full((6, len(OCTAVES_HZ)), absorption))


def _box(geometry: Geometry) -> tuple[Float64[np.ndarray, "6 3"], Float64[np.ndarray, "6"]]:
    """Normals (outwards) and offsets of ahead, left, behind, right as turned, ceiling and floor, in `shoebox` order."""
    step = max(1, len(geometry.sky) // 256)
    area = np.repeat(pixel_solid_angles(len(geometry.sky))[:, None], geometry.sky.shape[1], 1)[::step, ::step]
    good = (geometry.valid & ~geometry.sky)[::step, ::step]
    rays = pixel_directions(len(geometry.sky))[::step, ::step][good]
    points = rays * geometry.distance[::step, ::step][good].astype(np.float64)[:, None]
    facing = geometry.normal[::step, ::step][good].astype(np.float64)
    weights = area[good]
    turn = _turn(facing, weights)
    c, s = math.cos(turn), math.sin(turn)
    normals = np.array([[c, s, 0], [-c, -s, 0], [-s, c, 0], [s, -c, 0], [0, 0, 1], [0, 0, -1]], np.float64)
    offsets = np.array([_offset(n, points, facing, weights) for n in normals])
    return normals, offsets


def _turn(facing: Float64[np.ndarray, "n 3"], weights: Float64[np.ndarray, "n"]) -> float:
    """Direction of walls, −45°..45°: mean of four times the azimuth of upright surfaces."""
    upright = weights * (np.abs(facing[:, 2]) < 0.3)
    azimuth = np.arctan2(facing[:, 1], facing[:, 0])
    return math.atan2(float(upright @ np.sin(4 * azimuth)), float(upright @ np.cos(4 * azimuth))) / 4


def _offset(
    normal: Float64[np.ndarray, "3"],
    points: Float64[np.ndarray, "n 3"],
    facing: Float64[np.ndarray, "n 3"],
    weights: Float64[np.ndarray, "n"],
) -> float:
    """Distance of a wall: that of the farther half of what faces it; unseen, of the farthest things on that side."""
    out = points @ normal
    wall = (-(facing @ normal) > FACING) & (out > 0.2)
    if float(weights[wall].sum()) >= LEAST_SEEN_SR:
        return _quantile(out[wall], weights[wall], 0.75)
    ahead = out > 0.2
    if ahead.any():
        return max(0.5, _quantile(out[ahead], weights[ahead], 0.95))
    return EYE_M


def _quantile(values: Float64[np.ndarray, "n"], weights: Float64[np.ndarray, "n"], share: float) -> float:
    order = np.argsort(values)
    upto = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(upto, share * upto[-1])])
