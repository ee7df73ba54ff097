"""Towns beside a photo: roofs on what its top cut off, houses that rise beyond it, odd things not shown again."""

import numpy as np
import pytest

from sonoworld.panorama.band import Beside, Extent, continue_around
from sonoworld.panorama.cap import ground_cap
from sonoworld.panorama.cut import MARGIN_PX, join_rows
from sonoworld.panorama.dislike import dislike
from sonoworld.panorama.evidence import Evidence
from sonoworld.panorama.rise import rise
from sonoworld.panorama.skyline import find_way, nearer_beside

WIDTH, HEIGHT = 512, 256


def walls(columns: slice) -> tuple[np.ndarray, np.ndarray]:
    """A band 40 rows high with an orange wall in these columns."""
    rgb, upright = np.zeros((40, WIDTH, 3), np.float32), np.zeros((40, WIDTH), np.float32)
    rgb[:, columns], upright[:, columns] = (200, 140, 90), 1
    return rgb, upright


def test_a_roof_stands_on_its_wall_and_nowhere_else() -> None:
    roof = rise(*walls(slice(200, 260)), (60, 0), True, np.random.default_rng(0))
    there = roof.share > 0
    assert there[:, 200:260].any(0).mean() > 0.9
    assert not there[:, :200].any()
    assert not there[:, 260:].any()
    assert (np.diff(there[:, 230].astype(int)) >= 0).all()  # from the eaves up without a gap
    widths = there[there.any(1)].sum(1)
    assert (np.diff(widths) >= 0).all()  # ever narrower towards the ridge
    tiles = roof.rgb[-1, 230]
    assert (tiles < roof.rgb[-1, 230].max() + 1).all()
    assert tiles.mean() < 0.75 * np.mean((200, 140, 90))  # darker than the wall, of its hue
    assert tiles[0] > tiles[1] > tiles[2]


def test_a_pole_gets_no_roof() -> None:
    assert not rise(*walls(slice(200, 204)), (60, 0), True, np.random.default_rng(0)).share.any()


def test_a_wall_under_which_sky_shows_gets_no_roof() -> None:
    rgb, upright = walls(slice(200, 260))
    upright[3:] = 0
    assert not rise(rgb, upright, (60, 0), True, np.random.default_rng(0)).share.any()


def test_streets_rise_to_the_sides_and_meet_the_photo() -> None:
    rng = np.random.default_rng(3)
    way = find_way(120, 400, 8, True, rng)
    line = np.full(400, 20, np.float32)
    raised = nearer_beside(line, 50.0, way, 120, rng)
    assert raised[[0, -1]] == pytest.approx(20, abs=0.1)
    assert raised[150:250].mean() < 10  # rows count downwards
    assert raised.max() <= 20.01  # never lower than in the photo


def town(towers: int) -> np.ndarray:
    """Sky down to row 60, walls to row 140, road below; seen in columns 200..320, rows 50..200."""
    layers = np.zeros((HEIGHT, WIDTH, 5), np.float32)
    layers[:60, :, :3], layers[:60, :, 3] = (90, 140, 230), 255
    layers[60:140, :, :3] = (200, 140, 90)
    layers[140:, :, :3], layers[140:, :, 4] = 70, 255
    layers[..., :3] += np.random.default_rng(1).normal(0, 6, (HEIGHT, WIDTH, 1)).astype(np.float32)
    known = np.zeros((HEIGHT, WIDTH), bool)
    known[50:200, 200:320] = True
    sky = np.broadcast_to(np.array([90, 140, 230], np.float32), (HEIGHT, WIDTH, 3))
    beside = Beside(np.zeros((HEIGHT, WIDTH), np.float32), sky, True, towers)
    return continue_around(layers, known, beside, Extent(50, 200, 200, 320), np.random.default_rng(0))


def test_houses_rise_beyond_the_photos_top_under_open_sky() -> None:
    around = town(30)
    assert around.shape == (180, WIDTH, 5)
    sky = around[..., 3] / 255
    assert (sky[:30, 200:320] == 1).all()  # over the photo nothing is invented here
    assert (sky[:30, :150] < 0.5).any()
    assert (sky[0] > 0.99).all()
    columns = np.flatnonzero((sky[:30] < 0.5).any(0))
    walls_below = 1 - sky[30:80, columns]
    assert walls_below.mean() > 0.95  # what rises stands on something


def test_without_room_for_towers_rows_are_the_photos() -> None:
    assert town(0).shape == (150, WIDTH, 5)


def evidence(rgb: np.ndarray) -> Evidence:
    flat = np.zeros(rgb.shape[:2], np.float32)
    return Evidence(rgb, rgb, flat + 1, flat, flat, flat, flat, 0.0)


def test_one_large_odd_thing_is_disliked_and_even_texture_is_not() -> None:
    rng = np.random.default_rng(0)
    rgb = np.full((HEIGHT, WIDTH, 3), 120, np.float32) + rng.normal(0, 8, (HEIGHT, WIDTH, 1)).astype(np.float32)
    assert dislike(evidence(rgb)).mean() < 0.02
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    disc = np.hypot(y - 120, x - 300) < 7
    rgb[disc] = 20
    assert dislike(evidence(rgb))[disc].mean() > 0.8


def test_a_join_touches_neither_end_even_where_both_agree_there() -> None:
    rng = np.random.default_rng(0)
    top = rng.uniform(0, 255, (24, 64, 3)).astype(np.float32)
    bottom = rng.uniform(0, 255, (24, 64, 3)).astype(np.float32)
    bottom[-1] = top[-1]  # the cheapest cut would run along the end
    out = join_rows(top, bottom)
    assert MARGIN_PX == 4
    fine = np.abs(out[-1] - bottom[-1]).mean()
    assert fine < 12
    assert np.abs(out[0] - top[0]).mean() < 12


@pytest.mark.parametrize("built", [False, True])
def test_ground_is_worn_towards_the_feet_and_keeps_its_light(built: bool) -> None:
    rim = np.full((20, WIDTH, 3), (60, 130, 40), np.float32)
    rgb = np.full((HEIGHT, WIDTH, 3), (60, 130, 40), np.float32)
    cap = ground_cap(rgb, np.zeros((HEIGHT, WIDTH), bool), rim, 180, built, np.random.default_rng(0))
    first, last = cap[:3].mean((0, 1)), cap[-8:].mean((0, 1))
    assert np.ptp(last) < 0.8 * np.ptp(first)  # less green
    assert last.mean() == pytest.approx(first.mean(), rel=0.2)
    assert (cap.mean(-1) > 0.2 * first.mean()).mean() > 0.98  # shade is not black


def test_a_gap_between_trees_goes_on_under_an_arch() -> None:
    rgb, upright = walls(slice(40, 460))
    upright[:, 200:206] = 0
    over = rise(rgb, upright, (60, 0), False, np.random.default_rng(0)).share
    gap, beside = over[:, 202:204].mean(1), over[:, 150:160].mean(1)
    assert gap[-1] < 0.1  # just above the band: sky in the gap, leaves beside it
    assert beside[-1] > 0.9
    assert gap[:-25].max() > 0.5  # higher up the crowns close over it
