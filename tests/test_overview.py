"""The picture of a whole world shows the photo's outline and every source where it is."""

import dataclasses

import numpy as np

from sonoworld import testing
from sonoworld.render.overview import COLOURS, WIDTH_PX, sources_on_panorama, world_preview
from sonoworld.render.preview import SKY, normal_picture
from sonoworld.sphere import pixel_from_direction
from sonoworld.types import Scene, Source, Splats, Spread


def scene(*sources: Source) -> Scene:
    n = 200
    means = np.random.default_rng(0).normal(size=(n, 3)).astype(np.float32) * 4
    quats = np.tile(np.array([1, 0, 0, 0], np.float32), (n, 1))
    grey = np.zeros((n, 1, 3), np.float32)
    splats = Splats(means, np.full((n, 3), -2, np.float32), quats, np.full(n, 4, np.float32), grey)
    panorama, geometry = testing.tiny_panorama(), testing.tiny_geometry()
    return Scene(testing.tiny_photo(), testing.tiny_camera(), panorama, geometry, splats, (), sources)


def test_three_rows_of_one_width() -> None:
    picture = world_preview(scene(*testing.tiny_sources()))
    assert picture.dtype == np.uint8
    assert picture.shape[1] == WIDTH_PX
    assert picture.shape[0] > WIDTH_PX // 2 + WIDTH_PX // 3 + WIDTH_PX // 5


def test_normals_are_told_apart_by_colour() -> None:
    geometry = testing.tiny_geometry()
    normal = np.zeros_like(geometry.normal)
    h = len(normal)
    normal[: h // 2, :, 0], normal[h // 2 :, :, 2] = -1, 1
    flat = dataclasses.replace(
        geometry, normal=normal, sky=np.zeros_like(geometry.sky), valid=np.ones_like(geometry.valid)
    )
    picture = normal_picture(flat, width_px=64).astype(int)
    assert (np.abs(picture[:16] - (0, 128, 128)) <= 1).all()
    assert (np.abs(picture[16:] - (128, 128, 255)) <= 1).all()
    grey = normal_picture(dataclasses.replace(flat, sky=np.ones_like(flat.sky)), width_px=64)
    assert (grey == SKY).all()


def test_a_point_is_ringed_where_it_is() -> None:
    bird = testing.tiny_sources()[1]
    picture = sources_on_panorama(scene(bird)).astype(int)
    assert bird.centroid is not None
    u, v = pixel_from_direction(bird.centroid, WIDTH_PX // 2)
    ring = picture[int(v) - 9, int(u)]
    assert np.abs(ring - np.array(COLOURS[Spread.POINT])).max() < 40


def test_labels_of_strangers_are_drawn_not_trusted() -> None:
    odd = dataclasses.replace(testing.tiny_sources()[1], label="鳥 \n" + "x" * 300)
    assert sources_on_panorama(scene(odd)).shape == (WIDTH_PX // 2, WIDTH_PX, 3)


def test_ambience_is_named() -> None:
    quiet, named = sources_on_panorama(scene()), sources_on_panorama(scene(testing.tiny_sources()[0]))
    assert (quiet != named)[-40:].any()
    assert not (quiet != named)[:-40].any()
