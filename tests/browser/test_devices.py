"""Devices other than a desktop's: gamepads, phones, and a headset that iwer pretends to be."""

from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from browser.courtyard import courtyard, small_world
from browser.node_packages import node_modules
from browser.visitor import Visitor
from sonoworld.frames import world_from_head_rotation
from sonoworld.view import export_folder, running

pytestmark = pytest.mark.browser
NPM = Path(__file__).parent / "npm"
PAD = """
  window.pad = { mapping: 'standard', connected: true, axes: [0.05, 0, 0, 0] };
  navigator.getGamepads = () => [null, window.pad, { mapping: '', connected: true, axes: [1, 1, 1, 1] }];
"""
QUEST = """
  window.device = new IWER.XRDevice(IWER.metaQuest3);
  window.device.installRuntime({ forceInstall: true });
"""


def test_a_gamepad_walks_and_looks(chromium: Browser, world_url: str) -> None:
    page = chromium.new_page(reduced_motion="reduce")
    page.add_init_script(PAD)
    visitor = Visitor(page, world_url)
    visitor.enter()
    page.wait_for_timeout(200)
    assert not visitor.position.any()  # a stick at rest is never quite at rest; unknown layouts are left alone
    visitor.ask("void (pad.axes = [0, -1, 0, 0])")
    visitor.wait("__sonoworld.pose().position[0] > 0.3")
    visitor.ask("void (pad.axes = [-1, 0, 0, 0])")
    visitor.wait("__sonoworld.pose().position[1] > 0.2")
    visitor.ask("void (pad.axes = [0, 0, -1, -1])")
    visitor.wait("__sonoworld.pose().yaw > 0.2 && __sonoworld.pose().pitch > 0.2")
    assert not visitor.problems, "\n".join(visitor.problems)
    page.close()


@pytest.fixture(scope="module")
def two_pictures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    whole = courtyard()
    many = replace(whole, **{f.name: np.repeat(getattr(whole, f.name), 60, axis=0) for f in fields(whole)})
    folder = export_folder(small_world(), tmp_path_factory.mktemp("worlds") / "two", splats=(many, whole))
    with running(folder) as url:
        yield url


def test_a_phone_gets_the_lighter_picture_unless_it_asks_for_more(chromium: Browser, two_pictures: str) -> None:
    context = chromium.new_context(has_touch=True, is_mobile=True, reduced_motion="reduce")
    visitor = Visitor(context.new_page(), two_pictures)
    assert visitor.ask("__sonoworld.drawn") == len(courtyard())
    visitor.enter()
    visitor.page.click("#show-settings")
    visitor.page.select_option("#picture", "fine")
    assert visitor.page.locator("#picture-note").is_visible()
    assert not visitor.problems, "\n".join(visitor.problems)
    visitor.page.close()
    again = context.new_page()
    asked: list[str] = []
    again.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[-1]))
    again.goto(two_pictures)
    again.wait_for_event("requestfinished", lambda request: request.url.endswith(".sog"), timeout=20000)
    assert [name for name in asked if name.endswith(".sog")] == ["splats.sog"]
    context.close()


def test_a_machine_with_little_memory_gets_it_too(chromium: Browser, two_pictures: str) -> None:
    page = chromium.new_page()
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'deviceMemory', { get: () => 2 })")
    visitor = Visitor(page, two_pictures)
    assert visitor.ask("__sonoworld.drawn") == len(courtyard())
    page.close()


@pytest.fixture
def wearer(chromium: Browser, world_url: str) -> Iterator[Visitor]:
    page = chromium.new_page(reduced_motion="reduce", viewport={"width": 400, "height": 240})
    page.add_init_script(path=node_modules(NPM) / "iwer" / "build" / "iwer.min.js")
    page.add_init_script(QUEST)
    visitor = Visitor(page, world_url)
    visitor.enter()
    page.locator("#enter-vr").wait_for(state="visible")
    page.click("#enter-vr")
    visitor.wait("document.body.classList.contains('worn') && __sonoworld.hands === 2")
    yield visitor
    assert not visitor.problems, "\n".join(visitor.problems)
    page.close()


