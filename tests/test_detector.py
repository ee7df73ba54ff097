"""The converted detector finds what is in pictures that everyone has, and its boxes go back to where they were."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import data

from sonoworld.perceive import objects
from sonoworld.perceive.coco import NAMES, alike
from sonoworld.perceive.lively import _cut_off, look_for_lively
from sonoworld.perceive.objects import CELL_PX, SIDE_PX, detect, letterbox, maps, peaks

ROOT = Path(__file__).parent.parent


def test_the_lock_file_names_one_package_and_no_host() -> None:
    lock = json.loads((ROOT / "buildhook" / "detector" / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert list(packages) == ["node_modules/@vladmandic/human"]
    assert all("resolved" not in entry and entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert "http" not in json.dumps(lock)


def test_the_notice_says_where_the_weights_come_from() -> None:
    notice = (ROOT / "src" / "sonoworld" / "products" / "detector" / "NOTICE.txt").read_text("utf-8")
    assert "@vladmandic/human 3.3.6" in notice
    assert "states no" in notice
    assert "MIT License" in notice


def test_coco_has_its_80_names_in_order() -> None:
    """Spot values of the usual numbering."""
    assert len(set(NAMES)) == 80
    assert [NAMES[i] for i in (0, 5, 15, 16, 56, 62, 74, 79)] == [
        "person", "bus", "cat", "dog", "chair", "tv", "clock", "toothbrush",
    ]  # fmt: skip
    assert alike("car", "bus")
    assert not alike("car", "dog")


def test_maps_have_their_shapes_and_are_repeatable() -> None:
    square, _ = letterbox(data.astronaut())
    heat, size = maps(square)
    assert heat.shape == (80, 128, 128)
    assert size.shape == (4, 128, 128)
    assert heat.min() >= 0
    assert heat.max() <= 1
    again, _ = maps(square)
    assert heat.tobytes() == again.tobytes()


@pytest.mark.parametrize(("picture", "label"), [("chelsea", "cat"), ("astronaut", "person")])
def test_it_sees_what_people_see(picture: str, label: str) -> None:
    found = detect(getattr(data, picture)())
    assert found[0].label == label
    assert found[0].score > 0.4
    x0, y0, x1, y1 = found[0].box_px
    height, width = getattr(data, picture)().shape[:2]
    assert (x1 - x0) * (y1 - y0) > 0.3 * width * height


def test_lively_pixels_are_the_living() -> None:
    astronaut = data.astronaut()
    there = look_for_lively(astronaut).there
    assert there.shape == astronaut.shape[:2]
    assert there[100:500, 150:300].mean() > 0.7  # face and suit
    assert not look_for_lively(np.full((200, 300, 3), 120, np.uint8)).there.any()


def test_it_sees_nothing_in_gray() -> None:
    assert detect(np.full((200, 300, 3), 120, np.uint8)) == ()


@given(st.integers(1, 4000), st.integers(1, 4000), st.floats(0, 1), st.floats(0, 1))
def test_letterbox_goes_there_and_back(width: int, height: int, u: float, v: float) -> None:
    side = max(width, height)
    fit = objects.Letterbox(SIDE_PX / side, float((SIDE_PX - round(width * SIDE_PX / side)) // 2), 3.0)
    x, y = fit.to_image(*fit.to_square(u * width, v * height))
    np.testing.assert_allclose([x, y], [u * width, v * height], atol=1e-6 * side)


@pytest.mark.parametrize("size", [(90, 300), (300, 90), (700, 512), (33, 1000)])
def test_letterbox_puts_pixels_where_it_says(size: tuple[int, int]) -> None:
    height, width = size
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[height // 2 :, width // 2 :] = 255
    square, fit = letterbox(rgb)
    assert square.shape == (SIDE_PX, SIDE_PX, 3)
    for dx, dy, value in [(0.25, 0.25, 0), (0.75, 0.75, 255), (0.25, 0.75, 0)]:
        x, y = fit.to_square(dx * width, dy * height)
        assert square[int(y), int(x), 0] == value


@given(st.integers(5, 120), st.integers(5, 120), st.integers(0, 79), st.floats(0.31, 0.99))
def test_a_peak_is_decoded_to_its_box(row: int, column: int, kind: int, score: float) -> None:
    heat, size = np.zeros((80, 128, 128), np.float32), np.zeros((4, 128, 128), np.float32)
    heat[kind, row, column], heat[kind, row, column + 1] = score, score * 0.9
    size[:, row, column] = [10, 20, 30, 40]
    (one,) = peaks(heat, size, 0.25)
    assert one.label == NAMES[kind]
    x, y = CELL_PX * column, CELL_PX * row
    assert one.box_px == (x - 10, y - 20, x + 30, y + 40)


def test_a_missing_product_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(objects.resources, "files", lambda _: tmp_path)
    objects._session.cache_clear()
    with pytest.raises(objects.BackendMissingError, match=r"understand\.detect=false"):
        detect(np.zeros((64, 64, 3), np.uint8))
    objects._session.cache_clear()


def test_a_thing_cut_off_by_the_frame_is_taken_with_its_whole_box() -> None:
    found = np.zeros((100, 200), bool)
    _cut_off(found, (150.0, 60.0, 199.0, 98.5))  # at the right and at the bottom
    assert found[60:, 150:].all()
    assert found.sum() == 40 * 50
    _cut_off(found, (20.0, 20.0, 60.0, 60.0))
    assert found.sum() == 40 * 50
