"""The values that flow between stages: frozen, typed, checked on construction.

Letters: h w image rows and columns; n splats; m surface points; t samples; c Ambisonic channels.
Axes and signs are those of CONVENTIONS.md (world FLU: x ahead, y left, z up; metres; origin at the photo's eye).
Arrays held by a value are made read-only, so a value never changes after it was made.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from sonoworld.behaviour import Directivity, Motion, Movement
from sonoworld.checked import freeze, require
from sonoworld.frames import Pose

FULL_SCALE_DB = 100.0
"""dB SPL at 1 m of a signal whose RMS is 1 (0 dBFS RMS): the one constant between digital and physical level."""

CLIP_LOUDNESS_LUFS = -23.0
"""Integrated loudness at which dry clips are stored (EBU R 128 target; ITU-R BS.1770 meter)."""

MAX_TONE_DB = 24.0
"""Lows, middle and highs of a sound are raised or lowered by no more."""

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


def _require_panoramic(array: np.ndarray, what: str) -> None:
    h, w = array.shape[:2]
    require(w == 2 * h, what, "twice as wide as high (equirectangular)", f"{w}×{h}")


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
            require(math.isfinite(self.focal_px) and self.focal_px > 0, "Photo.focal_px", "> 0", self.focal_px)
        if self.projection is Projection.EQUIRECTANGULAR:
            _require_panoramic(self.rgb, "Photo.rgb of a panorama")
        freeze(self)

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
        require(math.isfinite(fx * fy) and fx > 0 and fy > 0, "Camera.K", "positive focal lengths in px", (fx, fy))
        freeze(self)

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
        freeze(self)


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
        require(math.isfinite(low + high) and low > 0, "Geometry.distance", "finite and > 0 m", f"{low}..{high}")
        freeze(self)


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
        require(self.sh.shape[1] in (1, 4, 9, 16), "Splats.sh", "1, 4, 9 or 16 coefficients", self.sh.shape)
        freeze(self)

    def __len__(self) -> int:
        return int(self.means.shape[0])


@dataclass(frozen=True, slots=True)
class Sounding:
    """Something that sounds, before it has a place in space and a voice.

    `level_db` is dB SPL at 1 m (for ambience: where the listener stands). `mask` marks its pixels in the panorama;
    `direction` (unit, world) is where a person or model said it is. Both None: not yet found, or ambient.
    `backend` names who said so; `reason` says why, for people. `grounding` is what to look for in the picture ("" = the
    label: of an engine one sees the bus); `visible`, whether it is in the picture at all (None: not said).
    `negative_prompt` is what its sound shall not have; `tone_db` raises lows (below 250 Hz), middle and highs (above
    4 kHz), dB; `movement` how it moves.
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
    grounding: str = ""
    visible: bool | None = None
    negative_prompt: str = ""
    tone_db: tuple[float, float, float] = (0.0, 0.0, 0.0)
    movement: Movement = Movement.UNSAID

    def __post_init__(self) -> None:
        require(bool(self.label.strip()), "Sounding.label", "a non-empty label", repr(self.label))
        require(all(abs(b) <= MAX_TONE_DB for b in self.tone_db), "Sounding.tone_db", "-24..24 dB", self.tone_db)
        require(math.isfinite(self.level_db), "Sounding.level_db", "a finite level in dB SPL", self.level_db)
        require(0 <= self.confidence <= 1, "Sounding.confidence", "0..1", self.confidence)
        if self.direction is not None:
            norm = float(np.linalg.norm(self.direction))
            require(abs(norm - 1) < 1e-6, "Sounding.direction", "a unit vector", f"norm {norm}")
        freeze(self)

    @property
    def sought(self) -> bool:
        """Whether it is still to be looked for: it has a place, nobody knows where, and nobody says it is hidden."""
        placeless = self.mask is None and self.direction is None
        return placeless and self.spread is not Spread.AMBIENT and self.visible is not False


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
        require(self.samples.size > 0, "Clip.samples", "at least one sample", self.samples.shape)
        require(bool(np.isfinite(self.samples).all()), "Clip.samples", "finite samples", "NaN or infinity")
        require(self.rate_hz > 0, "Clip.rate_hz", "> 0 Hz", self.rate_hz)
        freeze(self)


@dataclass(frozen=True, slots=True)
class Source:
    """A sounding thing with a place: weighted points on its visible surface (none for ambience), and its clip.

    `points` m, world; `normals` unit, towards the eye; `weights` proportional to visible surface area, sum 1.
    `solid_angle_sr` is what it covers as seen from the photo's eye. `imagined`: it stands in invented pixels.
    `directivity`: where it radiates to (None: alike to all sides); `path`: where it goes (None: it stays).
    `negative_prompt`, `tone_db` and `movement` are the sounding's.
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
    negative_prompt: str = ""
    tone_db: tuple[float, float, float] = (0.0, 0.0, 0.0)
    movement: Movement = Movement.UNSAID

    def __post_init__(self) -> None:
        require(
            all(abs(b) <= MAX_TONE_DB for b in self.tone_db), f"Source {self.id}: tone_db", "-24..24 dB", self.tone_db
        )
        if self.spread is Spread.AMBIENT:
            require(len(self.points) == 0, "Source.points of an ambient source", "none", len(self.points))
            placeless = self.directivity is None and self.path is None
            require(placeless, "an ambient source", "no directivity and no path", f"one in {self.id}")
        else:
            total = float(np.sum(self.weights, dtype=np.float64))
            require(abs(total - 1) < 1e-4, f"Source {self.id}: sum of weights", "1", total)
            require(bool((self.weights >= 0).all()), f"Source {self.id}: weights", ">= 0", float(self.weights.min()))
        freeze(self)

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
        require((order + 1) ** 2 == self.signal.shape[0], "SoundField.signal", "(N+1)² channels", self.signal.shape)
        freeze(self)

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
        require(n % 2 == 1 and self.floor_m.shape == (n, n), "WalkSurface", "an odd square", self.floor_m.shape)
        lengths = 0 < self.cell_m < math.inf and self.nearest_m > 0
        require(lengths, "WalkSurface", "lengths > 0 m", (self.cell_m, self.nearest_m))
        finite = bool(np.isfinite(self.floor_m).all() and np.isfinite(self.height_m).all())
        require(finite and bool((self.height_m >= 0).all()), "WalkSurface", "finite metres, heights >= 0", "others")
        require(not (self.walkable & self.blocked).any(), "WalkSurface.walkable", "no blocked cells", "some")
        freeze(self)

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
