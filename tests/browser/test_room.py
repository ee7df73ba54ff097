"""A real browser plays a world's room: reflections in its worklet, the late field in its convolver."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from browser.courtyard import small_world, source
from browser.test_ears import decoded
from browser.visitor import Visitor
from sonoworld.acoustics import OCTAVES_HZ, LateField, Room, diffuse_covariance, shoebox
from sonoworld.frames import Pose
from sonoworld.render import render_walk, still_walk
from sonoworld.types import Spread
from sonoworld.view import export_folder, running

pytestmark = pytest.mark.browser

B, SECONDS = len(OCTAVES_HZ), 0.5


def heard(chromium: Browser, folder: Path) -> np.ndarray:
    with running(folder) as url:
        visitor = Visitor(chromium.new_page(reduced_motion="reduce"), url)
        ears = decoded(visitor.page, f"__sonoworld.record({SECONDS}, 48000)")
        assert not visitor.problems
        visitor.page.close()
    return ears


def test_a_room_is_heard_in_the_page(chromium: Browser, tmp_path: Path) -> None:
    walls = shoebox((10.0, 8.0, 4.0), (5.0, 4.0, 1.6), np.full((6, B), 0.3))
    late = LateField(np.full(B, 0.3), np.full(B, -3.0), 0.03, diffuse_covariance())
    scene = replace(small_world(), sources=(source("s0", "drum", Spread.POINT, np.array([[2.0, 1.0, 0]]), 80.0),))
    dry, early, whole = (
        heard(chromium, export_folder(scene, tmp_path / name, room=room))
        for name, room in (
            ("dry", None),
            ("early", (Room(walls, None, 1), None)),
            ("whole", (Room(walls, late, 1), None)),
        )
    )
    walk = still_walk(Pose.identity(), SECONDS)
    expected = [
        render_walk(scene.sources, walk, "binaural", 5, SECONDS, room=room)[:, : dry.shape[1]]
        for room in (None, (Room(walls, None, 1), None), (Room(walls, late, 1), None))
    ]
    reflections, theirs = early - dry, expected[1] - expected[0]
    # cubic interpolation and clips of 16 bits: alike, not the same
    assert np.mean((reflections - theirs) ** 2) < 0.05 * np.mean(theirs**2)
    lingering = np.mean((whole - early) ** 2)
    assert lingering == pytest.approx(np.mean((expected[2] - expected[1]) ** 2), rel=0.3)
