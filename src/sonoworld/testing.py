"""The conformance suite for backends, ours and other people's, and small synthetic inputs to try them on.

from sonoworld.testing import check_backend
def test_mine(): check_backend(MY_BACKEND)
"""

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from pydantic import ValidationError

from sonoworld import frames, sphere
from sonoworld.backend import BACKEND_STAGES, Backend, Lifted, Options, Run
from sonoworld.frames import Pose
from sonoworld.types import (
    Camera,
    CameraSigma,
    Geometry,
    Panorama,
    Photo,
    Sounding,
    Source,
    Splats,
    Spread,
)

EYE_HEIGHT_M = 1.6
SKY_RADIUS_M = 100.0


class ConformanceError(AssertionError):
    """A backend breaks its contract; the message says which rule."""


def check_backend(spec: Backend, options: Options | None = None) -> None:
    """Hold a backend against the contract of its stage: names, options, result, determinism, inputs left alone.

    Runs the backend twice on small synthetic inputs with equal randomness. `options` are needed only by backends
    whose options have no defaults, such as ones that read a file.

    Raises:
        ConformanceError: a rule is broken.
        pydantic.ValidationError: `options` is None and the backend's options have no defaults.
    """
    check_declaration(spec)
    chosen = spec.options() if options is None else options
    trial = _TRIALS[spec.stage]
    first = trial(spec.make(chosen), _run(1))
    second = trial(spec.make(chosen), _run(1))
    if not same_value(first, second):
        raise ConformanceError(f"{spec.stage}.{spec.name}: same inputs, options and seed gave different results")


def check_declaration(spec: Backend) -> None:
    """Hold what a backend says of itself against the contract, without running it: for ones whose weights are absent.

    Raises:
        ConformanceError: a rule is broken.
    """
    _check_facts(spec)
    _check_options(spec)


def _check_facts(spec: Backend) -> None:
    if spec.stage not in BACKEND_STAGES:
        raise ConformanceError(f"{spec.name}: stage {spec.stage!r} is not one of {', '.join(BACKEND_STAGES)}")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", spec.name):
        raise ConformanceError(f"{spec.stage}.{spec.name}: a name is lower case with underscores")
    for fact in ("version", "summary", "licence"):
        if not getattr(spec, fact).strip():
            raise ConformanceError(f"{spec.stage}.{spec.name}: {fact} is empty")


def _check_options(spec: Backend) -> None:
    try:
        spec.options.model_validate({"no_such_option_": 1})
    except ValidationError as error:
        if not any(problem["type"] == "extra_forbidden" for problem in error.errors()):
            raise ConformanceError(f"{spec.stage}.{spec.name}: a misspelt option is not refused by name") from error
    else:
        raise ConformanceError(f"{spec.stage}.{spec.name}: a misspelt option is accepted (extra must be forbidden)")
    if not spec.options.model_config.get("frozen"):
        raise ConformanceError(f"{spec.stage}.{spec.name}: options must be frozen")
    for name, field in spec.options.model_fields.items():
        if not field.description:
            raise ConformanceError(f"{spec.stage}.{spec.name}: option {name} has no description")


