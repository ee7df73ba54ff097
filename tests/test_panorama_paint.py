"""Panoramas by painters, with painters that need no model: known pixels, the circle, the poles, words."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sonoworld.backend import Run
from sonoworld.calibrate.camera import camera_from_angles
from sonoworld.errors import InputError
from sonoworld.panorama.circle import agreed, closed, opened
from sonoworld.panorama.embedded import EMBEDDED, EmbeddedOptions
from sonoworld.panorama.keep import lip, pasted, toned
from sonoworld.panorama.paint import Painter, Plan, Sentences, Wish, grown, painting
from sonoworld.panorama.place import gather, project
from sonoworld.panorama.poles import PoleView, cut, laid, weights
from sonoworld.panorama.words import worded
from sonoworld.perceive.stuff import Stuff
from sonoworld.sphere import pixel_directions
from sonoworld.types import Camera, CameraSigma, Panorama, Photo

PLAN = Plan(height=128, canvas=96, shared=32, poles=(), sentences=Sentences("all of {}"))
POLES = tuple(PoleView(up, 96, float(np.radians(35)), float(np.radians(8))) for up in (True, False))


def photo() -> Photo:
    """Smooth colours with a little grain."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0:120, 0:160]
    rgb = np.stack([90 + x * 0.4, 120 + y * 0.5, 150 - x * 0.3], -1) + rng.normal(0, 3, (120, 160, 1))
    return Photo(np.clip(rgb, 0, 255).astype(np.uint8))


def camera(of: Photo, pitch_deg: float = 0.0, fov_deg: float = 70.0) -> Camera:
    return camera_from_angles(of, *np.radians([fov_deg, pitch_deg, 0.0]), CameraSigma(0.0, 0.0, 0.0))


class Flat:
    """Paints one colour over everything, the photo too, and writes down what it was asked."""

    def __init__(self, colour: tuple[int, int, int]) -> None:
        self.colour = np.array(colour, np.uint8)
        self.asked: list[tuple[np.ndarray, np.ndarray, Wish]] = []

    def __call__(self, picture: np.ndarray, unknown: np.ndarray, wish: Wish) -> np.ndarray:
        self.asked.append((picture, unknown, wish))
        wish.tell(1.0)
        return np.broadcast_to(self.colour, picture.shape).copy()


def noise(picture: np.ndarray, unknown: np.ndarray, wish: Wish) -> np.ndarray:
    return np.random.default_rng(wish.seed).integers(0, 256, picture.shape, np.uint8)


def run(seed: int = 1) -> Run:
    return Run(np.random.default_rng(seed))


def make(painter: Painter, plan: Plan = PLAN, pitch_deg: float = 0.0) -> Panorama:
    return painting(painter, plan)(photo(), camera(photo(), pitch_deg), run())


@pytest.mark.parametrize("plan", [PLAN, replace(PLAN, poles=POLES), replace(PLAN, canvas=160)])
def test_known_pixels_are_the_photos_exactly(plan: Plan) -> None:
    """At the panorama's own size, as the embedded way places them: the painter's copy of the photo is not used."""
    made = make(noise, plan, pitch_deg=35.0)
    at = project(camera(photo(), 35.0), 128)
    photos = np.rint(gather(photo().rgb.astype(np.float32), at))
    assert made.known.sum() > 1000
    np.testing.assert_array_equal(made.rgb[made.known], photos[made.known].astype(np.uint8))
    embedded = EMBEDDED.make(EmbeddedOptions(width=256, detect=False))(photo(), camera(photo(), 35.0), run())
    np.testing.assert_array_equal(made.known, embedded.known)
    np.testing.assert_array_equal(made.rgb[made.known], embedded.rgb[made.known])


def test_the_painter_sees_the_photo_in_place_and_paints_the_rest() -> None:
    flat = Flat((10, 200, 30))
    made = make(flat)
    ((picture, unknown, wish),) = flat.asked
    assert picture.shape == (96, 192 + 32, 3)
    assert wish.shared == 32
    at = project(camera(photo()), 96)
    middle = slice(16, 16 + 192)
    np.testing.assert_array_equal(unknown[:, middle], at.coverage < 0.999)
    placed = np.rint(gather(photo().rgb.astype(np.float32), at)).astype(np.uint8)
    np.testing.assert_array_equal(picture[:, middle][~unknown[:, middle]], placed[~unknown[:, middle]])
    assert (picture[unknown] == 128).all()
    far = made.rgb[:, :8].astype(int)  # behind: the painter's colour, but for the tone of the photo's border
    assert np.ptp(far.reshape(-1, 3), axis=0).max() < 40


