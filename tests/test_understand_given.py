"""A sources file is obeyed to the letter, and its mistakes are named by file, source and key."""

from pathlib import Path

import numpy as np
import pytest

from sonoworld import frames, sphere, testing
from sonoworld.errors import InputError
from sonoworld.frames import Pose
from sonoworld.types import Camera, CameraSigma, Sounding, Spread
from sonoworld.understand.sources_file import read_soundings

HEIGHT = 256


def read(tmp_path: Path, text: str, camera: Camera | None = None) -> tuple[Sounding, ...]:
    path = tmp_path / "sources.toml"
    path.write_text(text)
    return read_soundings(str(path), HEIGHT, camera)


def level_camera() -> Camera:
    size = (400, 300)
    pose = Pose(frames.world_from_camera_rotation(0.2, 0.1), np.zeros(3))
    return Camera(sphere.pinhole(1.2, size), size, pose, CameraSigma(0.0, 0.0, 0.0))


def solid_angle_and_direction(mask: np.ndarray) -> tuple[float, np.ndarray]:
    weight = mask * sphere.pixel_solid_angles(HEIGHT)[:, None]
    mean = (weight[..., None] * sphere.pixel_directions(HEIGHT)).sum((0, 1))
    return float(weight.sum()), mean / np.linalg.norm(mean)


def test_defaults(tmp_path: Path) -> None:
    bell, wind, pond = read(
        tmp_path,
        '[[source]]\nlabel = "bell"\ndirection_deg = [90, 0]\n'
        '[[source]]\nlabel = "wind"\nspread = "ambient"\nlevel_db = 40\nprompt = "gentle wind"\n'
        '[[source]]\nlabel = "pond"\nbox_px = [0, 100, 50, 140]\n',
    )
    assert (bell.spread, wind.spread, pond.spread) == (Spread.POINT, Spread.AMBIENT, Spread.AREA)
    assert bell.direction is not None
    np.testing.assert_allclose(bell.direction, [0, 1, 0], atol=1e-12)
    assert (wind.level_db, wind.prompt, bell.prompt) == (40.0, "gentle wind", "bell")
    assert pond.mask is not None
    assert pond.mask.sum() == 50 * 40
    assert all(s.backend == "given" and s.confidence == 1.0 for s in (bell, wind, pond))


@pytest.mark.parametrize(
    ("label", "spread", "level_db"),
    [("Church bell!", "point", 90.0), ("a dog", "point", 90.0), ("zzz", "point", 65.0), ("zzz", "ambient", 42.0)],
)
def test_levels_have_sensible_defaults(tmp_path: Path, label: str, spread: str, level_db: float) -> None:
    place = "" if spread == "ambient" else "direction_deg = [0, 0]\n"
    (s,) = read(tmp_path, f'[[source]]\nlabel = "{label}"\nspread = "{spread}"\n{place}')
    assert s.level_db == level_db


def test_panorama_boxes_cross_the_seam(tmp_path: Path) -> None:
    (s,) = read(tmp_path, '[[source]]\nlabel = "x"\nbox_px = [502, 100, 10, 140]\n')
    assert s.mask is not None
    assert s.mask[120, [0, 9, 502, 511]].all()
    assert s.mask.sum() == 20 * 40


@pytest.mark.parametrize(
    "shape", ["box_px = [150, 100, 250, 200]", "polygon_px = [[150,100],[250,100],[250,200],[150,200]]"]
)
def test_photo_pixels_go_through_the_camera(tmp_path: Path, shape: str) -> None:
    camera = level_camera()
    (s,) = read(tmp_path, f'[[source]]\nlabel = "x"\n{shape}\n', camera)
    assert s.mask is not None
    solid_angle, direction = solid_angle_and_direction(s.mask)
    focal = camera.K[0, 0]
    truth = sphere.camera_ray(np.array(200.0), np.array(150.0), camera.K, camera.world_from_camera)
    assert direction @ truth > np.cos(np.radians(0.5))
    np.testing.assert_allclose(solid_angle, (100 / focal) ** 2, rtol=0.1)


def test_a_polygon_is_its_area_in_the_panorama(tmp_path: Path) -> None:
    (s,) = read(tmp_path, '[[source]]\nlabel = "x"\npolygon_px = [[100, 50], [200, 50], [100, 150]]\n')
    assert s.mask is not None
    np.testing.assert_allclose(s.mask.sum(), 5000, rtol=0.04)
    assert s.mask[60, 110]
    assert not s.mask[140, 190]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "source"),
        ("nonsense", "expected TOML"),
        ('[[source]]\nlabel = "a"\n', "source 1.*exactly one of direction_deg"),
        ('[[source]]\nlabel = "a"\ndirection_deg = [0, 0]\nbox_px = [0, 0, 9, 9]\n', "exactly one"),
        ('[[source]]\nlabel = "a"\ndirection_deg = [0, 95]\n', r"source 1: direction_deg.*95"),
        ('[[source]]\nlabel = "a"\ndirection_deg = [nan, 5]\n', "direction_deg"),
        ('[[source]]\nlabel = "a"\nspread = "big"\n', r"source 1: spread.*'big'"),
        ('[[source]]\nlabel = "a"\nspread = "ambient"\nbox_px = [0, 0, 9, 9]\n', "ambient source has no place"),
        ('[[source]]\nlabel = "a"\nspread = "area"\ndirection_deg = [0, 0]\n', "area needs box_px or polygon_px"),
        ('[[source]]\nlabel = " "\ndirection_deg = [0, 0]\n', "label"),
        ('[[source]]\nlabel = "a"\nloudness = 3\ndirection_deg = [0, 0]\n', "loudness"),
        ('[[source]]\nlabel = "a"\nlevel_db = 900\ndirection_deg = [0, 0]\n', "level_db"),
        ('[[source]]\nlabel = "a"\nbox_px = [0, 0, 0, 9]\n', "source 1: the shape covers no pixel"),
        ('[[source]]\nlabel = "a"\nbox_px = [0, 0, 9, 9]\npixels = "photo"\n', "picture is a panorama"),
        ('[[source]]\nlabel = "ok"\ndirection_deg = [0, 0]\n[[source]]\nlabel = "b"\n', "source 2"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        read(tmp_path, text)
    assert "sources.toml" in str(caught.value)


def test_missing_and_huge_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found nothing"):
        read_soundings(str(tmp_path / "none.toml"), HEIGHT, None)
    (tmp_path / "big.toml").write_text("#" * (2**20 + 1))
    with pytest.raises(InputError, match="at most"):
        read_soundings(str(tmp_path / "big.toml"), HEIGHT, None)


def test_the_tiny_camera_sees_its_own_middle(tmp_path: Path) -> None:
    camera = testing.tiny_camera()
    (s,) = read(tmp_path, '[[source]]\nlabel = "x"\nspread = "point"\nbox_px = [86, 62, 106, 82]\n', camera)
    assert s.mask is not None
    _, direction = solid_angle_and_direction(s.mask)
    np.testing.assert_allclose(np.degrees(frames.angles_from_direction(direction)), [0, -3], atol=0.6)
