"""Correcting a world in the page: every tool, two tabs, a killed server, a full disk, hostile words."""

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from playwright.sync_api import Browser

from browser.correcting import Editor, ServerProcess, served
from browser.courtyard import HOSTILE
from browser.garden import make_garden
from sonoworld.disk import versions
from sonoworld.disk.scene import check_scene, load_sources
from sonoworld.edit import edit_scene, parse_operation
from sonoworld.types import Source

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_garden(tmp_path_factory.mktemp("made") / "garden")


@pytest.fixture
def scene(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "garden"))


@pytest.fixture
def editor(chromium: Browser, scene: Path) -> Iterator[Editor]:
    with served(scene) as url:
        one = Editor(chromium, url, viewport={"width": 1000, "height": 600})
        yield one
        one.page.close()


def source(scene: Path, label: str) -> Source:
    return next(s for s in load_sources(scene) if s.label == label)


def place(scene: Path, label: str) -> np.ndarray:
    centroid = source(scene, label).centroid
    assert centroid is not None
    return centroid


def add_here(editor: Editor, label: str, kind: str = "point") -> None:
    """A new source where the visitor looks, named by hand."""
    editor.press("Add in the world")
    editor.page.locator("#pointing").get_by_text("Where I look").click()
    dialog = editor.page.locator("#add")
    editor.wait("document.querySelector('#add .offers button')")
    dialog.get_by_label("Name").fill(label)
    dialog.get_by_label("Sounds like").fill(f"a {label}")
    dialog.get_by_label("Kind").select_option(kind)
    dialog.get_by_label("Level, dB at 1 m").fill("70")
    dialog.get_by_role("button", name="Add", exact=True).click()


def test_add_move_mute_rename_save_reopen_undo(chromium: Browser, scene: Path) -> None:
    with served(scene) as url:
        editor = Editor(chromium, url, viewport={"width": 1000, "height": 600})
        assert editor.labels == ["wind", "stream"]
        editor.stand(yaw=np.pi / 2)  # looks left, at the wall 5 m away
        add_here(editor, "waterfall")
        assert "“waterfall” added" in editor.saved(1)
        assert editor.heard == ["wind", "stream", "waterfall"]
        np.testing.assert_allclose(place(scene, "waterfall"), [0, 5, 0], atol=0.1)
        editor.stand()
        left, right = editor.listen()
        assert left > 1.3 * right
        editor.type("Left, m", "-3")
        assert "“waterfall” moved" in editor.saved(2)
        np.testing.assert_allclose(place(scene, "waterfall"), [0, -3, 0], atol=0.1)
        left, right = editor.listen()
        assert right > 1.3 * left
        editor.type("Name", "old fall")
        editor.saved(3)
        assert editor.heard == ["wind", "stream", "old fall"]
        editor.press("Mute old fall in this world")
        editor.saved(4)
        assert editor.heard == ["wind", "stream"]
        assert editor.problems == []
        editor.page.close()
    with served(scene) as url:  # another day
        editor = Editor(chromium, url, viewport={"width": 1000, "height": 600})
        assert editor.labels == ["wind", "stream", "old fall"]
        assert editor.heard == ["wind", "stream"]
        editor.press("Undo: “old fall” muted")
        editor.saved(5)
        assert editor.heard == ["wind", "stream", "old fall"]
        editor.page.locator("#world").focus()
        editor.page.keyboard.press("Control+z")
        assert "undone: “waterfall” renamed" in editor.saved(6)
        editor.page.keyboard.press("Control+Shift+z")
        editor.saved(7)
        assert editor.labels == ["wind", "stream", "old fall"]
        assert editor.problems == []
        editor.page.close()
    assert check_scene(scene) == ()


def test_kind_level_width_and_a_refused_value(editor: Editor, scene: Path) -> None:
    editor.choose("stream")
    editor.type("Level in numbers, dB at 1 m", "62.5")
    editor.saved(1)
    editor.type("Radius, m (0: one place)", "0.5")
    editor.saved(2)
    editor.kind.select_option("point")
    editor.saved(3)
    stream = source(scene, "stream")
    assert (stream.level_db, stream.spread.value, len(stream.points)) == (62.5, "point", 1)
    editor.type("Level in numbers, dB at 1 m", "500")
    assert "less than or equal to 160" in editor.problem()
    assert editor.field("Level in numbers, dB at 1 m").input_value() == "62.5"
    editor.press("OK")
    editor.kind.select_option("ambient")
    editor.saved(4)
    assert editor.field("Radius, m (0: one place)").is_disabled()
    editor.kind.select_option("point")  # where?
    editor.page.mouse.click(500, 300)  # ahead
    editor.saved(5)
    np.testing.assert_allclose(place(scene, "stream"), [5, 0, 0], atol=0.1)
    editor.press("Remove stream")
    editor.saved(6)
    assert editor.labels == ["wind"]


