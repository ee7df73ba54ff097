"""Pictures for people: they show what they claim to."""

import numpy as np

from sonoworld.lift.surface import surface_normals
from sonoworld.lift.surfels import Footprint, Layer, surfels
from sonoworld.render.preview import HOLE, Stop, default_stops, depth_picture, splat_views, view_from
from sonoworld.types import Geometry, Splats

H = 96


def geometry(distance: np.ndarray, *, metric: bool = True) -> Geometry:
    sky = np.zeros(distance.shape, bool)
    sky[: H // 3] = True
    return Geometry(distance, surface_normals(distance), sky, np.ones(distance.shape, bool), metric=metric)


def shell(colour: tuple[int, int, int], *, ahead_only: bool) -> Splats:
    distance = np.full((H, 2 * H), 3, np.float32)
    where = np.ones(distance.shape, bool)
    if ahead_only:
        where[:, : H // 2] = where[:, -H // 2 :] = False
    rgb = np.broadcast_to(np.array(colour, np.uint8), (H, 2 * H, 3)).copy()
    return surfels(Layer(distance, surface_normals(distance), rgb, where), Footprint(0.7, 0.99, 4.0))


def test_depth_picture_orders_colours_and_names_metres():
    distance = np.geomspace(1, 50, H, dtype=np.float32)[::-1, None] * np.ones((1, 2 * H), np.float32)
    picture = depth_picture(geometry(distance), width_px=256)
    assert picture.dtype == np.uint8
    assert picture.shape[0] == 128
    near, far = picture[126, 100].astype(int), picture[50, 100].astype(int)
    assert near[0] > near[2]  # near is warm
    assert far[2] > far[0]  # far is cold
    assert tuple(picture[3, 100]) == (205, 210, 215)  # sky is grey
    other = depth_picture(geometry(distance, metric=False), width_px=256)
    assert (picture != other).any()  # the bar says "units" where metres are not known
    assert depth_picture(geometry(distance), rgb=np.zeros((H, 2 * H, 3), np.uint8), width_px=256).shape[0] == 256


def test_depth_picture_hatches_what_is_not_trusted():
    distance = np.full((H, 2 * H), 5, np.float32)
    sure = geometry(distance)
    doubt = Geometry(distance, sure.normal, sure.sky, np.zeros(distance.shape, bool), metric=True)
    white = (depth_picture(doubt, width_px=200) == 255).all(-1)[:, :200]
    assert 0.05 < white.mean() < 0.2
    assert not (depth_picture(sure, width_px=200) == 255).all(-1)[:, :200].any()


def test_views_show_the_colour_and_the_holes():
    splats = shell((30, 160, 90), ahead_only=True)
    ahead = view_from(splats, Stop("ahead"), (48, 32), 1.2)
    behind = view_from(splats, Stop("behind", yaw=np.pi), (48, 32), 1.2)
    assert np.abs(ahead.astype(int) - [30, 160, 90]).max() < 6
    assert np.all(behind == HOLE)


def test_contact_sheet_has_all_stops():
    splats = shell((30, 160, 90), ahead_only=False)
    stops = default_stops()
    assert len({stop.caption for stop in stops}) == len(stops) == 12
    assert max(np.linalg.norm(stop.position) for stop in stops) == 1.0
    sheet = splat_views(splats, size_px=(60, 40))
    assert sheet.shape == (3 * 66, 4 * 64, 3)
    assert not (sheet == HOLE).all(-1).any()
    assert splat_views(splats, stops[:5], size_px=(60, 40), columns=2).shape == (3 * 66, 2 * 64, 3)
