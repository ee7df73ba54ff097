"""Headphones or loudspeakers, whose ears, how fine; and whether left is left."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from browser.courtyard import courtyard, small_world
from browser.visitor import Visitor
from sonoworld.disk.ply import write_ply
from sonoworld.view import export_folder, hearing, running

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def listener(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hearing, "OTHER_ORDERS", (3,))  # order 5 takes long to design
        folder = export_folder(small_world(), tmp_path_factory.mktemp("worlds") / "sphere", ears="sphere")
    with running(folder) as url:
        visitor = Visitor(chromium.new_page(reduced_motion="reduce"), url)
        visitor.enter()
        visitor.page.click("#show-panel")
        visitor.page.get_by_role("button", name="Solo fountain", exact=True).click()
        visitor.page.click("#show-settings")
        yield visitor
        assert not visitor.problems
        visitor.page.close()


def balance_db(ears: np.ndarray) -> float:
    return float(20 * np.log10(ears[0] / ears[1]))


def test_ears_and_orders_on_offer(listener: Visitor) -> None:
    assert listener.page.locator("#ears option").all_inner_texts() == ["Ideal sphere", "KEMAR mannequin"]
    assert listener.page.locator("#order option").all_inner_texts() == ["automatic", "order 3"]
    listener.page.select_option("#ears", "KEMAR mannequin")
    assert len(listener.page.locator("#order option").all()) == 6
    listener.page.select_option("#ears", "Ideal sphere")


def test_other_ears_and_orders_are_heard(listener: Visitor) -> None:
    """The fountain stands to the left: another head shades the far ear differently."""
    heard: dict[tuple[str, str], float] = {}
    for ears in ("Ideal sphere", "KEMAR mannequin"):
        listener.page.select_option("#ears", ears)
        for order in ("3", ""):
            listener.page.select_option("#order", order)
            heard[ears, order] = balance_db(listener.listen(500))
    assert min(heard.values()) > 5
    assert abs(heard["Ideal sphere", ""] - heard["KEMAR mannequin", ""]) > 0.5
    assert abs(heard["KEMAR mannequin", "3"] - heard["KEMAR mannequin", ""]) > 0.1
    listener.page.select_option("#ears", "Ideal sphere")


def test_loudspeakers_get_a_panned_picture(listener: Visitor) -> None:
    listener.page.locator("#settings input[value=speakers]").check()
    assert listener.page.locator("#ears").is_disabled()
    listener.stand(yaw=np.pi / 2)
    assert abs(balance_db(listener.listen(500))) < 0.3
    listener.stand(yaw=np.pi / 2 + np.pi / 6)  # now it is 30° to the right, where a loudspeaker stands
    assert balance_db(listener.listen(500)) < -10
    listener.page.locator("#settings input[value=headphones]").check()
    assert not listener.page.locator("#ears").is_disabled()
    listener.stand()


def test_no_click_where_ears_change(listener: Visitor) -> None:
    """Sound goes down before the change and comes up after it."""
    listener.stand()
    listener.listen(500)
    usual = listener.page.evaluate("__sonoworld.levels(400).peak")
    listener.page.select_option("#ears", "KEMAR mannequin")
    listener.wait("__sonoworld.levels(20).peak < 0.02 * " + str(usual))
    listener.wait("__sonoworld.levels(60).peak > 0.4 * " + str(usual))
    assert listener.page.evaluate("__sonoworld.levels(600).peak") < 1.6 * usual


def test_left_is_tested_before_the_world_begins(chromium: Browser, world_url: str) -> None:
    page = chromium.new_page(reduced_motion="reduce")
    page.add_init_script(
        """window.bursts = [];
           const start = AudioBufferSourceNode.prototype.start;
           AudioBufferSourceNode.prototype.start = function (...at) {
             if (this.buffer?.numberOfChannels === 2) {
               const loud = [0, 1].map((side) => this.buffer.getChannelData(side).some((one) => one !== 0));
               window.bursts.push([loud, document.querySelector('.card .check-sides').textContent]);
             }
             return start.apply(this, at);
           };"""
    )
    visitor = Visitor(page, world_url)
    page.locator(".card .check-sides").click()
    visitor.wait("window.bursts.length === 2 && !document.querySelector('.card .check-sides').disabled")
    assert visitor.ask("window.bursts") == [[[True, False], "← left"], [[False, True], "right →"]]
    visitor.wait("__sonoworld.audioState === 'suspended'")
    page.locator(".card input[value=speakers]").check()
    visitor.enter()
    page.keyboard.press("o")
    assert page.locator("#settings input[value=speakers]").is_checked()
    assert not visitor.problems
    page.close()


def test_the_simple_way_says_that_it_knows_no_other_ears(chromium: Browser, world_url: str) -> None:
    page = chromium.new_page(reduced_motion="reduce")
    page.add_init_script("delete window.AudioWorkletNode")
    visitor = Visitor(page, world_url)
    visitor.enter()
    page.click("#show-settings")
    assert page.locator("#ears").is_disabled()
    assert "no other ears" in page.locator("#hearing-note").inner_text()
    page.close()


def test_a_stale_world_of_format_1_still_opens(chromium: Browser, world_folder: Path, tmp_path: Path) -> None:
    """A PLY file, no outputs of filters, no lighter pictures: as worlds were before they had them."""
    folder = tmp_path / "old"
    folder.mkdir()
    for file in world_folder.rglob("*"):
        if file.is_file():
            target = folder / file.relative_to(world_folder)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(file.read_bytes())
    world = json.loads((folder / "world.json").read_text())
    del world["lighter"]
    write_ply(folder / "splats.ply", courtyard())
    world["splats"]["file"] = "splats.ply"
    world["sound"]["filters"] = [one for one in world["sound"]["filters"] if one["output"] == "headphones"][:1]
    for one in world["sound"]["filters"]:
        del one["output"]
    (folder / "world.json").write_text(json.dumps(world))
    with running(folder) as url:
        visitor = Visitor(chromium.new_page(), url)
        visitor.enter()
        assert visitor.ask("__sonoworld.drawn") == len(courtyard())
        assert visitor.listen().min() > 0.003
        visitor.page.click("#show-settings")
        assert not visitor.page.locator("#settings input[value=speakers]").is_enabled()
        visitor.page.close()
