"""A walk through a world as film: its pictures one by one, and the sound that belongs to them.

Two kinds: `flat`, what the head sees and hears (a pinhole's picture, two ears), and `360`, all around: equirectangular
pictures and a first-order sound field. A 360 film keeps the world's axes whichever way the head turns, only its place
moves: who watches turns by himself, and picture and sound must turn together.
Picture i is what is seen at i/rate, the instant from which it is shown; sample t is what is heard at t/48000.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from sonoworld.errors import ShapeError
from sonoworld.frames import FLU_FROM_RDF, Pose
from sonoworld.render.convolve import convolved
from sonoworld.render.loudness import CEILING_DBTP, file_gain, true_peak_db
from sonoworld.render.splat import SplatImage, render_view
from sonoworld.render.splat_panorama import render_panorama
from sonoworld.render.walk import Walk, looking_ahead
from sonoworld.render.walk_audio import RATE_HZ, FittedRoom, render_walk
from sonoworld.sphere import pinhole
from sonoworld.types import Source, Splats

Kind = Literal["flat", "360"]
MOST_FRAMES_HZ = 120
HOLE_ALPHA = 0.9
"""A pixel covered less than this counts as a hole."""
_COARSE = 16
_MARGIN_DB = 0.1


@dataclass(frozen=True, slots=True)
class Shot:
    """How a film looks and how long it is.

    Attributes:
        kind: flat or 360.
        size_px: (width, height), even; 360 is twice as wide as high.
        frames_hz: pictures a second.
        seconds: length; whole pictures of it are made.
        fov: horizontal field of view of a flat film, radians.
    """

    kind: Kind = "flat"
    size_px: tuple[int, int] = (1280, 720)
    frames_hz: int = 30
    seconds: float = 20.0
    fov: float = math.radians(75)

    def __post_init__(self) -> None:
        width, height = self.size_px
        if not (16 <= width <= 8192 and 16 <= height <= 8192) or width % 2 or height % 2:
            raise ShapeError("film size", expected="even sides of 16..8192 px", got=f"{width}×{height}")
        if self.kind == "360" and width != 2 * height:
            raise ShapeError("film size", expected="twice as wide as high for 360", got=f"{width}×{height}")
        if not 1 <= self.frames_hz <= MOST_FRAMES_HZ:
            raise ShapeError("film rate", expected=f"1..{MOST_FRAMES_HZ} pictures a second", got=f"{self.frames_hz}")
        if not 0 < self.seconds <= 3600:
            raise ShapeError("film length", expected="above 0, at most 3600 s", got=f"{self.seconds:g} s")
        if not math.radians(10) <= self.fov <= math.radians(140):
            raise ShapeError("film fov", expected="10..140°", got=f"{math.degrees(self.fov):g}°")

    @property
    def frames(self) -> int:
        """How many pictures."""
        return max(1, round(self.seconds * self.frames_hz))

    @property
    def sound_seconds(self) -> float:
        """Length of the sound: exactly that of the pictures."""
        return self.frames / self.frames_hz


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture of a film, sRGB, and the share of its pixels that nothing covered (`HOLE_ALPHA`)."""

    rgb: UInt8[np.ndarray, "h w 3"]
    holes: float


@dataclass(frozen=True, slots=True)
class FilmSound:
    """What is heard: [2, t] for two ears, [4, t] AmbiX; and the one gain that was applied to all of it."""

    signal: Float32[np.ndarray, "c t"]
    gain_db: float
    held_by_peak: bool


def film_frames(splats: Splats, walk: Walk, shot: Shot) -> Iterator[Frame]:
    """The pictures of a walk, in order, drawn as they are asked for."""
    times = np.arange(shot.frames) / shot.frames_hz
    rotations, origins = walk.at(times)
    K = pinhole(shot.fov, shot.size_px)
    for rotation, origin in zip(rotations, origins, strict=True):
        if shot.kind == "360":
            seen = render_panorama(splats, shot.size_px[1], origin)
        else:
            seen = render_view(splats, K, shot.size_px, Pose(rotation @ FLU_FROM_RDF, origin))
        yield developed(seen)


def developed(seen: SplatImage) -> Frame:
    """A picture without holes: what splats leave open takes the colour around it (and is counted)."""
    height, width = seen.alpha.shape
    coarse = max(1, width // _COARSE), max(1, height // _COARSE)
    layers = np.concatenate([seen.rgb, seen.alpha[..., None]], -1)
    around = cv2.GaussianBlur(cv2.resize(layers, coarse, interpolation=cv2.INTER_AREA), (0, 0), 2.0)
    colour = around[..., :3] / np.maximum(around[..., 3:], np.float32(1e-3))
    behind = cv2.resize(colour, (width, height), interpolation=cv2.INTER_LINEAR)
    rgb = seen.rgb + (1 - seen.alpha)[..., None] * behind
    holes = float((seen.alpha < HOLE_ALPHA).mean())
    return Frame(np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8), holes)


def flat_sound(
    sources: Sequence[Source],
    walk: Walk,
    shot: Shot,
    filters: Float32[np.ndarray, "2 c taps"],
    room: FittedRoom | None = None,
) -> FilmSound:
    """What two ears hear on the walk, at a comfortable level; the filters' channels say the order."""
    order = math.isqrt(filters.shape[1]) - 1
    field = render_walk(sources, walk, "ambix", order, shot.sound_seconds, room=room)
    raw = convolved(field.signal, filters)
    gain = file_gain(raw, RATE_HZ)
    return FilmSound(gain.apply(raw), gain.gain_db, gain.held_by_peak)


def around_sound(
    sources: Sequence[Source],
    walk: Walk,
    shot: Shot,
    filters: Float32[np.ndarray, "2 4 taps"],
    room: FittedRoom | None = None,
) -> FilmSound:
    """The first-order field along the walk in the world's axes, as loud as its decoding to these ears needs.

    Platforms decode it themselves: one gain brings what two ears would hear to a file's level, less where a channel's
    own peak asks for it.
    """
    field = render_walk(sources, looking_ahead(walk), "ambix", 1, shot.sound_seconds, room=room)
    wanted = file_gain(convolved(field.signal, filters), RATE_HZ)
    allowed = CEILING_DBTP - _MARGIN_DB - true_peak_db(field.signal)
    gain_db = min(wanted.gain_db, allowed)
    signal = field.signal * np.float32(10 ** (gain_db / 20))
    return FilmSound(signal, gain_db, wanted.held_by_peak or allowed < wanted.gain_db)