def move_head(wearer: Visitor, position: tuple[float, float, float], turn: tuple[float, float, float, float]) -> None:
    """Room axes: x right, y up, z back; the turn as x, y, z, w."""
    wearer.page.evaluate("([p, q]) => { device.position.set(...p); device.quaternion.set(...q); }", [position, turn])


def head_matrix(wearer: Visitor) -> np.ndarray:
    head = wearer.ask("__sonoworld.head()")
    assert isinstance(head, dict)
    return world_from_head_rotation(head["yaw"], head["pitch"], head["roll"])


def test_the_headset_moves_the_head_and_the_ears(wearer: Visitor) -> None:
    """A step to the left and a look to the right, leaning: read back as the same rotation."""
    start = np.array(wearer.page.evaluate("[device.position.x, device.position.y, device.position.z]"))
    half = np.deg2rad(-90) / 2
    lean = np.deg2rad(-20) / 2  # about the head's z (back): right ear down
    y_turn, z_turn = np.array([0, np.sin(half), 0, np.cos(half)]), np.array([0, 0, np.sin(lean), np.cos(lean)])
    x1, y1, z1, w1 = y_turn
    x2, y2, z2, w2 = z_turn
    turn = (
        w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
        w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
        w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
        w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
    )
    before = wearer.listen()
    move_head(wearer, (start[0] - 1, start[1], start[2]), turn)
    wearer.wait("Math.abs(__sonoworld.head().yaw + Math.PI / 2) < 1e-3")
    head = wearer.ask("__sonoworld.head()")
    assert isinstance(head, dict)
    assert head["roll"] == pytest.approx(np.deg2rad(20), abs=1e-3)
    expected = world_from_head_rotation(-np.pi / 2, 0, np.deg2rad(20))
    np.testing.assert_allclose(head_matrix(wearer), expected, atol=1e-3)
    after = wearer.listen()
    assert after.sum() > before.sum()  # a metre nearer to the fountain, now behind
    assert wearer.position == pytest.approx([0, 0, 0], abs=1e-6)  # the body has not moved


def test_sticks_walk_where_the_head_looks_and_turn_by_steps(wearer: Visitor) -> None:
    half = np.deg2rad(90) / 2
    start = wearer.page.evaluate("[device.position.x, device.position.y, device.position.z]")
    move_head(wearer, tuple(start), (0, np.sin(half), 0, np.cos(half)))  # looks to the left
    wearer.wait("Math.abs(__sonoworld.head().yaw - Math.PI / 2) < 1e-3")
    wearer.ask("void device.controllers.left.updateAxes('thumbstick', 0, -1)")
    wearer.wait("__sonoworld.pose().position[1] > 0.3")
    wearer.ask("void device.controllers.left.updateAxes('thumbstick', 0, 0)")
    assert abs(wearer.position[0]) < 0.02
    wearer.ask("void device.controllers.right.updateAxes('thumbstick', 1, 0)")
    wearer.wait("Math.abs(__sonoworld.pose().yaw + Math.PI / 6) < 1e-6")
    wearer.page.wait_for_timeout(300)
    assert wearer.ask("__sonoworld.pose().yaw") == pytest.approx(-np.pi / 6, abs=1e-6)  # once for one push
    wearer.ask("void device.controllers.right.updateAxes('thumbstick', 0, 0)")


def test_a_held_trigger_walks_and_leaving_gives_the_page_back(wearer: Visitor) -> None:
    wearer.ask("void device.controllers.right.updateButtonValue('trigger', 1)")
    wearer.wait("__sonoworld.pose().position[0] > 0.2")
    wearer.ask("void device.controllers.right.updateButtonValue('trigger', 0)")
    wearer.ask("__sonoworld.leaveHeadset()")
    wearer.wait("!document.body.classList.contains('worn')")
    wearer.stand()
    assert wearer.ask("__sonoworld.head().position") == [0, 0, 0]


def test_without_a_headset_there_is_no_button(chromium: Browser, world_url: str) -> None:
    visitor = Visitor(chromium.new_page(), world_url)
    visitor.enter()
    visitor.page.wait_for_timeout(200)
    assert not visitor.page.locator("#enter-vr").is_visible()
    assert not visitor.page.locator("#enter-ar").is_visible()
    visitor.page.close()
