"""The picture of sources: masks where they are, labels that can be read, imagined ones marked, nobody trusted."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoworld import testing
from sonoworld.render.label_places import GAP_PX, label_places
from sonoworld.render.source_masks import source_masks
from sonoworld.render.sources_picture import (
    HEIGHT_PX,
    MOST_ROWS,
    ROW_PX,
    RULER_PX,
    WIDTH_PX,
    colour_of,
    sources_picture,
)
from sonoworld.sphere import pixel_directions, pixel_from_direction
from sonoworld.types import Scene, Sounding, Source, Splats, Spread

WIND, BIRD = testing.tiny_sources()
H = 128


def scene(sources: tuple[Source, ...], soundings: tuple[Sounding, ...] = ()) -> Scene:
    one = np.zeros((1, 3), np.float32)
    splats = Splats(one, one, np.array([[1, 0, 0, 0]], np.float32), np.zeros(1, np.float32), one[:, None])
    return Scene(
        testing.tiny_photo(), None, testing.tiny_panorama(H), testing.tiny_geometry(H), splats, soundings, sources
    )


def cap(azimuth_deg: float, radius_deg: float = 8.0) -> np.ndarray:
    angle = np.radians(azimuth_deg)
    return pixel_directions(H) @ np.array([np.cos(angle), np.sin(angle), 0.0]) > np.cos(np.radians(radius_deg))


def at(azimuth_deg: float, number: int = 0, **changes: object) -> Source:
    angle = np.radians(azimuth_deg)
    point = np.array([[np.cos(angle), np.sin(angle), 0.0]], np.float32) * 5
    return replace(BIRD, id=f"dog-{number}", label="dog", prompt="dog", points=point, normals=-point / 5, **changes)  # type: ignore[arg-type]


def dog(*azimuths_deg: float) -> Sounding:
    mask = np.logical_or.reduce([cap(azimuth) for azimuth in azimuths_deg])
    return Sounding("dog", "dog", Spread.POINT, 80.0, 0.9, "testing", mask=mask)


# ---------------------------------------------------------------- which pixels


@pytest.mark.parametrize("azimuths", [(0.0, 90.0), (170.0, -150.0, 20.0)])
def test_a_sounding_of_several_things_is_shared_out(azimuths: tuple[float, ...]) -> None:
    sources = tuple(at(azimuth, i) for i, azimuth in enumerate(azimuths))
    masks = source_masks(sources, (dog(*azimuths),))
    for azimuth, mask in zip(azimuths, masks, strict=True):
        assert mask is not None
        np.testing.assert_array_equal(mask, cap(azimuth))


def test_two_of_a_name_keep_their_own() -> None:
    near, far = source_masks((at(0, 0), at(40, 1)), (dog(0), dog(40)))
    assert near is not None
    assert far is not None
    np.testing.assert_array_equal(near, cap(0))
    np.testing.assert_array_equal(far, cap(40))


def test_what_has_no_mask_has_none() -> None:
    assert source_masks((WIND, BIRD), (dog(0),)) == (None, None)


# ---------------------------------------------------------------- labels


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 1599), st.integers(0, 799), st.integers(20, 300)), min_size=1, max_size=40
    )
)  # fmt: skip
def test_labels_overlap_nothing_and_stay_inside(drawn: list[tuple[int, int, int]]) -> None:
    anchors = [(x, y) for x, y, _ in drawn]
    sizes = [(width, 20) for *_, width in drawn]
    places = label_places(anchors, sizes, np.zeros((800, 1600), np.bool_))
    painted = np.zeros((800, 1600), np.uint8)
    for place, (width, height) in zip(places, sizes, strict=True):
        if place is None:
            continue
        x, y = place
        assert x >= 0
        assert y >= 0
        assert x + width <= 1600
        assert y + height <= 800
        painted[y : y + height, x : x + width] += 1
    assert painted.max() <= 1, "two labels overlap"
    for x, y in anchors:
        assert painted[y, x] == 0, "a label hides what it names"
    assert None not in places[:8], "there was room"


def test_labels_leave_what_is_shown() -> None:
    shown = np.zeros((400, 800), np.bool_)
    shown[190:210, 300:500] = True
    (place,) = label_places([(400, 200)], [(80, 20)], shown)
    assert place is not None
    x, y = place
    assert not shown[y : y + 20, x : x + 80].any()
    (over,) = label_places([(400, 200)], [(80, 20)], np.ones_like(shown))
    assert over == (400 + GAP_PX, 190), "where everything is shown, the nearest place is taken"


def test_where_no_place_is_left_there_is_none() -> None:
    assert label_places([(10, 10)], [(100, 20)], np.zeros((30, 60), np.bool_)) == (None,)


# ---------------------------------------------------------------- the picture


def panorama_of(picture: np.ndarray) -> np.ndarray:
    return picture[RULER_PX : RULER_PX + HEIGHT_PX].astype(int)


def test_masks_are_tinted_where_they_are() -> None:
    bare = panorama_of(sources_picture(scene((), ())))
    with_dog = panorama_of(sources_picture(scene((at(-60),), (dog(-60),))))
    changed = (bare != with_dog).any(-1)
    u, v = pixel_from_direction(pixel_directions(H)[cap(-60, 6.0)], HEIGHT_PX)
    assert changed[v.astype(int), u.astype(int)].all()
    u, v = pixel_from_direction(pixel_directions(H)[cap(120, 60.0)], HEIGHT_PX)
    assert not changed[v.astype(int), u.astype(int)].any()


def test_every_source_has_a_line_and_a_disc_of_its_colour() -> None:
    picture = sources_picture(scene((WIND, BIRD)))
    assert picture.shape == (RULER_PX + HEIGHT_PX + 3 * ROW_PX + 8, WIDTH_PX, 3)
    assert BIRD.centroid is not None
    u, v = pixel_from_direction(BIRD.centroid, HEIGHT_PX)
    assert tuple(panorama_of(picture)[int(v), int(u)]) == colour_of(1)


def test_imagined_sources_look_otherwise() -> None:
    real = sources_picture(scene((at(-60),), (dog(-60),)))
    imagined = sources_picture(scene((at(-60, imagined=True),), (dog(-60),)))
    inside = cap(-60, 6.0)
    u, v = pixel_from_direction(pixel_directions(H)[inside], HEIGHT_PX)
    different = (panorama_of(real) != panorama_of(imagined)).any(-1)[v.astype(int), u.astype(int)]
    assert 0.2 < different.mean() < 0.8, "striped"
    assert (real[-ROW_PX:] != imagined[-ROW_PX:]).any(), "and said in the list"


def test_words_of_strangers_are_drawn_not_trusted() -> None:
    odd = replace(BIRD, label="鳥\n\x1b[31m" + "x" * 5000, reason="\u202e" + "y " * 5000)
    assert sources_picture(scene((odd,))).shape[1] == WIDTH_PX


def test_very_many_sources_are_counted() -> None:
    picture = sources_picture(scene(tuple(at(i * 3.0, i) for i in range(MOST_ROWS + 20))))
    assert picture.shape[0] == RULER_PX + HEIGHT_PX + (MOST_ROWS + 2) * ROW_PX + 8


def test_the_same_scene_gives_the_same_picture() -> None:
    first, second = (sources_picture(scene((WIND, at(10)), (dog(10),))) for _ in range(2))
    np.testing.assert_array_equal(first, second)