def test_nothing_painted_has_a_step_at_the_border_of_the_photo() -> None:
    made = make(Flat((10, 200, 30)))
    row = made.rgb[64].astype(int)
    edges = np.flatnonzero(np.diff(made.known[64].astype(int)))
    usual = np.abs(np.diff(row, axis=0))[made.known[64][:-1]].max()
    assert len(edges) == 2
    for edge in edges:
        assert np.abs(row[edge + 1] - row[edge]).max() <= usual + 4


def test_same_seed_same_bytes_and_another_differs() -> None:
    plan = replace(PLAN, poles=POLES)
    first, again = make(noise, plan), make(noise, plan)
    np.testing.assert_array_equal(first.rgb, again.rgb)
    other = make(noise, replace(plan, seed=5))
    assert (other.rgb[~other.known] != first.rgb[~first.known]).mean() > 0.9


def test_canvas_of_the_final_size_is_not_resampled() -> None:
    """One canvas pixel in a hundred is white: resampled even once, it would be grey."""

    def dots(picture: np.ndarray, unknown: np.ndarray, wish: Wish) -> np.ndarray:
        out = np.zeros_like(picture)
        out[::10, ::10] = 255
        return out

    made = make(dots, replace(PLAN, canvas=128, shared=0))
    left = made.rgb[:, :30].astype(int)
    low, high = left.min(), left.max()
    assert high - low > 200
    assert ((left > low + 60) & (left < high - 60)).mean() < 0.01


def test_the_canvas_is_enlarged_once_and_closed() -> None:
    wave = np.cos(2 * np.pi * (np.arange(96) + 0.5) / 96) * 80 + 128
    rgb = np.broadcast_to(wave[None, :, None], (48, 96, 3))
    large = grown(np.rint(rgb).astype(np.uint8), 192)
    exact = np.cos(2 * np.pi * (np.arange(384) + 0.5) / 384) * 80 + 128
    np.testing.assert_allclose(large[..., 0], np.broadcast_to(exact, (192, 384)), atol=1.2)
    assert abs(grown(np.rint(rgb).astype(np.uint8), 24).mean() - 128) < 0.5


def test_the_embedded_fill_can_be_the_beginning() -> None:
    flat = Flat((0, 0, 0))
    make(flat, replace(PLAN, from_embedded=True))
    picture, unknown, _ = flat.asked[0]
    assert picture[unknown].std() > 5