def same_value(a: Any, b: Any) -> bool:
    """Whether two values are equal bit for bit, arrays included."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, tuple):
        return len(a) == len(b) and all(same_value(x, y) for x, y in zip(a, b, strict=True))
    if dataclasses.is_dataclass(a):
        return all(same_value(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    return bool(a == b)


# ---------------------------------------------------------------- small synthetic inputs


def _run(seed: int) -> Run:
    return Run(np.random.default_rng(seed))


def tiny_photo() -> Photo:
    """A 192×144 photo: pale blue above, textured green below, one dark upright pole; focal length known."""
    rng = np.random.default_rng(0)
    rgb = np.empty((144, 192, 3))
    rgb[:72] = np.linspace([120, 165, 230], [205, 220, 240], 72)[:, None]
    rgb[72:] = np.array([70, 120, 50]) + rng.normal(0, 18, (72, 192, 1))
    rgb[30:110, 120:128] = [50, 45, 40]
    return Photo(np.clip(rgb, 0, 255).astype(np.uint8), focal_px=170.0)


def tiny_camera() -> Camera:
    """The camera of `tiny_photo`, pitched 3° down."""
    rotation = frames.world_from_camera_rotation(np.radians(-3.0), 0.0)
    K = np.array([[170.0, 0, 96], [0, 170.0, 72], [0, 0, 1]])
    return Camera(K, (192, 144), Pose(rotation, np.zeros(3)), CameraSigma(0.0, 0.02, 0.02))


def tiny_panorama(height: int = 128) -> Panorama:
    """Sky above, textured ground below, a wall from azimuth 20° to 60°; the front half is known."""
    rng = np.random.default_rng(0)
    azimuth, elevation = frames.angles_from_direction(sphere.pixel_directions(height))
    rgb = np.where(elevation[..., None] > 0, [150.0, 190.0, 240.0], [80.0, 120.0, 60.0])
    rgb[elevation < 0] += rng.normal(0, 15, (int((elevation < 0).sum()), 1))
    wall = (np.abs(azimuth - np.radians(40)) < np.radians(20)) & (np.abs(elevation) < np.radians(15))
    rgb[wall] = [170, 90, 60]
    return Panorama(np.clip(rgb, 0, 255).astype(np.uint8), np.abs(azimuth) < np.pi / 2)


def tiny_geometry(height: int = 128) -> Geometry:
    """A flat ground 1.6 m below the eye, cut at 40 m, under a sky shell of 100 m."""
    directions = sphere.pixel_directions(height)
    elevation = frames.angles_from_direction(directions)[1]
    ground = elevation < -np.arctan(EYE_HEIGHT_M / 40.0)
    distance = np.where(ground, EYE_HEIGHT_M / np.sin(np.maximum(-elevation, 1e-3)), SKY_RADIUS_M)
    normal = np.where(ground[..., None], np.array([0.0, 0.0, 1.0]), -directions)
    return Geometry(distance.astype(np.float32), normal.astype(np.float32), ~ground, ground, metric=True)


def tiny_soundings() -> tuple[Sounding, ...]:
    """One ambient sounding and one area without a mask."""
    return (
        Sounding("wind", "gentle wind", Spread.AMBIENT, 45.0, 0.9, "testing"),
        Sounding("grass", "wind in dry grass", Spread.AREA, 40.0, 0.5, "testing"),
    )


def tiny_sources() -> tuple[Source, ...]:
    """An ambient wind and a bird at one point."""
    none = np.zeros((0, 3), np.float32)
    wind = Source(
        "wind", "wind", "gentle wind", Spread.AMBIENT, 45.0, 0.9, "testing", none, none, none[:, 0], 4 * np.pi
    )
    point = np.array([[3.0, 1.0, 2.0]], np.float32)
    bird = Source(
        "bird", "bird", "a small bird singing", Spread.POINT, 70.0, 0.9, "testing",
        point, np.array([[-1.0, 0.0, 0.0]], np.float32), np.ones(1, np.float32), 0.01,
    )  # fmt: skip
    return wind, bird


# ---------------------------------------------------------------- one trial per stage


def _expect(ok: bool, rule: str) -> None:
    if not ok:
        raise ConformanceError(rule)


def _calibrate(stage: Any, run: Run) -> Camera:
    photo = tiny_photo()
    camera = stage(photo, run)
    _expect(isinstance(camera, Camera), f"calibrate returns a Camera, got {type(camera).__name__}")
    _expect(camera.size_px == photo.size_px, f"Camera.size_px is the photo's {photo.size_px}, got {camera.size_px}")
    return camera


def _panorama(stage: Any, run: Run) -> Panorama:
    photo = tiny_photo()
    panorama = stage(photo, tiny_camera(), run)
    _expect(isinstance(panorama, Panorama), f"panorama returns a Panorama, got {type(panorama).__name__}")
    share = float(panorama.known.mean())
    _expect(0.01 < share < 0.5, f"about a tenth of the sphere is known, got {share:.3f}")
    return panorama


def _lift(stage: Any, run: Run) -> Lifted:
    panorama = tiny_panorama()
    lifted = stage(panorama, run)
    _expect(isinstance(lifted, Lifted), f"lift returns Lifted, got {type(lifted).__name__}")
    shape = lifted.geometry.distance.shape
    _expect(shape == panorama.known.shape, f"Geometry has the panorama's size {panorama.known.shape}, got {shape}")
    lengths = np.linalg.norm(lifted.geometry.normal, axis=-1)
    _expect(bool(np.abs(lengths - 1).max() < 1e-3), "normals have length 1")
    facing = (lifted.geometry.normal * sphere.pixel_directions(shape[0])).sum(-1)
    _expect(bool((facing <= 1e-3).all()), "normals look towards the eye")
    return lifted


def _seed(stage: Any, run: Run) -> Splats:
    splats = stage(tiny_panorama(), tiny_geometry(), run)
    _expect(isinstance(splats, Splats), f"seed returns Splats, got {type(splats).__name__}")
    arrays = (splats.means, splats.log_scales, splats.quats, splats.opacity_logits, splats.sh)
    _expect(all(bool(np.isfinite(a).all()) for a in arrays), "splats are finite")
    return splats


def _understand(stage: Any, run: Run) -> tuple[Sounding, ...]:
    panorama = tiny_panorama()
    soundings = stage(panorama, None, run)
    _expect(isinstance(soundings, tuple), "understand returns a tuple")
    _expect(all(isinstance(s, Sounding) for s in soundings), "understand returns Soundings")
    masks = [s.mask for s in soundings if s.mask is not None]
    _expect(all(m.shape == panorama.known.shape for m in masks), "masks have the panorama's size")
    return soundings


def _segment(stage: Any, run: Run) -> tuple[Sounding, ...]:
    panorama, given = tiny_panorama(), tiny_soundings()
    soundings = stage(panorama, given, run)
    _expect(len(soundings) == len(given), "segment keeps every sounding")
    _expect([s.label for s in soundings] == [s.label for s in given], "segment keeps the soundings' order and labels")
    _expect(soundings[0].mask is None, "segment leaves ambience without a mask")
    return soundings


def _sound(stage: Any, run: Run) -> tuple[Source, ...]:
    given = tiny_sources()
    sources = stage(given, run)
    _expect([s.id for s in sources] == [s.id for s in given], "sound keeps the sources and their order")
    _expect(all(s.clip is not None for s in sources), "sound gives every source a clip")
    return sources


_TRIALS: dict[str, Callable[[Any, Run], Any]] = {
    "calibrate": _calibrate,
    "panorama": _panorama,
    "lift": _lift,
    "seed": _seed,
    "understand": _understand,
    "segment": _segment,
    "sound": _sound,
}
