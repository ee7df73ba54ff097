"""The page of a listening study in a real Chromium, opened as a file: from the first question to the saved answers."""

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from sonoworld.disk import wav
from sonoworld.study import answers, design, site, stimuli

pytestmark = pytest.mark.browser

METHODS = ("MMAudio", "ours")
SCENES = ("brook", "town")
QUICK = """
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () { this.playbackRate = 8; return play.call(this); };
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    for k, scene in enumerate(SCENES):
        (folder / "in" / scene).mkdir(parents=True)
        rows, columns = np.mgrid[:90, :180]
        view = np.stack([rows * 2, columns, 200 - rows + 0 * columns], -1).astype(np.uint8)
        Image.fromarray(np.roll(view, 60 * k, 1)).save(folder / "in" / scene / "view.png")
        for pitch_hz, method in zip((300, 500), METHODS, strict=True):
            tone = 0.1 * np.sin(2 * math.pi * pitch_hz * np.arange(16_000) / 16_000)
            wav.write_wav(folder / "in" / scene / f"{method}.wav", np.stack([tone, tone]).astype(np.float32), 16_000)
    plan = design.plan(METHODS, SCENES, 4)
    site.write(plan, stimuli.read(folder / "in"), folder / "out", title="Which sound fits?")
    return folder / "out"


def opened(chromium: Browser, made: Path) -> tuple[Page, list[str]]:
    page = chromium.new_context(accept_downloads=True).new_page()
    page.add_init_script(QUICK)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: problems.append(request.url) if request.url.startswith("http") else None)
    page.goto(f"{(made / 'site' / 'index.html').as_uri()}?listener=2")
    return page, problems


def test_answers_are_saved_as_they_were_given(chromium: Browser, made: Path, tmp_path: Path) -> None:
    key = answers.read_key(made / "key.json")
    page, problems = opened(chromium, made)
    page.click("#begin")
    for number, (kind, answer) in enumerate(key.checks):
        expect(page.locator("h1")).to_have_text(f"Headphones: {number + 1} of 8")
        given = (answer + 1) % 3 if (kind, number) == ("pitch", 7) else answer
        expect(page.locator("#choice-0")).to_be_disabled()
        page.click("#play")
        page.click(f"#choice-{given}")
    expect(page.locator("h1")).to_have_text("Pair 1 of 2")
    expect(page.locator("#spatial-0")).to_be_disabled()
    page.click("#play-0")
    expect(page.locator("#spatial-0")).to_be_disabled()
    expect(page.locator("#play-0")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#play-0")).to_have_text("Play A ✓")
    expect(page.locator("#play-0")).to_have_attribute("aria-pressed", "false")
    page.click("#play-1")
    for criterion, side in (("spatial", 0), ("semantic", 1), ("overall", 0), ("spatial", 1)):
        expect(page.locator("#next")).to_be_disabled() if criterion != "spatial" else None
        page.click(f"#{criterion}-{side}")
    page.click("#next")
    expect(page.locator("h1")).to_have_text("Pair 2 of 2")
    page.reload()  # a closed tab loses nothing
    page.click("#begin")
    expect(page.locator("h1")).to_have_text("Pair 2 of 2")
    for k in (0, 1):
        page.click(f"#play-{k}")
        expect(page.locator(f"#play-{k}")).to_contain_text("✓")
    for criterion in key.design.criteria:
        page.click(f"#{criterion}-1")
    page.click("#next")
    with page.expect_download() as coming:
        page.click("#save")
    file = tmp_path / coming.value.suggested_filename
    coming.value.save_as(file)
    page.context.close()
    assert file.name == f"answers-{key.study}-2.json"
    (person,) = answers.read([file], key)
    assert (person.number, person.pitches, person.ears) == (2, 5, 2)
    assert answers.wore_headphones(person, key)
    first = {c.criterion: c for c in person.choices[:3]}
    trial = key.design.listeners[1][0]
    assert {name: c.chosen for name, c in first.items()} == {
        "spatial": trial.second, "semantic": trial.second, "overall": trial.first,
    }  # fmt: skip
    assert all(not c.was_first for c in person.choices[3:])
    assert not problems


def test_a_number_outside_is_not_taken(chromium: Browser, made: Path) -> None:
    page, problems = opened(chromium, made)
    page.fill("#who", "5")
    page.click("#begin")
    expect(page.locator("h1")).to_have_text("Which sound fits?")
    page.context.close()
    assert not problems
