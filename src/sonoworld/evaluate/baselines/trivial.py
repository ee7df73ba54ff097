"""Rows that know nothing about the scene: what a metric gives away for free."""

import math

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.encode.level import source_gain
from sonoworld.evaluate.datasets.values import Anchors
from sonoworld.frames import Pose
from sonoworld.types import Clip, Sounding


def played(clip: Clip, sounding: Sounding, samples: int) -> Float32[np.ndarray, "t"]:
    """A clip around and around at its level at 1 m."""
    gain = source_gain(sounding.level_db, clip.clip_gain_db)
    return np.resize(np.asarray(clip.samples) * np.float32(gain), samples)


def mono(anchors: Anchors, listener: Pose, samples: int, rng: np.random.Generator) -> Float32[np.ndarray, "4 t"]:
    """W only: the sum of all clips at their levels, without direction."""
    del listener, rng
    out = np.zeros((4, samples), np.float32)
    for clip, sounding in zip(anchors.clips, anchors.soundings, strict=True):
        out[0] += played(clip, sounding, samples)
    return out


def front(anchors: Anchors, listener: Pose, samples: int, rng: np.random.Generator) -> Float32[np.ndarray, "4 t"]:
    """Everything from straight ahead of the microphone."""
    return _towards(mono(anchors, listener, samples, rng), np.array([1.0, 0.0, 0.0]))


def chance(anchors: Anchors, listener: Pose, samples: int, rng: np.random.Generator) -> Float32[np.ndarray, "4 t"]:
    """Everything from one direction drawn evenly over the sphere."""
    z, turn = rng.uniform(-1, 1), rng.uniform(0, 2 * math.pi)
    flat = math.sqrt(1 - z * z)
    u = np.array([flat * math.cos(turn), flat * math.sin(turn), z])
    return _towards(mono(anchors, listener, samples, rng), u)


def _towards(field: Float32[np.ndarray, "4 t"], u: Float64[np.ndarray, "3"]) -> Float32[np.ndarray, "4 t"]:
    """W, Y, Z, X of a plane wave from (front, left, up) = u."""
    return (np.array([1.0, u[1], u[2], u[0]])[:, None] * field[0]).astype(np.float32)
