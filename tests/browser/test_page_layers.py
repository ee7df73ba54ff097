"""What lies over the world: map, captions, sound waves; and the panel that shows them."""

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser

from browser.visitor import SIZE, Visitor

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def guest(chromium: Browser, world_url: str) -> Iterator[Visitor]:
    page = chromium.new_page(viewport={"width": SIZE[0], "height": SIZE[1]}, reduced_motion="reduce")
    visitor = Visitor(page, world_url)
    visitor.enter()
    page.click("#show-settings")
    yield visitor
    assert not visitor.problems
    page.close()


def captions(guest: Visitor) -> list[str]:
    return guest.page.locator("#captions p").all_inner_texts()


def test_captions_say_what_sounds_where_and_follow_the_head(guest: Visitor) -> None:
    guest.page.click("#show-captions")
    guest.stand()
    guest.wait("document.querySelector('#captions')?.textContent.includes('fountain: left')")
    assert any(line.startswith("ivy") and line.endswith("ahead") for line in captions(guest))
    assert any(line.endswith("all around") for line in captions(guest))
    guest.stand(yaw=np.pi / 2)
    guest.wait("document.querySelector('#captions').textContent.includes('fountain: ahead')")
    guest.stand((0, 1.5, 0))
    guest.wait("document.querySelector('#captions').textContent.includes('fountain, loud: left, near')")
    assert guest.ask("document.querySelector('#captions').getAttribute('aria-live')") == "polite"


def test_captions_forget_what_is_muted(guest: Visitor) -> None:
    guest.stand()
    guest.page.click("#show-panel")
    guest.page.get_by_role("button", name="Mute fountain").click()
    guest.wait("!document.querySelector('#captions').textContent.includes('fountain')")
    guest.page.get_by_role("button", name="Mute fountain").click()
    guest.wait("document.querySelector('#captions').textContent.includes('fountain')")
    guest.page.click("#show-settings")


def test_the_engine_says_how_loud_each_source_plays(guest: Visitor) -> None:
    """Clips of RMS 1 after their gain; levels 70, 60, 45 and 30 dB where 100 dB is 1."""
    guest.wait("__sonoworld.playing && __sonoworld.playing.every((one) => one > 0)")
    playing = np.array(guest.ask("Array.from(__sonoworld.playing)"))
    np.testing.assert_allclose(20 * np.log10(playing) + 100, [70, 60, 45, 30], atol=0.6)


def test_waves_stand_at_their_source(guest: Visitor) -> None:
    guest.stand(yaw=np.pi / 2)
    guest.page.click("#show-waves")
    guest.wait("__sonoworld.playing")
    drawn = """(() => {
      const canvas = document.querySelector('#waves');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      const seen = [];
      for (let y = 0; y < canvas.height; y++)
        for (let x = 0; x < canvas.width; x++) if (data[4 * (y * canvas.width + x) + 3]) seen.push([x, y]);
      return seen;
    })()"""
    guest.wait(f"{drawn}.length > 50")
    middle = np.mean(np.array(guest.ask(drawn)), axis=0)
    np.testing.assert_allclose(middle, [SIZE[0] / 2, SIZE[1] / 2], atol=4)  # the fountain is straight ahead
    guest.page.click("#show-waves")
    assert guest.ask("document.querySelector('#waves').hidden") is True


def test_the_map_shows_sources_and_the_way_one_looks(guest: Visitor) -> None:
    guest.stand()
    assert "0.0 m from where the photo was taken, facing ahead" in str(map_label(guest))
    here = map_pixels(guest)
    side = here.shape[0]
    orange = (np.abs(here[..., :3].astype(int) - (255, 180, 84)) < 30).all(-1) & (here[..., 3] > 200)
    row, column = np.argwhere(orange).mean(0)
    assert row == pytest.approx(side / 2, abs=2)
    # the fountain is 2 m to the left; ahead is up; 2.2 comfortable radii of 1.5 m take up 62 % of the way to the rim
    assert column == pytest.approx(side / 2 - 0.62 * 2 / (2.2 * 1.5) * (side / 2 - 7), abs=1.5)
    guest.stand((1.0, 0, 0), yaw=np.pi)
    assert "1.0 m from" in str(map_label(guest)) and "facing behind" in str(map_label(guest))
    assert np.abs(map_pixels(guest).astype(int) - here).max() > 100


def map_label(guest: Visitor) -> object:
    return guest.ask("document.querySelector('#map').getAttribute('aria-label')")


def map_pixels(guest: Visitor) -> np.ndarray:
    data = guest.ask(
        """(() => { const map = document.querySelector('#map');
             return Array.from(map.getContext('2d').getImageData(0, 0, map.width, map.height).data); })()"""
    )
    values = np.array(data, np.uint8)
    side = int(np.sqrt(values.size / 4))
    return values.reshape(side, side, 4)


def test_what_was_chosen_is_there_next_time(chromium: Browser, world_url: str) -> None:
    context = chromium.new_context(reduced_motion="reduce")
    visitor = Visitor(context.new_page(), world_url)
    visitor.enter()
    for key in "cn":
        visitor.page.keyboard.press(key)
    visitor.page.close()
    again = Visitor(context.new_page(), world_url)
    pressed = "document.getElementById('{}').getAttribute('aria-pressed')"
    assert again.ask(pressed.format("show-captions")) == "true"
    assert again.ask(pressed.format("show-map")) == "false"
    assert again.ask("document.getElementById('map').hidden && !document.getElementById('captions').hidden") is True
    assert not again.problems
    context.close()


def test_facts_tell_the_first_picture(guest: Visitor) -> None:
    facts = guest.page.locator("#facts").inner_text()
    milliseconds = guest.ask("__sonoworld.firstPictureMs")
    assert isinstance(milliseconds, int | float)
    assert milliseconds > 0
    assert f"First picture after {milliseconds / 1000:.1f} s" in facts
    assert "splats" in facts
