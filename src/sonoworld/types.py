"""The values that flow between stages: frozen, typed, checked on construction.

Letters: h w image rows and columns; n splats; m surface points; t samples; c Ambisonic channels.
Axes and signs are those of CONVENTIONS.md (world FLU: x ahead, y left, z up; metres; origin at the photo's eye).
Arrays held by a value are made read-only, so a value never changes after it was made.
"""

import math
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from sonoworld.errors import ShapeError
from sonoworld.frames import Pose

FULL_SCALE_DB = 100.0
"""dB SPL at 1 m of a signal whose RMS is 1 (0 dBFS RMS): the one constant between digital and physical level."""

CLIP_LOUDNESS_LUFS = -23.0
"""Integrated loudness at which dry clips are stored (EBU R 128 target; ITU-R BS.1770 meter)."""


COMFORT_SHARE = 0.5
"""Of the way to the nearest thing: a quarter shows no fault, a half few, nine tenths smeared patches behind it."""

COMFORT_RANGE_M = (0.5, 1.5)
"""Everybody sways by half a metre; beyond one and a half the ground that was seen steeply from above smears."""


class Spread(StrEnum):
    """How a source fills space: one place, a surface, or everywhere."""

    POINT = "point"
    AREA = "area"
    AMBIENT = "ambient"


class Projection(StrEnum):
    """How a photo's pixels look out into the world."""

    PERSPECTIVE = "perspective"
    EQUIRECTANGULAR = "equirectangular"


def _freeze(value: object) -> None:
    for field in fields(value):  # type: ignore[arg-type]  # every caller is a dataclass
        item = getattr(value, field.name)
        if isinstance(item, np.ndarray) and item.flags.writeable:
            view = item.view()
            view.flags.writeable = False
            object.__setattr__(value, field.name, view)


def _require(ok: bool, what: str, expected: str, got: object) -> None:
    if not ok:
        raise ShapeError(what, expected=expected, got=str(got))


def _require_panoramic(array: np.ndarray, what: str) -> None:
    h, w = array.shape[:2]
    _require(w == 2 * h, what, "twice as wide as high (equirectangular)", f"{w}×{h}")


@dataclass(frozen=True, slots=True)
class Photo:
    """A photograph: sRGB, upright (EXIF orientation applied), alpha flattened on white.

    `focal_px` is the focal length in pixels of this image, or None where the file does not say.
    """

    rgb: UInt8[np.ndarray, "h w 3"]
    focal_px: float | None = None
    taken_with: str | None = None
    projection: Projection = Projection.PERSPECTIVE

    def __post_init__(self) -> None:
        if self.focal_px is not None:
            _require(math.isfinite(self.focal_px) and self.focal_px > 0, "Photo.focal_px", "> 0", self.focal_px)
        if self.projection is Projection.EQUIRECTANGULAR:
            _require_panoramic(self.rgb, "Photo.rgb of a panorama")
        _freeze(self)

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height)."""
        return self.rgb.shape[1], self.rgb.shape[0]


@dataclass(frozen=True, slots=True)
class CameraSigma:
    """One standard deviation of what calibration believes, in radians. 0 = given by the user or the file."""

    fov: float
    pitch: float
    roll: float

    @property
    def confident(self) -> bool:
        """Whether the view may be trusted without asking: pitch to 4° and field of view to 8°."""
        return self.pitch < math.radians(4) and self.fov < math.radians(8)


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera (RDF axes: x right, y down, z ahead); pixel (0.5, 0.5) is the first centre."""

    K: Float64[np.ndarray, "3 3"]
    size_px: tuple[int, int]
    world_from_camera: Pose
    sigma: CameraSigma

    def __post_init__(self) -> None:
        fx, fy = float(self.K[0, 0]), float(self.K[1, 1])
        _require(math.isfinite(fx * fy) and fx > 0 and fy > 0, "Camera.K", "positive focal lengths in px", (fx, fy))
        _freeze(self)

    @property
    def fov(self) -> float:
        """Horizontal field of view, radians."""
        return 2 * math.atan(self.size_px[0] / (2 * float(self.K[0, 0])))


