"""What the embedded panorama is made of, each part against something known from outside it."""

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sonoworld.calibrate.camera import camera_from_angles
from sonoworld.panorama.band import core_extent
from sonoworld.panorama.cut import join, least_cut
from sonoworld.panorama.dome import sky_dome
from sonoworld.panorama.membrane import enlarge, membrane
from sonoworld.panorama.order import order_pieces
from sonoworld.panorama.place import gather, project
from sonoworld.panorama.texture import spot_noise
from sonoworld.sphere import camera_pixel_directions, pixel_directions, pixel_solid_angles
from sonoworld.types import Camera, CameraSigma, Photo


def camera(size: tuple[int, int], fov: float = 70, pitch: float = 0, roll: float = 0) -> Camera:
    photo = Photo(np.zeros((size[1], size[0], 3), np.uint8))
    return camera_from_angles(photo, *np.radians([fov, pitch, roll]), CameraSigma(0.0, 0.0, 0.0))


@settings(max_examples=8, deadline=None)
@given(st.floats(20, 120), st.floats(-80, 80), st.floats(-180, 180))
def test_a_smooth_picture_of_directions_comes_back(fov: float, pitch: float, roll: float) -> None:
    """A photo that shows each ray's own direction, placed, shows each panorama pixel's direction."""
    at = camera((600, 450), fov, pitch, roll)
    shown = camera_pixel_directions(at.K, at.size_px, at.world_from_camera).astype(np.float32)
    looks = project(at, 128)
    inside = cv2.erode((looks.coverage >= 1).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    error = np.abs(gather(shown, looks) - pixel_directions(128))[inside]
    assume(inside.any())
    assert error.max() < 0.008  # a third of a pixel


def test_coverage_is_the_solid_angle_of_the_photo() -> None:
    at = camera((800, 600), fov=80, pitch=10, roll=5)
    covered = (project(at, 512).coverage * pixel_solid_angles(512)[:, None]).sum()
    a, b = np.tan(np.radians(40)), np.tan(np.radians(40)) * 0.75
    exact = 4 * np.arcsin(a * b / np.sqrt((1 + a * a) * (1 + b * b)))  # rectangular pyramid
    assert covered == pytest.approx(exact, rel=4e-3)


def test_fine_checkers_become_grey_not_moire() -> None:
    y, x = np.mgrid[:1200, :1600]
    checkers = (((x // 2 + y // 2) % 2) * 255.0).astype(np.float32)[..., None]
    looks = project(camera((1600, 1200)), 128)  # about 10 photo pixels in one
    seen = gather(checkers, looks)[looks.coverage >= 1]
    assert seen.mean() == pytest.approx(127.5, abs=1)
    assert seen.std() < 3


def test_magnified_photos_are_not_blurred() -> None:
    rng = np.random.default_rng(0)
    coarse = rng.uniform(0, 255, (30, 40, 1)).astype(np.float32)
    looks = project(camera((40, 30), fov=60), 512)  # each photo pixel covers several panorama pixels
    assert looks.level[looks.coverage >= 1].max() == 0
    bilinear = 2 / 3  # what linear interpolation leaves of white noise, averaged over the pixel: (∫(1−t)²+t² dt)
    assert gather(coarse, looks)[looks.coverage >= 1].std() == pytest.approx(bilinear * coarse.std(), rel=0.06)


def test_the_cut_takes_the_free_path() -> None:
    error = np.ones((40, 20), np.float32)
    path = 10 + np.round(4 * np.sin(np.arange(40) / 6)).astype(int)
    error[np.arange(40), path] = 0
    right = least_cut(error)
    np.testing.assert_array_equal(right, np.arange(20)[None] > path[:, None])


def test_a_join_keeps_its_ends_and_equal_pictures() -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.uniform(0, 255, (50, 60, 3)).astype(np.float32) for _ in range(2))
    np.testing.assert_allclose(join(a, a), a, atol=1e-3)
    mixed = join(a, b)
    assert np.abs(mixed - a)[:, :2].mean() < 5
    assert np.abs(mixed - b)[:, -2:].mean() < 5


def test_spot_noise_has_the_statistics_of_its_patch() -> None:
    rng = np.random.default_rng(0)
    bright = cv2.GaussianBlur(rng.standard_normal((200, 260)).astype(np.float32), (0, 0), 2.5)
    patch = (bright / bright.std() * 20)[..., None] * np.array([1.0, 0.9, 0.8], np.float32)
    mask = np.zeros((200, 260), bool)
    mask[20:180, 30:240] = True
    noise = spot_noise(patch * mask[..., None], mask, (256, 512), np.random.default_rng(1))
    sample = patch[mask] - patch[mask].mean(0)
    assert noise.std() == pytest.approx(sample.std(), rel=0.08)
    assert noise[..., 0].std() > noise[..., 2].std()
    lag = [float((x[:, :-3] * x[:, 3:]).mean() / (x * x).mean()) for x in (noise.mean(-1), bright[20:180, 30:240])]
    assert lag[0] == pytest.approx(lag[1], abs=0.1)
    seam = np.abs(noise[:, 0] - noise[:, -1]).mean() / np.abs(np.diff(noise, axis=1)).mean()
    assert seam == pytest.approx(1, abs=0.25)


def test_the_membrane_holds_its_ring_and_dies_away() -> None:
    weight = np.zeros((256, 512), np.float32)
    weight[80:160, 180:330] = 1
    weight[84:156, 184:326] = 0
    offset = np.full((256, 512, 1), 30.0, np.float32)
    spread = membrane(offset, weight)[..., 0]
    assert spread[weight > 0].mean() == pytest.approx(30, abs=1.5)
    assert spread[120, 0] < 20
    assert abs(spread[:, 0] - spread[:, -1]).max() < 0.5
    assert np.ptp(spread[0]) < 0.5
    assert np.ptp(spread[-1]) < 0.5


def test_enlarging_keeps_a_constant_and_a_wave() -> None:
    az = np.pi - 2 * np.pi * (np.arange(64) + 0.5) / 64
    wave = np.tile(np.cos(az)[None, :, None], (32, 1, 1)).astype(np.float32)
    large = enlarge(wave, 150)
    fine = np.pi - 2 * np.pi * (np.arange(300) + 0.5) / 300
    np.testing.assert_allclose(large[70, :, 0], np.cos(fine), atol=2e-3)


def test_the_dome_follows_the_sky_it_saw() -> None:
    d = pixel_directions(128)
    truth = np.stack([120 - 60 * d[..., 2], 160 - 50 * d[..., 2], 230 - 20 * d[..., 2]], -1).astype(np.float32)
    sky = (np.abs(np.arctan2(d[..., 1], d[..., 0])) < 0.6) & (d[..., 2] > 0.02) & (d[..., 2] < 0.6)
    dome = sky_dome(truth, sky, np.random.default_rng(0))
    assert dome is not None
    assert np.abs((dome - truth)[sky].mean(0)).max() < 4
    assert np.abs(dome - truth)[sky].mean() < 9  # there are faint clouds
    assert sky_dome(truth, np.zeros_like(sky), np.random.default_rng(0)) is None


def test_the_core_of_a_slanted_photo() -> None:
    known = project(camera((800, 600), fov=60, pitch=-10, roll=8), 256).coverage >= 1
    at = core_extent(known)
    inside = known[at.top : at.bottom, at.left : at.right]
    assert inside.mean() > 0.85
    assert inside.sum() > 0.6 * known.sum()


@pytest.mark.parametrize("gap", [30, 200, 500])
def test_pieces_fill_the_gap_and_avoid_what_is_disliked(gap: int) -> None:
    rng = np.random.default_rng(0)
    features = rng.uniform(0, 255, (100 + 12, 30)).astype(np.float32)
    dislike = np.zeros(100, np.float32)
    dislike[80:] = 1
    pieces = order_pieces(features, 6, dislike, gap, np.random.default_rng(1))
    assert sum(p.length for p in pieces) == gap
    shown = np.concatenate([p.columns() for p in pieces])
    assert shown.min() >= 0
    assert shown.max() < 100
    assert (shown >= 80).mean() < 0.1
