"""Feet follow the ground, stop at what stands on it and slide along it."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from browser.courtyard import EYE_M, small_world
from browser.visitor import Visitor
from sonoworld.types import WalkSurface
from sonoworld.view import export_folder, running

pytestmark = pytest.mark.browser
CELLS, CELL_M, SLOPE, WALL_M = 49, 0.125, 0.25, 1.0


def ramp_beside_a_wall() -> WalkSurface:
    """The ground rises by a quarter from x = 0 on; nobody gets further to the left than y = 1."""
    along = (np.arange(CELLS) - CELLS // 2) * CELL_M
    x, y = np.meshgrid(along, along, indexing="ij")
    blocked = y > WALL_M
    return WalkSurface(
        floor_m=(SLOPE * np.maximum(x, 0) - EYE_M).astype(np.float32),
        height_m=np.where(blocked, 2, 0).astype(np.float32),
        blocked=blocked,
        walkable=~blocked,
        seen=~blocked,
        cell_m=CELL_M,
        nearest_m=3.0,
    )


@pytest.fixture(scope="module")
def hiker(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    scene = replace(small_world(), ground=ramp_beside_a_wall())
    folder = export_folder(scene, tmp_path_factory.mktemp("worlds") / "ramp")
    with running(folder) as url:
        visitor = Visitor(chromium.new_page(reduced_motion="reduce"), url)
        yield visitor
        assert not visitor.problems
        visitor.page.close()


def test_eyes_rise_with_the_ground(hiker: Visitor) -> None:
    hiker.stand()
    hiker.ask("__sonoworld.walk(1, 0, 1)")
    x, y, z = hiker.position
    assert x == pytest.approx(1.2, abs=0.1)
    assert z == pytest.approx(SLOPE * x, abs=1e-5)
    hiker.ask("__sonoworld.walk(-1, 0, 2)")
    assert hiker.position[2] == pytest.approx(0, abs=1e-9)
    assert y == pytest.approx(0, abs=1e-9)


def test_a_tall_visitor_stays_tall(hiker: Visitor) -> None:
    hiker.stand((0.0, 0.0, 0.3))
    hiker.ask("__sonoworld.walk(1, 0, 0.5)")
    x, _, z = hiker.position
    assert z == pytest.approx(0.3 + SLOPE * x, abs=1e-5)


def test_a_wall_stops_and_is_slid_along(hiker: Visitor) -> None:
    hiker.stand()
    hiker.ask("__sonoworld.walk(0, 1, 3)")
    x, y, _ = hiker.position
    assert WALL_M - CELL_M < y < WALL_M + CELL_M / 2 + 1e-6
    assert x == pytest.approx(0, abs=1e-9)
    hiker.stand((-1.0, 0.5, 0.0))
    hiker.ask("__sonoworld.walk(1, 1, 1.5)")
    x, y, _ = hiker.position
    assert x == pytest.approx(-1 + 1.5 * 1.2 / math.sqrt(2), abs=0.1)
    assert y < WALL_M + CELL_M / 2 + 1e-6


def test_who_was_put_behind_a_wall_may_leave(hiker: Visitor) -> None:
    hiker.stand((0.0, 1.4, 0.0))
    hiker.ask("__sonoworld.walk(0, -1, 1)")
    assert hiker.position[1] < 0.5


def test_going_to_a_source_ends_before_the_wall(hiker: Visitor) -> None:
    """The fountain is 2 m to the left, an arm's length before it is behind the wall."""
    hiker.stand()
    hiker.enter()
    hiker.page.click("#show-panel")
    hiker.page.get_by_role("button", name="Go to fountain").click()
    hiker.wait("__sonoworld.pose().position[1] > 0.5")
    assert hiker.position[1] < WALL_M + CELL_M / 2 + 1e-6


@pytest.mark.parametrize(
    ("size", "message"), [(10, "expected 12005 bytes for 49 × 49 cells, got 10"), (12005, "expected finite heights")]
)
def test_a_spoilt_ground_is_said(chromium: Browser, tmp_path: Path, size: int, message: str) -> None:
    folder = export_folder(replace(small_world(), ground=ramp_beside_a_wall()), tmp_path / "spoilt")
    (folder / "ground.bin").write_bytes(b"\xff" * size)
    with running(folder) as url:
        page = chromium.new_page()
        page.goto(url)
        page.get_by_text(message).wait_for(timeout=10_000)
        page.close()
