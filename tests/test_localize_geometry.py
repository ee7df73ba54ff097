"""A geometry test no one can fool: coloured things of known direction, size and distance, found again through tiles.

The segmenter is a colour oracle with noise on every tile; all else is the real chain: cut, blend, vote, localize.
"""

import numpy as np
import pytest

from sonoworld import frames, sphere
from sonoworld.localize import LocalizeOptions, localize
from sonoworld.segment.vote import VoteOptions, vote
from sonoworld.tiles import blend, cut_tile, sphere_tiles
from sonoworld.types import Geometry, Sounding, Source, Spread

HEIGHT = 256
D = sphere.pixel_directions(HEIGHT)
TILES = sphere_tiles(96)
PLACES = [(0, 0), (180, 0), (-179.6, 12), (90, 45), (-135, -45), (10, 90), (40, 87), (0, -90), (-70, -86), (180, 70)]
EVERYWHERE = np.ones((HEIGHT, 2 * HEIGHT), np.bool_)


def towards(azimuth_deg: float, elevation_deg: float) -> np.ndarray:
    return frames.direction_from_angles(np.array(np.radians(azimuth_deg)), np.array(np.radians(elevation_deg)))


def world(direction: np.ndarray, radius: float, distance: float) -> tuple[np.ndarray, np.ndarray, Geometry]:
    """A red disc facing the eye before a gray room 30 m wide: panorama, its true mask, distances."""
    cosine = D @ direction
    thing = cosine > np.cos(radius)
    rgb = np.where(thing[..., None], [220, 30, 30], [110, 120, 130]).astype(np.uint8)
    r = np.where(thing, distance / np.maximum(cosine, 0.1), 15.0).astype(np.float32)
    normal = np.where(thing[..., None], -direction, -D).astype(np.float32)
    return rgb, thing, Geometry(r, normal, np.zeros_like(thing), np.ones_like(thing), metric=True)


def oracle(rgb: np.ndarray, seed: int, noise: float = 0.35) -> np.ndarray:
    """Scores of "red" on every tile with noise, blended back."""
    rng = np.random.default_rng(seed)
    maps = []
    for tile in TILES:
        picture = cut_tile(rgb, tile).astype(np.float32)
        red = (picture[..., 0] - picture[..., 1] > 95).astype(np.float32)
        maps.append((0.15 + 0.7 * red + rng.normal(0, noise, red.shape)).astype(np.float32)[None])
    return blend(maps, TILES, HEIGHT)


def found(mask: np.ndarray, geometry: Geometry, spread: Spread) -> list[Source]:
    sounding = Sounding("thing", "a thing", spread, 60.0, 0.8, "test", mask=mask)
    return list(localize((sounding,), geometry, EVERYWHERE, LocalizeOptions()))


def angle_deg(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1))))


def test_there_are_twelve_tiles() -> None:
    assert len(TILES) >= 12


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("spread", "size_deg", "limit_deg"), [(Spread.POINT, 5, 0.5), (Spread.AREA, 25, 1.0)])
def test_things_are_found_where_they_are(
    place: tuple[float, float], spread: Spread, size_deg: float, limit_deg: float
) -> None:
    direction = towards(*place)
    rgb, thing, geometry = world(direction, np.radians(size_deg), 4.0)
    (mask,) = oracle(rgb, seed=1, noise=0.2) > 0.5
    (source,) = found(mask, geometry, spread)
    assert source.centroid is not None
    assert angle_deg(source.centroid, direction) <= limit_deg
    assert np.linalg.norm(source.centroid) == pytest.approx(4.0, rel=0.03)
    truth = 2 * np.pi * (1 - np.cos(np.radians(size_deg)))
    assert source.solid_angle_sr == pytest.approx(truth, rel=0.12)
    assert thing.any()


@pytest.mark.parametrize("place", PLACES)
def test_the_vote_beats_tiles_alone_and_regions_alone(place: tuple[float, float]) -> None:
    """Semantics ragged by noise; regions with a wrong border, and no class but that of one point in each."""
    rgb, thing, _ = world(towards(*place), np.radians(20), 4.0)
    scores = oracle(rgb, seed=3, noise=0.9)
    around = D @ towards(*place)
    regions = [around > np.cos(np.radians(19.5)), (around < np.cos(np.radians(19.5))) & (D[..., 2] >= 0)]
    regions.append(~regions[0] & ~regions[1])
    by_vote = vote(scores, regions, VoteOptions(least_score=0.45))[0]
    rng = np.random.default_rng(5)
    picks = [rng.choice(np.flatnonzero(r)) for r in regions]
    loud = [r for r, p in zip(regions, picks, strict=True) if scores[0].ravel()[p] > 0.45]
    by_regions = np.logical_or.reduce([np.zeros_like(thing), *loud])
    tiles_alone, vote_iou = iou(scores[0] > 0.45, thing), iou(by_vote, thing)
    assert vote_iou > 0.9 > tiles_alone
    assert vote_iou >= iou(by_regions, thing)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / max(1, (a | b).sum()))


def test_two_dogs_share_their_power_and_a_lamp_post_makes_no_two() -> None:
    left, right = (D @ towards(a, 0) > np.cos(np.radians(6)) for a in (172, -165))
    _, _, geometry = world(towards(0, 0), 0.1, 4.0)
    two = found(left | right, geometry, Spread.POINT)
    assert [s.id for s in two] == ["thing", "thing-2"]
    np.testing.assert_allclose([s.level_db for s in two], 60 - 10 * np.log10(2))
    post = np.abs(frames.angles_from_direction(D)[0] - np.radians(172)) < np.radians(0.8)
    assert len(found(left & ~post, geometry, Spread.POINT)) == 1


def sky_world() -> Geometry:
    sky = D[..., 2] > 0
    r = np.where(sky, 100.0, 1.6 / np.maximum(-D[..., 2], 0.02)).astype(np.float32)
    return Geometry(r, (-D).astype(np.float32), sky, ~sky, metric=True)


@pytest.mark.parametrize(("label", "height_m"), [("Seagulls", 15.0), ("jet plane", 1000.0)])
def test_what_flies_has_a_plausible_height(label: str, height_m: float) -> None:
    mask = D @ towards(30, 40) > np.cos(0.05)
    one = Sounding(label, label, Spread.POINT, 70.0, 0.8, "test", mask=mask)
    (source,) = localize((one,), sky_world(), EVERYWHERE, LocalizeOptions())
    assert source.points[0, 2] == pytest.approx(height_m, rel=0.01)
    assert "in the sky" in source.reason


@pytest.mark.parametrize("spread", [Spread.POINT, Spread.AREA])
def test_thunder_is_all_around(spread: Spread) -> None:
    one = Sounding("distant thunder", "thunder", spread, 70.0, 0.8, "test", mask=D[..., 2] > 0.3)
    (source,) = localize((one,), sky_world(), EVERYWHERE, LocalizeOptions())
    assert source.spread is Spread.AMBIENT
    assert "weather" in source.reason


@pytest.mark.parametrize(("backend", "spread"), [("embedded", Spread.AMBIENT), ("vlm", Spread.POINT)])
def test_the_embedded_default_places_no_point_in_filled_in_pixels(backend: str, spread: Spread) -> None:
    mask = D @ towards(180, 0) > np.cos(0.1)
    one = Sounding("dog", "a dog", Spread.POINT, 70.0, 0.8, backend, mask=mask)
    (source,) = localize((one,), world(towards(0, 0), 0.1, 4.0)[2], D[..., 0] > 0, LocalizeOptions())
    assert source.spread is spread
    assert source.imagined or "filled in" in source.reason
