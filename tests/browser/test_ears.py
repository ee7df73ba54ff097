import json
import math
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from browser.courtyard import POINT_LEFT
from browser.visitor import Visitor
from sonoworld.encode.harmonics import harmonics
from sonoworld.frames import world_from_head_rotation
from sonoworld.render.hrtf import hrir

pytestmark = pytest.mark.browser


def solo(visitor: Visitor, label: str) -> None:
    visitor.page.get_by_role("button", name=f"Solo {label}", exact=True).click()


def balance_db(ears: np.ndarray) -> float:
    """Left over right."""
    return float(20 * np.log10(ears[0] / ears[1]))


def loudness(ears: np.ndarray) -> float:
    return float(np.sqrt(np.square(ears).sum()))


def test_the_full_ears_run(visitor: Visitor) -> None:
    assert visitor.ask("__sonoworld.ears") == "binaural"
    assert visitor.ask("__sonoworld.audioState") == "running"
    assert visitor.listen().min() > 0.003


@pytest.mark.parametrize(
    ("position", "yaw", "pitch"), [((0, 0, 0), 0.0, 0.0), ((1, 1, 0), 2.5, -0.6), ((-0.5, 0.5, 0.3), -1.2, 0.5)]
)
def test_both_ears_get_what_the_filters_say(
    visitor: Visitor, world_folder: Path, position: tuple[float, float, float], yaw: float, pitch: float
) -> None:
    """White noise of RMS 1 at 70 dB through Σ y·h: level, distance, rotation, channel order and ears at once."""
    solo(visitor, "fountain")
    visitor.stand(position, yaw, pitch)
    offset = np.array(POINT_LEFT) - position
    u = offset @ world_from_head_rotation(yaw, pitch)
    response = np.einsum("c,ect->et", harmonics(u, 5), hrir("kemar", 5, 48000))
    screen = json.loads((world_folder / "world.json").read_text())["sound"]["screen_gain_db"]
    level = 10 ** ((70 - 100 + screen) / 20) / math.sqrt(offset @ offset + 0.1**2)
    expected = level * np.sqrt(np.square(response).sum(1))
    np.testing.assert_allclose(visitor.listen(600), expected, rtol=0.04)


def test_the_balance_follows_the_head(visitor: Visitor) -> None:
    solo(visitor, "fountain")
    towards = balance_db(visitor.listen())
    visitor.stand(yaw=math.pi)
    away = balance_db(visitor.listen())
    visitor.stand(yaw=math.pi / 2)
    facing = balance_db(visitor.listen())
    assert towards > 6
    assert away == pytest.approx(-towards, abs=0.6)
    assert abs(facing) < 0.6


def test_nearer_is_louder_as_one_over_distance(visitor: Visitor) -> None:
    solo(visitor, "fountain")
    heard = {}
    for r in (4.0, 2.0, 1.0):
        visitor.stand((0, POINT_LEFT[1] - r, 0), yaw=math.pi / 2)
        heard[r] = loudness(visitor.listen(600))
    for far, near in ((4.0, 2.0), (2.0, 1.0)):
        law = math.sqrt((far**2 + 0.01) / (near**2 + 0.01))
        assert heard[near] / heard[far] == pytest.approx(law, rel=0.03)


def test_a_surface_is_heard_ahead_and_to_the_side(visitor: Visitor) -> None:
    solo(visitor, "ivy")
    assert abs(balance_db(visitor.listen())) < 0.6
    visitor.stand(yaw=math.pi / 2)
    assert balance_db(visitor.listen()) < -6


def test_ambience_is_the_same_everywhere(visitor: Visitor) -> None:
    solo(visitor, "wind")
    here = visitor.listen(600)
    visitor.stand((2, 2, 0), yaw=2.0)
    np.testing.assert_allclose(visitor.listen(600), here, rtol=0.04)


def test_mute_and_its_return(visitor: Visitor) -> None:
    solo(visitor, "fountain")
    before = loudness(visitor.listen())
    visitor.page.get_by_role("button", name="Mute fountain").click()
    assert loudness(visitor.listen()) < 1e-4
    visitor.page.get_by_role("button", name="Mute fountain").click()
    assert loudness(visitor.listen()) == pytest.approx(before, rel=0.05)


def test_nothing_leaves_above_the_ceiling(visitor: Visitor) -> None:
    visitor.stand(POINT_LEFT)  # inside the fountain: 20 dB above its level at 1 m
    heard = visitor.listen()
    peak = visitor.page.evaluate("__sonoworld.levels(300).peak")
    assert 0.5 < peak <= 10 ** (-1 / 20) + 1e-6
    assert loudness(heard) > 0.1


def test_volume_and_sound_off(visitor: Visitor) -> None:
    visitor.listen(600)  # the limiter lets go of what was loud before
    before = loudness(visitor.listen())
    visitor.page.locator("#volume").fill("-20")
    assert loudness(visitor.listen()) == pytest.approx(before / 10, rel=0.06)
    visitor.page.locator("#volume").fill("0")
    visitor.page.get_by_role("button", name="Sound on").click()
    visitor.wait("__sonoworld.audioState === 'suspended'")
    visitor.page.get_by_role("button", name="Sound off").click()
    visitor.wait("__sonoworld.audioState === 'running'")


def test_a_phone_without_worklets_is_told_so_and_walks_and_hears(chromium: Browser, world_url: str) -> None:
    phone = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, reduced_motion="reduce"
    )
    page = phone.new_page()
    page.add_init_script("delete window.AudioWorkletNode")
    visitor = Visitor(page, world_url)
    assert visitor.ask("__sonoworld.ears") == "panner"
    assert "no AudioWorklet" in page.locator("#problem").inner_text()
    visitor.enter()
    stick = page.locator("#stick").bounding_box()
    assert stick is not None
    page.mouse.move(stick["x"] + stick["width"] / 2, stick["y"] + 10)
    page.mouse.down()
    visitor.wait("__sonoworld.pose().position[0] > 0.2")
    page.mouse.up()
    visitor.stand()
    page.click("#show-panel")
    solo(visitor, "fountain")
    assert balance_db(visitor.listen()) > 3
    visitor.stand(yaw=math.pi)
    assert balance_db(visitor.listen()) < -3
    assert not visitor.problems
    phone.close()
