"""Rooms (T2): shoeboxes of known decay, their image sources by pyroomacoustics, not by us.

Letters: world FLU, m, the eye at the origin, the floor at z = −1.6; d way of an image source, m; u unit direction in
head axes; y first-order harmonics.
"""

import importlib
import math
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64
from scipy.signal import fftconvolve

from sonoworld.errors import BackendMissingError
from sonoworld.evaluate.datasets.synthetic_layout import CAPSULE_M, GROUND_Z_M, Body, Layout, Room, Sound
from sonoworld.evaluate.datasets.synthetic_sounds import RATE_HZ, dry_sound
from sonoworld.evaluate.datasets.synthetic_truth import (
    FULL_SCALE_DB,
    SOUND_M_S,
    Take,
    diffuse,
    harmonics_explicit,
    strays_db,
)
from sonoworld.frames import Pose

T60_S = (0.2, 0.4, 0.6, 0.8, 1.0, 1.2)
NEEDED = "rooms (part T2) are simulated by pyroomacoustics, which is not here: pip install pyroomacoustics"
HIGHEST_ORDER = 60
"""Of image sources; 300 000 of them. In small rooms of 1 s they end at about −30 dB."""

FINE_M = 40.0
"""Up to this way an arrival is between samples; later ones are on the nearest."""

TAPS = 42


def room_layouts(scenes: int, microphones: int, seed: int) -> tuple[Layout, ...]:
    """The first so many rooms, ever longer in decay, then the same decays again."""
    return tuple(_layout(at, microphones, seed) for at in range(scenes))


def simulator() -> Any:
    """The module pyroomacoustics.

    Raises:
        BackendMissingError: it is not installed.
    """
    try:
        return importlib.import_module("pyroomacoustics")
    except ImportError as error:
        raise BackendMissingError(NEEDED) from error


def room_recording(layout: Layout, listener: Pose, take: Take) -> Float32[np.ndarray, "4 t"]:
    """What a first-order microphone at a pose (world_from_head) records: [W, Y, Z, X], RMS 1 is 100 dB SPL.

    Raises:
        BackendMissingError: pyroomacoustics is not installed.
    """
    assert layout.room is not None
    rng = np.random.default_rng([take.seed, 17])
    samples = round(take.seconds * RATE_HZ)
    before = round(layout.room.t60_s * RATE_HZ)  # the room rings already when the recording begins
    out = 10 ** ((layout.ambient_db - FULL_SCALE_DB) / 20) * diffuse(samples, rng)[:4]
    for body, stray_db in zip(layout.bodies, strays_db(layout, take), strict=True):
        if body.sound != "silent":
            gain = 10 ** ((body.level_db + stray_db - FULL_SCALE_DB) / 20)
            dry = dry_sound(body.sound, (samples + before) / RATE_HZ, rng)
            heard = fftconvolve(response(layout.room, body.centre, listener), dry[None], axes=1)
            out += gain * heard[:, before : before + samples]
    return out.astype(np.float32)


def response(room: Room, source: tuple[float, float, float], listener: Pose) -> Float64[np.ndarray, "4 t"]:
    """First-order response of a room, amplitude 1 at 1 m, with the delay of the way."""
    images, damping = _images(room, source, _corner(listener.origin))
    offset = (images - (listener.origin - room.low)) @ listener.rotation
    d = np.linalg.norm(offset, axis=1)
    length = round(room.t60_s * RATE_HZ) + TAPS
    heard = d / SOUND_M_S * RATE_HZ < length - TAPS
    d, gains = (
        d[heard],
        (damping[heard] / d[heard])[:, None] * harmonics_explicit(offset[heard] / d[heard, None])[:, :4],
    )
    near = d < FINE_M
    return _between_samples(d[near], gains[near], length) + _on_samples(d[~near], gains[~near], length)


