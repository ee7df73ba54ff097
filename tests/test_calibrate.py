"""Calibration: backends honour what they are told, and find a camera in pictures whose camera is known."""

import math
from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sonoworld.backend import Run, find
from sonoworld.calibrate.camera import camera_from_angles, fov_from_focal
from sonoworld.calibrate.exif import EXIF, ExifOptions
from sonoworld.calibrate.given import GIVEN, GivenOptions
from sonoworld.calibrate.lines import LINES, LinesOptions
from sonoworld.calibrate.manhattan import log_likelihood, upright_length
from sonoworld.calibrate.segments import Segments
from sonoworld.errors import InputError
from sonoworld.frames import Pose, camera_angles, world_from_camera_rotation
from sonoworld.sphere import camera_pixel_directions, pinhole
from sonoworld.types import Camera, CameraSigma, Photo, Projection

YARD_M = (9.0, 7.0, -8.0, -10.0)
"""Where the walls stand: ahead, left, behind, right."""


def run() -> Run:
    return Run(np.random.default_rng(0))


def yard(pitch: float, roll: float, fov: float, yaw: float = 0.4, size: tuple[int, int] = (800, 600)) -> np.ndarray:
    """A walled yard with checkered walls 6 m high, a checkered floor 1.6 m below the eye, and a blue sky."""
    twice = (2 * size[0], 2 * size[1])
    pose = Pose(world_from_camera_rotation(pitch, roll, yaw), np.zeros(3))
    d = camera_pixel_directions(pinhole(fov, twice), twice, pose)
    x, y, z = d[..., 0], d[..., 1], d[..., 2]
    with np.errstate(divide="ignore"):
        across = np.minimum(
            np.where(x > 0, YARD_M[0] / x, YARD_M[2] / x), np.where(y > 0, YARD_M[1] / y, YARD_M[3] / y)
        )
        floor = np.where(z < 0, -1.6 / z, np.inf)
    reach = np.minimum(across, floor)
    p = d * reach[..., None]
    on_floor = floor < across
    along = np.where(np.abs(np.abs(x * reach) - np.where(x > 0, 9, 8)) < 1e-6, p[..., 1], p[..., 0])
    tiles = np.where(on_floor, np.floor(p[..., 0]) + np.floor(p[..., 1]), np.floor(along) + np.floor(p[..., 2] / 1.5))
    shade = np.where(np.mod(tiles, 2) == 0, 90.0, 170.0)
    rgb = np.stack([shade, shade * 0.9, shade * 0.8], -1)
    rgb = np.where((~on_floor & (p[..., 2] > 4.4))[..., None], [120.0, 165.0, 230.0], rgb)
    small = cv2.resize(rgb.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.clip(small, 0, 255).astype(np.uint8)


def angles_deg(camera: Camera) -> np.ndarray:
    """Pitch, roll, field of view, degrees."""
    yaw, pitch, roll = camera_angles(camera.world_from_camera.rotation)
    assert abs(yaw) < 1e-9
    return np.degrees([pitch, roll, camera.fov])


def noise(shape: tuple[int, int] = (300, 400)) -> np.ndarray:
    """A picture without lines: blurred noise in earthy colours."""
    rng = np.random.default_rng(3)
    grey = cv2.GaussianBlur(rng.standard_normal(shape), (0, 0), 4)
    grey = 110 + 30 * grey / grey.std()
    return np.clip(np.stack([grey, grey * 1.05, grey * 0.7], -1), 0, 255).astype(np.uint8)


@cache
def estimate(pitch_deg: float, roll_deg: float, fov_deg: float, mirrored: bool = False) -> Camera:
    picture = yard(*np.radians([pitch_deg, roll_deg, fov_deg]))
    if mirrored:
        picture = np.ascontiguousarray(picture[:, ::-1])
    return LINES.make(LinesOptions())(Photo(picture), run())


@pytest.mark.parametrize(("pitch", "roll", "fov"), [(8.0, -4.0, 66.0), (-10.0, 3.0, 74.0), (0.0, 6.0, 58.0)])
def test_lines_find_the_camera_of_a_yard(pitch: float, roll: float, fov: float) -> None:
    camera = estimate(pitch, roll, fov)
    error = np.abs(angles_deg(camera) - [pitch, roll, fov])
    assert error[0] < 1.0
    assert error[1] < 0.7
    assert error[2] < 4.0
    sigma = np.degrees([camera.sigma.pitch, camera.sigma.roll, camera.sigma.fov])
    assert (error < 2 * sigma).all()
    assert camera.sigma.confident


def test_a_mirrored_photo_has_the_mirrored_roll() -> None:
    straight, mirrored = angles_deg(estimate(8.0, -4.0, 66.0)), angles_deg(estimate(8.0, -4.0, 66.0, mirrored=True))
    np.testing.assert_allclose(mirrored, straight * [1, -1, 1], atol=1.0)


def test_a_photo_without_lines_is_not_confident() -> None:
    camera = LINES.make(LinesOptions())(Photo(noise()), run())
    assert not camera.sigma.confident
    assert camera.sigma.pitch > math.radians(5)


def test_the_focal_length_of_the_file_is_the_field_of_view() -> None:
    picture = yard(*np.radians([8.0, -4.0, 66.0]))
    camera = LINES.make(LinesOptions())(Photo(picture, focal_px=500.0), run())
    assert camera.K[0, 0] == pytest.approx(500.0)
    assert camera.sigma.fov == 0
    told = LINES.make(LinesOptions(fov_deg=70))(Photo(picture, focal_px=500.0), run())
    assert math.degrees(told.fov) == pytest.approx(70)


@settings(max_examples=6, deadline=None)
@given(st.one_of(st.none(), st.floats(20, 120)), st.one_of(st.none(), st.floats(-60, 60)), st.floats(-40, 40))
def test_fixed_angles_are_honoured_exactly(fov: float | None, pitch: float | None, roll: float) -> None:
    options = LinesOptions(fov_deg=fov, pitch_deg=pitch, roll_deg=roll)
    camera = LINES.make(options)(Photo(noise((150, 200))), run())
    found = angles_deg(camera)
    sigmas = (camera.sigma.pitch, camera.sigma.roll, camera.sigma.fov)
    for told, value, sigma in zip((pitch, roll, fov), found, sigmas, strict=True):
        if told is None:
            assert sigma > 0
        else:
            assert value == pytest.approx(told, abs=1e-6)
            assert sigma == 0


def test_same_photo_same_camera() -> None:
    once, again = (LINES.make(LinesOptions())(Photo(noise()), run()) for _ in range(2))
    assert once.K.tobytes() == again.K.tobytes()
    assert once.world_from_camera.rotation.tobytes() == again.world_from_camera.rotation.tobytes()


def test_given_takes_the_user_at_their_word() -> None:
    camera = GIVEN.make(GivenOptions(fov_deg=80, pitch_deg=-12, roll_deg=3))(Photo(noise()), run())
    np.testing.assert_allclose(angles_deg(camera), [-12, 3, 80], atol=1e-9)
    assert camera.sigma == CameraSigma(fov=0.0, pitch=0.0, roll=0.0)
    assert camera.sigma.confident


def test_exif_is_level_and_says_how_unsure_that_is() -> None:
    camera = EXIF.make(ExifOptions())(Photo(noise(), focal_px=300.0), run())
    np.testing.assert_allclose(angles_deg(camera), [0, 0, np.degrees(2 * np.arctan(400 / 600))], atol=1e-9)
    assert camera.sigma.fov == 0
    assert not camera.sigma.confident


def test_exif_without_a_focal_length_is_an_error() -> None:
    with pytest.raises(InputError, match="focal length"):
        EXIF.make(ExifOptions())(Photo(noise()), run())


@pytest.mark.parametrize("make", [lambda: LINES.make(LinesOptions()), lambda: GIVEN.make(GivenOptions(fov_deg=60))])
def test_a_panorama_is_refused(make) -> None:
    photo = Photo(np.zeros((64, 128, 3), np.uint8), projection=Projection.EQUIRECTANGULAR)
    with pytest.raises(InputError, match="perspective"):
        make()(photo, run())


@pytest.mark.parametrize("bad", [{"fov_deg": 0.0}, {"fov_deg": 180.0}, {"pitch_deg": 91.0}, {"yaw_deg": 3.0}])
def test_options_out_of_range_are_errors(bad: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        LinesOptions(**bad)


def test_a_focal_length_no_picture_has_is_an_error() -> None:
    with pytest.raises(InputError, match="field of view"):
        camera_from_angles(Photo(noise()), fov_from_focal(1e6, 400), 0.0, 0.0, CameraSigma(0.0, 0.0, 0.0))


@pytest.mark.parametrize("name", ["lines", "exif", "given"])
def test_backends_are_found_by_name(name: str) -> None:
    assert find("calibrate", name).stage == "calibrate"


def _seen_from(directions: np.ndarray, pitch: float, roll: float, focal_px: float) -> Segments:
    """Segments that point at the vanishing points of world directions, placed at random."""
    rng = np.random.default_rng(5)
    R = world_from_camera_rotation(pitch, roll)
    ends = []
    for d in directions:
        start = np.array([rng.uniform(-300, 300), rng.uniform(-200, 200), focal_px]) * 0.02
        stop = start + 0.8 * (R.T @ d)
        ends.append([p[:2] / p[2] * focal_px for p in (start, stop)])
    count = len(directions)
    return Segments(ends=np.array(ends), weights=np.ones(count), lengths=np.full(count, 0.05))


def test_the_true_rotation_is_the_likeliest() -> None:
    up, ahead, left = np.eye(3)[2], np.array([0.8, 0.6, 0]), np.array([-0.6, 0.8, 0])
    truth, focal = np.radians([6.0, -3.0]), 600.0
    segments = _seen_from(np.stack([up, ahead, left] * 8), *truth, focal)
    grid = [(p, r) for p in np.arange(-12, 13, 3.0) for r in np.arange(-9, 10, 3.0)]
    rotations = np.array([world_from_camera_rotation(*np.radians(g)) for g in grid])
    assert grid[int(np.argmax(log_likelihood(segments, rotations, focal)))] == (6.0, -3.0)


def test_upright_length_counts_what_follows_gravity() -> None:
    vertical = _seen_from(np.repeat(np.eye(3)[2:], 10, 0), 0.1, 0.05, 600.0)
    rotation = world_from_camera_rotation(0.1, 0.05)
    assert upright_length(vertical, rotation, 600.0) == pytest.approx(0.5)
    assert upright_length(vertical, world_from_camera_rotation(0.1, 0.5), 600.0) == 0
