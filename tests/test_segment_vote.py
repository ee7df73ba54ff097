"""Regions give shapes, semantics give classes; pieces of one thing are joined; clicks and boxes cut things out."""

import numpy as np
import pytest

from sonoworld import frames, sphere
from sonoworld.errors import InputError
from sonoworld.segment.from_click import from_box, from_click
from sonoworld.segment.instances import Piece, joined
from sonoworld.segment.vote import VoteOptions, vote
from sonoworld.tiles import lookup, seen_by, sphere_tiles

HEIGHT = 128
D = sphere.pixel_directions(HEIGHT)
PLACES = [(0, 0), (180, 0), (-179, 30), (20, 88), (100, -89), (45, -40)]


def towards(azimuth_deg: float, elevation_deg: float) -> np.ndarray:
    return frames.direction_from_angles(np.array(np.radians(azimuth_deg)), np.array(np.radians(elevation_deg)))


def cap(azimuth_deg: float, elevation_deg: float, radius_deg: float) -> np.ndarray:
    return D @ towards(azimuth_deg, elevation_deg) > np.cos(np.radians(radius_deg))


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_a_boat_is_cut_out_of_its_river_and_ragged_scores_do_not_matter() -> None:
    river, boat = cap(180, -20, 30), cap(178, -20, 6)
    rng = np.random.default_rng(0)
    score = np.where(river & ~boat, 0.8, 0.2) + rng.normal(0, 0.25, river.shape)
    (found,) = vote(score[None].astype(np.float32), [boat, river], VoteOptions())
    assert iou(found, river & ~boat) == 1.0


def test_a_touch_is_no_vote_and_outside_is_kept_only_when_asked() -> None:
    region, label = cap(0, 0, 20), cap(25, 0, 12)
    scores = label[None].astype(np.float32)
    assert not vote(scores, [region], VoteOptions())[0].any()
    assert (vote(scores, [region], VoteOptions(keep_outside=True))[0] == (label & ~region)).all()


def test_labels_compete() -> None:
    region = cap(90, 60, 15)
    scores = np.stack([0.6 * region, 0.9 * region]).astype(np.float32)
    found = vote(scores, [region], VoteOptions())
    assert not found[0].any()
    assert (found[1] == region).all()


@pytest.mark.parametrize("place", PLACES)
def test_pieces_of_one_thing_are_joined_and_neighbours_stay_two(place: tuple[float, float]) -> None:
    tiles = sphere_tiles(32)
    seen = [seen_by(t, HEIGHT) for t in tiles]
    long, away = cap(*place, 28), cap(place[0] + 180, -place[1], 8)
    pieces = [
        Piece(thing & s, 0.5 + 0.01 * i, i) for i, s in enumerate(seen) for thing in (long, away) if (thing & s).any()
    ]
    found = joined(pieces, seen)
    assert len(pieces) > 2
    assert len(found) == 2
    assert {int(f.mask.sum()) for f in found} == {int(long.sum()), int(away.sum())}
    assert [f.score for f in found] == sorted((f.score for f in found), reverse=True)


def scene(thing: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(1)
    rgb = np.where(thing[..., None], [200, 60, 40], [60, 110, 70]) + rng.normal(0, 4, (*thing.shape, 3))
    return np.clip(rgb, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("place", PLACES)
def test_a_click_finds_the_thing(place: tuple[float, float]) -> None:
    thing = cap(*place, 12)
    assert iou(from_click(scene(thing), towards(*place), tolerance=25), thing) > 0.9


@pytest.mark.parametrize("place", PLACES)
def test_a_box_finds_the_thing(place: tuple[float, float]) -> None:
    thing = cap(*place, 12)
    rotation = frames.world_from_head_rotation(np.radians(place[0]), np.radians(place[1]))
    corners = [rotation @ v / np.linalg.norm(v) for v in (np.array([1, 0.25, 0.25]), np.array([1, -0.25, -0.25]))]
    assert iou(from_box(scene(thing), corners[0], corners[1]), thing) > 0.85


def test_wrong_clicks_and_boxes_are_refused() -> None:
    rgb = scene(cap(0, 0, 10))
    with pytest.raises(InputError, match="tolerance"):
        from_click(rgb, towards(0, 0), tolerance=0)
    with pytest.raises(InputError, match="70°"):
        from_box(rgb, towards(0, 0), towards(120, 0))


def test_lookup_is_within_the_tile() -> None:
    where = lookup(sphere_tiles(32)[0], HEIGHT)
    assert np.abs(where.x).max() <= 1
    assert np.abs(where.y).max() <= 1
