"""Regions from points: an oracle that knows the picture's colours finds each thing once, whole, also at the seam."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoworld import frames, sphere
from sonoworld.backend import Run
from sonoworld.errors import InputError
from sonoworld.segment.regions import Attention, Region, RegionOptions, circle_windows, fold, grid, kept, regions
from sonoworld.segment.vote import VoteOptions, attention, vote
from sonoworld.tiles import solid_angles

HEIGHT = 128
D = sphere.pixel_directions(HEIGHT)
RUN = Run(np.random.default_rng(0))
MASK_PX = 128


def cap(azimuth_deg: float, elevation_deg: float, radius_deg: float) -> np.ndarray:
    towards = frames.direction_from_angles(np.array(np.radians(azimuth_deg)), np.array(np.radians(elevation_deg)))
    return D @ towards > np.cos(np.radians(radius_deg))


def iou(a: np.ndarray, b: np.ndarray) -> float:
    omega = solid_angles(len(a))
    return float((omega * (a & b)).sum() / (omega * (a | b)).sum())


def painted(*things: np.ndarray) -> np.ndarray:
    """A panorama where thing number k (later ones over earlier ones) has the colour (k, k, k)."""
    number = np.zeros(things[0].shape, np.uint8)
    for k, thing in enumerate(things, start=1):
        number[thing] = k
    return np.repeat(number[..., None], 3, axis=-1)


def oracle(noise: float = 0.0):
    """Says for every point: all pixels of its colour; ragged and of lower score with noise."""
    rng = np.random.default_rng(1)

    def look(picture: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        height, width = picture.shape[:2]
        rows, columns = ((np.arange(MASK_PX) + 0.5) / MASK_PX * n for n in (height, width))
        small = picture[rows.astype(int)][:, columns.astype(int), 0]
        seeds = picture[points[:, 1].astype(int), points[:, 0].astype(int), 0]
        signs = np.where(small[None] == seeds[:, None, None], 4.0, -4.0)
        logits = signs + noise * rng.normal(0, 1, signs.shape)
        scores = 0.9 - 0.1 * rng.random(len(seeds))
        return logits.astype(np.float16), scores.astype(np.float32)

    return look


def best(found: tuple[Region, ...], thing: np.ndarray) -> float:
    return max(iou(region.mask, thing) for region in found)


@pytest.mark.parametrize("windows", [1, 2, 4, 6])
@pytest.mark.parametrize("azimuth", [0, 100, 179, -178])
def test_each_thing_is_found_once_and_whole(windows: int, azimuth: float) -> None:
    car, ball = cap(azimuth, -5, 14), cap(azimuth + 60, 30, 12)
    rgb = painted(car, ball)
    margin = 0.125 if windows != 2 else 0.2
    found = regions(rgb, oracle(), RegionOptions(windows=windows, margin=margin, rows=16), RUN)
    assert len(found) == 3  # two things, and what is behind them all around
    assert best(found, car) > 0.85
    assert best(found, ball) > 0.85
    assert best(found, ~(car | ball)) > 0.97


@pytest.mark.parametrize("windows", [1, 4])
def test_what_is_wider_than_a_window_is_joined_and_holes_stay(windows: int) -> None:
    river = np.abs(np.arcsin(D[..., 2]) + 0.3) < 0.15
    boat = cap(175, -17, 5)
    found = regions(painted(river, boat), oracle(), RegionOptions(windows=windows, rows=32), RUN)
    assert best(found, river & ~boat) > 0.9
    assert best(found, boat) > 0.75
    assert len(found) == 3  # above and below the river are one colour to the oracle, so one region


def test_two_of_one_shape_far_apart_stay_two() -> None:
    left, right = cap(90, 0, 10), cap(-90, 0, 10)
    found = regions(painted(left, right), oracle(), RegionOptions(rows=16), RUN)
    assert len(found) == 3
    assert best(found, left) > 0.85
    assert best(found, right) > 0.85


def test_noisy_masks_of_one_thing_are_one() -> None:
    thing = cap(178, 10, 20)
    found = regions(painted(thing), oracle(noise=1.5), RegionOptions(rows=16), RUN)
    assert len(found) == 2
    assert [r.score for r in found] == sorted((r.score for r in found), reverse=True)


def test_the_vote_names_the_regions() -> None:
    """Ragged scores of tiles and regions of a model together give the thing's own outline, across the seam."""
    thing = cap(180, -10, 20)
    found = regions(painted(thing, cap(0, 0, 10)), oracle(), RegionOptions(rows=16), RUN)
    score = np.where(thing, 0.7, 0.2) + np.random.default_rng(0).normal(0, 0.3, thing.shape)
    scores = np.clip(score, 0, 1)[None].astype(np.float32)
    (mask,) = vote(scores, [r.mask for r in found], VoteOptions(least_score=0.45))
    assert iou(mask, thing) > 0.9
    assert iou(mask, thing) > iou(scores[0] > 0.45, thing) + 0.2