@lru_cache(maxsize=4)
def _images(
    room: Room, source: tuple[float, float, float], ear: tuple[float, float, float]
) -> tuple[Float64[np.ndarray, "n 3"], Float64[np.ndarray, "n"]]:
    """Places of the image sources, from the lowest corner, and what the walls leave of each."""
    pra, low = simulator(), np.array(room.low)
    size = list(np.array(room.high) - low)
    absorption, order = pra.inverse_sabine(room.t60_s, size)
    box = pra.ShoeBox(size, fs=RATE_HZ, materials=pra.Material(absorption), max_order=min(order, HIGHEST_ORDER))
    box.add_source(list(np.array(source) - low))
    box.add_microphone(list(np.array(ear) - low))
    box.image_source_model()
    images = np.asarray(box.sources[0].images, np.float64).T
    return images, np.asarray(box.sources[0].damping, np.float64).reshape(-1, len(images))[0]


def _between_samples(
    d: Float64[np.ndarray, "n"], gains: Float64[np.ndarray, "n 4"], length: int
) -> Float64[np.ndarray, "4 t"]:
    """Band-limited delays: a sinc under a cosine window."""
    at = d / SOUND_M_S * RATE_HZ
    first = np.floor(at).astype(np.int64) - TAPS // 2 + 1
    out = np.zeros((4, length))
    for tap in range(TAPS):
        t = first + tap - at
        shape = np.sinc(t) * np.cos(np.pi / 2 * np.clip(t / (TAPS / 2), -1, 1)) ** 2
        for c in range(4):
            out[c] += np.bincount(np.maximum(first + tap, 0), gains[:, c] * shape, length)[:length]
    return out


def _on_samples(
    d: Float64[np.ndarray, "n"], gains: Float64[np.ndarray, "n 4"], length: int
) -> Float64[np.ndarray, "4 t"]:
    at = np.rint(d / SOUND_M_S * RATE_HZ).astype(np.int64)
    return np.stack([np.bincount(at, gains[:, c], length)[:length] for c in range(4)])


def _layout(at: int, microphones: int, seed: int) -> Layout:
    rng = np.random.default_rng([seed, at, 19])
    t60_s = T60_S[at % len(T60_S)]
    size = rng.uniform([6.0, 5.5, 2.6], [8.0, 7.0, 3.4])
    low = np.array([-size[0] * rng.uniform(0.4, 0.6), -size[1] * rng.uniform(0.4, 0.6), GROUND_Z_M])
    room = Room(_corner(low), _corner(low + size), t60_s)
    azimuth = rng.uniform(-math.pi, math.pi)
    bodies = (
        _ball("person", "voice", azimuth, rng.uniform(1.5, 1.9), -0.1, 66.0),
        _ball("fan", "engine", azimuth + rng.uniform(1.3, 2.2), rng.uniform(1.5, 1.9), -0.9, 60.0),
    )
    stands = tuple(_stand(rng, azimuth) for _ in range(microphones))
    return Layout(f"room-{at:02d}", bodies, stands, 0.0, False, 30.0, room, f"{t60_s} s")


def _corner(place: Float64[np.ndarray, "3"]) -> tuple[float, float, float]:
    x, y, z = (float(one) for one in place)
    return x, y, z


def _ball(label: str, sound: Sound, azimuth: float, far_m: float, z_m: float, level_db: float) -> Body:
    centre = (far_m * math.cos(azimuth), far_m * math.sin(azimuth), z_m)
    return Body(label, "ball", sound, centre, (0.25, 0.25), azimuth, level_db)  # pyright: ignore[reportArgumentType]


def _stand(rng: np.random.Generator, azimuth: float) -> Pose:
    """On the side of the eye where nothing sounds, 0.7 to 1.4 m away, looking anywhere."""
    turn, back = azimuth + math.pi + rng.uniform(-0.2, 1.0), rng.uniform(0.7, 1.4)
    yaw = rng.uniform(-math.pi, math.pi)
    rotation = np.array([[math.cos(yaw), -math.sin(yaw), 0.0], [math.sin(yaw), math.cos(yaw), 0.0], [0.0, 0.0, 1.0]])
    return Pose(rotation, np.array([back * math.cos(turn), back * math.sin(turn), GROUND_Z_M + CAPSULE_M]))