@dataclass(frozen=True, slots=True)
class Panorama:
    """The whole sphere as seen from the photo's eye; `known` marks pixels in which the photo itself speaks."""

    rgb: UInt8[np.ndarray, "h w 3"]
    known: Bool[np.ndarray, "h w"]

    def __post_init__(self) -> None:
        _require_panoramic(self.rgb, "Panorama.rgb")
        _freeze(self)


@dataclass(frozen=True, slots=True)
class Geometry:
    """Distance along the ray of every panorama pixel.

    `distance` in m (> 0, finite everywhere; sky pixels hold the radius of the sky shell); `normal` unit, world axes,
    towards the eye; `sky` marks the shell; `valid` marks pixels whose distance is trusted; `metric` says whether
    metres are metres or only proportional.
    """

    distance: Float32[np.ndarray, "h w"]
    normal: Float32[np.ndarray, "h w 3"]
    sky: Bool[np.ndarray, "h w"]
    valid: Bool[np.ndarray, "h w"]
    metric: bool

    def __post_init__(self) -> None:
        _require_panoramic(self.distance, "Geometry.distance")
        low, high = float(self.distance.min()), float(self.distance.max())
        _require(math.isfinite(low + high) and low > 0, "Geometry.distance", "finite and > 0 m", f"{low}..{high}")
        _freeze(self)


@dataclass(frozen=True, slots=True)
class Splats:
    """3D Gaussians in the stored (raw) space of 3DGS files: log scales, opacity logits, quaternions wxyz, SH colours.

    `means` in m, world axes; `sh` [n k 3] with k = (degree + 1)² coefficients of the colour (RGB = 0.5 + 0.2821·sh[0]).
    """

    means: Float32[np.ndarray, "n 3"]
    log_scales: Float32[np.ndarray, "n 3"]
    quats: Float32[np.ndarray, "n 4"]
    opacity_logits: Float32[np.ndarray, "n"]
    sh: Float32[np.ndarray, "n k 3"]

    def __post_init__(self) -> None:
        _require(self.sh.shape[1] in (1, 4, 9, 16), "Splats.sh", "1, 4, 9 or 16 coefficients", self.sh.shape)
        _freeze(self)

    def __len__(self) -> int:
        return int(self.means.shape[0])


@dataclass(frozen=True, slots=True)
class Sounding:
    """Something that sounds, before it has a place in space and a voice.

    `level_db` is dB SPL at 1 m (for ambience: where the listener stands). `mask` marks its pixels in the panorama;
    `direction` (unit, world) is where a person or model said it is. Both None: not yet found, or ambient.
    `backend` names who said so; `reason` says why, for people.
    """

    label: str
    prompt: str
    spread: Spread
    level_db: float
    confidence: float
    backend: str
    mask: Bool[np.ndarray, "h w"] | None = None
    direction: Float64[np.ndarray, "3"] | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        _require(bool(self.label.strip()), "Sounding.label", "a non-empty label", repr(self.label))
        _require(math.isfinite(self.level_db), "Sounding.level_db", "a finite level in dB SPL", self.level_db)
        _require(0 <= self.confidence <= 1, "Sounding.confidence", "0..1", self.confidence)
        if self.direction is not None:
            norm = float(np.linalg.norm(self.direction))
            _require(abs(norm - 1) < 1e-6, "Sounding.direction", "a unit vector", f"norm {norm}")
        _freeze(self)


