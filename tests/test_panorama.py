"""The embedded panorama: the photo untouched where it is, and no seam where it is not."""

from functools import cache

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from sonoworld.backend import Run, find
from sonoworld.calibrate.camera import camera_from_angles
from sonoworld.errors import BackendMissingError, InputError
from sonoworld.panorama.embedded import EMBEDDED, EmbeddedOptions
from sonoworld.panorama.place import gather, project
from sonoworld.perceive.lively import Lively
from sonoworld.types import Camera, CameraSigma, Panorama, Photo, Projection


def run(seed: int = 1) -> Run:
    return Run(np.random.default_rng(seed))


def camera(photo: Photo, fov: float = 70, pitch: float = 0, roll: float = 0) -> Camera:
    return camera_from_angles(photo, *np.radians([fov, pitch, roll]), CameraSigma(0.0, 0.0, 0.0))


def grain(shape: tuple[int, int], sigma: float, rng: np.random.Generator) -> np.ndarray:
    noise = cv2.GaussianBlur(rng.standard_normal(shape), (0, 0), sigma)
    return noise / noise.std()


def landscape(size: tuple[int, int] = (400, 300)) -> Photo:
    """Blue sky with faint clouds, a wooded ridge of varying height, and a meadow."""
    width, height = size
    rng = np.random.default_rng(11)
    y = np.linspace(1, -1, height)[:, None]
    ridge = 0.12 + 0.08 * np.sin(np.linspace(0, 7, width))[None] + 0.03 * grain((1, width), 3, rng)
    sky = np.array([110, 160, 225.0]) + 45 * (1 - y)[..., None] + 6 * grain((height, width), 12, rng)[..., None]
    wood = np.array([45, 70, 40.0]) + 14 * grain((height, width), 1.5, rng)[..., None]
    meadow = np.array([120, 140, 70.0]) + 16 * grain((height, width), 1.2, rng)[..., None]
    rgb = np.where((y > ridge)[..., None], sky, np.where((y > -0.05)[..., None], wood, meadow))
    return Photo(np.clip(rgb, 0, 255).astype(np.uint8))


def flat(colour: tuple[int, int, int], size: tuple[int, int] = (320, 240)) -> Photo:
    """One colour and a little grain: a close-up, a wall, nothing but sky."""
    noise = grain((size[1], size[0]), 1.5, np.random.default_rng(2))[..., None]
    return Photo(np.clip(np.array(colour) + 5 * noise, 0, 255).astype(np.uint8))


@cache
def made(width: int = 1024) -> tuple[Photo, Camera, Panorama]:
    photo = landscape()
    at = camera(photo, pitch=2, roll=3)
    return photo, at, EMBEDDED.make(EmbeddedOptions(width=width))(photo, at, run())


def grey(panorama: Panorama) -> np.ndarray:
    return panorama.rgb.astype(np.float64).mean(-1)


def test_known_pixels_are_the_photo_and_nothing_else() -> None:
    photo, at, panorama = made()
    seen = gather(photo.rgb.astype(np.float32), project(at, 512))
    assert 0.04 < panorama.known.mean() < 0.07
    difference = np.abs(panorama.rgb.astype(np.float32) - seen)[panorama.known]
    assert difference.max() <= 0.51


def test_no_seam_at_the_back() -> None:
    picture = grey(made()[2])
    across = np.abs(picture[:, 0] - picture[:, -1]).mean()
    usual = np.median(np.abs(np.diff(picture, axis=1)).mean(0))
    assert 0.7 < across / usual < 1.2


def test_no_seam_at_the_photos_border() -> None:
    panorama = made()[2]
    picture = grey(panorama)
    known = panorama.known.astype(np.uint8)
    slope = np.hypot(cv2.Sobel(picture, cv2.CV_64F, 1, 0), cv2.Sobel(picture, cv2.CV_64F, 0, 1))
    border = cv2.dilate(known, np.ones((3, 3))) - cv2.erode(known, np.ones((3, 3))) > 0
    near = (cv2.dilate(known, np.ones((31, 31))) - cv2.erode(known, np.ones((31, 31))) > 0) & ~border
    assert 0.7 < slope[border].mean() / slope[near].mean() < 1.2