@given(st.integers(1, 20), st.integers(0, 10), st.integers(1, 4))
def test_opening_and_closing_is_nothing(columns: int, half: int, rows: int) -> None:
    half = min(half, columns // 2)
    image = np.random.default_rng(columns).random((rows, columns, 3)).astype(np.float32)
    np.testing.assert_allclose(closed(opened(image, 2 * half), 2 * half), image, atol=1e-6)


def test_what_is_said_twice_is_blended_and_has_no_step_at_180() -> None:
    """A painter that drifts from left to right ends where it began."""
    shared, width = 32, 192
    ramp = np.linspace(0, 255, width + shared, dtype=np.float32)
    image = np.broadcast_to(ramp[None, :, None], (4, width + shared, 3)).copy()
    once = closed(image, shared)[0, :, 0]
    assert once.shape == (width,)
    around = np.abs(np.diff(np.r_[once, once[0]]))
    assert around.max() < 255 / shared + 1  # the step of nearly 255 is spread over the shared columns
    both = agreed(image, shared)
    np.testing.assert_array_equal(both[:, :shared], both[:, -shared:])


def test_numbers_and_tensors_agree() -> None:
    image = np.random.default_rng(0).random((2, 3, 20, 4)).astype(np.float32)
    np.testing.assert_array_equal(agreed(torch.from_numpy(image), 6).numpy(), agreed(image, 6))
    half = agreed(torch.from_numpy(image).to(torch.bfloat16), 6)
    assert half.dtype is torch.bfloat16


def test_shared_columns_must_be_there() -> None:
    image = np.zeros((2, 10, 3))
    for shared in (3, -2, 12):
        with pytest.raises(InputError, match="shared columns"):
            opened(image, shared)


@pytest.mark.parametrize("view", POLES)
def test_poles_are_covered_and_the_horizon_is_not_touched(view: PoleView) -> None:
    fill = np.full((128, 256, 3), 50, np.float32)
    out = laid(fill, np.full((96, 96, 3), 200, np.uint8), view)
    elevation = pixel_directions(128)[..., 2] * (1 if view.up else -1)
    inside = elevation > np.cos(view.radius - view.feather)
    np.testing.assert_allclose(out[inside], 200, atol=1e-3)
    outside = elevation < np.cos(view.radius)
    np.testing.assert_array_equal(out[outside], fill[outside])
    assert weights(view, 128)[0 if view.up else -1] == 1


@pytest.mark.parametrize("view", POLES)
def test_a_view_that_is_not_changed_changes_nothing(view: PoleView) -> None:
    """There and back: what a view shows lands where it was, the right way round."""
    d = pixel_directions(128)
    rgb = np.clip(128 + 100 * d, 0, 255).astype(np.uint8)
    picture, unknown = cut(rgb, np.zeros((128, 256), bool), replace(view, side_px=192))
    out = laid(rgb.astype(np.float32), picture, replace(view, side_px=192))
    assert np.abs(out - rgb).max() < 3
    share = unknown.mean() * (2 * np.tan(view.fov / 2)) ** 2 / (np.pi * np.tan(view.radius) ** 2)
    assert share == pytest.approx(1, abs=0.03)  # a disc in the view's plane


def test_known_pixels_at_a_pole_are_not_asked_for() -> None:
    known = np.zeros((128, 256), bool)
    known[:20] = True
    _, unknown = cut(np.zeros((128, 256, 3), np.uint8), known, POLES[0])
    assert not unknown[40:56, 40:56].any()
    assert unknown.any()
    flat = Flat((1, 2, 3))
    views = painting(flat, replace(PLAN, poles=POLES))
    steep = camera(photo(), pitch_deg=90.0, fov_deg=120.0)
    views(photo(), steep, run())
    assert [wish.prompt for _, _, wish in flat.asked][1:] == [
        "Photo looking straight down at " + p + " under the camera, nobody there"
        for p in [flat.asked[-1][2].prompt.split("straight down at ")[1].split(" under the")[0]]
    ]


def test_pole_prompts_and_progress() -> None:
    told: list[float] = []
    flat = Flat((1, 2, 3))
    plan = replace(PLAN, poles=POLES, scene="a quiet harbour")
    painting(flat, plan)(
        photo(), camera(photo()), Run(np.random.default_rng(0), lambda fraction, note: told.append(fraction))
    )
    prompts = [wish.prompt for _, _, wish in flat.asked]
    assert prompts[0] == "all of a quiet harbour"
    assert "straight up" in prompts[1]
    assert "straight down" in prompts[2]
    assert len({wish.seed for _, _, wish in flat.asked}) == 3
    assert told == sorted(told)
    assert told[-1] <= 1


def test_a_painter_that_changes_the_size_is_named() -> None:
    with pytest.raises(InputError, match="painter: expected"):
        make(lambda picture, unknown, wish: picture[:-1])


def test_a_photo_that_knows_nothing_of_itself_is_only_fill() -> None:
    rgb, fill = np.zeros((64, 128, 3), np.float32), np.full((64, 128, 3), 9, np.float32)
    none = np.zeros((64, 128), np.float32)
    np.testing.assert_array_equal(toned(rgb, none, fill), fill)
    assert not lip(rgb, none, fill).any()
    assert (pasted(rgb, none, fill) == 9).all()


def shares(**of: float) -> np.ndarray:
    out = np.zeros(7)
    for name, value in of.items():
        out[Stuff[name.upper()]] = value
    return out


def test_words_say_what_is_seen() -> None:
    nature = worded(shares(sky=0.3, vegetation=0.4, water=0.25, road=0.01), shares(water=0.9), 0.1)
    assert nature.scene == "a landscape with trees and plants and water, under the sky"
    assert (nature.above, nature.below) == ("the open sky", "water")
    street = worded(shares(sky=0.1, building=0.6, road=0.2, vegetation=0.1), shares(road=1.0), 0.9)
    assert street.scene == "a place in a town with buildings, a road and trees and plants, under the sky"
    assert street.below == "pavement"
    room = worded(shares(building=1.0), shares(ground=1.0), 0.9)
    assert "ceiling" in room.above
    assert "floor" in room.below
    wood = worded(shares(vegetation=1.0), shares(vegetation=1.0), 0.1)
    assert wood.above == "the crowns of trees"
    assert "under the sky" not in wood.scene
