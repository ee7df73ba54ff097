"""A real browser plays a world's room: its kernel is Python's."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from browser.courtyard import small_world, source
from browser.test_ears import decoded
from browser.visitor import Visitor
from sonoworld.acoustics import OCTAVES_HZ, LateField, Room, diffuse_covariance, shoebox
from sonoworld.encode import EncodeOptions
from sonoworld.render.live import Player
from sonoworld.render.walk_audio import FittedRoom
from sonoworld.types import Source, Spread
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
    expected = [in_python(scene.sources, room)[:, : dry.shape[1]] for room in (None, (Room(walls, None, 1), None))]
    expected.append(in_python(scene.sources, (Room(walls, late, 1), None))[:, : dry.shape[1]])
    for mine, theirs in ((early - dry, expected[1] - expected[0]), (whole - early, expected[2] - expected[1])):
        assert np.mean((mine - theirs) ** 2) < 0.01 * np.mean(theirs**2)  # clips of 16 bits


def in_python(sources: tuple[Source, ...], room: FittedRoom | None) -> np.ndarray:
    player = Player(sources, EncodeOptions(order=5), room=room)
    return player.pull(round(SECONDS * 48000) + player.added_samples)[:, player.added_samples :]
