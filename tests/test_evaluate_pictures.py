import io
import math

import numpy as np
import pytest
from PIL import Image

from sonoworld.errors import InputError
from sonoworld.evaluate import pictures


def wave(azimuth_deg: float, elevation_deg: float) -> np.ndarray:
    a, e = math.radians(azimuth_deg), math.radians(elevation_deg)
    gains = [1, math.sin(a) * math.cos(e), math.sin(e), math.cos(a) * math.cos(e)]
    return np.outer(gains, np.random.default_rng(0).standard_normal(2000))


def near(picture: np.ndarray, panel: int, azimuth_deg: float, elevation_deg: float) -> np.ndarray:
    """Pixels around a direction, by the page of conventions: left edge behind, + azimuth to the left."""
    x = pictures.GAP_PX + panel * (pictures.WIDTH_PX + pictures.GAP_PX) + round((180 - azimuth_deg) * 2)
    y = pictures.HEAD_PX + round((90 - elevation_deg) * 2)
    return picture[y - 3 : y + 4, x - 3 : x + 4].reshape(-1, 3)


def test_marks_stand_where_sound_comes_from() -> None:
    drawn = pictures.clip_picture(pictures.Clip("a clip", wave(60, 20), wave(-90, -30)))
    for panel in (0, 1):
        assert (near(drawn, panel, 60, 20) == pictures.OURS).all(axis=1).mean() > 0.9
        ring = near(drawn, panel, -90 - 3.5, -30)
        assert (ring == pictures.TRUE).all(axis=1).any()


def test_loud_directions_are_bright_and_quiet_ones_show_the_panorama() -> None:
    panorama = np.full((64, 128, 3), 100, np.uint8)
    drawn = pictures.clip_picture(pictures.Clip("", wave(45, 0), wave(0, 0)), panorama).astype(int)
    assert near(drawn, 0, 45, 15).sum(axis=1).mean() > 450
    assert np.abs(near(drawn, 0, -135, 60) - 60).max() < 80
    border = drawn[pictures.HEAD_PX + 60 : -60 - pictures.FOOT_PX]
    left, right = border[:, pictures.GAP_PX], border[:, pictures.GAP_PX + pictures.WIDTH_PX - 1]
    assert np.abs(left - right).max() < 12, "no seam behind"


def test_sound_without_direction_has_no_mark_but_a_picture() -> None:
    mono = wave(0, 0)
    mono[1:] = 0
    drawn = pictures.clip_picture(pictures.Clip("mono, 日本", mono, np.zeros((4, 10))))
    assert not (drawn == pictures.OURS).all(axis=2).any()


def test_known_sources_are_named_and_the_file_is_a_png() -> None:
    clip = pictures.Clip("", wave(0, 0), wave(180, 0), [("bird", np.array([0.0, 2.0, 0.0]))])
    drawn = pictures.clip_picture(clip)
    assert (near(drawn, 1, 92, 0) == pictures.LABELLED).all(axis=1).any()
    raw = pictures.png(drawn)
    assert np.array_equal(np.array(Image.open(io.BytesIO(raw))), drawn)
    assert raw == pictures.png(pictures.clip_picture(clip))


def test_a_picture_that_is_no_panorama_is_told() -> None:
    with pytest.raises(InputError, match="2:1"):
        pictures.clip_picture(pictures.Clip("", wave(0, 0), wave(0, 0)), np.zeros((10, 10, 3), np.uint8))
