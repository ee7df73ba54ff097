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
from sonoworld.panorama.level import level_for, levelled, restored
from sonoworld.panorama.membrane import enlarge, membrane
from sonoworld.panorama.place import gather, project
from sonoworld.panorama.quilt import Material, Row, Wanted, laid, quilt
from sonoworld.panorama.skyline import Lines, continued, find_way, parting
from sonoworld.panorama.texture import spot_noise
from sonoworld.panorama.tile import Exemplar, tile
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


def lines_of(n: int, rng: np.random.Generator) -> Lines:
    s = 20 + 6 * np.sin(np.arange(n) / 9 + rng.uniform(0, 6))
    return Lines(s.astype(np.float32), (s + 14 + 3 * np.cos(np.arange(n) / 7)).astype(np.float32))


def test_levelling_makes_lines_straight_and_is_undone() -> None:
    rng = np.random.default_rng(0)
    lines = lines_of(80, rng)
    rows = np.arange(90, dtype=np.float32)[:, None, None]
    layers = np.where(rows < lines.s[None, :, None], 0, np.where(rows < lines.g[None, :, None], 100, 200))
    level = level_for(lines, 90, 5)
    flat = levelled(layers.astype(np.float32), lines, level)[..., 0]
    assert (flat[: level.a - 1] == 0).all()
    assert (flat[level.a + 2 : level.a + level.p - 2] == 100).all()
    assert (flat[level.a + level.p + 2 :] == 200).all()
    smooth = cv2.GaussianBlur(rng.standard_normal((90, 80)), (0, 0), 6).astype(np.float32)[..., None]
    back = restored(levelled(smooth, lines, level), lines, level, 90)
    inside = rows[..., 0] > lines.s[None] - level.a + 1
    assert np.abs(back - smooth)[..., 0][inside].max() < 0.1 * smooth.std()


def test_lines_go_on_from_the_photos_edges() -> None:
    rng = np.random.default_rng(2)
    line = lines_of(120, rng).s
    way = find_way(120, 500, 12, False, rng)
    on = continued(line, line, way, rng)
    assert len(on) == 500
    np.testing.assert_allclose(on[:12], line[::-1][:12])
    np.testing.assert_allclose(on[-12:], line[:12][::-1])
    assert np.abs(np.diff(on)).max() < 4
    assert abs(on.mean() - line.mean()) < 2 * line.std()


def test_the_parting_line_is_where_sky_ends() -> None:
    truth = 30 + 8 * np.sin(np.arange(200) / 20)
    sky = (np.arange(80)[:, None] < truth[None]).astype(np.float32)
    sky[50:52, 60:63] = 1  # a speck
    assert np.abs(parting(sky, 3.0) - truth).max() < 2


def material(k: int, n: int) -> Material:
    """Every column has a brightness of its own."""
    image = np.zeros((k, n, 4), np.float32)
    image[..., :3] = np.arange(n)[None, :, None]
    image[..., 3] = np.arange(k)[:, None]
    flat = np.zeros((k, n, 3), np.float32)
    return Material(image, flat, np.zeros((k, n), np.float32), np.full(n, 10, np.float32))


@pytest.mark.parametrize("mirror", [False, True])
def test_a_quilt_keeps_rows_avoids_what_is_disliked_and_does_not_dwell(mirror: bool) -> None:
    source = material(40, 100)
    source.dislike[:, 60:70] = 1
    wanted = Wanted(np.zeros((40, 400, 3), np.float32), np.full(400, 10, np.float32))
    rows = [Row(0, 20, 16, 0, 0), Row(15, 25, 16, 5, 0)]
    made = quilt(source, source.image[:, :8], wanted, rows, mirror, np.random.default_rng(0))
    assert made.shape == (40, 400, 4)
    np.testing.assert_allclose(made[..., 3], np.broadcast_to(np.arange(40.0)[:, None], (40, 400)), atol=1e-3)
    shown = made[10, 20:, 0]
    assert ((shown > 62) & (shown < 67)).mean() < 0.02
    counts = np.histogram(shown, 10, (0, 100))[0]
    assert counts[1:5].min() > 0.05 * len(shown)  # everything is used, nothing all the time
    assert counts.max() < 0.3 * len(shown)
    again = quilt(source, source.image[:, :8], wanted, rows, mirror, np.random.default_rng(0))
    np.testing.assert_array_equal(made, again)


def test_a_laid_block_goes_from_old_to_new_without_a_hole() -> None:
    rng = np.random.default_rng(0)
    block, there = (rng.uniform(0, 255, (24, 24, 4)).astype(np.float32) for _ in range(2))
    out = laid(block, there, 8, 8)
    np.testing.assert_allclose(out[8:, 8:], block[8:, 8:], atol=1e-3)
    np.testing.assert_allclose(laid(block, block, 8, 8), block, atol=1e-3)


def test_a_tile_turns_its_grain_towards_the_feet() -> None:
    """Stripes that lie across ahead lie along circles around the middle everywhere."""
    y = np.arange(120)[:, None, None]
    stripes = np.broadcast_to(20 * np.sin(y), (120, 160, 3)).astype(np.float32)
    made = tile(Exemplar(stripes, np.ones((120, 160), bool)), 200, 24, np.random.default_rng(0))
    assert made is not None
    assert made.shape == (200, 200, 3)
    grey = made.mean(-1)
    across, along = (np.abs(np.diff(grey, axis=axis)) for axis in (0, 1))
    assert across[10:60, 80:120].mean() > 2 * along[10:60, 80:120].mean()  # ahead
    assert along[80:120, 10:60].mean() > 2 * across[80:120, 10:60].mean()  # to the left
    assert tile(Exemplar(stripes, np.zeros((120, 160), bool)), 200, 24, np.random.default_rng(0)) is None