def test_the_poles_are_one_place() -> None:
    picture = grey(made()[2])
    for row in (0, -1):
        step = np.abs(np.diff(picture[row], append=picture[row, :1]))
        assert step.max() <= 4
        assert np.ptp(picture[row]) < 25


def test_the_rest_is_as_lively_as_the_photo() -> None:
    """Contrast within one degree, by elevation: beside the photo's meadow and under it."""
    panorama = made()[2]
    picture = grey(panorama)
    fine = (picture - cv2.GaussianBlur(picture, (0, 0), 3)) ** 2
    meadow = slice(285, 330)
    known, rest = panorama.known[meadow], ~panorama.known[meadow]
    assert abs(np.log(fine[meadow][rest].mean() / fine[meadow][known].mean())) < 0.7
    below = fine[350:420]
    assert below.mean() > 0.2 * fine[285:330][panorama.known[285:330]].mean()
    up, down = panorama.rgb[:100].mean((0, 1)), panorama.rgb[-100:].mean((0, 1))
    assert up[2] > up[0] + 20  # the sky is blue
    assert down[1] > down[2]  # the meadow is not


def test_no_mirror_shows() -> None:
    """The band beside the photo is not the photo turned over at its edge."""
    panorama = made()[2]
    picture = grey(panorama)[240:330]
    known = np.flatnonzero(panorama.known[280])
    right = known[-1]
    inside, outside = picture[:, right - 80 : right - 16], picture[:, right + 17 : right + 81][:, ::-1]
    assert np.corrcoef(inside.ravel() - inside.mean(), outside.ravel() - outside.mean())[0, 1] < 0.9
    fine = [x - cv2.GaussianBlur(x, (0, 0), 4) for x in (inside, outside)]
    assert abs(np.corrcoef(fine[0].ravel(), fine[1].ravel())[0, 1]) < 0.3


def test_same_seed_same_bytes_other_seed_other_world() -> None:
    photo = landscape((200, 150))
    stage = EMBEDDED.make(EmbeddedOptions(width=256))
    once, again, other = (stage(photo, camera(photo), run(s)) for s in (1, 1, 2))
    assert once.rgb.tobytes() == again.rgb.tobytes()
    assert once.rgb.tobytes() != other.rgb.tobytes()


@pytest.mark.parametrize(
    ("photo", "fov", "pitch", "roll"),
    [
        (landscape(), 15, 0, 0),
        (landscape(), 140, 0, 5),
        (landscape(), 70, 40, 0),
        (landscape(), 70, -45, 10),
        (landscape(), 100, 80, 0),
        (landscape(), 60, -90, 0),
        (landscape(), 60, 0, 90),
        (flat((200, 180, 150)), 60, 0, 0),
        (flat((110, 160, 230)), 60, 30, 0),
        (flat((250, 250, 250)), 60, 0, 0),
        (flat((0, 0, 0)), 60, -20, 0),
        (flat((90, 90, 90), (60, 400)), 20, 0, 0),
        (flat((90, 90, 90), (400, 60)), 90, 0, 0),
    ],
)
def test_odd_photos_and_cameras(photo: Photo, fov: float, pitch: float, roll: float) -> None:
    panorama = EMBEDDED.make(EmbeddedOptions(width=256))(photo, camera(photo, fov, pitch, roll), run())
    assert panorama.rgb.shape == (128, 256, 3)
    assert panorama.known.any()
    assert not panorama.known.all()
    picture = grey(panorama)
    invented = ~(panorama.known[:, 0] | panorama.known[:, -1])
    step = np.abs(picture[:, 0] - picture[:, -1])[invented]
    beside = np.abs(np.diff(np.roll(picture, 16, 1)[:, :32], axis=1))[invented]  # the 16 columns on both sides
    assert step.mean() < 3 * beside.mean() + 1
    assert (picture[~panorama.known] > 0).mean() > 0.98 or photo.rgb.max() < 40  # no hole stays black


