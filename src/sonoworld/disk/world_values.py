"""Photo, camera, panorama, geometry, splats and preview as files of a scene folder."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from sonoworld.backend import Lifted
from sonoworld.disk import atomic
from sonoworld.disk.arrays import read_arrays, read_image, read_mask, write_arrays, write_image, write_mask
from sonoworld.disk.codec import Codec, checked_record
from sonoworld.disk.ply import read_ply, write_ply
from sonoworld.errors import UnsafeFileError
from sonoworld.frames import Pose
from sonoworld.types import Camera, CameraSigma, Geometry, Panorama, Photo, Projection, Splats


@dataclass(frozen=True, slots=True)
class _PhotoRecord:
    focal_px: float | None
    taken_with: str | None
    projection: Projection


_PHOTO_RECORD = TypeAdapter(_PhotoRecord).validate_python


def _save_photo(folder: Path, photo: Photo) -> tuple[str, ...]:
    write_image(folder / "photo.png", photo.rgb)
    atomic.write_json(folder / "photo.json", asdict(_PhotoRecord(photo.focal_px, photo.taken_with, photo.projection)))
    return "photo.png", "photo.json"


def _load_photo(folder: Path) -> Photo:
    record = checked_record(atomic.read_json(folder / "photo.json"), _PHOTO_RECORD, folder / "photo.json")
    return Photo(read_image(folder / "photo.png"), record.focal_px, record.taken_with, record.projection)


@dataclass(frozen=True, slots=True)
class _CameraRecord:
    K: list[list[float]]
    size_px: tuple[int, int]
    world_from_camera: list[list[float]]
    sigma: CameraSigma


_CAMERA_RECORD = TypeAdapter(_CameraRecord).validate_python


def _save_camera(folder: Path, camera: Camera | None) -> tuple[str, ...]:
    document = None
    if camera is not None:
        rotation = camera.world_from_camera.rotation.tolist()
        document = asdict(_CameraRecord(camera.K.tolist(), camera.size_px, rotation, camera.sigma))
    atomic.write_json(folder / "camera.json", document)
    return ("camera.json",)


def _load_camera(folder: Path) -> Camera | None:
    document = atomic.read_json(folder / "camera.json")
    if document is None:
        return None
    record = checked_record(document, _CAMERA_RECORD, folder / "camera.json")
    K, rotation = (_matrix3(value, folder / "camera.json") for value in (record.K, record.world_from_camera))
    return Camera(K, record.size_px, Pose(rotation, np.zeros(3)), record.sigma)


def _matrix3(rows: list[list[float]], where: Path) -> np.ndarray:
    if len(rows) != 3 or any(len(row) != 3 for row in rows):
        raise UnsafeFileError(f"{where}: expected a 3×3 matrix, got {len(rows)} rows")
    return np.array(rows, np.float64)


def _save_panorama(folder: Path, panorama: Panorama) -> tuple[str, ...]:
    write_image(folder / "panorama.png", panorama.rgb)
    write_mask(folder / "panorama.known.png", panorama.known)
    return "panorama.png", "panorama.known.png"


def _load_panorama(folder: Path) -> Panorama:
    return Panorama(read_image(folder / "panorama.png"), read_mask(folder / "panorama.known.png"))


# ---------------------------------------------------------------- geometry, splats


def _save_geometry(folder: Path, geometry: Geometry) -> tuple[str, ...]:
    arrays = {
        "distance": geometry.distance,
        "normal": geometry.normal,
        "sky": geometry.sky,
        "valid": geometry.valid,
        "metric": np.array(geometry.metric),
    }
    write_arrays(folder / "geometry.npz", arrays)
    return ("geometry.npz",)


def _load_geometry(folder: Path) -> Geometry:
    where = folder / "geometry.npz"
    a = read_arrays(where, ("distance", "normal", "sky", "valid", "metric"))
    shape = a["distance"].shape
    if len(shape) != 2 or a["normal"].shape != (*shape, 3) or a["sky"].shape != shape or a["valid"].shape != shape:
        raise UnsafeFileError(f"{where}: expected arrays of one panorama size, got {shape} and {a['normal'].shape}")
    return Geometry(
        a["distance"].astype(np.float32, copy=False),
        a["normal"].astype(np.float32, copy=False),
        a["sky"].astype(bool, copy=False),
        a["valid"].astype(bool, copy=False),
        bool(a["metric"]),
    )


PLY_COMMENTS = ("sonoworld: metres; x ahead, y left, z up; origin at the photo's eye",)


def _save_lifted(folder: Path, lifted: Lifted) -> tuple[str, ...]:
    names = _save_geometry(folder, lifted.geometry)
    if lifted.splats is None:
        return names
    write_ply(folder / "lifted.ply", lifted.splats, PLY_COMMENTS)
    return (*names, "lifted.ply")


def _load_lifted(folder: Path) -> Lifted:
    own = folder / "lifted.ply"
    return Lifted(_load_geometry(folder), read_ply(own) if own.is_file() else None)


def _splats_codec(name: str) -> Codec[Splats]:
    def save(folder: Path, splats: Splats) -> tuple[str, ...]:
        write_ply(folder / name, splats, PLY_COMMENTS)
        return (name,)

    return Codec(save, lambda folder: read_ply(folder / name))


def _picture_codec(name: str) -> Codec[np.ndarray]:
    def save(folder: Path, image: np.ndarray) -> tuple[str, ...]:
        write_image(folder / name, image)
        return (name,)

    return Codec(save, lambda folder: read_image(folder / name))


PHOTO = Codec(_save_photo, _load_photo)
CAMERA: Codec[Camera | None] = Codec(_save_camera, _load_camera)
PANORAMA = Codec(_save_panorama, _load_panorama)
LIFTED = Codec(_save_lifted, _load_lifted)
SPLATS = _splats_codec("splats.ply")
LITE = _splats_codec("splats.lite.ply")
PREVIEW = _picture_codec("preview.png")
SOURCES_PICTURE = _picture_codec("sources.png")