@dataclass(frozen=True, slots=True)
class Clip:
    """A dry mono recording, float32, stored at −23 LUFS.

    `clip_gain_db` is what brings it back to RMS near 1 (+23 for a clip at −23 LUFS); applied once, by `encode.level`.
    """

    samples: Float32[np.ndarray, "t"]
    rate_hz: int
    loops: bool
    clip_gain_db: float
    made_by: str
    licence: str
    author: str = ""

    def __post_init__(self) -> None:
        _require(self.samples.size > 0, "Clip.samples", "at least one sample", self.samples.shape)
        _require(bool(np.isfinite(self.samples).all()), "Clip.samples", "finite samples", "NaN or infinity")
        _require(self.rate_hz > 0, "Clip.rate_hz", "> 0 Hz", self.rate_hz)
        _freeze(self)


@dataclass(frozen=True, slots=True)
class Directivity:
    """Where a source radiates to: b·|b|^(sharpness − 1) with b = (1 − pattern) + pattern·cos θ off its axis.

    `pattern` 0 radiates alike to all sides, 0.5 is a cardioid, 1 a figure of eight; `facing` is a unit vector, world.
    """

    pattern: float
    sharpness: float
    facing: Float64[np.ndarray, "3"]

    def __post_init__(self) -> None:
        _require(0 <= self.pattern <= 1, "Directivity.pattern", "0..1", self.pattern)
        _require(1 <= self.sharpness <= 100, "Directivity.sharpness", "1..100", self.sharpness)
        norm = float(np.linalg.norm(self.facing))
        _require(abs(norm - 1) < 1e-6, "Directivity.facing", "a unit vector", f"norm {norm}")
        _freeze(self)


@dataclass(frozen=True, slots=True)
class Motion:
    """Where a source goes: places of its centroid (m, world) at rising times (s, from 0 on), straight and even between.

    Before the first and after the last time it stays; one that `loops` goes round between them instead, without end or
    beginning. Its surface moves along and does not turn. `faces_ahead`: what radiates in a direction faces where it
    goes, and keeps that while it rests.
    """

    times_s: Float64[np.ndarray, "k"]
    positions: Float64[np.ndarray, "k 3"]
    loops: bool = False
    faces_ahead: bool = False

    def __post_init__(self) -> None:
        k, least = len(self.times_s), 2 if self.loops else 1
        _require(k >= least, "Motion.times_s", f"at least {least} of them", k)
        _require(self.positions.shape == (k, 3), "Motion.positions", f"({k}, 3)", self.positions.shape)
        finite = bool(np.isfinite(self.times_s).all() and np.isfinite(self.positions).all())
        _require(finite, "Motion", "finite numbers", "NaN or infinity")
        rises = float(self.times_s[0]) >= 0 and bool((np.diff(self.times_s) > 0).all())
        _require(rises, "Motion.times_s", "times that rise, from 0 s on", "others")
        _freeze(self)


@dataclass(frozen=True, slots=True)
class Source:
    """A sounding thing with a place: weighted points on its visible surface (none for ambience), and its clip.

    `points` m, world; `normals` unit, towards the eye; `weights` proportional to visible surface area, sum 1.
    `solid_angle_sr` is what it covers as seen from the photo's eye. `imagined`: it stands in invented pixels.
    `directivity`: where it radiates to (None: alike to all sides); `path`: where it goes (None: it stays).
    """

    id: str
    label: str
    prompt: str
    spread: Spread
    level_db: float
    confidence: float
    backend: str
    points: Float32[np.ndarray, "m 3"]
    normals: Float32[np.ndarray, "m 3"]
    weights: Float32[np.ndarray, "m"]
    solid_angle_sr: float
    imagined: bool = False
    reason: str = ""
    clip: Clip | None = None
    directivity: Directivity | None = None
    path: Motion | None = None

    def __post_init__(self) -> None:
        if self.spread is Spread.AMBIENT:
            _require(len(self.points) == 0, "Source.points of an ambient source", "none", len(self.points))
            placeless = self.directivity is None and self.path is None
            _require(placeless, "an ambient source", "no directivity and no path", f"one in {self.id}")
        else:
            total = float(np.sum(self.weights, dtype=np.float64))
            _require(abs(total - 1) < 1e-4, f"Source {self.id}: sum of weights", "1", total)
            _require(bool((self.weights >= 0).all()), f"Source {self.id}: weights", ">= 0", float(self.weights.min()))
        _freeze(self)

    @property
    def centroid(self) -> Float64[np.ndarray, "3"] | None:
        """Weighted mean of the points, m, world; None for ambience."""
        if self.spread is Spread.AMBIENT:
            return None
        return np.asarray(self.weights, np.float64) @ np.asarray(self.points, np.float64)


