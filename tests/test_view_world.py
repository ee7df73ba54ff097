import math
from dataclasses import replace

import numpy as np
import pytest

from browser.courtyard import small_world, source
from sonoworld.encode.decorrelate import decorrelator
from sonoworld.encode.level import source_gain
from sonoworld.encode.options import EncodeOptions
from sonoworld.frames import Pose
from sonoworld.types import Camera, CameraSigma, Directivity, Geometry, Motion, Spread
from sonoworld.view.document import (
    DirectivityPart,
    FiltersPart,
    HearingPart,
    PathPart,
    SplatsPart,
    WorldDocument,
)
from sonoworld.view.world import (
    MAX_POINTS,
    clip_scale,
    comfortable_radius_m,
    screen_gain_db,
    world_document,
)

EARS = FiltersPart(file="ears-3.bin", name="test", order=3, taps=256, rate_hz=48000)
HEARING = HearingPart(epsilon_m=0.1, alpha_per_m=0.0, speed_m_s=343.2, filters=(EARS,))
LAWS = EncodeOptions()


def document(laws: EncodeOptions = LAWS, **changes: object) -> WorldDocument:
    scene = replace(small_world(), **changes)
    return world_document(scene, "a title", (SplatsPart(file="splats.sog", count=3),), HEARING, None, laws)


def test_a_place_is_one_point_a_surface_many_ambience_none() -> None:
    point, area, ambience, _ = document().sources
    assert point.points == ((0.0, 2.0, 0.0),)
    assert point.weights == (1.0,)
    assert len(area.points) == MAX_POINTS
    assert sum(area.weights) == pytest.approx(1, abs=1e-4)
    assert area.centre == pytest.approx((5, 0, 0), abs=1e-3)
    assert (ambience.points, ambience.weights, ambience.centre) == ((), (), None)


def test_a_surface_has_parts_and_copies_for_them_unless_areas_are_coherent() -> None:
    point, area, ambience, _ = document().sources
    assert set(area.labels) == set(range(6))
    assert len(area.labels) == len(area.points)
    assert area.clip is not None
    assert area.clip.copies is not None
    assert area.clip.copies.taps == decorrelator("s1", 0, area.clip.copies.rate_hz).size
    for other in (point, ambience, document(EncodeOptions(area="coherent")).sources[1]):
        assert other.labels == ()
        assert other.clip is not None
        assert other.clip.copies is None


def test_stored_clip_times_gain_is_the_sound_at_one_metre() -> None:
    loud = source("s7", "bell", Spread.POINT, np.array([[1.0, 0, 0]]), 83.0)
    assert loud.clip is not None
    stored = loud.clip.samples * clip_scale(loud)
    assert np.abs(stored).max() == pytest.approx(0.98)
    gain = document(sources=(loud,)).sources[0].gain
    # 83 dB SPL is 17 dB under RMS 1
    assert 20 * math.log10(np.sqrt(np.mean((stored * gain) ** 2))) == pytest.approx(-17, abs=1e-3)
    assert gain * clip_scale(loud) == pytest.approx(source_gain(83.0, 23.0))


def test_a_source_without_a_clip_is_listed_and_silent() -> None:
    mute = replace(source("s0", "stone", Spread.POINT, np.ones((1, 3)), 60.0), clip=None)
    part = document(sources=(mute,)).sources[0]
    assert (part.gain, part.clip) == (0.0, None)
    assert screen_gain_db((mute,), LAWS) == 0.0


@pytest.mark.parametrize("level_db", [20.0, 50.0, 90.0])
def test_the_screen_plays_every_scene_equally_loud_at_the_start(level_db: float) -> None:
    one = source("s0", "a", Spread.AMBIENT, np.empty((0, 3)), level_db)
    assert level_db - 100 + screen_gain_db((one,), LAWS) == pytest.approx(-24)
    two = (one, source("s1", "b", Spread.AMBIENT, np.empty((0, 3)), level_db))
    assert level_db - 100 + 10 * math.log10(2) + screen_gain_db(two, LAWS) == pytest.approx(-24)


def test_far_sources_need_more_screen_gain() -> None:
    near = source("s0", "a", Spread.POINT, np.array([[1.0, 0, 0]]), 60.0)
    far = source("s0", "a", Spread.POINT, np.array([[10.0, 0, 0]]), 60.0)
    law = 20 * math.log10(math.sqrt(100.01 / 1.01))
    assert screen_gain_db((far,), LAWS) - screen_gain_db((near,), LAWS) == pytest.approx(law)


@pytest.mark.parametrize(("distance_m", "radius_m"), [(0.4, 0.5), (2.0, 1.0), (40.0, 1.5)])
def test_comfort_is_half_way_to_what_stands_near(distance_m: float, radius_m: float) -> None:
    assert comfort(geometry(distance_m, sky_rows=4)) == pytest.approx(radius_m)


def test_comfort_in_a_world_of_sky_and_under_a_near_ground() -> None:
    assert comfort(geometry(1.0, sky_rows=32)) == 1.5
    below = geometry(8.0, sky_rows=0)
    near_ground = below.distance.copy()
    near_ground[24:] = 1.2
    assert comfort(replace(below, distance=near_ground)) == 1.5


def comfort(found: Geometry) -> float:
    return comfortable_radius_m(replace(small_world(), geometry=found))


def geometry(distance_m: float, sky_rows: int) -> Geometry:
    sky = np.zeros((32, 64), bool)
    sky[:sky_rows] = True
    normal = np.tile(np.array([-1, 0, 0], np.float32), (32, 64, 1))
    return Geometry(np.full((32, 64), distance_m, np.float32), normal, sky, ~sky, metric=True)


def test_a_guessed_view_is_said() -> None:
    K = np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]])
    sure = Camera(K, (640, 480), Pose.identity(), CameraSigma(0.02, 0.01, 0.01))
    unsure = replace(sure, sigma=CameraSigma(math.radians(20), math.radians(8), 0.01))
    assert document(camera=sure).notice == ""
    assert document(camera=None).notice == ""
    assert "tilt ±8°, width ±20°" in document(camera=unsure).notice


def test_where_a_source_goes_and_faces() -> None:
    still = source("s0", "siren", Spread.POINT, np.array([[2.0, 0, 0]]), 60.0)
    aim = Directivity(0.5, 1.0, np.array([0.6, 0.8, 0.0]))
    path = Motion(np.array([0.0, 1.5]), np.array([[4.0, 0, 0], [0, 3, 1.23456]]), loops=True, faces_ahead=False)
    part = document(sources=(replace(still, directivity=aim, path=path),)).sources[0]
    assert part.directivity == DirectivityPart(pattern=0.5, sharpness=1.0, facing=(0.6, 0.8, 0.0))
    assert part.path == PathPart(
        times_s=(0.0, 1.5), positions=((4.0, 0.0, 0.0), (0.0, 3.0, 1.235)), loops=True, faces_ahead=False
    )
    plain = document(sources=(still,)).sources[0]
    assert (plain.directivity, plain.path) == (None, None)
    # at the start it is 4 m away and seen at cos θ = −0.6
    gain = screen_gain_db((replace(still, directivity=aim, path=path),), LAWS) - screen_gain_db((still,), LAWS)
    quieter = math.sqrt(4.01 / 16.01) * (0.5 - 0.5 * 0.6 * 4 / math.sqrt(16.01))
    assert gain == pytest.approx(-20 * math.log10(quieter))


def test_the_document_survives_json() -> None:
    whole = document()
    assert WorldDocument.model_validate_json(whole.model_dump_json()) == whole
