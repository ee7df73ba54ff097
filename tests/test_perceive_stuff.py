"""Drawn scenes are parsed into what they were drawn as, the same however the sphere is turned."""

import numpy as np
import pytest

from sonoworld import sphere
from sonoworld.perceive.seen import as_other, look
from sonoworld.perceive.stuff import Parse, Stuff, parse
from sonoworld.perceive.survey import extent, joined_patches, photo_window, region, survey
from sonoworld.types import Panorama

HEIGHT = 256


def textured(colour: tuple[int, int, int], shape: tuple[int, int], deviation: float, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, deviation, (*shape, 1))
    return np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)


def meadow() -> np.ndarray:
    """A panorama: blue sky paling downwards, a band of dark green woods, green grass."""
    rgb = np.empty((HEIGHT, 2 * HEIGHT, 3), np.uint8)
    rgb[:120] = np.linspace([70, 120, 220], [190, 215, 245], 120)[:, None].astype(np.uint8)
    rgb[110:132] = textured((40, 85, 30), (22, 2 * HEIGHT), 22)
    rgb[132:] = textured((110, 135, 60), (HEIGHT - 132, 2 * HEIGHT), 14, 1)
    return rgb


def elevation(height: int, width: int) -> np.ndarray:
    return np.repeat(sphere.row_elevations(height).astype(np.float32)[:, None], width, axis=1)


def parsed(rgb: np.ndarray) -> Parse:
    return parse(rgb, elevation(*rgb.shape[:2]), elevation_sigma=0.02, wraps=True)


def share(labels: np.ndarray, rows: slice, kind: Stuff) -> float:
    return float((labels[rows] == kind).mean())


def test_sky_woods_and_grass_are_told_apart() -> None:
    seen = parsed(meadow())
    labels = seen.labels
    assert share(labels, slice(0, 100), Stuff.SKY) > 0.97
    assert share(labels, slice(113, 126), Stuff.VEGETATION) > 0.8
    low = share(labels, slice(140, 250), Stuff.GROUND) + share(labels, slice(140, 250), Stuff.VEGETATION)
    assert low > 0.95
    assert not (labels[140:] == Stuff.SKY).any()
    assert seen.man_made < 0.3
    assert seen.open_sky > 0.9


def test_probabilities_are_probabilities() -> None:
    p = parsed(meadow()).probability
    assert p.shape == (HEIGHT, 2 * HEIGHT, 7)
    assert p.dtype == np.float32
    assert p.min() > 0
    np.testing.assert_allclose(p.sum(-1), 1, atol=1e-5)


def test_the_same_picture_gives_the_same_bytes() -> None:
    assert parsed(meadow()).probability.tobytes() == parsed(meadow()).probability.tobytes()


@pytest.mark.parametrize("turn", [1, 100, 256])
def test_a_turned_panorama_is_parsed_alike(turn: int) -> None:
    rgb = meadow()
    rgb[95:132, 20:60] = [150, 150, 155]  # a gray block beside the seam
    still = parsed(rgb).labels
    turned = np.roll(parsed(np.roll(rgb, turn, axis=1)).labels, -turn, axis=1)
    assert (still == turned).mean() > 0.96


def room() -> np.ndarray:
    """Plain beige ceiling, walls with upright edges, wooden floor; a bright lamp."""
    rgb = np.empty((HEIGHT, 2 * HEIGHT, 3), np.uint8)
    rgb[:90] = textured((196, 184, 166), (90, 2 * HEIGHT), 1)
    rgb[90:150] = textured((205, 190, 170), (60, 2 * HEIGHT), 3)
    for x in range(10, 2 * HEIGHT, 24):
        rgb[85:155, x : x + 4] = [90, 70, 60]
        rgb[85:155, x + 12 : x + 14] = [238, 228, 214]
    rgb[150:] = textured((120, 90, 60), (HEIGHT - 150, 2 * HEIGHT), 5)
    return rgb


def test_a_ceiling_is_not_the_sky() -> None:
    seen = parsed(room())
    assert seen.man_made > 0.9
    assert seen.open_sky < 0.2
    assert share(seen.labels, slice(0, 256), Stuff.SKY) < 0.01