@pytest.mark.parametrize("width", [256, 300, 514])
def test_any_even_width(width: int) -> None:
    photo = landscape((200, 150))
    panorama = EMBEDDED.make(EmbeddedOptions(width=width))(photo, camera(photo), run())
    assert panorama.rgb.shape == (width // 2, width, 3)


def test_a_panorama_is_resampled_and_wholly_known() -> None:
    rng = np.random.default_rng(4)
    rgb = rng.integers(0, 256, (512, 1024, 3)).astype(np.uint8)
    photo = Photo(rgb, projection=Projection.EQUIRECTANGULAR)
    small = EMBEDDED.make(EmbeddedOptions(width=256))(photo, None, run())
    assert small.known.all()
    blocks = rgb.reshape(128, 4, 256, 4, 3).mean((1, 3))
    assert np.abs(small.rgb - blocks).max() <= 0.51  # area filtered: the mean of the block
    same = EMBEDDED.make(EmbeddedOptions(width=1024))(photo, None, run())
    np.testing.assert_array_equal(same.rgb, rgb)
    large = EMBEDDED.make(EmbeddedOptions(width=2048))(photo, None, run())
    assert large.rgb.shape == (1024, 2048, 3)


def test_a_camera_is_for_photos_only() -> None:
    photo = landscape((80, 60))
    pano = Photo(np.zeros((64, 128, 3), np.uint8), projection=Projection.EQUIRECTANGULAR)
    stage = EMBEDDED.make(EmbeddedOptions(width=256))
    with pytest.raises(InputError, match="without a camera"):
        stage(photo, None, run())
    with pytest.raises(InputError, match="with a camera"):
        stage(pano, camera(photo), run())
    with pytest.raises(InputError, match="expected a camera for a photo of"):
        stage(landscape((100, 60)), camera(photo), run())


@pytest.mark.parametrize("width", [254, 8194, 513])
def test_widths_out_of_range_are_errors(width: int) -> None:
    with pytest.raises(ValidationError):
        EmbeddedOptions(width=width)


def test_the_backend_is_found() -> None:
    assert find("panorama", "embedded") is EMBEDDED


def test_what_lives_is_not_made_more_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """A red figure, found by the detector (here: told), stays in the photo and is nowhere else."""
    rgb = landscape().rgb.copy()
    rgb[150:220, 180:200] = (230, 20, 20)

    def told(small: np.ndarray) -> Lively:
        there = np.zeros(small.shape[:2], bool)
        there[150:220, 180:200] = True
        return Lively(there, outdoors=False)

    monkeypatch.setattr("sonoworld.panorama.evidence.look_for_lively", told)
    photo = Photo(rgb)
    panorama = EMBEDDED.make(EmbeddedOptions(width=512))(photo, camera(photo), run())
    red = (panorama.rgb[..., 0] > 180) & (panorama.rgb[..., 1] < 80)
    assert red[panorama.known].sum() > 50
    assert not red[~panorama.known].any()
    kept = EMBEDDED.make(EmbeddedOptions(width=512, detect=False))(photo, camera(photo), run())
    assert kept.known.sum() == panorama.known.sum()


def test_without_the_detector_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(small: np.ndarray) -> Lively:
        del small
        raise BackendMissingError("not built")

    monkeypatch.setattr("sonoworld.panorama.evidence.look_for_lively", missing)
    photo = landscape((80, 60))
    with pytest.raises(BackendMissingError, match=r"panorama\.detect=false"):
        EMBEDDED.make(EmbeddedOptions(width=256))(photo, camera(photo), run())
    EMBEDDED.make(EmbeddedOptions(width=256, detect=False))(photo, camera(photo), run())
