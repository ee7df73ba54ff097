import math

import numpy as np
import pytest

from browser.courtyard import AHEAD, BEHIND, GROUND, LEFT, RIGHT, SKY, courtyard
from browser.visitor import SIZE, Visitor
from sonoworld.frames import FLU_FROM_RDF, Pose, world_from_head_rotation
from sonoworld.render.splat import render_view

pytestmark = pytest.mark.browser
TOLERANCE = 12


def colour_at(picture: np.ndarray, x: float, y: float) -> np.ndarray:
    """Median colour of a small square; x, y as shares of the window."""
    h, w = picture.shape[:2]
    column, row = int(x * w), int(y * h)
    return np.median(picture[row - 4 : row + 5, column - 4 : column + 5].reshape(-1, 3), axis=0)


def assert_colour(picture: np.ndarray, x: float, y: float, expected: tuple[int, int, int]) -> None:
    got = colour_at(picture, x, y)
    assert np.abs(got - expected).max() <= TOLERANCE, f"at {x}, {y}: expected {expected}, got {got}"


def test_all_splats_are_drawn(visitor: Visitor) -> None:
    assert visitor.ask("__sonoworld.drawn") == len(courtyard())


@pytest.mark.parametrize(("yaw", "wall"), [(0.0, AHEAD), (math.pi / 2, LEFT), (math.pi, BEHIND), (-math.pi / 2, RIGHT)])
def test_each_wall_is_where_it_is(visitor: Visitor, yaw: float, wall: tuple[int, int, int]) -> None:
    visitor.stand(yaw=yaw)
    picture = visitor.picture()
    assert_colour(picture, 0.4, 0.4, wall)
    assert_colour(picture, 0.25, 0.8, GROUND)


def test_left_is_left_and_up_is_up(visitor: Visitor) -> None:
    visitor.stand(yaw=math.pi / 4)  # into the corner between the wall ahead and the wall to the left
    picture = visitor.picture()
    assert_colour(picture, 0.25, 0.45, LEFT)
    assert_colour(picture, 0.45, 0.75, GROUND)
    visitor.stand(pitch=1.2)
    assert_colour(visitor.picture(), 0.4, 0.4, SKY)


def test_a_label_stands_at_its_source(visitor: Visitor) -> None:
    visitor.stand(yaw=math.radians(75))
    dot = visitor.page.locator(".label.point i").bounding_box()
    assert dot is not None
    # 15° to the left of the view's centre: x = w/2 − (h/2)·tan 15°/tan 30° (a 16:9 window is 60° high)
    expected = SIZE[0] / 2 - SIZE[1] / 2 * math.tan(math.radians(15)) / math.tan(math.radians(30))
    assert dot["x"] + dot["width"] / 2 == pytest.approx(expected, abs=2)
    assert dot["y"] + dot["height"] / 2 == pytest.approx(SIZE[1] / 2, abs=2)


def test_key_w_walks_ahead(visitor: Visitor) -> None:
    before = visitor.picture()
    visitor.page.locator("#world").focus()
    visitor.page.keyboard.down("KeyW")
    visitor.wait("__sonoworld.pose().position[0] > 0.5")
    visitor.page.keyboard.up("KeyW")
    visitor.ask("__sonoworld.settled()")
    x, y, z = visitor.position
    assert 0.5 < x < 1.5
    assert y == pytest.approx(0, abs=1e-9)
    assert z == 0
    after = visitor.picture()
    # the foot of the wall ahead comes nearer: it moves down the screen
    assert foot_row(after) > foot_row(before) + 8


def foot_row(picture: np.ndarray) -> int:
    column = picture[:, int(0.3 * picture.shape[1])].astype(int)
    return int(np.argmax(column[:, 1] > column[:, 0]))


def test_arrows_turn_and_home_returns(visitor: Visitor) -> None:
    visitor.page.locator("#world").focus()
    visitor.page.keyboard.down("ArrowLeft")
    visitor.wait("__sonoworld.pose().yaw > 0.3")
    visitor.page.keyboard.up("ArrowLeft")
    visitor.page.keyboard.press("Home")
    visitor.wait("__sonoworld.pose().yaw === 0")


def test_dragging_right_pulls_the_world_right(visitor: Visitor) -> None:
    visitor.page.mouse.move(150, 100)
    visitor.page.mouse.down()
    visitor.page.mouse.move(250, 100, steps=4)
    visitor.page.mouse.up()
    visitor.wait("__sonoworld.pose().yaw > 0.2")


def test_the_edge_holds_a_visitor_softly(visitor: Visitor) -> None:
    radius = 1.5
    visitor.ask("__sonoworld.walk(1, 0, 1)")
    assert visitor.position[0] == pytest.approx(1.2, abs=0.03)  # 1.2 m/s, free
    assert visitor.page.locator("#edge").inner_text() == ""
    visitor.ask("__sonoworld.walk(1, 0, 60)")
    assert 1.8 * radius < visitor.position[0] < 2 * radius
    assert "knows little" in visitor.page.locator("#edge").inner_text()
    visitor.ask("__sonoworld.walk(-1, 0, 2)")
    assert visitor.position[0] == pytest.approx(2 * radius - 2.4, abs=0.3)  # the way back is free


def test_look_and_go(visitor: Visitor) -> None:
    visitor.page.get_by_role("button", name="Look at fountain").click()
    visitor.wait("Math.abs(__sonoworld.pose().yaw - Math.PI / 2) < 1e-6")
    visitor.page.get_by_role("button", name="Go to fountain").click()
    visitor.wait("__sonoworld.pose().position[1] > 1")
    assert visitor.position == pytest.approx([0, 1.1, 0], abs=1e-6)


def test_the_browser_draws_what_the_package_draws(visitor: Visitor) -> None:
    """The same splats, pose and lens through `render_view` (its own definition, tested elsewhere)."""
    position, yaw, pitch = (0.7, -0.4, 0.0), 0.6, -0.25
    visitor.stand(position, yaw, pitch)
    focal = SIZE[1] / 2 / math.tan(math.radians(30))
    K = np.array([[focal, 0, SIZE[0] / 2], [0, focal, SIZE[1] / 2], [0, 0, 1]])
    pose = Pose(world_from_head_rotation(yaw, pitch) @ FLU_FROM_RDF, np.array(position))
    expected = render_view(courtyard(), K, SIZE, pose).rgb * 255
    free = np.s_[60:350, 20:440]  # beside the title, the panel and the bar
    visitor.ask("document.getElementById('map').hidden = true")
    difference = np.abs(visitor.picture()[free] - expected[free])
    visitor.ask("document.getElementById('map').hidden = false")
    assert np.median(difference) <= 1.5
    assert np.quantile(difference, 0.95) <= 6