@pytest.mark.parametrize("place", [(0, 0), (180, -20), (40, 70)])
def test_points_only_where_labels_are_give_the_same_vote(place: tuple[float, float]) -> None:
    """Also a boat within its river, that no label is on, is still cut out; half of all points are never looked at."""
    river, boat, far = cap(*place, 25), cap(*place, 6), cap(place[0] + 180, -place[1], 30)
    rgb, asked = painted(river, boat, far), [0, 0]
    scores = np.where(river & ~boat, np.float32(0.9), np.float32(0))[None]
    rule = VoteOptions()

    def masks(where: Attention | None) -> np.ndarray:
        def look(picture: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            asked[where is None] += len(points)
            return oracle()(picture, points)

        found = regions(rgb, look, RegionOptions(rows=32), RUN, where)
        return vote(scores, [r.mask for r in found], rule)

    near, everywhere = masks(attention(scores, rule, 1)), masks(None)
    assert iou(near[0], everywhere[0]) > 0.999
    assert iou(near[0], river & ~boat) > 0.9
    assert asked[0] < asked[1] / 2


def test_a_small_thing_between_the_points_gets_one() -> None:
    dog = cap(33, -7, 2)
    scores = np.where(dog, np.float32(0.9), np.float32(0))[None]
    options = RegionOptions(rows=6)
    assert best(regions(painted(dog), oracle(), options, RUN), dog) < 0.1
    (found,) = regions(painted(dog), oracle(), options, RUN, attention(scores, VoteOptions(), 1))
    assert iou(found.mask, dog) > 0.8


def test_where_nothing_is_labelled_nothing_is_looked_at() -> None:
    def never(picture: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        raise AssertionError((picture, points))

    scores = np.zeros((1, 32, 64), np.float32)
    assert (
        regions(np.zeros((32, 64, 3), np.uint8), never, RegionOptions(), RUN, attention(scores, VoteOptions(), 1)) == ()
    )


def test_nothing_found_is_no_region() -> None:
    def blind(picture: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        del picture, points
        return np.zeros((0, 8, 8), np.float16), np.zeros(0, np.float32)

    assert regions(painted(cap(0, 0, 9)), blind, RegionOptions(), RUN) == ()


def test_small_masks_are_dropped_by_solid_angle() -> None:
    logits = np.full((2, 32, 32), -1, np.float16)
    logits[0, 0, :8] = 1  # at the pole: next to nothing
    logits[1, 16, :8] = 1  # at the horizon
    scores = np.array([0.9, 0.8], np.float32)
    assert kept(logits, scores, RegionOptions(least_region=0.001), 0.5) == [1]
    assert kept(logits, scores, RegionOptions(least_region=0.0), 0.5) == [0, 1]


def test_of_alike_masks_the_best_is_kept() -> None:
    logits = np.full((150, 16, 16), -1, np.float16)
    logits[:, 4:12, 4:12] = 1
    logits[::3, 4:12, 4:8] = -1  # every third is half of it
    scores = np.linspace(0.5, 0.9, 150).astype(np.float32)
    assert kept(logits, scores, RegionOptions()) == [149, 147]


@settings(max_examples=30)
@given(st.integers(1, 12), st.floats(0.01, 0.2), st.integers(16, 400))
def test_windows_see_the_whole_circle(count: int, margin: float, height: int) -> None:
    if count > 1 and 1 / count + 2 * margin > 1:
        with pytest.raises(InputError, match="windows"):
            circle_windows(count, margin)
        return
    windows = circle_windows(count, margin)
    seen = np.concatenate([w.columns(2 * height) for w in windows])
    assert set(seen) == set(range(2 * height))


@settings(max_examples=30)
@given(st.floats(-0.5, 0.5), st.floats(-80, 80))
def test_a_folded_mask_is_where_it_was(first: float, elevation_deg: float) -> None:
    for window in circle_windows(4, 0.125):
        columns = window.columns(2 * HEIGHT)
        thing = cap(360 * first, elevation_deg, 25)
        inside = thing[:, columns]
        back = fold(np.where(inside, 1, -1).astype(np.float32), window, HEIGHT)
        seen = np.zeros(2 * HEIGHT, bool)
        seen[columns] = True
        assert (back == (thing & seen)).all()


def test_points_are_even_on_the_sphere() -> None:
    points = grid(100, 200, 40)
    elevation = np.pi * (0.5 - points[:, 1] / 100)
    assert points.min() > 0
    assert (points.max(0) < [200, 100]).all()
    for low, high in ((-1.57, -0.5), (-0.5, 0.0), (0.0, 0.3), (0.3, 1.57)):
        share = ((elevation > low) & (elevation <= high)).mean()
        assert abs(share - (np.sin(high) - np.sin(low)) / 2) < 0.02