def loudness(editor: Editor) -> np.ndarray:
    """RMS of both ears over the four seconds of a loop."""
    return np.sqrt(np.mean([editor.listen(680) ** 2 for _ in range(6)], 0))


def test_the_sound_goes_on_where_it_is_not_changed(editor: Editor) -> None:
    """An edit of one source loads nothing of the others, and the world does not stop playing."""
    editor.choose("stream")
    fetched: list[str] = []
    editor.page.on("request", lambda request: fetched.append(request.url.partition("/key/")[2].partition("?")[0]))
    editor.type("Level in numbers, dB at 1 m", "90")
    editor.saved(1)
    assert set(fetched) == {"edit/operation", "world.json"}
    editor.press("Another")
    editor.saved(2)
    assert len([name for name in fetched if name.endswith(".flac")]) == 1
    assert editor.ask("__sonoworld.audioState") == "running"
    assert editor.problems == []
    before = loudness(editor)
    editor.page.reload()
    editor.wait("window.__sonoworld")
    editor.enter()
    np.testing.assert_allclose(20 * np.log10(loudness(editor) / before), 0, atol=2)  # as loud as for who comes later
    assert editor.problems == []


def test_a_level_is_heard_while_it_is_tried(editor: Editor, scene: Path) -> None:
    editor.choose("stream")
    quiet = editor.listen(600)
    slider = editor.field("Level, dB at 1 m")
    slider.evaluate("(slider) => { slider.value = 90; slider.dispatchEvent(new Event('input')); }")
    assert editor.field("Level in numbers, dB at 1 m").input_value() == "90"
    assert editor.listen(600).max() > 2 * quiet.max()
    assert versions.history(scene) == ()
    slider.evaluate("(slider) => slider.dispatchEvent(new Event('change'))")
    editor.saved(1)
    assert source(scene, "stream").level_db == 90


def test_what_others_do_is_shown_when_one_comes_back(editor: Editor, scene: Path) -> None:
    edit_scene(scene, parse_operation({"op": "remove", "id": "wind"}))
    assert editor.labels == ["wind", "stream"]
    editor.ask("(document.dispatchEvent(new Event('visibilitychange')), 1)")
    editor.wait("document.querySelector('#edit .said').textContent.startsWith('Changed elsewhere')")
    editor.wait("__sonoworld.sources.length === 1")
    assert editor.labels == ["stream"]
    editor.press("Undo: “wind” removed")
    editor.saved(2)


def test_edits_are_heard_the_simple_way_too(editor: Editor) -> None:
    editor.page.add_init_script("delete window.AudioWorkletNode;")
    editor.page.reload()
    editor.wait("document.getElementById('show-edit')")
    editor.enter()
    assert editor.ask("__sonoworld.ears") == "panner"
    editor.page.click("#show-edit")
    editor.choose("stream")
    editor.type("Level in numbers, dB at 1 m", "90")
    editor.saved(1)
    editor.type("Ahead, m", "0")
    editor.saved(2)
    editor.type("Left, m", "-3")
    editor.saved(3)
    left, right = editor.listen(600)
    assert right > 1.5 * left
    editor.press("Remove stream")
    editor.saved(4)
    assert editor.heard == ["wind"]
    left, right = editor.listen(600)
    assert left == pytest.approx(right, rel=0.2)
    assert editor.problems == []


def test_dragged_in_the_world(editor: Editor, scene: Path) -> None:
    add_here(editor, "dog")
    editor.saved(1)
    mouse = editor.page.mouse
    mouse.move(500, 300)
    mouse.down()
    mouse.move(400, 380, steps=5)
    mouse.up()
    editor.saved(2)
    assert editor.heard[-1] == "dog"
    x, y, z = place(scene, "dog")
    # the same pixel's ray: f = 300 / tan of half the window's height
    right, down = (400 - 500) / 300, (380 - 300) / 300
    assert y / x == pytest.approx(-right * z / (-down * x), rel=0.05)
    assert y > 0 > z
    assert editor.ask("__sonoworld.pose().yaw") == 0  # the drag was not taken for looking around