@dataclass(frozen=True, slots=True)
class SoundField:
    """Ambisonics, ACN order, SN3D weights, in head axes (FLU). `full_scale_db` is the dB SPL of RMS 1."""

    signal: Float32[np.ndarray, "c t"]
    rate_hz: int
    full_scale_db: float = FULL_SCALE_DB

    def __post_init__(self) -> None:
        order = math.isqrt(self.signal.shape[0]) - 1
        _require((order + 1) ** 2 == self.signal.shape[0], "SoundField.signal", "(N+1)² channels", self.signal.shape)
        _freeze(self)

    @property
    def order(self) -> int:
        """Ambisonic order N."""
        return math.isqrt(self.signal.shape[0]) - 1


@dataclass(frozen=True, slots=True)
class WalkSurface:
    """Ground around the photo's eye, and what stands on it, on a square grid.

    Cell [i, j] is centred on x = (i − m)·`cell_m`, y = (j − m)·`cell_m` with m = (n − 1)/2 (n is odd: the eye stands in
    the middle cell). `floor_m` is the world's z of the ground, finite everywhere; `seen` says where the picture shows
    it, elsewhere it is continued. `blocked`: walls, things and steps that are too high; `height_m` is how far what
    stands there rises above the ground, 0 where nothing does. `walkable`: where somebody gets to from the eye.
    `nearest_m` is the distance of the nearest thing from the eye, infinite where there is none near.
    """

    floor_m: Float32[np.ndarray, "n n"]
    height_m: Float32[np.ndarray, "n n"]
    blocked: Bool[np.ndarray, "n n"]
    walkable: Bool[np.ndarray, "n n"]
    seen: Bool[np.ndarray, "n n"]
    cell_m: float
    nearest_m: float

    def __post_init__(self) -> None:
        n = self.floor_m.shape[0]
        _require(n % 2 == 1 and self.floor_m.shape == (n, n), "WalkSurface", "an odd square", self.floor_m.shape)
        lengths = 0 < self.cell_m < math.inf and self.nearest_m > 0
        _require(lengths, "WalkSurface", "lengths > 0 m", (self.cell_m, self.nearest_m))
        finite = bool(np.isfinite(self.floor_m).all() and np.isfinite(self.height_m).all())
        _require(finite and bool((self.height_m >= 0).all()), "WalkSurface", "finite metres, heights >= 0", "others")
        _require(not (self.walkable & self.blocked).any(), "WalkSurface.walkable", "no blocked cells", "some")
        _freeze(self)

    @property
    def eye_height_m(self) -> float:
        """The eye over the ground below it, m."""
        middle = self.floor_m.shape[0] // 2
        return -float(self.floor_m[middle, middle])

    @property
    def comfortable_radius_m(self) -> float:
        """How far from the eye the picture looks whole enough: half of `nearest_m`, within `COMFORT_RANGE_M`."""
        low, high = COMFORT_RANGE_M
        return min(high, max(low, COMFORT_SHARE * self.nearest_m))


@dataclass(frozen=True, slots=True)
class Scene:
    """One walkable, audible world. `camera` is None when the photo was a panorama already."""

    photo: Photo
    camera: Camera | None
    panorama: Panorama
    geometry: Geometry
    splats: Splats
    soundings: tuple[Sounding, ...]
    sources: tuple[Source, ...]
    ground: WalkSurface | None = None


Stage = Literal["calibrate", "panorama", "lift", "seed", "understand", "segment", "localize", "sound"]
"""The steps of a scene in order. `seed` turns geometry into splats; `localize` has options but no rival backends."""