def test_the_same_room_under_blue_is_a_street() -> None:
    rgb = room()
    rgb[:90] = np.linspace([60, 110, 215], [170, 205, 245], 90)[:, None].astype(np.uint8)
    seen = parsed(rgb)
    assert seen.open_sky > 0.9
    assert share(seen.labels, slice(0, 75), Stuff.SKY) > 0.95


def test_blue_water_lies_below_the_horizon() -> None:
    rng = np.random.default_rng(0)
    rgb = meadow()
    ripples = rng.normal(0, 5, (60, 1, 1)) + rng.normal(0, 1.5, (60, 2 * HEIGHT, 1))
    rgb[140:200] = np.clip(np.array([60, 95, 140]) + ripples, 0, 255).astype(np.uint8)
    labels = parsed(rgb).labels
    assert share(labels, slice(148, 192), Stuff.WATER) > 0.8
    assert not (labels[:128] == Stuff.WATER).any()


def test_things_become_other() -> None:
    seen = parsed(meadow())
    there = np.zeros((HEIGHT, 2 * HEIGHT), bool)
    there[120:160, 50:70] = True
    after = as_other(seen, there)
    assert (after.labels[there] == Stuff.OTHER).all()
    assert (after.labels[~there] == seen.labels[~there]).all()
    np.testing.assert_allclose(after.probability.sum(-1), 1, atol=1e-5)


def test_survey_counts_only_what_is_known() -> None:
    rgb = meadow()
    known = np.zeros((HEIGHT, 2 * HEIGHT), bool)
    known[60:110, 200:300] = True  # sky only
    view = survey(Panorama(rgb, known))
    assert view.share[Stuff.SKY] > 0.9
    np.testing.assert_allclose(view.share.sum(), 1)
    assert view.sky_overhead is not None
    assert view.sky_overhead > 0.9


def test_windows_and_patches_go_across_the_seam() -> None:
    known = np.zeros((HEIGHT, 2 * HEIGHT), bool)
    known[100:150, :30] = known[100:150, -20:] = True
    rows, columns = photo_window(known)
    assert (rows[0], rows[-1]) == (100, 149)
    assert len(columns) == 50
    assert (columns[0], columns[-1]) == (2 * HEIGHT - 20, 29)
    assert joined_patches(known.astype(np.uint8)).max() in joined_patches(known.astype(np.uint8))[120, [0, -1]]
    assert len(np.unique(joined_patches(known.astype(np.uint8)))) == 2


def test_regions_touch_what_is_known() -> None:
    rgb = meadow()
    known = np.zeros((HEIGHT, 2 * HEIGHT), bool)
    known[100:160, 100:300] = True
    view = survey(Panorama(rgb, known))
    assert extent(region(view, Stuff.SKY, least=0.001)) > 0.3
    assert not region(view, Stuff.WATER, least=0.001).any()


def test_looking_twice_is_looking_once() -> None:
    panorama = Panorama(meadow(), np.ones((HEIGHT, 2 * HEIGHT), bool))
    assert look(panorama, detect=False) is look(panorama, detect=False)
    assert look(panorama, detect=False).things == ()


def test_what_is_known_to_be_outdoors_has_no_ceiling() -> None:
    """A white sky over a row of upright lines, darker than a lamp below it, passes for a ceiling unless told."""
    rgb = np.full((240, 320, 3), 170, np.uint8)
    rgb[110:] = (90, 80, 70)
    rgb[60:200, ::16] = 20
    rgb[60:200, 1::16] = 20
    rgb[210:, 100:220] = 255
    elevation = np.repeat(np.linspace(0.5, -0.5, 240, dtype=np.float32)[:, None], 320, 1)
    unsure = parse(rgb, elevation, elevation_sigma=0.02)
    told = parse(rgb, elevation, elevation_sigma=0.02, outdoors=True)
    assert unsure.open_sky < 0.2
    assert told.open_sky == 1.0
    assert told.probability[20:50, :, Stuff.SKY].mean() > unsure.probability[20:50, :, Stuff.SKY].mean() + 0.2