def test_a_sound_chosen_among_candidates_and_one_of_ones_own(editor: Editor, scene: Path, tmp_path: Path) -> None:
    editor.choose("wind")
    editor.press("Candidates")
    editor.page.get_by_role("button", name="Play candidate 2").click()
    editor.wait("document.querySelector('.candidates button[aria-pressed=true]')")
    editor.page.get_by_role("button", name="Use candidate 2").click()
    editor.saved(1)
    assert versions.history(scene)[1].operation == {"op": "sound", "id": "wind", "seed": 2, "licence": "", "author": ""}
    tone = tmp_path / "tone.wav"
    sf.write(tone, 0.1 * np.sin(np.arange(2 * 48000) * 0.06), 48000)
    editor.page.get_by_text("A recording of mine").click()
    editor.field("File").set_input_files(tone)
    editor.field("Author").fill("me")
    editor.field("Licence").fill("CC0-1.0")
    editor.press("Use it")
    editor.saved(2)
    clip = source(scene, "wind").clip
    assert clip is not None
    assert (clip.author, clip.licence) == ("me", "CC0-1.0")
    (tmp_path / "none.wav").write_bytes(b"RIFF....WAVE and nothing else")
    editor.field("File").set_input_files(tmp_path / "none.wav")
    assert "the recording" in editor.problem()


def test_a_path_drawn_on_the_ground(editor: Editor, scene: Path) -> None:
    add_here(editor, "dog")
    editor.saved(1)
    editor.type("Speed, m/s", "2")
    editor.field("goes round and round").check()
    editor.press("Draw a path")
    editor.page.mouse.click(500, 200)  # the wall: no ground
    assert "not the ground" in editor.page.locator("#pointing").inner_text()
    for x, y in ((300, 450), (500, 450), (700, 450), (800, 450)):
        editor.page.mouse.click(x, y)
    editor.page.keyboard.press("Backspace")
    editor.page.locator("#pointing").get_by_text("Done").click()
    assert "goes along a path" in editor.saved(2)
    path = source(scene, "dog").path
    assert path is not None
    assert path.loops
    assert len(path.times_s) == 4  # and back to the first
    steps = np.linalg.norm(np.diff(path.positions, axis=0), axis=1)
    np.testing.assert_allclose(np.diff(path.times_s), steps / 2, rtol=1e-6)
    np.testing.assert_allclose(path.positions[:, 2], 0, atol=0.05)  # as high over the ground as before
    np.testing.assert_array_equal(path.positions[0], path.positions[-1])
    assert editor.ask("!document.getElementById('ways').hidden")
    editor.press("Let it stay")
    editor.saved(3)
    assert source(scene, "dog").path is None


def test_on_the_panorama_by_keyboard_alone(editor: Editor, scene: Path) -> None:
    """The picture suggests; the region is shown; nothing is added before it is confirmed."""
    keyboard = editor.page.keyboard
    editor.page.locator("#world").focus()
    keyboard.press("i")
    assert editor.page.locator("#edit").is_hidden()
    keyboard.press("i")
    editor.page.get_by_role("button", name="Add on the panorama").focus()
    keyboard.press("Enter")
    assert editor.ask("document.activeElement.className") == "panorama"
    for _ in range(10):
        keyboard.press("Shift+ArrowDown")
    keyboard.press("Enter")
    editor.wait("document.querySelectorAll('#add .offers button').length > 1")
    offers = editor.page.locator("#add .offers button").all_inner_texts()
    assert editor.page.locator("#add").get_by_label("Name").input_value() == offers[0]
    assert versions.history(scene) == ()
    keyboard.press("Escape")
    assert editor.page.locator("#add").is_hidden()
    assert editor.ask("document.activeElement.textContent") == "Add on the panorama"
    keyboard.press("Enter")
    keyboard.press("ArrowUp")
    keyboard.press("Enter")
    dialog = editor.page.locator("#add")
    editor.wait("document.querySelector('#add .offers button')")
    dialog.get_by_label("Kind").select_option("area")
    dialog.get_by_label("Name").fill("lawn")
    dialog.get_by_label("Name").press("Enter")
    editor.saved(1)
    lawn = source(scene, "lawn")
    assert lawn.spread.value == "area"
    assert editor.ask("__sonoworld.pose().position.every((x) => x === 0)")  # keys of the dialog are not steps
    assert editor.problems == []


def test_two_tabs(chromium: Browser, scene: Path) -> None:
    with served(scene) as url:
        first, second = (Editor(chromium, url, viewport={"width": 800, "height": 600}) for _ in range(2))
        first.choose("wind")
        second.choose("stream")
        first.type("Name", "gale")
        first.saved(1)
        second.type("Name", "brook")
        said = second.problem()
        assert "changed elsewhere" in said
        assert "“wind” renamed to “gale”" in said
        assert {s.label for s in load_sources(scene)} == {"gale", "stream"}
        second.press("Do mine again")
        second.saved(2)
        assert second.labels == ["gale", "brook"]
        first.type("Name", "storm")
        assert "“stream” renamed to “brook”" in first.problem()
        first.press("Show what is there")
        first.wait("document.querySelector('#edit .problem').hidden")
        assert first.labels == ["gale", "brook"]
        assert first.heard == ["gale", "brook"]
        assert {s.label for s in load_sources(scene)} == {"gale", "brook"}
        for tab in (first, second):
            tab.page.close()


