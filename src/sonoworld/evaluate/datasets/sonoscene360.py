"""SonoScene360 on disk, read as it is published, and the poses of its microphones.

Letters: u v in 0..1, column and row of a panorama; p = πv angle from the zenith; t = 2π(1 − u) azimuth of the release,
half a turn from ours (its panorama front is −x); D distance along the ray, m; R camera_from_world.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.disk.photo import read_photo
from sonoworld.errors import InputError
from sonoworld.evaluate.datasets.values import Dataset, Marks, Microphone, RecordedScene, Recording
from sonoworld.frames import Pose
from sonoworld.types import Geometry

ROTATION_SLACK = 0.05
"""How far a published rotation may be from orthonormal, and its determinant from 1, as the release has it."""

SEARCH_PX = 32
"""Where the ground point has no valid distance, the nearest valid pixel this near counts."""

HEAD_FROM_CAMERA = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""[front, left, up] = [z, −x, −y]."""

RELEASE_FROM_WORLD = np.diag([-1.0, -1.0, 1.0])
"""Half a turn about the vertical: the release's panorama front is −x."""


def read_sonoscene360(root: Path, name: str = "sonoscene360") -> Dataset:
    """The index, `data/metadata.json`, and all it names.

    Raises:
        InputError: a file is missing or does not say what it must.
    """
    index = _json(root / "data" / "metadata.json")
    pictures = _of(index, "scene_input_images_paths", dict, "metadata.json")
    return Dataset(name, tuple(_scene(root, index, scene) for scene in pictures))


def microphone_pose(marks: Marks, geometry: Geometry) -> Pose:
    """`world_from_head` of a microphone, in metres of this geometry.

    centre = ray(centre) · D_ground · sin p_ground / sin p_centre: the capsule is above the marked ground point.

    Raises:
        InputError: no valid distance near the ground point, or a mark at a pole.
    """
    zenith_ground, zenith_centre = math.pi * marks.ground[1], math.pi * marks.centre[1]
    if math.sin(zenith_centre) < 1e-6:
        raise InputError("a microphone at a pole of the panorama has no place")
    distance = _distance_at(geometry, *marks.ground) * math.sin(zenith_ground) / math.sin(zenith_centre)
    place = RELEASE_FROM_WORLD.T @ (release_ray(*marks.centre) * distance)
    left, _, right = np.linalg.svd(HEAD_FROM_CAMERA @ marks.camera_from_world @ RELEASE_FROM_WORLD)
    return Pose(np.ascontiguousarray((left @ right).T), place)


def release_ray(u: float, v: float) -> Float64[np.ndarray, "3"]:
    """(cos t sin p, sin t sin p, cos p), the release's axes."""
    zenith, azimuth = math.pi * v, 2 * math.pi * (1 - u)
    return np.array(
        [math.cos(azimuth) * math.sin(zenith), math.sin(azimuth) * math.sin(zenith), math.cos(zenith)], np.float64
    )


def _distance_at(geometry: Geometry, u: float, v: float) -> float:
    height, width = geometry.distance.shape
    row, column = min(round(v * height), height - 1), round(u * width) % width
    good = geometry.valid & ~geometry.sky
    if good[row, column]:
        return float(geometry.distance[row, column])
    rows, columns = np.nonzero(good)
    aside = np.abs(columns - column)
    far = np.hypot(rows - row, np.minimum(aside, width - aside))
    if far.size == 0 or far.min() > SEARCH_PX:
        raise InputError(f"no valid distance within {SEARCH_PX} px of the microphone's ground point ({u:.3f}, {v:.3f})")
    nearest = int(np.argmin(far))
    return float(geometry.distance[rows[nearest], columns[nearest]])


def _scene(root: Path, index: dict[str, Any], scene: str) -> RecordedScene:
    folder = root / "data" / scene
    known = _json(folder / "metadata" / "known_sources.json")
    picture = read_photo(folder / "images" / "panorama.jpg", panorama=True).rgb
    size = (picture.shape[1], picture.shape[0])
    texts = _of(_of(index, "scene_mic_metadata_paths", dict, "metadata.json"), scene, dict, "scene_mic_metadata_paths")
    sounds = _of(
        _of(index, "scene_mic_recording_paths", dict, "metadata.json"), scene, dict, "scene_mic_recording_paths"
    )
    mics = tuple(
        _microphone(mic, root / text, [root / path for path in _of(sounds, mic, list, scene)], size)
        for mic, text in texts.items()
    )
    labels = tuple(str(label) for label in _of(known, "known_sources", list, f"{scene}: known_sources.json"))
    return RecordedScene(scene, root / index["scene_input_images_paths"][scene], labels, mics)


def _microphone(mic: str, text: Path, sounds: list[Path], size: tuple[int, int]) -> Microphone:
    said = _json(text)
    points = _of(said, "2d_points", dict, str(text))
    rotation = np.array(_of(_of(said, "apriltag", dict, str(text)), "rotation", list, str(text)), np.float64)
    slack = float(np.abs(rotation @ rotation.T - np.eye(3)).max()) if rotation.shape == (3, 3) else math.inf
    if slack > ROTATION_SLACK or abs(float(np.linalg.det(rotation)) - 1) > ROTATION_SLACK:
        raise InputError(f"{text}: apriltag.rotation is not a rotation (off by {slack:.3g})")
    marks = Marks(rotation, _point(points, "mic_location_2d", size, text), _point(points, "mic_center_2d", size, text))
    said_sources = said.get("sound_source_annotations", [])
    labels = tuple((str(one["direction"]), str(one["text_label"])) for one in said_sources)
    missing = [path for path in sounds if not path.is_file()]
    if missing:
        raise InputError(f"{missing[0]}: the recording is not there ({len(missing)} of {len(sounds)} missing)")
    return Microphone(mic, marks, tuple(Recording(path.parent.name, path) for path in sounds), labels, text)


def _point(points: dict[str, Any], name: str, size: tuple[int, int], text: Path) -> tuple[float, float]:
    point = _of(points, name, dict, str(text))
    return float(point["x"]) / size[0], float(point["y"]) / size[1]


def _of(table: dict[str, Any], name: str, kind: type, where: str) -> Any:
    if not isinstance(table.get(name), kind):
        raise InputError(f"{where}: expected {name!r} as a {kind.__name__}, got {table.get(name)!r:.80}")
    return table[name]


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(found, dict):
        raise InputError(f"{path}: expected a table, got {type(found).__name__}")
    return found


def marks_of(pose: Pose, ground_z_m: float) -> Marks:
    """The marks of a microphone that stands at a pose (world_from_head) over level ground; inverse of the above."""
    world_from_release = RELEASE_FROM_WORLD.T
    rotation = HEAD_FROM_CAMERA.T @ pose.rotation.T @ world_from_release
    below = np.array([pose.origin[0], pose.origin[1], ground_z_m])
    return Marks(rotation, _uv(below), _uv(pose.origin))


def _uv(place: Float64[np.ndarray, "3"] | Float32[np.ndarray, "3"]) -> tuple[float, float]:
    x, y, z = (float(c) for c in place)
    azimuth = math.atan2(y, x)  # ours: the centre column is ahead
    return (0.5 - azimuth / (2 * math.pi)) % 1.0, 0.5 - math.atan2(z, math.hypot(x, y)) / math.pi
