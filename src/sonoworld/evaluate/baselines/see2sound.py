"""A spatialiser in the manner of SEE-2-SOUND, fed with our sources: picture place and relative depth in a small room.

Written from its published description: sources stand in a shoebox room by their image coordinates and relative depth;
the room (image sources to first order here) is heard by the microphones of a 5.1 layout, whose signals we then bring
to first-order Ambisonics from the loudspeakers' directions; the low-frequency channel goes to W.
Letters: u v picture coordinates in 0..1; room axes x right, y ahead, z up, m, the listener in its middle.
"""

import math

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.evaluate.baselines.ours import placed
from sonoworld.evaluate.baselines.trivial import played
from sonoworld.evaluate.datasets.values import Anchors
from sonoworld.frames import Pose
from sonoworld.types import Sounding

ROOM_M = (4.0, 5.0, 4.0)
REFLECTION = math.sqrt(1 - 0.2)
"""Amplitude kept at a wall that absorbs a fifth of the energy."""

SPEAKERS_DEG = (30.0, -30.0, 0.0, 110.0, -110.0)
"""Left, right, centre, surrounds: azimuth, + is left (ITU-R BS.775)."""

CIRCLE_M = 0.3
SOUND_M_S = 343.2
RATE_HZ = 48000
LFE_GAIN = 0.1


def see2sound(anchors: Anchors, listener: Pose, samples: int, rng: np.random.Generator) -> Float32[np.ndarray, "4 t"]:
    """The picture is the one in front of the microphone: what is behind it lands at its edge, as in any picture."""
    del rng
    signals = np.zeros((len(SPEAKERS_DEG), samples))
    sources = placed(anchors)
    heads = [listener.rotation.T @ (c - listener.origin) for s in sources if (c := s.centroid) is not None]
    farthest = max((float(np.linalg.norm(h)) for h in heads), default=1.0)
    bed = np.zeros(samples)
    for source in sources:
        assert source.clip is not None
        say = Sounding(source.label, source.prompt, source.spread, source.level_db, 1.0, "see2sound")
        dry = played(source.clip, say, samples).astype(np.float64)
        if source.centroid is None:
            bed += dry
            continue
        head = listener.rotation.T @ (source.centroid - listener.origin)
        signals += _in_room(_room_place(head, farthest), dry)
    angles = np.radians(SPEAKERS_DEG)
    y = np.stack([np.ones_like(angles), np.sin(angles), np.zeros_like(angles), np.cos(angles)])
    out = y @ signals
    out[0] += LFE_GAIN * signals.sum(0) + bed
    return out.astype(np.float32)


def _room_place(head: Float64[np.ndarray, "3"], farthest_m: float) -> Float64[np.ndarray, "3"]:
    """(front, left, up) -> room: a 90° picture gives x and z, relative depth gives y in the front half."""
    azimuth, elevation = math.atan2(head[1], head[0]), math.atan2(head[2], math.hypot(head[0], head[1]))
    u = 0.5 - float(np.clip(azimuth / (math.pi / 2), -0.5, 0.5))
    v = 0.5 + float(np.clip(elevation / (math.pi / 2), -0.5, 0.5))
    depth = float(np.linalg.norm(head)) / farthest_m
    edge = 0.05
    inside = [min(max(q, edge), 1 - edge) for q in (u, 0.5 + 0.5 * depth, v)]
    return np.array(inside) * ROOM_M


def _in_room(place: Float64[np.ndarray, "3"], dry: Float64[np.ndarray, "t"]) -> Float64[np.ndarray, "5 t"]:
    """What five microphones hear: direct sound and six first reflections, 1/d, whole-sample delays."""
    images = [(place, 1.0)]
    for axis in range(3):
        for wall in (0.0, ROOM_M[axis]):
            mirrored = place.copy()
            mirrored[axis] = 2 * wall - mirrored[axis]
            images.append((mirrored, REFLECTION))
    out = np.zeros((len(SPEAKERS_DEG), dry.size))
    for at, degrees in enumerate(SPEAKERS_DEG):
        angle = math.radians(degrees)
        mic = np.array(ROOM_M) / 2 + CIRCLE_M * np.array([-math.sin(angle), math.cos(angle), 0.0])
        aim = np.array([-math.sin(angle), math.cos(angle), 0.0])
        for image, gain in images:
            offset = image - mic
            d = float(np.linalg.norm(offset))
            cardioid = 0.5 + 0.5 * float(offset @ aim) / d  # a loudspeaker's feed comes from its own side
            out[at] += np.roll(dry, round(d / SOUND_M_S * RATE_HZ)) * (gain * cardioid / d)
    return out