def test_a_killed_server_loses_nothing(chromium: Browser, scene: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = ServerProcess(scene, port)
    editor = Editor(chromium, server.url, viewport={"width": 800, "height": 600})
    editor.choose("wind")
    editor.type("Name", "gale")
    editor.saved(1)
    server.kill()
    editor.type("Name", "storm")
    assert "does not answer" in editor.problem()
    editor.press("Try again")
    assert "kept in this browser: “gale” renamed to “storm”" in editor.problem()
    again = ServerProcess(scene, port)
    try:
        editor.press("Try again")
        editor.wait("document.querySelector('#edit .problem p').textContent.includes('new address')")
        editor.page.goto(again.url)
        editor.wait("window.__sonoworld")
        editor.page.click("#enter")
        editor.page.click("#show-edit")
        assert "kept in this browser" in editor.problem()
        assert editor.labels == ["gale", "stream"]
        editor.press("Try again")
        editor.saved(2)
        assert editor.labels == ["storm", "stream"]
        assert editor.ask("localStorage.getItem('sonoworld.unsaved.garden')") is None
    finally:
        again.kill()
        editor.page.close()
    assert check_scene(scene) == ()
    assert [s.label for s in load_sources(scene)] == ["storm", "stream"]


def test_a_full_disk(editor: Editor, scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    editor.choose("wind")
    with monkeypatch.context() as patch:
        patch.setattr(versions.atomic, "write_json", full)
        editor.type("Name", "gale")
        said = editor.problem()
        assert "No space left on device" in said
        assert "stays at version 0" in said
        editor.press("Try again")
        assert "No space left on device" in editor.problem()
    assert versions.history(scene) == ()
    editor.press("Try again")
    editor.saved(1)
    assert editor.labels == ["gale", "stream"]


def test_saved_but_not_shown(editor: Editor, scene: Path) -> None:
    """The server saves, and dies before the page has got the new world."""
    editor.page.route("**/world.json", lambda route: route.abort())
    editor.choose("wind")
    editor.type("Name", "gale")
    assert "Saved, but this page cannot show it yet" in editor.problem()
    assert [s.label for s in load_sources(scene)] == ["gale", "stream"]
    assert editor.heard == ["wind", "stream"]
    editor.page.unroute("**/world.json")
    editor.press("Show it")
    editor.wait("document.querySelector('#edit .problem').hidden")
    assert editor.heard == ["gale", "stream"]
    assert len(versions.history(scene)) == 2


def test_hostile_words_are_only_text(editor: Editor, scene: Path) -> None:
    editor.choose("wind")
    editor.type("Name", HOSTILE)
    editor.saved(1)
    editor.type("Sounds like", HOSTILE)
    editor.saved(2)
    assert editor.labels[0] == HOSTILE
    assert editor.heard[0] == HOSTILE
    assert editor.ask("window.hacked === undefined && !document.querySelector('img[src=x]')")
    assert source(scene, HOSTILE).id == "wind"
    assert editor.problems == []


def test_where_editing_is_not_allowed(chromium: Browser, world_url: str) -> None:
    editor = chromium.new_page(reduced_motion="reduce")
    editor.goto(f"{world_url}?edit")
    editor.click("#enter")
    editor.locator("#edge").get_by_text("cannot be edited here").wait_for()
    assert editor.locator("#show-edit").count() == 0
    editor.close()


def test_what_was_kept_is_checked(chromium: Browser, scene: Path) -> None:
    """Nonsense in the browser's own store does nothing; the server has the last word."""
    kept = json.dumps([1, {"op": "explode", "id": "wind"}, {"op": "remove", "id": "wind"}])
    with served(scene) as url:
        editor = Editor(chromium, url)
        editor.page.evaluate("(kept) => localStorage.setItem('sonoworld.unsaved.garden', kept)", kept)
        editor.page.reload()
        editor.wait("document.getElementById('show-edit')")
        editor.page.click("#enter")
        editor.page.click("#show-edit")
        assert "“wind” removed" in editor.problem()
        assert versions.history(scene) == ()
        editor.press("Try again")
        editor.saved(1)
        assert editor.labels == ["stream"]
        editor.page.close()
